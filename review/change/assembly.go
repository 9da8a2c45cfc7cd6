package change

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"drawbridge/rehearsal/template"
)

// assembly is what a review reads of one cloud assembly. Unlike [template.ReadAssembly] it takes any template, and keeps
// those without resources.
type assembly struct {
	dir    string
	stacks map[string]*stack // by id in the CDK app

	// nested says that the assembly holds others, as that of a pipeline does. They are not read.
	nested bool
}

type stack struct {
	id, name string // in the CDK app, and in CloudFormation
	place    string // aws://ACCOUNT/REGION, with unknown- in it where the config leaves that open
	file     string
	protect  bool // termination protection
	tags     map[string]string
	assets   map[string]asset // by their construct's path

	template.Template
	raw map[string]any // all of the template
}

type asset struct {
	hash  string
	bytes int64
}

// empty says that there is nothing to deploy.
func (s *stack) empty() bool { return s == nil || len(s.Resources) == 0 }

// ids are the stacks of assemblies, in an order that depends on their names alone.
func ids(assemblies ...*assembly) []string {
	all := map[string]bool{}
	for _, a := range assemblies {
		for id := range a.stacks {
			all[id] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func readAssembly(dir string) (*assembly, error) {
	a := &assembly{dir: dir, stacks: map[string]*stack{}}
	if dir == "" {
		return a, nil
	}
	var manifest struct {
		Artifacts map[string]struct {
			Type        string
			Environment string
			Properties  struct {
				TemplateFile, StackName string
				TerminationProtection   bool
				Tags                    map[string]string
			}
			Dependencies []string
		}
	}
	if err := readJSON(filepath.Join(dir, "manifest.json"), &manifest); err != nil {
		return nil, err
	}
	for id, artifact := range manifest.Artifacts {
		switch artifact.Type {
		case "cdk:cloud-assembly":
			a.nested = true
		case "aws:cloudformation:stack":
			p := artifact.Properties
			s := &stack{id: id, name: p.StackName, place: artifact.Environment, protect: p.TerminationProtection, tags: p.Tags, file: filepath.Join(dir, p.TemplateFile), assets: map[string]asset{}}
			if s.name == "" {
				s.name = id
			}
			if err := readJSON(s.file, &s.raw); err != nil {
				return nil, err
			}
			if err := readJSON(s.file, &s.Template); err != nil {
				return nil, err
			}
			for _, dependency := range artifact.Dependencies {
				if manifest.Artifacts[dependency].Type == "cdk:asset-manifest" {
					if err := readAssets(dir, dependency, s.assets); err != nil {
						return nil, err
					}
				}
			}
			a.stacks[id] = s
		}
	}
	if len(a.stacks) == 0 {
		return nil, fmt.Errorf("the assembly %s holds no stack", dir)
	}
	return a, nil
}

// readAssets adds what a stack uploads, but for its template.
func readAssets(dir, artifact string, to map[string]asset) error {
	var manifest struct {
		Files map[string]struct {
			DisplayName string
			Source      struct{ Path string }
		}
	}
	// The CLI's own name for this file: the artifact's, and .json.
	if err := readJSON(filepath.Join(dir, artifact+".json"), &manifest); err != nil {
		return err
	}
	for hash, f := range manifest.Files {
		if strings.HasSuffix(f.Source.Path, ".template.json") {
			continue
		}
		size, err := sizeOf(filepath.Join(dir, f.Source.Path))
		if err != nil {
			return err
		}
		to[f.DisplayName] = asset{hash, size}
	}
	return nil
}

// sizeOf is the size of a file, or of all files in a folder.
func sizeOf(path string) (size int64, err error) {
	err = filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	return size, err
}

func readJSON(file string, into any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("%s is not the JSON that cdk synth writes: %w", file, err)
	}
	return nil
}

// same says that two values mean the same to CloudFormation, which takes 20 and "20" alike.
func same(a, b any) bool {
	if x, ok := template.Text(a); ok {
		if y, ok := template.Text(b); ok {
			return x == y
		}
	}
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && maps.EqualFunc(x, y, same)
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, same)
	}
	return reflect.DeepEqual(a, b)
}
