package vpc

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"drawbridge/rehearsal/template"
)

// record is a deployed resource.
type record struct {
	kind       string
	properties map[string]any
	attributes map[string]any
	ref        string
}

// records are the deployed resources by their physical ids.
type records map[string]record

// of are the ids of a type, sorted.
func (r records) of(kind string) (ids []string) {
	for _, id := range slices.Sorted(maps.Keys(r)) {
		if r[id].kind == kind {
			ids = append(ids, id)
		}
	}
	return ids
}

// text is a property that is a text, number or boolean; "" if it is not there.
func (r record) text(name string) string {
	text, _ := template.Text(r.properties[name])
	return text
}

// texts are the items of a property that is a list.
func (r record) texts(name string) []string { return template.Texts(r.properties[name]) }

// maps are the items of a property that is a list of maps.
func (r record) maps(name string) (items []record) {
	list, _ := r.properties[name].([]any)
	for _, item := range list {
		if properties, ok := item.(map[string]any); ok {
			items = append(items, record{kind: r.kind, properties: properties})
		}
	}
	return items
}

// number is a property that is a whole number, or what it is when it is not there.
func (r record) number(name string, otherwise int) (int, error) {
	value, ok := r.properties[name]
	if !ok {
		return otherwise, nil
	}
	text, _ := template.Text(value)
	n, err := strconv.Atoi(text)
	if err != nil {
		shown, _ := json.Marshal(value)
		return 0, fmt.Errorf("%s: its property %s is no whole number: %s", r.kind, name, shown)
	}
	return n, nil
}

// block is a property that is an IPv4 block.
func (r record) block(name string) (netip.Prefix, error) {
	block, err := netip.ParsePrefix(r.text(name))
	if err != nil || !block.Addr().Is4() {
		return netip.Prefix{}, fmt.Errorf("%s: its property %s is no IPv4 block: %q", r.kind, name, r.text(name))
	}
	return block.Masked(), nil
}

// only refuses a record that has one of the properties, which mean something that is not played.
func (r record) only(id string, not ...string) error {
	for _, name := range not {
		if _, has := r.properties[name]; has {
			return fmt.Errorf("%s %s: its property %s is not played here", strings.TrimPrefix(r.kind, "AWS::EC2::"), id, name)
		}
	}
	return nil
}
