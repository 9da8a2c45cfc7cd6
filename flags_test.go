package main

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"drawbridge/internal/cdktest"
)

// flagsSetDifferently are the feature flags that cdk.json sets otherwise than the pinned CDK recommends, with the value
// and the reason. docs/decisions/feature-flags.md says more.
var flagsSetDifferently = map[string]struct {
	value  any
	reason string
}{
	"@aws-cdk/core:defaultCrossStackReferences": {"strong", "a stack refuses to replace or remove what another one uses"},
}

func TestFeatureFlags(t *testing.T) {
	recommended := recommendedFlags(t)
	if len(recommended) < 50 {
		t.Fatalf("the CDK recommends %d flags only: this test reads the wrong file", len(recommended))
	}
	page, err := os.ReadFile(filepath.Join("docs", "decisions", "feature-flags.md"))
	if err != nil {
		t.Fatal(err)
	}
	ours := map[string]any{}
	for name, value := range cdktest.Context(t) {
		if strings.HasPrefix(name, "@") { // Flags have the names of packages, and nothing else in the context does.
			ours[name] = value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(recommended)) {
		want := recommended[name]
		if different, ok := flagsSetDifferently[name]; ok {
			if cdktest.JSON(different.value) == cdktest.JSON(want) {
				t.Errorf("%s is no longer different: the CDK recommends %s too; take it out of the table and the page", name, cdktest.JSON(want))
			}
			want = different.value
		}
		if got, ok := ours[name]; !ok {
			t.Errorf("cdk.json lacks %s, which should be %s", name, cdktest.JSON(want))
		} else if cdktest.JSON(got) != cdktest.JSON(want) {
			t.Errorf("cdk.json sets %s to %s; set it to %s, or name the reason in the table of this test", name, cdktest.JSON(got), cdktest.JSON(want))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		if _, ok := recommended[name]; !ok {
			t.Errorf("cdk.json sets %s, which the CDK does not know or not recommend", name)
		}
	}
	for name, different := range flagsSetDifferently {
		if _, ok := recommended[name]; !ok {
			t.Errorf("%s stands in the table of this test, but the CDK recommends no value for it", name)
		}
		if different.reason == "" {
			t.Errorf("%s is set differently without a reason", name)
		}
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("docs/decisions/feature-flags.md does not name `%s`", name)
		}
	}
}

// recommendedFlags are the values that the CDK would put into a new app's cdk.json. They come with its Go module, in
// the npm package that jsii runs.
func recommendedFlags(t *testing.T) (flags map[string]any) {
	t.Helper()
	module, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-cdk-go/awscdk/v2").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(module)), "jsii", "*.tgz"))
	if err != nil || len(packages) != 1 {
		t.Fatalf("the CDK's module holds %d npm packages, want 1 (%v)", len(packages), err)
	}
	file, err := os.Open(packages[0])
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	text, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewReader(text)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			t.Fatal("the CDK's npm package holds no recommended-feature-flags.json")
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Name == "package/recommended-feature-flags.json" {
			if err := json.NewDecoder(archive).Decode(&flags); err != nil {
				t.Fatal(err)
			}
			return flags
		}
	}
}
