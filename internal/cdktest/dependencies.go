package cdktest

import (
	"fmt"
	"regexp"
	"slices"
	"testing"
)

// Dependencies are the ids of the resources that each resource of a template waits for, by a reference or by DependsOn.
type Dependencies map[string][]string

// What Fn::Sub puts in.
var substituted = regexp.MustCompile(`\$\{([A-Za-z0-9]+)[.}]`)

// Dependencies reads them out of the template.
func (t Template) Dependencies() Dependencies {
	found := Dependencies{}
	for _, r := range t.Resources("") {
		found[r.ID] = nil
	}
	for _, r := range t.Resources("") {
		add := func(id any) {
			if id, ok := id.(string); ok && !slices.Contains(found[r.ID], id) {
				if _, isResource := found[id]; isResource {
					found[r.ID] = append(found[r.ID], id)
				}
			}
		}
		Walk(r.All, func(_ string, value any) {
			switch v := value.(type) {
			case map[string]any:
				add(v["Ref"])
				if names, ok := v["Fn::GetAtt"].([]any); ok {
					add(names[0])
				}
			case string:
				for _, match := range substituted.FindAllStringSubmatch(v, -1) {
					add(match[1])
				}
			}
		})
		switch ids := r.All["DependsOn"].(type) {
		case string:
			add(ids)
		case []any:
			for _, id := range ids {
				add(id)
			}
		}
	}
	return found
}

// Waits tells whether one resource is made after another, directly or through others.
func (d Dependencies) Waits(resource, other string) bool {
	seen := map[string]bool{}
	var search func(id string) bool
	search = func(id string) bool {
		if seen[id] {
			return false
		}
		seen[id] = true
		return slices.ContainsFunc(d[id], func(next string) bool { return next == other || search(next) })
	}
	return search(resource)
}

// CheckOrder fails the test where a resource that stands later in a list does not wait for one that stands earlier, and
// where an earlier one waits for a later one.
func (d Dependencies) CheckOrder(t testing.TB, ids ...string) {
	t.Helper()
	for i, first := range ids {
		if _, ok := d[first]; !ok {
			t.Errorf("there is no %s", first)
		}
		for _, second := range ids[i+1:] {
			if !d.Waits(second, first) {
				t.Errorf("%s does not wait for %s", second, first)
			}
			if d.Waits(first, second) {
				t.Errorf("%s waits for %s, which comes later", first, second)
			}
		}
	}
}

// Cycle is a resource that waits for itself, with those in between, or empty.
func (d Dependencies) Cycle() string {
	for id := range d {
		if d.Waits(id, id) {
			return fmt.Sprintf("%s waits for itself, through one of %q", id, d[id])
		}
	}
	return ""
}
