package config

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// checkLoad loads a source and fails if the error is not readable Problems, or
// if what was loaded does not load again as the same.
func checkLoad(t *testing.T, src Source) {
	e, warnings, err := Load(src)
	if (e == nil) != (err != nil) {
		t.Fatalf("got environment %v with error %v", e, err)
	}
	if err != nil {
		checkProblems(t, err)
		return
	}
	for _, w := range warnings {
		checkLine(t, w.String())
	}
	if again := reload(t, e); !reflect.DeepEqual(e, again) {
		t.Fatalf("loaded %+v\nthen   %+v", e, again)
	}
}

func checkProblems(t *testing.T, err error) {
	problems, ok := err.(Problems)
	if !ok || len(problems) == 0 {
		t.Fatalf("got a %T: %v", err, err)
	}
	for _, p := range problems {
		if p.Path == "" || p.Found == "" || p.Expected == "" {
			t.Fatalf("incomplete problem %+v", p)
		}
		checkLine(t, p.String())
	}
}

func checkLine(t *testing.T, line string) {
	if !utf8.ValidString(line) {
		t.Fatalf("not UTF-8: %q", line)
	}
	for _, r := range line {
		if !unicode.IsPrint(r) {
			t.Fatalf("unprintable %U in %q", r, line)
		}
	}
}

// FuzzLoad loads arbitrary bytes.
func FuzzLoad(f *testing.F) {
	for _, name := range []string{"samples.json", "full.json"} {
		f.Add([]byte(readFile(f, name)), "prod", "public", "x86_64")
		f.Add([]byte(readFile(f, name)), "staging", "", "")
	}
	for _, text := range []string{"", "null", "[]", "{}", `{"dev":{}}`, `{"dev":{"database":null},"dev":1}`, "{\"d\xff\":1}", `{"dev\u0000":{}}`,
		`{"dev":{"readOnlyUsers":{"\u202e":[],"bi":{"schemas":[1e99]}},"tunnels":[{}],"bastion":{"administrators":[{}]}}}`} {
		f.Add([]byte(text), "", "", "")
	}
	f.Fuzz(func(t *testing.T, text []byte, environment, exposure, architecture string) {
		checkLoad(t, Source{Environments: text, Environment: environment, Exposure: exposure, Architecture: architecture})
		if _, _, err := LoadPipeline(text, Source{Environments: []byte(`{"dev":{}}`)}); err != nil {
			checkProblems(t, err)
		}
	})
}

// FuzzLoadWithOneValueChanged puts a fuzzed value, as JSON or as text, in the
// place of each value of a valid config.
func FuzzLoadWithOneValueChanged(f *testing.F) {
	places := leaves("", jsonValue(f, readFile(f, "full.json")).(map[string]any)["staging"])
	for i := range places {
		f.Add(uint(i), `"x"`)
		f.Add(uint(i), "null")
		f.Add(uint(i), "\x00\u2028\U000e0041")
		f.Add(uint(i), SampleHostKey+" a\x1b]0;b")
		f.Add(uint(i), "-----BEGIN OPENSSH PRIVATE KEY-----")
	}
	for _, test := range wrongConfigs(f) {
		if i := slices.Index(places, test.edit.path); i >= 0 && test.in == "" {
			f.Add(uint(i), test.edit.json)
		}
	}
	f.Fuzz(func(t *testing.T, i uint, value string) {
		place := places[i%uint(len(places))]
		text := quoted(value)
		if json.Valid([]byte(value)) {
			text = value
		}
		checkLoad(t, Source{Environments: edited(t, "full.json", "staging", edit{place, text}), Environment: "staging"})
	})
}

func jsonValue(t testing.TB, text []byte) any {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// leaves returns the paths of every value below a parsed one.
func leaves(at string, value any) []string {
	found := []string{strings.TrimPrefix(at, ".")}
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			found = append(found, leaves(at+"."+key, v[key])...)
		}
	case []any:
		for i, value := range v {
			found = append(found, leaves(at+"."+string(rune('0'+i)), value)...)
		}
	}
	if at == "" {
		return found[1:]
	}
	return found
}
