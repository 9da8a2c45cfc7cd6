package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The page of every key is written from the same words as the errors. After a
// change: go test ./config -run TestDocs -update
func TestDocs(t *testing.T) {
	page := filepath.Join("..", "docs", "config.md")
	want := docs(t)
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s does not say what the code does: run go test ./config -run TestDocs -update", page)
	}
}

func docs(t *testing.T) string {
	var page strings.Builder
	page.WriteString("# Config\n\nThe environments stand in `cdk.json`, under `context` › `environments`, each under its name:\n" +
		"1 to 20 lower-case letters, digits or hyphens. `-c env=NAME` picks one (`dev` unless told otherwise),\n" +
		"`-c exposure=public|private` overrides its phase, `-c architecture=arm64|x86_64` chooses the processors of web app\n" +
		"and hosts, and `-c config=FILE` takes the environments from a JSON file instead, which holds what stands under `environments`:\n" +
		"`{\"dev\": {…}}`.\n\n" +
		"A key that is not listed here is an error, and so is every value that AWS, MySQL or SSH would refuse. `*` stands\n" +
		"for each entry of a list or object. What each `vendor` fills in stands in [connect-a-bi-vendor.md](connect-a-bi-vendor.md).\n\n" +
		"| key | takes | if left out | example |\n|---|---|---|---|\n")
	table(&page, environmentFields, leftOut(t))
	page.WriteString("\n## The pipeline\n\nOne object beside the environments, `context` › `codePipeline`, says what [the pipeline](pipeline.md) delivers and where to:\n\n" +
		"| key | takes | if left out | example |\n|---|---|---|---|\n")
	table(&page, pipelineFields, map[string]string{"account": "`\"\"`", "region": "`\"\"`"})
	return page.String()
}

// table writes one row for each key.
func table(page *strings.Builder, fields map[string]field, left map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if key == "" {
			continue
		}
		f := fields[key]
		absent := left[key]
		switch {
		case f.required:
			absent = "must be given"
		case strings.HasSuffix(key, ".*"):
			absent = ""
		}
		fmt.Fprintf(page, "| `%s` | %s | %s | %s |\n", key, cell(f.expected), absent, code(f.example))
	}
}

// leftOut is what each key is when it is left out, as JSON in a code span.
func leftOut(t *testing.T) map[string]string {
	left := map[string]string{}
	var add func(prefix string, value any)
	add = func(prefix string, value any) {
		if object, ok := value.(map[string]any); ok {
			for key, value := range object {
				add(strings.TrimPrefix(prefix+"."+key, "."), value)
			}
			return
		}
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		left[prefix] = code(string(text))
	}
	for i, prefix := range []string{"", "readOnlyUsers.*", "tunnels.*"} {
		text, err := json.Marshal(defaults(ARM64)[i])
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := json.Unmarshal(text, &value); err != nil {
			t.Fatal(err)
		}
		add(prefix, value)
	}
	for _, key := range []string{"bastion.instanceType", "webapp.instanceType"} {
		left[key] = "`t4g.micro`, or `t3.micro` for x86_64"
	}
	for _, key := range []string{"host", "user", "hostKey"} {
		left["tunnels.*."+key] = "the vendor's; must be given where `vendor` has none"
	}
	left["tunnels.*.port"] = "the vendor's, or `22`"
	return left
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + cell(strings.ReplaceAll(text, SampleHostKey, "ssh-ed25519 AAAA…")) + "`"
}
