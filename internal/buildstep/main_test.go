package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// assembly is a folder with the template of a pipeline with these steps: each one's buildspec.
func assembly(t *testing.T, steps map[string]string) string {
	t.Helper()
	resources := map[string]any{"Bucket": map[string]any{"Type": "AWS::S3::Bucket"}}
	for name, spec := range steps {
		resources[strings.ReplaceAll(name, "/", "")] = map[string]any{"Type": "AWS::CodeBuild::Project", "Properties": map[string]any{
			"Description": "Pipeline step drawbridge-pipeline/Pipeline/" + name,
			"Environment": map[string]any{"Image": "image-of-" + name, "EnvironmentVariables": []any{
				map[string]any{"Name": "GREETING", "Type": "PLAINTEXT", "Value": "it's me"},
			}},
			"ServiceRole": map[string]any{"Fn::GetAtt": []any{"Role", "Arn"}},
			"Source":      map[string]any{"BuildSpec": spec},
		}}
	}
	text, err := json.Marshal(map[string]any{"Resources": resources})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Pipeline.template.json"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

const spec = `{"version": "0.2",
	"phases": {"build": {"commands": ["mkdir out", "echo \"$GREETING, $WHO\" >out/said"]}, "install": {"commands": ["WHO=you; export WHO"]}},
	"cache": {"paths": ["/root/.npm/**/*", "/root/.cache/go-mod/**/*"]},
	"artifacts": {"base-directory": "out", "files": ["**/*"]}}`

func text(t *testing.T, args ...string) string {
	t.Helper()
	var out strings.Builder
	if err := run(args, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTheScriptRunsAllPhasesInOneShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh on this system")
	}
	script := text(t, assembly(t, map[string]string{"Build/Synth": spec, "Test/Lint": spec}), "Build/Synth")
	dir := t.TempDir()
	command := exec.Command(sh, "-c", script)
	command.Dir = dir
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if said, _ := os.ReadFile(filepath.Join(dir, "out", "said")); string(said) != "it's me, you\n" {
		t.Errorf("it said %q", said)
	}
	if !strings.Contains(string(output), "+ WHO=you; export WHO\n+ mkdir out\n") {
		t.Errorf("it does not say what it runs: %s", output)
	}
}

func TestTheScriptFails(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh on this system")
	}
	for name, commands := range map[string]string{
		"at the first command that does":    `"false", "mkdir out && touch out/x"`,
		"where nothing is there to hand on": `"mkdir out"`,
	} {
		t.Run(name, func(t *testing.T) {
			script := text(t, assembly(t, map[string]string{"Build/Synth": `{"phases": {"build": {"commands": [` + commands + `]}}, "artifacts": {"base-directory": "out"}}`}), "Build/Synth")
			dir := t.TempDir()
			command := exec.Command(sh, "-c", script)
			command.Dir = dir
			if output, err := command.CombinedOutput(); err == nil {
				t.Errorf("it passes: %s", output)
			}
			if _, err := os.Stat(filepath.Join(dir, "out", "x")); err == nil {
				t.Error("it went on")
			}
		})
	}
}

func TestWhereItRuns(t *testing.T) {
	dir := assembly(t, map[string]string{"Test/Lint": spec})
	if got := text(t, "-image", dir, "Test/Lint"); got != "image-of-Test/Lint\n" {
		t.Errorf("the image is %q", got)
	}
	if got := text(t, "-cached", dir, "Test/Lint"); got != "/root/.npm\n/root/.cache/go-mod\n" {
		t.Errorf("the caches are %q", got)
	}
}

func TestMistakes(t *testing.T) {
	dir := assembly(t, map[string]string{"Build/Synth": spec, "Test/Lint": "buildspec.yaml", "Test/Empty": "{}"})
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"a step that is not there": {[]string{dir, "Build/Sink"}, "no step Build/Sink, but Build/Synth, Test/Empty, Test/Lint"},
		"no pipeline":              {[]string{t.TempDir(), "Build/Synth"}, "run make synth"},
		"no step":                  {[]string{dir}, "it takes the folder"},
		"a buildspec in a file":    {[]string{dir, "Test/Lint"}, "is not in the template"},
		"no commands":              {[]string{dir, "Test/Empty"}, "runs nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := run(test.args, &strings.Builder{}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
