package change

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"drawbridge/rehearsal/template"
)

// resource is a resource with where it is.
type resource struct {
	template.Resource
	stack, id string
}

func (r resource) String() string { return "`" + r.stack + "/" + r.id + "`" }

func (s *stack) resource(id string) (resource, bool) {
	if s == nil {
		return resource{}, false
	}
	r, ok := s.Resources[id]
	return resource{r, s.id, id}, ok
}

// generation is what a host's parts have at the end of their logical ids: eight more digits, in lower case, after the
// eight that CDK gives. Whatever makes CloudFormation replace a host changes them.
var generation = regexp.MustCompile(`^(.*[0-9A-F]{8})[0-9a-f]{8}$`)

// renames are the resources of a stack that are replaced under another logical id: of the new id, the old one.
func renames(before, after *stack) map[string]string {
	gone := map[string]string{}
	for id, r := range before.Resources {
		if _, stays := after.Resources[id]; stays {
			continue
		}
		if match := generation.FindStringSubmatch(id); match != nil {
			gone[r.Type+" "+match[1]] = id
		}
	}
	renamed := map[string]string{}
	for id, r := range after.Resources {
		if _, was := before.Resources[id]; was {
			continue
		}
		if match := generation.FindStringSubmatch(id); match != nil {
			if old, ok := gone[r.Type+" "+match[1]]; ok {
				renamed[id] = old
			}
		}
	}
	return renamed
}

// rename is a value in which logical ids are exchanged, so that what differs by them alone is the same.
func rename(value any, renamed map[string]string) any {
	switch v := value.(type) {
	case string:
		for _, id := range slices.Sorted(maps.Keys(renamed)) {
			v = strings.ReplaceAll(v, renamed[id], id)
		}
		return v
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = rename(v[i], renamed)
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for key := range v {
			m[key] = rename(v[key], renamed)
		}
		return m
	}
	return value
}

// differing are the names of the properties that differ between two resources, sorted.
func differing(before, after map[string]any) (names []string) {
	all := map[string]bool{}
	for name := range before {
		all[name] = true
	}
	for name := range after {
		all[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !same(before[name], after[name]) {
			names = append(names, name)
		}
	}
	return names
}
