package stacks

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	construct "github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"drawbridge/config"
	"drawbridge/constructs"
)

// cdkAssetsVersion is the version of npm's package cdk-assets, which uploads the stacks' files. CDK Pipelines would take
// whichever is the newest.
const cdkAssetsVersion = "4.7.3"

// debianImage is where tests and linters run: they need a MySQL server, Chromium, QEMU and shellcheck, which Debian has and
// Amazon Linux 2023 has not. It is the official image of Go on ECR Public.
const debianImage = "public.ecr.aws/docker/library/golang:1.26-trixie"

// noConnection stands for the connection while the config names none, so that there is a template to look at. CodePipeline
// refuses it.
const noConnection = "arn:aws:codeconnections:us-east-1:123456789012:connection/00000000-0000-0000-0000-000000000000"

// PipelineStackProps are the properties of the Pipeline stack.
type PipelineStackProps struct {
	awscdk.StackProps
	Pipeline *config.Pipeline

	// Environments are deployed one after the other.
	Environments []*config.Environment

	// Assets are the same for all environments.
	Assets Assets

	// CLIVersion is the version of npm's package aws-cdk that updates the pipeline.
	CLIVersion string
}

// PipelineStack holds the pipeline that tests what is pushed to a branch and deploys it, to one environment after the other.
type PipelineStack struct {
	awscdk.Stack
	Pipeline pipelines.CodePipeline

	// Environments are those of the props, each in a stage that has its name.
	Environments []*Environment

	source pipelines.CodePipelineSource
}

// NewPipelineStack adds the Pipeline stack to scope, and beside it a stage for each environment.
func NewPipelineStack(scope construct.Construct, id string, props *PipelineStackProps) *PipelineStack {
	props.StackName = jsii.String("drawbridge-pipeline")
	props.Description = jsii.String("Drawbridge: delivery pipeline")
	if props.Pipeline.Account != "" {
		props.Env = &awscdk.Environment{Account: &props.Pipeline.Account, Region: &props.Pipeline.Region}
	}
	s := &PipelineStack{Stack: awscdk.NewStack(scope, &id, &props.StackProps)}
	connection := props.Pipeline.ConnectionARN
	if connection == "" {
		connection = noConnection
	}
	// A zip file, not a clone: no step gets a right to the repository.
	s.source = pipelines.CodePipelineSource_Connection(&props.Pipeline.Repository, &props.Pipeline.Branch, &pipelines.ConnectionSourceOptions{
		ConnectionArn: &connection, ActionName: jsii.String("Source"),
	})
	s.addPipeline(props)
	s.addTests()
	for _, env := range props.Environments {
		s.addEnvironment(scope, env, props.Assets)
	}
	s.Pipeline.BuildPipeline()
	s.allowConnection(connection)
	acceptBuckets(s.Stack)
	for region, support := range *s.Pipeline.Pipeline().CrossRegionSupport() {
		if bucket, ok := support.ReplicationBucket.(awss3.Bucket); ok && region != *s.Stack.Region() {
			bucket.AddLifecycleRule(expiry(30))
			acceptBuckets(support.Stack)
		}
	}
	constructs.AcceptAll(s.Stack, "AWS::IAM::Policy", "CDK Pipelines writes them: files of the steps' own buckets, logs and reports of the step's name. What they allow everywhere is pinned in stacks/pipeline_test.go", "AwsSolutions-IAM5")
	constructs.AcceptAll(s.Stack, "AWS::CodeBuild::Project", "The buckets encrypt what is stored; a key of the project's own would cost 1 USD a month", "AwsSolutions-CB4")
	constructs.AcceptAll(s.Stack, "AWS::CodeBuild::Project", "Tests need programs that AWS's images have not, and Debian's archive has", "AwsSolutions-CB5")
	return s
}

// allowConnection lets the source action use a connection whose ARN has the service's new name. CDK allows it by the old
// one, and the action's prefix has to match the ARN's (Developer Tools console User Guide, "Connections rename").
func (s *PipelineStack) allowConnection(connection string) {
	action := s.Pipeline.Pipeline().Node().FindChild(jsii.String("Source")).Node().FindChild(jsii.String("Source"))
	role := action.Node().FindChild(jsii.String("CodePipelineActionRole")).(awsiam.Role)
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:       jsii.String("UseTheConnection"),
		Actions:   jsii.Strings("codeconnections:UseConnection"),
		Resources: jsii.Strings(connection),
	}))
}

func acceptBuckets(stack awscdk.Stack) {
	constructs.AcceptAll(stack, "AWS::S3::Bucket", "CodePipeline and CodeBuild say who ran what; access logs would be kept longer than the files", "AwsSolutions-S1")
}

func (s *PipelineStack) addPipeline(props *PipelineStackProps) {
	logs := awslogs.NewLogGroup(s.Stack, jsii.String("Logs"), &awslogs.LogGroupProps{
		Retention: awslogs.RetentionDays_THREE_MONTHS, RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	// Only a key of our own can be shared with another account. It costs 1 USD a month.
	otherAccounts := slices.ContainsFunc(props.Environments, func(env *config.Environment) bool {
		return env.Account != "" && env.Account != props.Pipeline.Account
	})
	artifacts := s.newBucket("Artifacts", 30, otherAccounts)
	s.Pipeline = pipelines.NewCodePipeline(s.Stack, jsii.String("Pipeline"), &pipelines.CodePipelineProps{
		PipelineName:            s.Stack.StackName(),
		ArtifactBucket:          artifacts,
		CrossAccountKeys:        &otherAccounts,
		EnableKeyRotation:       &otherAccounts,
		Synth:                   s.synth(),
		SelfMutation:            jsii.Bool(true),
		CliVersion:              &props.CLIVersion,
		CdkAssetsCliVersion:     jsii.String(cdkAssetsVersion),
		PublishAssetsInParallel: jsii.Bool(false),
		CodeBuildDefaults: &pipelines.CodeBuildOptions{
			BuildEnvironment: &awscodebuild.BuildEnvironment{
				// AWS's own, so that it starts fast. x86_64 is what all of this has been tried on; what is deployed is
				// compiled for its own architecture anywhere.
				BuildImage:  awscodebuild.LinuxBuildImage_AMAZON_LINUX_2023_5(),
				ComputeType: awscodebuild.ComputeType_SMALL,
			},
			Logging: &awscodebuild.LoggingOptions{CloudWatch: &awscodebuild.CloudWatchLoggingOptions{LogGroup: logs}},
		},
		SelfMutationCodeBuildDefaults:    &pipelines.CodeBuildOptions{PartialBuildSpec: buildSpec(runtimes("nodejs"))},
		AssetPublishingCodeBuildDefaults: &pipelines.CodeBuildOptions{PartialBuildSpec: buildSpec(runtimes("nodejs"))},
	})
	output(s.Stack, "ArtifactBucket", artifacts.BucketName(), "What the steps hand on; it stays when the pipeline is removed")
}

// synth makes everything that is deployed, as a laptop does it.
func (s *PipelineStack) synth() pipelines.CodeBuildStep {
	cache := s.newBucket("SynthCache", 14, false)
	output(s.Stack, "SynthCacheBucket", cache.BucketName(), "What the synthesis need not fetch and compile again; it stays when the pipeline is removed")
	return pipelines.NewCodeBuildStep(jsii.String("Synth"), &pipelines.CodeBuildStepProps{
		Input:                  s.source,
		Commands:               jsii.Strings("make synth"),
		PrimaryOutputDirectory: jsii.String("cdk.out/pipeline"),
		Env:                    goEnvironment(),
		// Compiling the CDK app takes 1 GiB of memory, and a minute of two processors.
		BuildEnvironment: &awscodebuild.BuildEnvironment{ComputeType: awscodebuild.ComputeType_MEDIUM},
		PartialBuildSpec: buildSpec(runtimes("golang", "nodejs"), cached()),
		Cache:            awscodebuild.Cache_Bucket(cache, &awscodebuild.BucketCacheOptions{Prefix: jsii.String("synth")}),
	})
}

// addTests adds the stage that everything passes before anything is deployed.
func (s *PipelineStack) addTests() {
	// Not the synthesis's: a tool of the tests could put something into it that is then deployed.
	cache := s.newBucket("TestCache", 14, false)
	output(s.Stack, "TestCacheBucket", cache.BucketName(), "What tests and linters need not fetch and compile again; it stays when the pipeline is removed")
	step := func(id, target string, packages ...string) pipelines.Step {
		install := "DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends"
		for _, name := range packages {
			install += " " + name
		}
		return pipelines.NewCodeBuildStep(&id, &pipelines.CodeBuildStepProps{
			Input:           s.source,
			InstallCommands: jsii.Strings("apt-get update -qq", install+" >/dev/null"),
			Commands:        jsii.Strings("make " + target),
			Env:             goEnvironment(),
			BuildEnvironment: &awscodebuild.BuildEnvironment{
				BuildImage:  awscodebuild.LinuxBuildImage_FromDockerRegistry(jsii.String(debianImage), nil),
				ComputeType: awscodebuild.ComputeType_MEDIUM,
			},
			PartialBuildSpec: buildSpec(cached()),
			Cache:            awscodebuild.Cache_Bucket(cache, &awscodebuild.BucketCacheOptions{Prefix: &id}),
		})
	}
	s.Pipeline.AddWave(jsii.String("Test"), &pipelines.WaveOptions{Pre: &[]pipelines.Step{
		step("Tests", "test", "nodejs", "npm", "chromium", "fonts-liberation", "gpgv", "awscli"),
		step("Lint", "lint", "nodejs", "npm", "python3-venv", "shellcheck"),
	}})
}

// addEnvironment adds a stage that deploys the stacks of one environment and then looks at them from outside. Where the
// environment needs approval, a person decides before, with the diff in hand.
func (s *PipelineStack) addEnvironment(scope construct.Construct, env *config.Environment, assets Assets) {
	stage := awscdk.NewStage(scope, &env.Name, nil)
	environment := NewEnvironment(stage, env, assets)
	s.Environments = append(s.Environments, environment)
	steps := &pipelines.AddStageOpts{Post: &[]pipelines.Step{s.check(env, environment)}}
	if env.NeedsApproval() {
		steps.Pre = s.approval(env, environment)
	}
	s.Pipeline.AddStage(stage, steps)
}

// approval is a step that compares the environment's stacks with what is deployed, and one that waits for a person, who
// sees in two lines what changes and follows a link to all of it.
func (s *PipelineStack) approval(env *config.Environment, environment *Environment) *[]pipelines.Step {
	diff := pipelines.NewCodeBuildStep(jsii.String("Diff"), &pipelines.CodeBuildStepProps{
		Input:            s.source,
		AdditionalInputs: &map[string]pipelines.IFileSetProducer{"assembly": s.Pipeline.CloudAssemblyFileSet()},
		InstallCommands:  jsii.Strings("npm ci --silent --ignore-scripts"),
		// Two commands: the shell would not tell of a failure within export.
		Commands: jsii.Strings(
			`DIFF_SUMMARY="$(scripts/pipeline-diff.sh assembly `+env.Name+`)"`,
			`export DIFF_SUMMARY DIFF_URL="$CODEBUILD_BUILD_URL"`),
		PartialBuildSpec: buildSpec(runtimes("nodejs")),
		// The role reads templates, and looks up what an account has. It can change nothing.
		RolePolicyStatements: &[]awsiam.PolicyStatement{awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Sid:       jsii.String("LookUp"),
			Actions:   jsii.Strings("sts:AssumeRole"),
			Resources: &[]*string{awscdk.Fn_Sub(environment.Network.Stack.Synthesizer().LookupRole(), nil)},
		})},
	})
	address := diff.ExportedVariable(jsii.String("DIFF_URL"))
	approve := pipelines.NewManualApprovalStep(jsii.String("Approve"), &pipelines.ManualApprovalStepProps{
		// The address too: CDK looks for variables in the comment alone.
		Comment:   jsii.String(*diff.ExportedVariable(jsii.String("DIFF_SUMMARY")) + " The whole diff: " + *address),
		ReviewUrl: address,
	})
	return &[]pipelines.Step{diff, approve}
}

// check is a step that looks at an environment from outside.
func (s *PipelineStack) check(env *config.Environment, environment *Environment) pipelines.Step {
	// CodeBuild's addresses are anybody's: they are let in where everybody is.
	visitors := "some"
	if slices.Contains(env.WebApp.VisitorCIDRs, "0.0.0.0/0") {
		visitors = "all"
	}
	return pipelines.NewCodeBuildStep(jsii.String("Check"), &pipelines.CodeBuildStepProps{
		Input:    s.source,
		Commands: jsii.Strings("scripts/pipeline-check.sh"),
		Env: &map[string]*string{
			"EXPOSURE": jsii.String(string(env.Exposure)),
			"VISITORS": &visitors,
		},
		EnvFromCfnOutputs: &map[string]awscdk.CfnOutput{
			"SITE_URL":      environment.WebApp.URLOutput,
			"DATABASE_HOST": environment.Database.HostnameOutput,
			"DATABASE_PORT": environment.Database.PortOutput,
		},
	})
}

// newBucket makes a bucket for objects that are of use for some days. It stays when the stack goes, because CloudFormation
// deletes no bucket that holds something; the objects go by themselves.
func (s *PipelineStack) newBucket(id string, days float64, ownKey bool) awss3.Bucket {
	props := &awss3.BucketProps{
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		EnforceSSL:        jsii.Bool(true),
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		LifecycleRules:    &[]*awss3.LifecycleRule{expiry(days)},
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN,
	}
	if ownKey {
		props.Encryption = awss3.BucketEncryption_KMS
		props.BucketKeyEnabled = jsii.Bool(true)
		props.EncryptionKey = awskms.NewKey(s.Stack, jsii.String(id+"Key"), &awskms.KeyProps{
			Description: jsii.String("Artifacts of the delivery pipeline, which other accounts read"),
			// What it encrypts is made anew by the next run.
			RemovalPolicy: awscdk.RemovalPolicy_DESTROY, EnableKeyRotation: jsii.Bool(true),
		})
	}
	return awss3.NewBucket(s.Stack, &id, props)
}

func expiry(days float64) *awss3.LifecycleRule {
	return &awss3.LifecycleRule{
		Expiration: awscdk.Duration_Days(&days), AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(1)),
	}
}

// goEnvironment says that this is no laptop, and where Go keeps what is cached: that differs from image to image.
func goEnvironment() *map[string]*string {
	return &map[string]*string{
		"CI":         jsii.String("true"),
		"GOCACHE":    jsii.String("/root/.cache/go-build"),
		"GOMODCACHE": jsii.String("/root/.cache/go-mod"),
	}
}

// buildSpec is a part of a buildspec; CDK adds commands and artifacts.
func buildSpec(parts ...map[string]any) awscodebuild.BuildSpec {
	spec := map[string]any{"version": "0.2"}
	for _, part := range parts {
		for key, value := range part {
			spec[key] = value
		}
	}
	return awscodebuild.BuildSpec_FromObject(&spec)
}

// runtimes picks versions in images of AWS (AWS CodeBuild User Guide, "Available runtimes"). Go itself fetches another
// patch release where the project asks for one.
func runtimes(names ...string) map[string]any {
	versions := map[string]string{"golang": "1.26", "nodejs": "22"}
	picked := map[string]any{}
	for _, name := range names {
		picked[name] = versions[name]
	}
	return map[string]any{"phases": map[string]any{"install": map[string]any{"runtime-versions": picked}}}
}

// cached keeps what Go, npm and jsii fetch or make for the next run.
func cached() map[string]any {
	return map[string]any{"cache": map[string]any{"paths": []string{
		"/root/.cache/go-build/**/*", "/root/.cache/go-mod/**/*", "/root/.npm/**/*", "/root/.cache/aws/jsii/**/*",
	}}}
}
