package side

import (
	"os"
	"path/filepath"
	"testing"
)

func TestArchitecture(t *testing.T) {
	for name, test := range map[string]struct {
		config   string
		contexts []string
		want     string
	}{
		"the app's own":                        {`{"context": {}}`, nil, "arm64"},
		"cdk.json's":                           {`{"context": {"architecture": "x86_64"}}`, nil, "x86_64"},
		"what the command says before all":     {`{"context": {"architecture": "arm64"}}`, []string{"env=dev", "architecture=x86_64"}, "x86_64"},
		"the last that the command says of it": {`{"context": {}}`, []string{"architecture=x86_64", "architecture=arm64"}, "arm64"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "cdk.json"), []byte(test.config), 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := (&Side{Dir: dir}).Architecture(test.contexts); err != nil || got != test.want {
				t.Errorf("%s, %v, want %s", got, err, test.want)
			}
		})
	}
}

func TestReads(t *testing.T) {
	packages := map[string]bool{".": true, "webapp": true}
	for file, want := range map[string]Read{
		"docs/new.md":           Nothing,
		"webapp/server_test.go": Nothing,
		"other/main.go":         Nothing,
		"cdk.json":              Synthesis,
		"webapp/server.go":      Build,
		"webapp/static/a.css":   Build,
		"Makefile":              Build,
		"go.mod":                Build,
	} {
		if got := Reads([]string{file}, packages); got != want {
			t.Errorf("%s: %v, want %v", file, got, want)
		}
	}
}
