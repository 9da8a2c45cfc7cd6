package template

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Assembly is one cloud assembly: the folder that `cdk synth --output` wrote.
type Assembly struct {
	Dir    string
	Stacks []*Stack // each after those that it depends on
}

// Stack is one stack of an assembly.
type Stack struct {
	ID       string // in the CDK app, such as "Database"
	Name     string // in CloudFormation, such as "drawbridge-dev-Database"
	Template *Template

	AccountID, Region string // "" where the template is made for any

	// Assets are the files and folders that the templates of this assembly name, by the key of their S3 object.
	Assets map[string]Asset
}

// Asset is a file or folder that the CDK CLI uploads before it deploys.
type Asset struct {
	Path string // on this machine
	Zip  bool   // the CLI makes a zip file of this folder; otherwise the file is uploaded as it stands
}

// Stack is the stack with this id or CloudFormation name.
func (a *Assembly) Stack(name string) (*Stack, error) {
	var known []string
	for _, s := range a.Stacks {
		if s.ID == name || s.Name == name {
			return s, nil
		}
		known = append(known, s.ID)
	}
	return nil, fmt.Errorf("the assembly %s has no stack %s: it holds %s", a.Dir, name, strings.Join(known, ", "))
}

// manifest is the part of manifest.json that this package reads (the package cloud-assembly-schema of aws-cdk-lib).
type manifest struct {
	Artifacts map[string]struct {
		Type         string   `json:"type"`
		Dependencies []string `json:"dependencies"`
		Environment  string   `json:"environment"`
		Properties   struct {
			TemplateFile string `json:"templateFile"`
			StackName    string `json:"stackName"`
			File         string `json:"file"`
		} `json:"properties"`
	} `json:"artifacts"`
}

// assetManifest is the part of NAME.assets.json that this package reads.
type assetManifest struct {
	Files map[string]struct {
		Source struct {
			Path      string `json:"path"`
			Packaging string `json:"packaging"`
		} `json:"source"`
		Destinations map[string]struct {
			ObjectKey string `json:"objectKey"`
		} `json:"destinations"`
	} `json:"files"`
}

// ReadAssembly reads the assembly in a folder, such as cdk.out/dev.
func ReadAssembly(dir string) (*Assembly, error) {
	var m manifest
	if err := readJSON(filepath.Join(dir, "manifest.json"), &m); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s is no cloud assembly, it has no manifest.json: run make synth first", dir)
		}
		return nil, err
	}
	assets := map[string]Asset{}
	stacks := map[string]*Stack{}
	dependencies := map[string][]string{}
	for id, artifact := range m.Artifacts {
		switch artifact.Type {
		case "cdk:asset-manifest":
			if err := readAssets(dir, artifact.Properties.File, assets); err != nil {
				return nil, err
			}
		case "aws:cloudformation:stack":
			file := filepath.Join(dir, artifact.Properties.TemplateFile)
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("the template of the stack %s: %w", id, err)
			}
			if empty(text) {
				continue // the CLI does not deploy it: it deletes what is deployed
			}
			t, err := Parse(text)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			name := artifact.Properties.StackName
			if name == "" {
				name = id
			}
			s := &Stack{ID: id, Name: name, Template: t, Assets: assets}
			s.AccountID, s.Region = environmentOf(artifact.Environment)
			stacks[id] = s
		case "cdk:tree", "cdk:feature-flag-report":
		default:
			return nil, fmt.Errorf("%s: the artifact %s is of the type %s, which is not known here", dir, id, artifact.Type)
		}
		for _, dependency := range artifact.Dependencies {
			if m.Artifacts[dependency].Type == "aws:cloudformation:stack" {
				dependencies[id] = append(dependencies[id], dependency)
			}
		}
	}
	ids := []string{}
	for id := range stacks {
		ids = append(ids, id)
	}
	order, err := sortByDependency(ids, func(id string) []string { return dependencies[id] })
	if err != nil {
		return nil, fmt.Errorf("the stacks of %s: %w", dir, err)
	}
	a := &Assembly{Dir: dir}
	for _, id := range order {
		if s := stacks[id]; s != nil {
			a.Stacks = append(a.Stacks, s)
		}
	}
	return a, nil
}

// empty says that a template is one without resources.
func empty(text []byte) bool {
	var t struct{ Resources map[string]any }
	return json.Unmarshal(text, &t) == nil && len(t.Resources) == 0
}

// environmentOf takes "aws://ACCOUNT/REGION" apart, where CDK writes unknown-account and unknown-region for any.
func environmentOf(text string) (accountID, region string) {
	accountID, region, _ = strings.Cut(strings.TrimPrefix(text, "aws://"), "/")
	if strings.HasPrefix(accountID, "unknown-") {
		accountID = ""
	}
	if strings.HasPrefix(region, "unknown-") {
		region = ""
	}
	return accountID, region
}

func readAssets(dir, file string, assets map[string]Asset) error {
	var m assetManifest
	if err := readJSON(filepath.Join(dir, file), &m); err != nil {
		return err
	}
	for id, f := range m.Files {
		if !slices.Contains([]string{"zip", "file"}, f.Source.Packaging) {
			return fmt.Errorf("%s: the asset %s is packaged as %q, which is not known here", file, id, f.Source.Packaging)
		}
		asset := Asset{Path: filepath.Join(dir, f.Source.Path), Zip: f.Source.Packaging == "zip"}
		for _, destination := range f.Destinations {
			assets[destination.ObjectKey] = asset
		}
	}
	return nil
}

func readJSON(file string, into any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s is not the JSON that cdk synth writes: %w", file, err)
	}
	return nil
}
