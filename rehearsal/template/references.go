package template

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Dependencies are the logical ids of the resources that must be there before the resource id: what its values refer to
// and what DependsOn lists, sorted.
func (t *Template) Dependencies(id string) []string {
	r := t.Resources[id]
	found := map[string]bool{}
	for _, name := range r.DependsOn {
		found[name] = true
	}
	for _, value := range []any{r.Properties, r.CreationPolicy, r.UpdatePolicy} {
		references(id, value, func(_ string, name string) {
			if _, is := t.Resources[name]; is {
				found[name] = true
			}
		})
	}
	return slices.Sorted(maps.Keys(found))
}

// Order is every resource after those that it depends on. It is the same each time. A cycle is an error that names it.
func (t *Template) Order() ([]string, error) {
	order, err := sortByDependency(slices.Collect(maps.Keys(t.Resources)), t.Dependencies)
	if err != nil {
		return nil, fmt.Errorf("the template's resources: %w", err)
	}
	return order, nil
}

// references calls found with the place and the name of every Ref, Fn::GetAtt and ${…} in value.
func references(path string, value any, found func(path, name string)) {
	switch v := value.(type) {
	case map[string]any:
		if len(v) == 1 {
			if name, ok := v["Ref"].(string); ok {
				found(path, name)
				return
			}
			if attribute, ok := v["Fn::GetAtt"]; ok {
				if name, _, ok := getAttArguments(attribute); ok {
					found(path, name)
				}
			}
			if sub, ok := v["Fn::Sub"]; ok {
				text, own, ok := subArguments(sub)
				if ok {
					for _, variable := range subVariables(text) {
						if _, is := own[variable]; is {
							continue
						}
						name, _, _ := strings.Cut(variable, ".")
						found(path, name)
					}
				}
			}
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			references(path+"."+key, v[key], found)
		}
	case []any:
		for i, item := range v {
			references(path+"["+strconv.Itoa(i)+"]", item, found)
		}
	}
}

// checkReferences says which reference leads nowhere.
func (t *Template) checkReferences() error {
	var err error
	check := func(path, name string) {
		_, resource := t.Resources[name]
		_, parameter := t.Parameters[name]
		if !resource && !parameter && !strings.HasPrefix(name, "AWS::") && err == nil {
			err = fmt.Errorf("%s refers to %s, which is neither a resource nor a parameter of the template", path, name)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		r := t.Resources[id]
		references("Resources."+id+".Properties", r.Properties, check)
		for _, name := range r.DependsOn {
			if _, is := t.Resources[name]; !is && err == nil {
				err = fmt.Errorf("the resource %s's DependsOn names %s, which is no resource of the template", id, name)
			}
		}
		if _, is := t.Conditions[r.Condition]; r.Condition != "" && !is && err == nil {
			err = fmt.Errorf("the resource %s's Condition names %s, which is no condition of the template", id, r.Condition)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(t.Outputs)) {
		references("Outputs."+id, t.Outputs[id].Value, check)
	}
	return err
}

// sortByDependency puts each id after those that dependencies lists for it; ids without an order among them are sorted.
func sortByDependency(ids []string, dependencies func(string) []string) ([]string, error) {
	var order, under []string
	done := map[string]bool{}
	var visit func(id string) error
	visit = func(id string) error {
		if done[id] {
			return nil
		}
		if at := slices.Index(under, id); at >= 0 {
			return fmt.Errorf("they depend on each other in a circle, %s: take one of these dependencies away",
				strings.Join(append(slices.Clone(under[at:]), id), " -> "))
		}
		under = append(under, id)
		for _, dependency := range dependencies(id) {
			if err := visit(dependency); err != nil {
				return err
			}
		}
		under = under[:len(under)-1]
		done[id] = true
		order = append(order, id)
		return nil
	}
	slices.Sort(ids)
	for _, id := range ids {
		if err := visit(id); err != nil {
			return nil, err
		}
	}
	return order, nil
}
