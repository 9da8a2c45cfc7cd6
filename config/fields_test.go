package config

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// fieldsOf returns the keys that a field table must have for a type.
func fieldsOf(t reflect.Type, at string) []string {
	found := []string{at}
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if name := t.Field(i).Tag.Get("json"); name != "-" {
				found = append(found, fieldsOf(t.Field(i).Type, strings.TrimPrefix(at+"."+name, "."))...)
			}
		}
	case reflect.Slice, reflect.Map:
		found = append(found, fieldsOf(t.Elem(), at+".*")...)
	}
	return found
}

func TestEveryFieldIsDescribed(t *testing.T) {
	for name, test := range map[string]struct {
		of     reflect.Type
		fields map[string]field
	}{
		"environment": {reflect.TypeFor[Environment](), environmentFields},
		"pipeline":    {reflect.TypeFor[Pipeline](), pipelineFields},
	} {
		t.Run(name, func(t *testing.T) {
			want := fieldsOf(test.of, "")
			for _, key := range want {
				if test.fields[key].expected == "" {
					t.Errorf("%q is not described", key)
				}
			}
			for key := range test.fields {
				if !slices.Contains(want, key) {
					t.Errorf("%q is described, but no struct has it", key)
				}
			}
		})
	}
}

// The value that an error line proposes must be one that is taken.
func TestExamplesAreValid(t *testing.T) {
	for key, f := range environmentFields {
		if f.example == "" {
			continue
		}
		t.Run(key, func(t *testing.T) {
			example := strings.ReplaceAll(f.example, "ssh-ed25519 AAAA…", SampleHostKey)
			if !json.Valid([]byte(example)) {
				t.Fatalf("the example is not JSON: %s", example)
			}
			path := strings.ReplaceAll(key, "readOnlyUsers.*", "readOnlyUsers.bi")
			path = strings.ReplaceAll(path, ".*", ".0")
			mustLoad(t, Source{Environments: edited(t, "full.json", "staging", edit{path, example}), Environment: "staging"})
		})
	}
}
