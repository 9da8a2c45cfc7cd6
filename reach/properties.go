package reach

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"drawbridge/rehearsal/template"
)

// resource is one resource of a template.
type resource struct {
	properties
	id  string
	typ string

	// uncertain says that its condition cannot be told from the templates.
	uncertain bool
}

// symbol is the resource's id as the other resources' properties hold it. It also says where a reason comes from.
func (r resource) symbol() string { return r.stack.symbol(r.id) }

// properties are a resource's properties, or a part of them. Each is resolved when it is asked for: what cannot be told
// matters only where it is needed.
type properties struct {
	stack *stack
	path  string
	raw   map[string]any
}

// errNotTold is why a property has no value.
var errNotTold = errors.New("cannot be told from the templates")

// value is a property, and nil if it is not there.
func (p properties) value(name string) (any, error) {
	raw, ok := p.raw[name]
	if !ok {
		return nil, nil
	}
	value, err := p.stack.resolver.Resolve(p.path+"."+name, raw)
	if err != nil {
		return nil, fmt.Errorf("%s %w", name, errNotTold)
	}
	return value, nil
}

// has says whether a property is there with a value, be it one that cannot be told.
func (p properties) has(name string) bool {
	value, err := p.value(name)
	return value != nil || err != nil
}

// text is a property that is a text, and "" if it is not there.
func (p properties) text(name string) (string, error) {
	value, err := p.value(name)
	if value == nil || err != nil {
		return "", err
	}
	text, ok := template.Text(value)
	if !ok {
		return "", fmt.Errorf("%s %w", name, errNotTold)
	}
	return text, nil
}

// truth is a property that is true or false, and otherwise if it is not there.
func (p properties) truth(name string, otherwise Answer) Answer {
	text, err := p.text(name)
	switch {
	case err != nil:
		return CannotTell
	case text == "":
		return otherwise
	case strings.EqualFold(text, "true"):
		return Yes
	case strings.EqualFold(text, "false"):
		return No
	}
	return CannotTell
}

// texts is a property that is a list of texts. With an error come those of them that can be told.
func (p properties) texts(name string) ([]string, error) {
	items, err := p.items(name)
	var texts []string
	for _, item := range items {
		text, ok := template.Text(item)
		if !ok {
			err = fmt.Errorf("%s %w", name, errNotTold)
			continue
		}
		texts = append(texts, text)
	}
	return texts, err
}

// parts is a property that is a list of structures. With an error come those of them that can be told.
func (p properties) parts(name string) ([]properties, error) {
	raw, err := p.list(name)
	var parts []properties
	for i, item := range raw {
		if one, is := item.(map[string]any); is && len(one) > 1 {
			// It is no function such as Fn::If: its properties are resolved one by one.
			parts = append(parts, properties{p.stack, p.itemPath(name, i), one})
			continue
		}
		resolved, failed := p.item(name, i, item)
		switch resolved := resolved.(type) {
		case nil:
			err = cmp.Or(failed, err)
		case map[string]any:
			parts = append(parts, properties{p.stack, p.itemPath(name, i), resolved})
		default:
			err = fmt.Errorf("%s %w", name, errNotTold)
		}
	}
	return parts, err
}

// items is a property that is a list, each item resolved by itself. With an error come those that can be told.
func (p properties) items(name string) ([]any, error) {
	raw, err := p.list(name)
	var items []any
	for i, item := range raw {
		value, failed := p.item(name, i, item)
		err = cmp.Or(failed, err)
		if value != nil {
			items = append(items, value)
		}
	}
	return items, err
}

// list is a property that is a list, with its items as they stand in the template wherever it is written as one.
func (p properties) list(name string) ([]any, error) {
	if raw, is := p.raw[name].([]any); is {
		return raw, nil
	}
	value, err := p.value(name)
	if value == nil || err != nil {
		return nil, err
	}
	if list, is := value.([]any); is {
		return list, nil
	}
	return []any{value}, nil // CloudFormation takes one item for a list of one
}

// item is one item of a list, resolved; nil if it leaves itself out.
func (p properties) item(name string, i int, raw any) (any, error) {
	value, err := p.stack.resolver.Resolve(p.itemPath(name, i), raw)
	if err != nil {
		return nil, fmt.Errorf("%s %w", name, errNotTold)
	}
	return value, nil
}

func (p properties) itemPath(name string, i int) string {
	return p.path + "." + name + "[" + strconv.Itoa(i) + "]"
}

// block is a property that is an IPv4 block; the zero prefix if it is not there.
func (p properties) block(name string) (netip.Prefix, error) {
	text, err := p.text(name)
	if text == "" || err != nil {
		return netip.Prefix{}, err
	}
	block, err := netip.ParsePrefix(text)
	if err != nil || !block.Addr().Is4() {
		return netip.Prefix{}, fmt.Errorf("%s %w", name, errNotTold)
	}
	return block.Masked(), nil
}

// number is a property that is a number, and otherwise if it is not there.
func (p properties) number(name string, otherwise int) (int, error) {
	text, err := p.text(name)
	if text == "" || err != nil {
		return otherwise, err
	}
	number, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%s %w", name, errNotTold)
	}
	return number, nil
}

// resources are the resources of all stacks whose type starts with prefix, in the order of their stacks and logical ids,
// without those whose condition does not hold.
func (w *world) resources(prefix string) (found []resource) {
	for _, s := range w.stacks {
		for _, id := range slices.Sorted(maps.Keys(s.template.Resources)) {
			r := s.template.Resources[id]
			if !strings.HasPrefix(r.Type, prefix) {
				continue
			}
			holds, err := true, error(nil)
			if r.Condition != "" {
				holds, err = s.resolver.Condition(r.Condition)
			}
			if holds || err != nil {
				found = append(found, resource{properties{s, "Resources." + id + ".Properties", r.Properties}, id, r.Type, err != nil})
			}
		}
	}
	return found
}

// possible are the resources of exactly this type, with those of which it cannot be told whether they are there.
func (w *world) possible(typ string) []resource {
	return slices.DeleteFunc(w.resources(typ), func(r resource) bool { return r.typ != typ })
}

// all are the resources of exactly this type that are there for certain.
func (w *world) all(typ string) []resource {
	return slices.DeleteFunc(w.possible(typ), func(r resource) bool { return r.uncertain })
}
