package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"drawbridge/internal/cdktest"
)

// These tests run the app as the CDK CLI does: the built program, with the context in its environment.

var app string // the built program

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "drawbridge-cdk-test-")
	if err != nil {
		panic(err)
	}
	app = filepath.Join(dir, "cdk")
	build := exec.Command("go", "build", "-o", app, ".")
	if output, err := build.CombinedOutput(); err != nil {
		panic(string(output))
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// synth runs the app in a folder that holds the assets, and gives its assembly and what it said on stderr.
func synth(t *testing.T, context map[string]any, environment ...string) (assembly, stderr string, code int) {
	t.Helper()
	dir := t.TempDir()
	makeAssets(t, dir)
	return synthIn(t, dir, context, environment...)
}

// makeAssets writes files that stand for those of make build.
func makeAssets(t *testing.T, dir string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, "build"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, architecture := range []string{"arm64", "x86_64"} {
		for _, asset := range []string{"webapp-" + architecture + ".zip", "lambda-" + architecture + ".zip", "host-" + architecture} {
			if err := os.WriteFile(filepath.Join(dir, "build", asset), []byte(asset), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func synthIn(t *testing.T, dir string, context map[string]any, environment ...string) (assembly, stderr string, code int) {
	t.Helper()
	assembly = filepath.Join(dir, "cdk.out")
	text, err := json.Marshal(context)
	if err != nil {
		t.Fatal(err)
	}
	var errors bytes.Buffer
	command := exec.Command(app)
	command.Dir = dir
	command.Stderr = &errors
	command.Env = append(os.Environ(), "CDK_CONTEXT_JSON="+string(text), "CDK_OUTDIR="+assembly, "CDK_VALIDATION=false",
		"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20")
	command.Env = append(command.Env, environment...)
	if err := command.Run(); err != nil && command.ProcessState == nil {
		t.Fatal(err)
	}
	return assembly, errors.String(), command.ProcessState.ExitCode()
}

// with is the context of cdk.json and more.
func with(t *testing.T, values map[string]any) map[string]any {
	context := cdktest.Context(t)
	for name, value := range values {
		context[name] = value
	}
	return context
}

// changed is the context of cdk.json with dev's config edited.
func changed(t *testing.T, change func(dev map[string]any)) map[string]any {
	context := cdktest.Context(t)
	change(context["environments"].(map[string]any)["dev"].(map[string]any))
	return context
}

func TestSynthesis(t *testing.T) {
	t.Run("gives the stacks of an environment CloudFormation names that begin with drawbridge and its name", func(t *testing.T) {
		for _, env := range []string{"dev", "prod"} {
			assembly, stderr, code := synth(t, with(t, map[string]any{"env": env}))
			if code != 0 {
				t.Fatalf("exit code %d: %s", code, stderr)
			}
			for _, stack := range []string{"Network", "Database", "Bastion", "WebApp", "Tunnel"} {
				if got, want := manifest(t, assembly).Artifacts[stack].Properties.StackName, "drawbridge-"+env+"-"+stack; got != want {
					t.Errorf("%s is named %q, want %q", stack, got, want)
				}
			}
		}
	})
	t.Run("takes dev unless told otherwise", func(t *testing.T) {
		assembly, _, _ := synth(t, with(t, nil))
		if got := manifest(t, assembly).Artifacts["Network"].Properties.StackName; got != "drawbridge-dev-Network" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("warns of each sample value that is left", func(t *testing.T) {
		assembly, _, _ := synth(t, with(t, nil))
		var warnings []string
		cdktest.Walk(readJSON(t, filepath.Join(assembly, "manifest.json")), func(path string, value any) {
			if entry, ok := value.(map[string]any); ok && entry["type"] == "aws:cdk:warning" {
				warnings = append(warnings, entry["data"].(string))
			}
		})
		metadata, _ := filepath.Glob(filepath.Join(assembly, "*.metadata.json"))
		for _, file := range metadata {
			cdktest.Walk(readJSON(t, file), func(path string, value any) {
				if entry, ok := value.(map[string]any); ok && entry["type"] == "aws:cdk:warning" {
					warnings = append(warnings, entry["data"].(string))
				}
			})
		}
		all := strings.Join(warnings, "\n")
		for _, path := range []string{"developerCidrs[0]", "bastion.sshCidrs[0]", "tunnels[0].host", "tunnels[0].hostKey"} {
			if !strings.Contains(all, "environments.dev."+path+": ") {
				t.Errorf("no warning of %s in %q", path, all)
			}
		}
	})
	t.Run("writes the same Network template in both phases, byte by byte", func(t *testing.T) {
		network := func(exposure string) []byte {
			assembly, stderr, code := synth(t, with(t, map[string]any{"exposure": exposure}))
			text, err := os.ReadFile(filepath.Join(assembly, "Network.template.json"))
			if code != 0 || err != nil {
				t.Fatalf("exit code %d, %v: %s", code, err, stderr)
			}
			return text
		}
		if !bytes.Equal(network("private"), network("public")) {
			t.Error("they differ")
		}
	})
	t.Run("looks nothing up for an environment with account, region and zones", func(t *testing.T) {
		assembly, stderr, code := synth(t, changed(t, func(dev map[string]any) {
			dev["account"], dev["region"], dev["availabilityZones"] = "123456789012", "eu-central-1", []any{"eu-central-1a", "eu-central-1c"}
		}))
		if code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		if missing := manifest(t, assembly).Missing; len(missing) > 0 {
			t.Errorf("it would look up %s", cdktest.JSON(missing))
		}
		template := cdktest.Template(readJSON(t, filepath.Join(assembly, "Network.template.json")).(map[string]any))
		zones := map[any]int{}
		for _, subnet := range template.Resources("AWS::EC2::Subnet") {
			zones[subnet.Properties["AvailabilityZone"]]++
		}
		if zones["eu-central-1a"] != 3 || zones["eu-central-1c"] != 3 {
			t.Errorf("subnets by zone: %v", zones)
		}
	})
	t.Run("takes the config from a file", func(t *testing.T) {
		context := with(t, nil)
		environments := context["environments"].(map[string]any)
		text := strings.ReplaceAll(cdktest.JSON(map[string]any{"staging": environments["dev"]}), `"monster_teams"`, `"other_teams"`)
		file := filepath.Join(t.TempDir(), "a config.json")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		context["config"], context["env"] = file, "staging"
		assembly, stderr, code := synth(t, context)
		if code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		template := cdktest.Template(readJSON(t, filepath.Join(assembly, "Database.template.json")).(map[string]any))
		if name := template.One(t, "AWS::RDS::DBInstance").Properties["DBName"]; name != "other_teams" {
			t.Errorf("the database is named %v", name)
		}
	})
	t.Run("lets -c exposure override the config's", func(t *testing.T) {
		assembly, stderr, _ := synth(t, with(t, map[string]any{"exposure": "public"}))
		template := cdktest.Template(readJSON(t, filepath.Join(assembly, "Database.template.json")).(map[string]any))
		if got := template.One(t, "AWS::RDS::DBInstance").Properties["PubliclyAccessible"]; got != true {
			t.Errorf("PubliclyAccessible is %v: %s", got, stderr)
		}
	})
	t.Run("passes CloudFormation Validate without tunnels, where a stack makes nothing", func(t *testing.T) {
		assembly, stderr, code := synth(t, changed(t, func(dev map[string]any) { dev["tunnels"] = []any{} }), "CDK_VALIDATION=true")
		if code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		conclusions := map[any]any{}
		report := readJSON(t, filepath.Join(assembly, "validation-report.json")).(map[string]any)
		for _, plugin := range report["pluginReports"].([]any) {
			plugin := plugin.(map[string]any)
			conclusions[plugin["pluginName"]] = plugin["conclusion"]
		}
		if conclusions["CloudFormation Validate"] != "success" {
			t.Errorf("the conclusions are %v", conclusions)
		}
	})
	t.Run("lets -c architecture set hosts and web app together", func(t *testing.T) {
		assembly, stderr, code := synth(t, with(t, map[string]any{"architecture": "x86_64"}))
		if code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		for _, stack := range []string{"Bastion", "Tunnel", "WebApp"} {
			text, err := os.ReadFile(filepath.Join(assembly, stack+".template.json"))
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(text, []byte("arm64")) || bytes.Contains(text, []byte("t4g")) {
				t.Errorf("%s has something of arm64", stack)
			}
		}
	})
}

// delivering asks for the pipeline of cdk.json, after change has edited its environments' configs and values its own.
func delivering(t *testing.T, change func(dev, prod map[string]any), values map[string]any) map[string]any {
	context := with(t, map[string]any{"pipeline": "true"})
	environments := context["environments"].(map[string]any)
	if change != nil {
		change(environments["dev"].(map[string]any), environments["prod"].(map[string]any))
	}
	for name, value := range values {
		context["codePipeline"].(map[string]any)[name] = value
	}
	return context
}

// elsewhere puts prod into an account and region of its own.
func elsewhere(_, prod map[string]any) {
	prod["account"], prod["region"], prod["availabilityZones"] = "222222222222", "us-east-1", []any{"us-east-1a", "us-east-1b"}
}

func TestPipeline(t *testing.T) {
	t.Run("has a stage for each environment, whose stacks have the names that they have without it", func(t *testing.T) {
		assembly, stderr, code := synth(t, delivering(t, nil, nil))
		if code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		if got := manifest(t, assembly).Artifacts["Pipeline"].Properties.StackName; got != "drawbridge-pipeline" {
			t.Errorf("the pipeline's own stack is named %q", got)
		}
		for _, env := range []string{"dev", "prod"} {
			alone, _, _ := synth(t, with(t, map[string]any{"env": env}))
			stage := filepath.Join(assembly, "assembly-"+env)
			stacks := map[string]string{} // the template of each, by CloudFormation's name
			for _, artifact := range manifest(t, stage).Artifacts {
				if artifact.Properties.StackName != "" {
					stacks[artifact.Properties.StackName] = filepath.Join(stage, artifact.Properties.TemplateFile)
				}
			}
			for _, stack := range []string{"Network", "Database", "Bastion", "WebApp", "Tunnel"} {
				want, err := os.ReadFile(filepath.Join(alone, stack+".template.json"))
				if err != nil {
					t.Fatal(err)
				}
				got, err := os.ReadFile(stacks["drawbridge-"+env+"-"+stack])
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s/%s differs byte by byte (%v)", env, stack, err)
				}
			}
		}
	})
	t.Run("warns of sample values, its own and every environment's", func(t *testing.T) {
		assembly, _, _ := synth(t, delivering(t, nil, nil))
		text, err := os.ReadFile(filepath.Join(assembly, "Pipeline.metadata.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"codePipeline.connectionArn", "codePipeline.repository", "environments.dev.bastion.sshCidrs[0]", "environments.prod.bastion.sshCidrs[0]"} {
			if !bytes.Contains(text, []byte(path+": ")) {
				t.Errorf("no warning of %s", path)
			}
		}
	})
	t.Run("updates itself with the CLI that package.json pins", func(t *testing.T) {
		assembly, _, _ := synth(t, delivering(t, nil, nil))
		template, err := os.ReadFile(filepath.Join(assembly, "Pipeline.template.json"))
		if err != nil {
			t.Fatal(err)
		}
		pin := readJSON(t, "package.json").(map[string]any)["devDependencies"].(map[string]any)["aws-cdk"].(string)
		if !bytes.Contains(template, []byte(`npm install -g aws-cdk@`+pin+`\"`)) {
			t.Errorf("it does not install %s", pin)
		}
	})
	t.Run("looks nothing up for an environment in another account and region", func(t *testing.T) {
		// Through the CLI, which fails where it would have to ask AWS.
		folder := t.TempDir()
		context := delivering(t, elsewhere, map[string]any{"account": "111111111111", "region": "eu-central-1"})
		if err := os.WriteFile(filepath.Join(folder, "cdk.json"), []byte(cdktest.JSON(map[string]any{"app": app, "context": context})), 0o644); err != nil {
			t.Fatal(err)
		}
		makeAssets(t, folder)
		command := exec.Command("node", filepath.Join(cdktest.Root(t), "node_modules", "aws-cdk", "bin", "cdk"), "synth", "--quiet", "--no-lookups")
		command.Dir = folder
		command.Env = append(os.Environ(), "CDK_VALIDATION=false")
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
		for _, part := range []string{"", "assembly-dev", "assembly-prod"} {
			if missing := manifest(t, filepath.Join(folder, "cdk.out", part)).Missing; len(missing) > 0 {
				t.Errorf("it would look up %s", cdktest.JSON(missing))
			}
		}
		for name, artifact := range manifest(t, filepath.Join(folder, "cdk.out", "assembly-prod")).Artifacts {
			if artifact.Properties.StackName != "" && artifact.Environment != "aws://222222222222/us-east-1" {
				t.Errorf("%s goes to %s", name, artifact.Environment)
			}
		}
	})
}

func TestMistakes(t *testing.T) {
	tenMistakes := func(dev map[string]any) {
		database := dev["database"].(map[string]any)
		dev["availabilityZones"] = "a"
		dev["vpcCidr"] = "10.0.0.1/16"
		dev["exposure"] = "open"
		dev["developerCidrs"] = []any{"0.0.0.0/0"}
		dev["colour"] = "red"
		database["identifier"] = "9-teams"
		database["masterUsername"] = "admin-user"
		database["storageGiB"] = 5
		dev["bastion"].(map[string]any)["sshCidrs"] = []any{"everywhere"}
		dev["tunnels"].([]any)[0].(map[string]any)["port"] = 70000
	}
	tests := map[string]struct {
		context map[string]any
		want    []string // a part of each line, in order
	}{
		"ten in one config are all listed": {
			changed(t, tenMistakes),
			[]string{"environments.dev.availabilityZones: ", "environments.dev.bastion.sshCidrs[0]: ", "environments.dev.colour: ",
				"environments.dev.database.identifier: ", "environments.dev.database.masterUsername: ", "environments.dev.database.storageGiB: ",
				"environments.dev.developerCidrs[0]: ", "environments.dev.exposure: ", "environments.dev.tunnels[0].port: ", "environments.dev.vpcCidr: "},
		},
		"an environment that is not there": {
			with(t, map[string]any{"env": "staging"}), []string{`"staging" is not an environment of the config; expected one of "dev", "prod"`},
		},
		"a public prod": {
			with(t, map[string]any{"env": "prod", "exposure": "public"}), []string{"exposure"},
		},
		"an architecture that is none": {
			with(t, map[string]any{"architecture": "sparc"}), []string{`"sparc" is not an architecture`},
		},
		"a config file that is not there": {
			with(t, map[string]any{"config": "no such.json"}), []string{"the config file no such.json cannot be read"},
		},
		"no config at all": {
			map[string]any{}, []string{"the context holds no environments"},
		},
		"a pipeline's config with two mistakes": {
			with(t, map[string]any{"codePipeline": map[string]any{"connectionArn": "", "repository": "owner", "branch": "main", "environments": []any{"test"}}}),
			[]string{"codePipeline.environments[0]: ", "codePipeline.repository: "},
		},
		"a pipeline that deploys what is wrong twice": {
			delivering(t, func(dev, prod map[string]any) { dev["colour"] = "red"; prod["vpcCidr"] = "10.0.0.1/16" }, nil),
			[]string{"environments.dev.colour: ", "environments.prod.vpcCidr: "},
		},
		"a pipeline that is wrong": {
			delivering(t, nil, map[string]any{"connectionArn": "mine", "repository": "owner", "branch": "a b", "environments": []any{}, "account": "1", "region": "x"}),
			[]string{"codePipeline.account: ", "codePipeline.branch: ", "codePipeline.connectionArn: ", "codePipeline.environments: ", "codePipeline.region: ", "codePipeline.repository: "},
		},
		"a pipeline without an account that deploys into one": {
			delivering(t, elsewhere, nil), []string{`codePipeline.account: is not given, but the environment "prod" names an account`},
		},
		"a pipeline of one environment": {
			with(t, map[string]any{"pipeline": "true", "env": "prod"}), []string{"-c env does not go with -c pipeline=true"},
		},
		"a pipeline with a phase of its own": {
			with(t, map[string]any{"pipeline": "true", "exposure": "public"}), []string{"-c exposure does not go with -c pipeline=true"},
		},
		"a pipeline with a config of its own": {
			with(t, map[string]any{"pipeline": "true", "config": filepath.Join(cdktest.Root(t), "rehearsal", "testdata", "other.json")}), []string{"-c config does not go with -c pipeline=true"},
		},
		"a pipeline without a config": {
			with(t, map[string]any{"pipeline": "true", "codePipeline": nil}), []string{"the context holds no codePipeline"},
		},
		"a pipeline that is neither true nor false": {
			with(t, map[string]any{"pipeline": "yes"}), []string{`the context value pipeline is "yes": give -c pipeline=true`},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, stderr, code := synth(t, test.context)
			checkMistakes(t, stderr, code, test.want)
		})
	}
	t.Run("a missing asset", func(t *testing.T) {
		dir := t.TempDir()
		_, stderr, code := synthIn(t, dir, with(t, nil))
		checkMistakes(t, stderr, code, []string{"webapp-arm64.zip is missing: run make build"})
		bundle := filepath.Join(dir, "build", "webapp-arm64.zip")
		if err := errors.Join(os.Mkdir(filepath.Dir(bundle), 0o755), os.WriteFile(bundle, nil, 0o644)); err != nil {
			t.Fatal(err)
		}
		_, stderr, code = synthIn(t, dir, with(t, nil))
		checkMistakes(t, stderr, code, []string{"lambda-arm64.zip is missing: run make build"})
	})
}

// checkMistakes wants exit code 1 and one line a mistake, without a stack trace.
func checkMistakes(t *testing.T, stderr string, code int, want []string) {
	t.Helper()
	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	lines := strings.Split(strings.TrimRight(stderr, "\n"), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), stderr)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, "drawbridge: ") || !strings.Contains(line, want[i]) {
			t.Errorf("line %d is %q, want one about %q", i+1, line, want[i])
		}
	}
}

// A reviewer reads differences between two synths: there must be none that come from the machine.
func TestTwoFoldersGiveTheSameAssembly(t *testing.T) {
	folders := []string{filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "an other one")}
	for _, folder := range folders {
		copyRepository(t, folder)
		for _, arguments := range [][]string{
			{"make", "--silent", "build", "ARCHITECTURES=arm64"},
			{"node", filepath.Join(cdktest.Root(t), "node_modules", "aws-cdk", "bin", "cdk"), "synth", "--build", "true", "--quiet", "--no-lookups"},
		} {
			command := exec.Command(arguments[0], arguments[1:]...)
			command.Dir = folder
			command.Env = append(os.Environ(), "CDK_VALIDATION=false")
			if output, err := command.CombinedOutput(); err != nil {
				t.Fatalf("%q: %v\n%s", arguments, err, output)
			}
		}
	}
	one, other := assemblyFiles(t, folders[0]), assemblyFiles(t, folders[1])
	templates, assets := 0, 0
	for name, content := range one {
		if !bytes.Equal(content, other[name]) {
			t.Errorf("%s differs", name)
		}
		if strings.HasSuffix(name, ".template.json") {
			templates++
		}
		if strings.HasSuffix(name, ".zip") {
			assets++
		}
	}
	if len(one) != len(other) || templates != 5 || assets != 2 {
		t.Errorf("%d and %d files, %d templates, %d zip files", len(one), len(other), templates, assets)
	}
}

// copyRepository copies what is not ignored: the files that a clone would have.
func copyRepository(t *testing.T, to string) {
	t.Helper()
	root := cdktest.Root(t)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		switch name {
		case ".git", "build", "cdk.out", "node_modules", ".tools", filepath.Join("bench", "lambda", "node", "node_modules"):
			if !entry.IsDir() { // .git in a work tree, and what somebody links to
				return nil
			}
			return fs.SkipDir
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) { // an editor's temporary file
			return nil
		}
		info, _ := entry.Info()
		return errors.Join(err, os.WriteFile(filepath.Join(to, name), content, info.Mode()))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// assemblyFiles are the files of cdk.out that are deployed or say what is: templates, assets and their lists.
func assemblyFiles(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	out := filepath.Join(folder, "cdk.out")
	err := filepath.WalkDir(out, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, _ := filepath.Rel(out, path)
		// These hold where in the code, and so in which folder, each construct was made.
		if strings.HasSuffix(name, ".metadata.json") || name == "manifest.json" || name == "tree.json" || name == "validation-report.json" {
			return nil
		}
		files[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

type assemblyManifest struct {
	Missing   []any
	Artifacts map[string]struct {
		Environment string
		Properties  struct{ StackName, TemplateFile string }
	}
}

func manifest(t *testing.T, assembly string) (m assemblyManifest) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(assembly, "manifest.json"))
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func readJSON(t *testing.T, file string) (v any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}
