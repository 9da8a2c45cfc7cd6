package cloudformation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// values are what the template of a deployment can refer to.
type values struct{ dep *deployment }

func (v values) resource(id string) (*resource, error) {
	if r := v.dep.stack.resources[id]; r != nil && v.dep.active[id] {
		return r, nil
	}
	if _, there := v.dep.template.Resources[id]; there && !v.dep.active[id] {
		return nil, fmt.Errorf("the resource %s is not made, as its condition does not hold", id)
	}
	return nil, fmt.Errorf("the resource %s is not there yet", id)
}

func (v values) Ref(id string) (any, error) {
	r, err := v.resource(id)
	if err != nil {
		return nil, err
	}
	if r.Ref != "" {
		return r.Ref, nil
	}
	return r.PhysicalID, nil
}

func (v values) Attribute(id, name string) (any, error) {
	r, err := v.resource(id)
	if err != nil {
		return nil, err
	}
	value, ok := r.Attributes[name]
	if !ok {
		return nil, fmt.Errorf("the resource %s (%s) has no attribute %s here: it has %s",
			id, r.kind, name, strings.Join(slices.Sorted(maps.Keys(r.Attributes)), ", "))
	}
	return value, nil
}

func (v values) Import(export string) (any, error) {
	value, _, found := v.dep.deployer.exported(export)
	if !found {
		return nil, fmt.Errorf("no stack exports %s", export)
	}
	v.dep.imports[export] = true
	return value, nil
}

func (v values) StackOutput(stack, region, output string) (any, error) {
	d := v.dep.deployer
	if region != "" && region != d.options.Region {
		return nil, fmt.Errorf("stacks in %s are not known here, only those in %s", region, d.options.Region)
	}
	s := d.stack(stack)
	if s == nil {
		return nil, fmt.Errorf("there is no stack %s", stack)
	}
	value, ok := s.outputs[output]
	if !ok {
		return nil, fmt.Errorf("the stack %s has no output %s", stack, output)
	}
	return value.Value, nil
}
