package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"drawbridge/internal/repository"
)

func TestNotices(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	notices := func(t *testing.T, lines ...string) string {
		t.Helper()
		var out bytes.Buffer
		if err := run("Title", strings.NewReader(strings.Join(lines, "\n")), &out); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	one := "one\tv1\tMIT\t" + write("one/LICENSE", "\nDo as you like.\n")
	two := "two\tv2\tMIT\t" + write("two/LICENSE", "Do as you like.\r\n")
	noted := "three\tv3\tApache-2.0\t" + write("three/LICENSE", "Pass on the notice.")
	write("three/NOTICE.txt", "We wrote this.")

	t.Run("say once what is under the same licence", func(t *testing.T) {
		text := notices(t, two, one)
		if strings.Count(text, "Do as you like.") != 1 || !strings.Contains(text, "one v1 (MIT)\ntwo v2 (MIT)\n") {
			t.Error(text)
		}
	})
	t.Run("pass on the notice beside a licence", func(t *testing.T) {
		text := notices(t, noted)
		if !strings.Contains(text, "three v3 (Apache-2.0)") || !strings.Contains(text, "three v3 (notice)") || !strings.Contains(text, "We wrote this.") {
			t.Error(text)
		}
	})
	t.Run("do not depend on the order of the lines", func(t *testing.T) {
		if a, b := notices(t, one, two, noted), notices(t, noted, two, one); a != b {
			t.Errorf("%s\n\n%s", a, b)
		}
	})
	for name, line := range map[string]string{"a line without a file": "one\tv1\tMIT", "a file that is not there": "one\tv1\tMIT\t" + filepath.Join(dir, "none")} {
		t.Run("refuse "+name, func(t *testing.T) {
			if err := run("Title", strings.NewReader(line), &bytes.Buffer{}); err == nil {
				t.Error("no error")
			}
		})
	}
}

// What go.mod brings into a program must be in its notices, with the version that it has there.
func TestTheNoticesOfEachProgramNameEveryModuleInIt(t *testing.T) {
	root, err := repository.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"webapp", "lambda"} {
		text, err := os.ReadFile(filepath.Join(root, program, "THIRD_PARTY_NOTICES.txt"))
		if err != nil {
			t.Fatal(err)
		}
		for _, architecture := range []string{"arm64", "amd64"} {
			list := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}", "./"+program)
			list.Dir, list.Env = root, append(os.Environ(), "GOOS=linux", "GOARCH="+architecture, "CGO_ENABLED=0")
			output, err := list.Output()
			if err != nil {
				t.Fatal(err)
			}
			modules := strings.Fields(strings.ReplaceAll(string(output), " ", "@"))
			if len(modules) < 10 {
				t.Fatalf("%s has only the modules %q", program, modules)
			}
			for _, module := range modules {
				if path, version, _ := strings.Cut(module, "@"); !names(string(text), path, version) {
					t.Errorf("%s/THIRD_PARTY_NOTICES.txt does not name %s %s: run make licenses", program, path, version)
				}
			}
		}
	}
}

// Go's own version, and the libraries in the pages, are in no list of modules.
func TestTheNoticesNameTheVersionsOfGoAndOfTheLibrariesInThePages(t *testing.T) {
	root, err := repository.Root()
	if err != nil {
		t.Fatal(err)
	}
	read := func(file string) string {
		content, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	webapp, lambda := read("webapp/THIRD_PARTY_NOTICES.txt"), read("lambda/THIRD_PARTY_NOTICES.txt")
	version := regexp.MustCompile(`(?m)^toolchain go(\S+)`).FindStringSubmatch(read("go.mod"))
	if version == nil || !names(webapp, "Go", version[1]) || !names(lambda, "Go", version[1]) {
		t.Errorf("go.mod names Go %q, and the notices do not: run make licenses", version)
	}
	libraries := regexp.MustCompile("(?m)^\\| `[^`]+` \\| `([^`]+)` \\| (\\S+) ").FindAllStringSubmatch(read("webapp/static/vendor/README.md"), -1)
	if len(libraries) < 2 {
		t.Errorf("the libraries are %q", libraries)
	}
	for _, library := range libraries {
		if !names(webapp, library[1], library[2]) {
			t.Errorf("webapp/THIRD_PARTY_NOTICES.txt does not name %s %s: change scripts/licenses.sh, and run make licenses", library[1], library[2])
		}
	}
}

// names tells whether a heading is of the module, or of a package in it.
func names(text, path, version string) bool {
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(line, " ")
		if (name == path || strings.HasPrefix(name, path+"/")) && strings.HasPrefix(rest, version+" (") {
			return true
		}
	}
	return false
}
