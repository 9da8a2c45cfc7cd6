// Command buildstep prints what CodeBuild would run for one step of the synthesized pipeline, as a script for sh that stops at
// the first command that fails. `make pipeline` runs it.
//
//	go run ./internal/buildstep [-image | -cached] cdk.out/pipeline Build/Synth
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "buildstep:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("buildstep", flag.ContinueOnError)
	image := flags.Bool("image", false, "print the image that it runs in")
	cached := flags.Bool("cached", false, "print the folders that are kept for its next run, one a line")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 2 {
		return errors.New("it takes the folder that cdk synth wrote and a step, such as cdk.out/pipeline Build/Synth")
	}
	step, err := read(flags.Arg(0), flags.Arg(1))
	if err != nil {
		return err
	}
	text := step.script()
	switch {
	case *image:
		text = step.image + "\n"
	case *cached:
		text = ""
		for _, folder := range step.cached {
			text += folder + "\n"
		}
	}
	_, err = io.WriteString(stdout, text)
	return err
}

// step is one CodeBuild project.
type step struct {
	image     string
	variables [][2]string
	commands  []string
	cached    []string // folders
	output    string   // the folder that is handed on, or ""
}

// read finds a step, by its stage and name, in the template of the Pipeline stack.
func read(assembly, name string) (*step, error) {
	text, err := os.ReadFile(filepath.Join(assembly, "Pipeline.template.json"))
	if err != nil {
		return nil, fmt.Errorf("there is no pipeline in %s: run make synth (%w)", assembly, err)
	}
	var template struct {
		Resources map[string]struct {
			Type       string
			Properties json.RawMessage // of what they are depends on the type
		}
	}
	if err := json.Unmarshal(text, &template); err != nil {
		return nil, err
	}
	var names []string
	for id, resource := range template.Resources {
		if resource.Type != "AWS::CodeBuild::Project" {
			continue
		}
		var project project
		if err := json.Unmarshal(resource.Properties, &project); err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		// CDK Pipelines describes a project as a step: …/Pipeline/Build/Synth.
		if strings.HasSuffix(project.Description, "/"+name) {
			return project.step()
		}
		parts := strings.Split(project.Description, "/")
		names = append(names, strings.Join(parts[max(0, len(parts)-2):], "/"))
	}
	slices.Sort(names)
	return nil, fmt.Errorf("the pipeline has no step %s, but %s", name, strings.Join(names, ", "))
}

// project is what CloudFormation knows of a step (AWS CloudFormation Template Reference Guide, AWS::CodeBuild::Project).
type project struct {
	Description string
	Environment struct {
		Image                string
		EnvironmentVariables []struct{ Name, Value string }
	}
	Source struct{ BuildSpec string }
}

// step reads the buildspec, of which JSON is a kind of YAML (AWS CodeBuild User Guide, "Build specification reference").
func (p project) step() (*step, error) {
	var spec struct {
		Phases map[string]struct{ Commands []string }
		Cache  struct{ Paths []string }

		Artifacts struct {
			BaseDirectory string `json:"base-directory"`
		}
	}
	if err := json.Unmarshal([]byte(p.Source.BuildSpec), &spec); err != nil {
		return nil, fmt.Errorf("the buildspec of %s is not in the template: %w", p.Description, err)
	}
	s := &step{image: p.Environment.Image, output: spec.Artifacts.BaseDirectory}
	for _, variable := range p.Environment.EnvironmentVariables {
		s.variables = append(s.variables, [2]string{variable.Name, variable.Value})
	}
	for _, phase := range []string{"install", "pre_build", "build", "post_build"} {
		s.commands = append(s.commands, spec.Phases[phase].Commands...)
	}
	if len(s.commands) == 0 {
		return nil, fmt.Errorf("%s runs nothing", p.Description)
	}
	for _, path := range spec.Cache.Paths {
		s.cached = append(s.cached, strings.TrimSuffix(path, "/**/*"))
	}
	return s, nil
}

// script runs all commands in one shell, as CodeBuild does, and ends with a look at what is handed on.
func (s *step) script() string {
	var script strings.Builder
	script.WriteString("set -e\n")
	for _, variable := range s.variables {
		fmt.Fprintf(&script, "export %s=%s\n", variable[0], quote(variable[1]))
	}
	for _, command := range s.commands {
		fmt.Fprintf(&script, "printf '+ %%s\\n' %s\n%s\n", quote(command), command)
	}
	if s.output != "" {
		fmt.Fprintf(&script, "[ -n \"$(ls -A %s)\" ] || { echo %s >&2; exit 1; }\n", quote(s.output), quote(s.output+" is empty: the step hands nothing on"))
	}
	return script.String()
}

func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
