// Package cdktest helps tests of CDK code: apps with the feature flags of cdk.json, and templates as plain values.
package cdktest

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"

	"drawbridge/config"
	"drawbridge/internal/jsiiruntime"
	"drawbridge/internal/repository"
)

// Main is the body of a TestMain: it runs the tests and ends the Node process that CDK runs in.
func Main(m *testing.M) {
	code := m.Run()
	jsiiruntime.Close()
	os.Exit(code)
}

// Context is the context of cdk.json.
func Context(t testing.TB) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(Root(t), "cdk.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Context map[string]any }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file.Context
}

// Root is the repository's folder.
func Root(t testing.TB) string {
	t.Helper()
	root, err := repository.Root()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// NewApp is an app with the feature flags of cdk.json and no other context.
func NewApp(t testing.TB) awscdk.App {
	t.Helper()
	flags := Context(t)
	delete(flags, "environments")
	return awscdk.NewApp(&awscdk.AppProps{
		Context: &flags, AnalyticsReporting: jsii.Bool(false), Outdir: jsii.String(t.TempDir()),
	})
}

// Environment is an environment of cdk.json after change, which may be nil, has edited its JSON.
func Environment(t testing.TB, name string, change func(environment map[string]any)) *config.Environment {
	t.Helper()
	environments := Context(t)["environments"].(map[string]any)
	if change != nil {
		change(environments[name].(map[string]any))
	}
	text, err := json.Marshal(environments)
	if err != nil {
		t.Fatal(err)
	}
	env, _, err := config.Load(config.Source{Environments: text, Environment: name})
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// Asset is the path of a file that stands for an asset, a zip file.
func Asset(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "asset.zip")
	if err := os.WriteFile(path, []byte("an asset"), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Template is a CloudFormation template, decoded from JSON.
type Template map[string]any

// Synthesize is the template of a stack. Its app cannot change any more afterwards.
func Synthesize(t testing.TB, stack awscdk.Stack) Template {
	t.Helper()
	var template map[string]any
	Try(t, func() { template = *assertions.Template_FromStack(stack, nil).ToJSON() })
	return template
}

// Try runs f and turns a panic, which is how jsii reports an error and a failed assertion, into a failure of the test.
func Try(t testing.TB, f func()) {
	t.Helper()
	defer func() {
		if cause := recover(); cause != nil {
			t.Helper()
			t.Fatal(cause)
		}
	}()
	f()
}

// Resource is one resource of a template.
type Resource struct {
	ID         string
	Type       string
	Properties map[string]any
	All        map[string]any // the resource as it stands in the template
}

// Resources are the template's resources of a type, or all of them where the type is "", in the order of their ids.
func (t Template) Resources(kind string) []Resource {
	var found []Resource
	resources, _ := t["Resources"].(map[string]any)
	for _, id := range slices.Sorted(maps.Keys(resources)) {
		all := resources[id].(map[string]any)
		properties, _ := all["Properties"].(map[string]any)
		r := Resource{ID: id, Type: all["Type"].(string), Properties: properties, All: all}
		if kind == "" || kind == r.Type {
			found = append(found, r)
		}
	}
	return found
}

// One is the template's only resource of a type.
func (t Template) One(test testing.TB, kind string) Resource {
	test.Helper()
	found := t.Resources(kind)
	if len(found) != 1 {
		test.Fatalf("%d resources of type %s, want 1", len(found), kind)
	}
	return found[0]
}

// JSON is v in one line, with its keys sorted.
func JSON(v any) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(text.String())
}

// Walk calls visit for v and everything in it, with the path that leads there.
func Walk(v any, visit func(path string, value any)) { walk("", v, visit) }

func walk(path string, v any, visit func(string, any)) {
	visit(path, v)
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			walk(path+"/"+key, v[key], visit)
		}
	case Template:
		walk(path, map[string]any(v), visit)
	case []any:
		for _, element := range v {
			walk(path+"[]", element, visit)
		}
	}
}
