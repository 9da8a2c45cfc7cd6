// Package rehearsaltest gives tests the environments that they play.
package rehearsaltest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"drawbridge/internal/notrun"
	"drawbridge/internal/repository"
	"drawbridge/rehearsal/template"
)

// Config is an environment of cdk.json, as JSON.
type Config = map[string]any

// synthesized gives the folder of an assembly that was made, by the context: many tests want the same.
var (
	synthesized sync.Map
	folder      string
)

// Main is the body of a TestMain: it runs the tests and removes what Synthesize made.
func Main(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "drawbridge-assemblies-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// Machine is this machine's architecture, in the words of `-c architecture`.
func Machine() string {
	return map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
}

// Synthesize runs the CDK app, as `make build` made it, on the environment dev of cdk.json for this machine's
// architecture, after change, which may be nil, has edited its config. Main must be the package's TestMain.
func Synthesize(t testing.TB, change func(dev Config)) *template.Assembly {
	t.Helper()
	return SynthesizeAny(t, "dev", Machine(), change)
}

// SynthesizeAny is Synthesize of any environment of cdk.json, for any architecture.
func SynthesizeAny(t testing.TB, environment, architecture string, change func(Config)) *template.Assembly {
	t.Helper()
	root, err := repository.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"cdk", "lambda-" + architecture + ".zip", "webapp-" + architecture + ".zip", "host-" + architecture} {
		if _, err := os.Stat(filepath.Join(root, "build", part)); err != nil {
			notrun.Because(t, "build/%s is missing: make build makes it", part)
		}
	}
	text, err := os.ReadFile(filepath.Join(root, "cdk.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Context map[string]any }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(file.Context["environments"].(map[string]any)[environment].(map[string]any))
	}
	file.Context["env"], file.Context["architecture"] = environment, architecture
	if text, err = json.Marshal(file.Context); err != nil {
		t.Fatal(err)
	}
	once, _ := synthesized.LoadOrStore(string(text), sync.OnceValues(func() (string, error) { return runApp(root, string(text)) }))
	out, err := once.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	assembly, err := template.ReadAssembly(out)
	if err != nil {
		t.Fatal(err)
	}
	return assembly
}

// runApp runs the CDK app and returns the folder that it wrote.
func runApp(root, context string) (string, error) {
	out, err := os.MkdirTemp(folder, "cdk.out-")
	if err != nil {
		return "", err
	}
	app := exec.Command(filepath.Join(root, "build", "cdk"))
	app.Dir = root
	app.Env = append(os.Environ(), "CDK_CONTEXT_JSON="+context, "CDK_OUTDIR="+out, "CDK_VALIDATION=false")
	if output, err := app.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the app does not synthesize: %w\n%s", err, output)
	}
	return out, nil
}
