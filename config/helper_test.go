package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// edit sets the value at a path below an environment; no JSON deletes it.
type edit struct{ path, json string }

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func readKey(t testing.TB, name string) string {
	return strings.TrimSpace(string(readFile(t, filepath.Join("keys", name+".pub"))))
}

// quoted returns a string as JSON.
func quoted(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}

// edited returns the environments of a file after edits to one of them.
func edited(t testing.TB, file, environment string, edits ...edit) json.RawMessage {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(readFile(t, file), &all); err != nil {
		t.Fatal(err)
	}
	for _, e := range edits {
		keys := append([]string{environment}, strings.Split(e.path, ".")...)
		all = change(t, all, keys, e.json).(map[string]any)
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func change(t testing.TB, in any, keys []string, value string) any {
	t.Helper()
	if len(keys) == 0 {
		return json.RawMessage(value)
	}
	switch in := in.(type) {
	case map[string]any:
		if len(keys) == 1 && value == "" {
			if _, ok := in[keys[0]]; !ok {
				t.Fatalf("nothing to delete at %q", keys[0])
			}
			delete(in, keys[0])
		} else {
			in[keys[0]] = change(t, in[keys[0]], keys[1:], value)
		}
		return in
	case []any:
		i, err := strconv.Atoi(keys[0])
		if err != nil || i > len(in) {
			t.Fatalf("no index %q in a list of %d", keys[0], len(in))
		}
		if i == len(in) {
			in = append(in, nil)
		}
		in[i] = change(t, in[i], keys[1:], value)
		return in
	}
	t.Fatalf("cannot set %v in %T", keys, in)
	return nil
}

func mustLoad(t testing.TB, src Source) (*Environment, []Warning) {
	t.Helper()
	e, warnings, err := Load(src)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return e, warnings
}

// problemLines returns the lines of an error that must be Problems.
func problemLines(t testing.TB, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	problems, ok := err.(Problems)
	if !ok {
		t.Fatalf("error is a %T, not Problems: %v", err, err)
	}
	var lines []string
	for _, p := range problems {
		lines = append(lines, p.String())
	}
	if !slices.Equal(lines, strings.Split(err.Error(), "\n")) {
		t.Errorf("Error() is not one line for each problem: %q", err.Error())
	}
	return lines
}
