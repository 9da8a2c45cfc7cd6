package stacks_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"drawbridge/config"
	"drawbridge/internal/cdktest"
	"drawbridge/stacks"
)

const (
	pipelineAccount, otherAccount = "111111111111", "222222222222"
	connection                    = "arn:aws:codeconnections:eu-central-1:111111111111:connection/0f0e0d0c-0b0a-0908-0706-050403020100"
)

// delivery is a synthesized pipeline: its own template, and those of the environments that it deploys, by name and stack.
type delivery struct {
	cdktest.Template
	environments map[string]map[string]cdktest.Template
	app          awscdk.App
}

// deliver synthesizes the pipeline of dev and prod, of which change may edit each one's config.
func deliver(t *testing.T, pipeline config.Pipeline, change func(name string, environment map[string]any)) delivery {
	t.Helper()
	pipeline.ConnectionARN, pipeline.Repository, pipeline.Branch = connection, "team/drawbridge", "main"
	d := delivery{environments: map[string]map[string]cdktest.Template{}}
	var environments []*config.Environment
	for _, name := range []string{"dev", "prod"} {
		environments = append(environments, cdktest.Environment(t, name, func(environment map[string]any) {
			if change != nil {
				change(name, environment)
			}
		}))
	}
	cdktest.Try(t, func() {
		d.app = cdktest.NewApp(t)
		stack := stacks.NewPipelineStack(d.app, "Pipeline", &stacks.PipelineStackProps{
			Pipeline: &pipeline, Environments: environments, CLIVersion: "2.1.2",
			Assets: stacks.Assets{WebAppBundle: cdktest.Asset(t), DatabaseFunction: cdktest.Asset(t), HostProgram: cdktest.Asset(t)},
		})
		d.Template = cdktest.Synthesize(t, stack.Stack)
		for i, e := range stack.Environments {
			d.environments[environments[i].Name] = map[string]cdktest.Template{
				"Network": cdktest.Synthesize(t, e.Network.Stack), "Database": cdktest.Synthesize(t, e.Database.Stack), "Bastion": cdktest.Synthesize(t, e.Bastion.Stack),
				"WebApp": cdktest.Synthesize(t, e.WebApp.Stack), "Tunnel": cdktest.Synthesize(t, e.Tunnel.Stack),
			}
		}
	})
	return d
}

// elsewhere puts prod into another account and region.
func elsewhere(name string, environment map[string]any) {
	if name == "prod" {
		environment["account"], environment["region"], environment["availabilityZones"] = otherAccount, "us-east-1", []any{"us-east-1a", "us-east-1b"}
	}
}

// action is one action of the pipeline.
type action struct {
	Name, Namespace string
	RunOrder        float64
	Configuration   map[string]any
	Region          string
	RoleArn         any
}

// actions are those of each stage, in the order of the stages and of their run.
func (d delivery) actions(t *testing.T) (stages []string, actions map[string][]action) {
	t.Helper()
	var properties struct {
		Stages []struct {
			Name    string
			Actions []action
		}
	}
	if err := json.Unmarshal([]byte(cdktest.JSON(d.One(t, "AWS::CodePipeline::Pipeline").Properties)), &properties); err != nil {
		t.Fatal(err)
	}
	actions = map[string][]action{}
	for _, stage := range properties.Stages {
		stages = append(stages, stage.Name)
		slices.SortStableFunc(stage.Actions, func(a, b action) int { return int(a.RunOrder - b.RunOrder) })
		actions[stage.Name] = stage.Actions
	}
	return stages, actions
}

func named(t *testing.T, actions []action, name string) action {
	t.Helper()
	i := slices.IndexFunc(actions, func(a action) bool { return a.Name == name })
	if i < 0 {
		t.Fatalf("there is no %s", name)
	}
	return actions[i]
}

// buildSpec is what CDK and this project make of a step.
type buildSpec struct {
	Env struct {
		ExportedVariables []string `json:"exported-variables"`
	}
	Phases struct {
		Install struct {
			RuntimeVersions map[string]string `json:"runtime-versions"`
			Commands        []string
		}
		Build struct{ Commands []string }
	}
	Cache     struct{ Paths []string }
	Artifacts struct {
		BaseDirectory string `json:"base-directory"`
	}
}

// project is the CodeBuild project of a step, such as Build/Synth.
func (d delivery) project(t *testing.T, step string) (cdktest.Resource, buildSpec) {
	t.Helper()
	for _, project := range d.Resources("AWS::CodeBuild::Project") {
		if strings.HasSuffix(project.Properties["Description"].(string), "/"+step) {
			var spec buildSpec
			text := project.Properties["Source"].(map[string]any)["BuildSpec"].(string)
			if strings.HasSuffix(text, ".yaml") { // which is JSON too
				file, err := os.ReadFile(filepath.Join(*d.app.Outdir(), text))
				if err != nil {
					t.Fatal(err)
				}
				text = string(file)
			}
			if err := json.Unmarshal([]byte(text), &spec); err != nil {
				t.Fatalf("%s: %v in %s", step, err, text)
			}
			return project, spec
		}
	}
	t.Fatalf("there is no step %s", step)
	panic("unreachable")
}

func environmentOf(project cdktest.Resource) (image, size string, variables map[string]string) {
	environment := project.Properties["Environment"].(map[string]any)
	variables = map[string]string{}
	for _, variable := range list(environment["EnvironmentVariables"]) {
		variable := variable.(map[string]any)
		variables[variable["Name"].(string)] = variable["Value"].(string)
	}
	return environment["Image"].(string), environment["ComputeType"].(string), variables
}

func TestPipeline(t *testing.T) {
	d := deliver(t, config.Pipeline{}, nil)
	stages, actions := d.actions(t)

	t.Run("tests everything before it deploys one environment after the other", func(t *testing.T) {
		if want := []string{"Source", "Build", "UpdatePipeline", "Assets", "Test", "dev", "prod"}; !slices.Equal(stages, want) {
			t.Errorf("got %q, want %q", stages, want)
		}
		if named(t, actions["Test"], "Tests").RunOrder != named(t, actions["Test"], "Lint").RunOrder {
			t.Error("tests and linters wait for one another")
		}
	})
	t.Run("takes what is pushed to the branch", func(t *testing.T) {
		got := named(t, actions["Source"], "Source").Configuration
		if want := map[string]any{"ConnectionArn": connection, "FullRepositoryId": "team/drawbridge", "BranchName": "main"}; !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
	t.Run("may use the connection by the service's old name and its new one", func(t *testing.T) {
		var got []string
		for _, policy := range d.Resources("AWS::IAM::Policy") {
			for _, statement := range list(policy.Properties["PolicyDocument"].(map[string]any)["Statement"]) {
				if statement := statement.(map[string]any); statement["Resource"] == connection {
					got = append(got, statement["Action"].(string))
				}
			}
		}
		slices.Sort(got)
		if want := []string{"codeconnections:UseConnection", "codestar-connections:UseConnection"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	t.Run("deploys the network first, the database next, and then what uses it", func(t *testing.T) {
		for _, env := range []string{"dev", "prod"} {
			order := func(stack string) float64 {
				return named(t, actions[env], "drawbridge-"+env+"-"+stack+".Deploy").RunOrder
			}
			for _, stack := range []string{"Bastion", "WebApp", "Tunnel"} {
				if !(order("Network") < order("Database") && order("Database") < order(stack)) {
					t.Errorf("%s: Network %v, Database %v, %s %v", env, order("Network"), order("Database"), stack, order(stack))
				}
			}
		}
	})
	t.Run("synthesizes as a laptop does", func(t *testing.T) {
		project, spec := d.project(t, "Build/Synth")
		if got := spec.Phases.Build.Commands; !slices.Equal(got, []string{"make synth"}) || spec.Phases.Install.Commands != nil {
			t.Errorf("it runs %q, after %q", got, spec.Phases.Install.Commands)
		}
		if spec.Artifacts.BaseDirectory != "cdk.out/pipeline" {
			t.Errorf("it hands on %s", spec.Artifacts.BaseDirectory)
		}
		if _, size, _ := environmentOf(project); size != "BUILD_GENERAL1_MEDIUM" {
			t.Errorf("it runs on a %s", size)
		}
	})
	t.Run("runs tests and linters where a part that is missing is a failure", func(t *testing.T) {
		for step, target := range map[string]string{"Test/Tests": "make test", "Test/Lint": "make lint"} {
			project, spec := d.project(t, step)
			if got := spec.Phases.Build.Commands; !slices.Equal(got, []string{target}) {
				t.Errorf("%s runs %q", step, got)
			}
			if _, _, variables := environmentOf(project); variables["CI"] != "true" {
				t.Errorf("%s has CI=%q", step, variables["CI"])
			}
			// AWS CodeBuild User Guide, "Runtime versions": images of others do not know them.
			if spec.Phases.Install.RuntimeVersions != nil {
				t.Errorf("%s picks %v in an image that is not AWS's", step, spec.Phases.Install.RuntimeVersions)
			}
		}
	})
	t.Run("caches what Go, npm and jsii fetch and make, the synthesis's apart", func(t *testing.T) {
		places := map[string]bool{}
		for _, step := range []string{"Build/Synth", "Test/Tests", "Test/Lint"} {
			project, spec := d.project(t, step)
			_, _, variables := environmentOf(project)
			for _, want := range []string{variables["GOCACHE"], variables["GOMODCACHE"], "/root/.npm", "/root/.cache/aws/jsii"} {
				if !slices.Contains(spec.Cache.Paths, want+"/**/*") || want == "" {
					t.Errorf("%s does not cache %q", step, want)
				}
			}
			places[cdktest.JSON(project.Properties["Cache"])] = true
			for _, s := range statements(t, map[string]cdktest.Template{"Pipeline": d.Template}) {
				writes := strings.Contains(cdktest.JSON(s.statement["Action"]), "s3:PutObject") && strings.Contains(cdktest.JSON(s.statement["Resource"]), `"SynthCache`)
				if writes && !strings.Contains(s.where, "BuildSynth") {
					t.Errorf("%s writes the synthesis's cache", s.where)
				}
			}
		}
		if len(places) != 3 {
			t.Errorf("the caches are %v", slices.Collect(maps.Keys(places)))
		}
	})
	t.Run("pins the CLI, the program that uploads, images and runtimes", func(t *testing.T) {
		if _, spec := d.project(t, "UpdatePipeline/SelfMutate"); !slices.Equal(spec.Phases.Install.Commands, []string{"npm install -g aws-cdk@2.1.2"}) {
			t.Errorf("it updates itself with %q", spec.Phases.Install.Commands)
		}
		_, spec := d.project(t, "Assets/FileAssets")
		if got := spec.Phases.Install.Commands; len(got) != 1 || !regexp.MustCompile(`^npm install -g cdk-assets@[0-9]+\.[0-9]+\.[0-9]+$`).MatchString(got[0]) {
			t.Errorf("it uploads with %q", got)
		}
		images := map[string]bool{}
		for _, project := range d.Resources("AWS::CodeBuild::Project") {
			image, _, _ := environmentOf(project)
			images[image] = true
		}
		// The tests' image has the Go that go.mod asks for.
		module, err := os.ReadFile("../go.mod")
		if err != nil {
			t.Fatal(err)
		}
		minor := regexp.MustCompile(`(?m)^go ([0-9]+\.[0-9]+)`).FindStringSubmatch(string(module))[1]
		want := map[string]bool{"aws/codebuild/amazonlinux-x86_64-standard:5.0": true, "public.ecr.aws/docker/library/golang:" + minor + "-trixie": true}
		if !maps.Equal(images, want) {
			t.Errorf("the images are %v, want %v", images, want)
		}
		_, spec = d.project(t, "Build/Synth")
		if want := map[string]string{"golang": minor, "nodejs": "22"}; !maps.Equal(spec.Phases.Install.RuntimeVersions, want) {
			t.Errorf("the synthesis runs on %v, want %v", spec.Phases.Install.RuntimeVersions, want)
		}
	})
	t.Run("asks a person before production alone, who sees what changes", func(t *testing.T) {
		for _, action := range actions["dev"] {
			if action.Name == "Approve" || action.Name == "Diff" {
				t.Errorf("dev has %s", action.Name)
			}
		}
		diff, approve := named(t, actions["prod"], "Diff"), named(t, actions["prod"], "Approve")
		if diff.RunOrder >= approve.RunOrder || approve.RunOrder >= named(t, actions["prod"], "drawbridge-prod-Network.Prepare").RunOrder {
			t.Errorf("Diff %v, Approve %v", diff.RunOrder, approve.RunOrder)
		}
		want := map[string]any{
			"CustomData":         "#{" + diff.Namespace + ".DIFF_SUMMARY} The whole diff: #{" + diff.Namespace + ".DIFF_URL}",
			"ExternalEntityLink": "#{" + diff.Namespace + ".DIFF_URL}",
		}
		if diff.Namespace == "" || !maps.Equal(approve.Configuration, want) {
			t.Errorf("got %v, want %v", approve.Configuration, want)
		}
		_, spec := d.project(t, "prod/Diff")
		slices.Sort(spec.Env.ExportedVariables)
		if !slices.Equal(spec.Env.ExportedVariables, []string{"DIFF_SUMMARY", "DIFF_URL"}) {
			t.Errorf("it exports %q", spec.Env.ExportedVariables)
		}
		if commands := strings.Join(spec.Phases.Build.Commands, "\n"); !strings.Contains(commands, "scripts/pipeline-diff.sh assembly prod)") {
			t.Errorf("it runs %s", commands)
		}
	})
	t.Run("looks at each environment from outside after its last stack", func(t *testing.T) {
		for _, env := range []string{"dev", "prod"} {
			check := named(t, actions[env], "Check")
			for _, action := range actions[env] {
				if action.Name != "Check" && action.RunOrder >= check.RunOrder {
					t.Errorf("%s comes after the check of %s", action.Name, env)
				}
			}
			values := check.Configuration["EnvironmentVariables"].(string)
			for variable, output := range map[string]string{"SITE_URL": "WebAppURL", "DATABASE_HOST": "DatabaseHostname", "DATABASE_PORT": "DatabasePort"} {
				if !regexp.MustCompile(`"name":"` + variable + `","type":"PLAINTEXT","value":"#\{[A-Za-z0-9]+\.` + output + `\}"`).MatchString(values) {
					t.Errorf("%s is not the output %s in %s", variable, output, values)
				}
			}
			project, spec := d.project(t, env+"/Check")
			if !slices.Equal(spec.Phases.Build.Commands, []string{"scripts/pipeline-check.sh"}) {
				t.Errorf("it runs %q", spec.Phases.Build.Commands)
			}
			if _, _, variables := environmentOf(project); variables["EXPOSURE"] != "private" || variables["VISITORS"] != "all" {
				t.Errorf("%s expects %v", env, variables)
			}
		}
	})
	t.Run("keeps what it stores encrypted, closed and not for ever", func(t *testing.T) {
		buckets := d.Resources("AWS::S3::Bucket")
		for _, bucket := range buckets {
			if got := cdktest.JSON(bucket.Properties["PublicAccessBlockConfiguration"]); strings.Count(got, "true") != 4 {
				t.Errorf("%s: %s", bucket.ID, got)
			}
			if got := cdktest.JSON(bucket.Properties["BucketEncryption"]); !strings.Contains(got, `"AES256"`) {
				t.Errorf("%s: %s", bucket.ID, got)
			}
			if got := cdktest.JSON(bucket.Properties["LifecycleConfiguration"]); !strings.Contains(got, "ExpirationInDays") || !strings.Contains(got, "AbortIncompleteMultipartUpload") {
				t.Errorf("%s: %s", bucket.ID, got)
			}
			if bucket.All["DeletionPolicy"] != "Retain" {
				t.Errorf("%s: %v", bucket.ID, bucket.All["DeletionPolicy"])
			}
		}
		closed := 0
		for _, policy := range d.Resources("AWS::S3::BucketPolicy") {
			if strings.Contains(cdktest.JSON(policy.Properties), `"Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny"`) {
				closed++
			}
		}
		if len(buckets) != 3 || closed != 3 {
			t.Errorf("%d buckets, %d of which refuse what comes without TLS", len(buckets), closed)
		}
		logs := d.One(t, "AWS::Logs::LogGroup")
		for _, project := range d.Resources("AWS::CodeBuild::Project") {
			if got := cdktest.JSON(project.Properties["LogsConfig"]); !strings.Contains(got, logs.ID) {
				t.Errorf("%s writes its logs to %s", project.ID, got)
			}
		}
		if logs.Properties["RetentionInDays"] != 90.0 {
			t.Errorf("logs are kept for %v days", logs.Properties["RetentionInDays"])
		}
	})
	t.Run("has no key of its own, which would cost 1 USD a month", func(t *testing.T) {
		if keys := d.Resources("AWS::KMS::Key"); len(keys) > 0 {
			t.Errorf("it has %s", keys[0].ID)
		}
	})
	t.Run("is of the type that is billed by the minute, under a name of its own", func(t *testing.T) {
		if got := d.One(t, "AWS::CodePipeline::Pipeline").Properties; got["Name"] != "drawbridge-pipeline" || got["PipelineType"] != "V2" || got["RestartExecutionOnUpdate"] != true {
			t.Errorf("it is %v, %v, %v", got["Name"], got["PipelineType"], got["RestartExecutionOnUpdate"])
		}
	})
}

func TestThePipelineDeploysTheSameTemplatesAsTheCLI(t *testing.T) {
	for name, change := range map[string]func(name string, environment map[string]any){
		"as shipped": nil,
		"in the public phase": func(name string, environment map[string]any) {
			if name == "dev" {
				environment["exposure"] = "public"
			}
		},
		"in two accounts":           elsewhere,
		"in an account, no tunnels": func(_ string, environment map[string]any) { environment["tunnels"] = []any{} },
	} {
		t.Run(name, func(t *testing.T) {
			d := deliver(t, config.Pipeline{Account: pipelineAccount, Region: "eu-central-1"}, change)
			for _, env := range []string{"dev", "prod"} {
				alone := synthesize(t, env, func(environment map[string]any) {
					if change != nil {
						change(env, environment)
					}
				})
				for stack, template := range alone {
					if got := d.environments[env][stack]; cdktest.JSON(got) != cdktest.JSON(template) {
						t.Errorf("%s/%s differs", env, stack)
					}
				}
				if len(alone) != len(d.environments[env]) {
					t.Errorf("%s has %d stacks, not %d", env, len(d.environments[env]), len(alone))
				}
			}
		})
	}
}

func TestThePipelineChecksWhatTheConfigSays(t *testing.T) {
	d := deliver(t, config.Pipeline{}, func(name string, environment map[string]any) {
		if name == "dev" {
			environment["exposure"] = "public"
			environment["webapp"].(map[string]any)["visitorCidrs"] = []any{"198.51.100.0/24"}
		}
	})
	for env, want := range map[string]map[string]string{
		"dev": {"EXPOSURE": "public", "VISITORS": "some"}, "prod": {"EXPOSURE": "private", "VISITORS": "all"},
	} {
		project, _ := d.project(t, env+"/Check")
		if _, _, got := environmentOf(project); !maps.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", env, got, want)
		}
	}
}

func TestThePipelineAsksBeforeItTouchesWhatIsProtected(t *testing.T) {
	d := deliver(t, config.Pipeline{}, func(name string, environment map[string]any) {
		environment["database"].(map[string]any)["deletionProtection"] = name == "dev"
	})
	_, actions := d.actions(t)
	for _, env := range []string{"dev", "prod"} {
		named(t, actions[env], "Diff")
		named(t, actions[env], "Approve")
	}
}

func TestThePipelineDeploysToAnotherAccountAndRegion(t *testing.T) {
	d := deliver(t, config.Pipeline{Account: pipelineAccount, Region: "eu-central-1"}, elsewhere)
	_, actions := d.actions(t)

	t.Run("through the roles of that account's bootstrap", func(t *testing.T) {
		deploy := named(t, actions["prod"], "drawbridge-prod-Database.Deploy")
		if role := cdktest.JSON(deploy.RoleArn); deploy.Region != "us-east-1" || !strings.Contains(role, "cdk-hnb659fds-deploy-role-"+otherAccount+"-us-east-1") {
			t.Errorf("it deploys in %s as %s", deploy.Region, role)
		}
		if own := named(t, actions["dev"], "drawbridge-dev-Database.Deploy"); own.Region == "us-east-1" || strings.Contains(cdktest.JSON(own.RoleArn), otherAccount) {
			t.Errorf("dev is deployed in %s as %s", own.Region, cdktest.JSON(own.RoleArn))
		}
	})
	t.Run("compares there, and can do nothing else there", func(t *testing.T) {
		for _, s := range statements(t, map[string]cdktest.Template{"Pipeline": d.Template}) {
			if strings.Contains(s.where, "prodDiff") && strings.Contains(cdktest.JSON(s.statement), "sts:") {
				want := `{"Fn::Sub":"arn:${AWS::Partition}:iam::` + otherAccount + `:role/cdk-hnb659fds-lookup-role-` + otherAccount + `-us-east-1"}`
				if got := cdktest.JSON(s.statement["Resource"]); got != want {
					t.Errorf("it assumes %s, not %s", got, want)
				}
				return
			}
		}
		t.Error("it assumes no role")
	})
	t.Run("with a bucket there whose objects expire", func(t *testing.T) {
		files, _ := filepath.Glob(filepath.Join(*d.app.Outdir(), "cross*us-east-1*.template.json"))
		if len(files) != 1 {
			t.Fatalf("the templates there are %q", files)
		}
		text, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		var support cdktest.Template
		if err := json.Unmarshal(text, &support); err != nil {
			t.Fatal(err)
		}
		bucket := support.One(t, "AWS::S3::Bucket")
		if got := cdktest.JSON(bucket.Properties["LifecycleConfiguration"]); !strings.Contains(got, `"ExpirationInDays":30`) {
			t.Errorf("it keeps them: %s", got)
		}
		if key := support.One(t, "AWS::KMS::Key"); key.Properties["EnableKeyRotation"] != true || !strings.Contains(cdktest.JSON(key.Properties["KeyPolicy"]), otherAccount) {
			t.Errorf("the other account cannot read what is encrypted with %s", cdktest.JSON(key.Properties))
		}
	})
}

func TestThePipelinesKeyIsForAnotherAccountInItsRegion(t *testing.T) {
	d := deliver(t, config.Pipeline{Account: pipelineAccount, Region: "eu-central-1"}, func(name string, environment map[string]any) {
		environment["account"], environment["region"], environment["availabilityZones"] = otherAccount, "eu-central-1", []any{"eu-central-1a", "eu-central-1b"}
	})
	key := d.One(t, "AWS::KMS::Key")
	if key.Properties["EnableKeyRotation"] != true || !strings.Contains(cdktest.JSON(key.Properties["KeyPolicy"]), otherAccount) {
		t.Errorf("the other account cannot read what is encrypted with %s", cdktest.JSON(key.Properties))
	}
}

// Actions that take no resource or that CDK Pipelines lets a step do on every one, and who may. A new one is a decision.
var pipelineStars = map[string]string{
	// It reads how far a deployment is, and whether the bootstrap's bucket is there.
	"cloudformation:DescribeStacks": "PipelineUpdatePipelineSelfMutationRole",
	"s3:ListBucket":                 "PipelineUpdatePipelineSelfMutationRole",
	"codebuild:BatchGetBuilds":      "PipelineAssetsFileRole",
	"codebuild:StartBuild":          "PipelineAssetsFileRole",
	"codebuild:StopBuild":           "PipelineAssetsFileRole",
}

func TestThePipelinesRoles(t *testing.T) {
	d := deliver(t, config.Pipeline{}, nil)
	all := statements(t, map[string]cdktest.Template{"Pipeline": d.Template})
	t.Run("name the resources of what they allow, but for what CDK Pipelines allows", func(t *testing.T) {
		used := map[string]bool{}
		for _, s := range all {
			if !slices.Contains(list(s.statement["Resource"]), any("*")) {
				continue
			}
			for _, action := range list(s.statement["Action"]) {
				used[action.(string)] = true
				if who := pipelineStars[action.(string)]; who == "" || !strings.HasPrefix(strings.TrimPrefix(s.where, "Pipeline/"), who) {
					t.Errorf("%s allows %s on every resource", s.where, action)
				}
			}
		}
		for action := range pipelineStars {
			if !used[action] {
				t.Errorf("%s is pinned as an exception, but nothing uses it", action)
			}
		}
	})
	t.Run("let the synthesis, tests and checks do nothing in AWS but hand on files and write logs", func(t *testing.T) {
		steps := map[string]int{}
		for _, s := range all {
			for _, step := range []string{"PipelineBuildSynth", "PipelineTestTests", "PipelineTestLint", "PipelinedevCheck", "PipelineprodCheck"} {
				if !strings.HasPrefix(s.where, "Pipeline/"+step) {
					continue
				}
				steps[step]++
				for _, action := range list(s.statement["Action"]) {
					if service, _, _ := strings.Cut(action.(string), ":"); !slices.Contains([]string{"s3", "logs", "codebuild"}, service) {
						t.Errorf("%s allows %s", s.where, action)
					}
				}
			}
		}
		if len(steps) != 5 {
			t.Errorf("only %v were read", steps)
		}
	})
	t.Run("give no step a right to the repository", func(t *testing.T) {
		for _, s := range all {
			if strings.Contains(cdktest.JSON(s.statement["Action"]), "connections:") && !strings.HasPrefix(s.where, "Pipeline/PipelineSource") {
				t.Errorf("%s does", s.where)
			}
		}
	})
}
