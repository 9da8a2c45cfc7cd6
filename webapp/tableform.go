package main

import (
	"net/url"
	"strconv"
)

// Path is the table's own address.
func (v *tableView) Path() string { return tablePath(v.Table.Name) }

// field is a hidden part of a form.
type field struct{ Name, Value string }

// Hidden are the parts of the address that the jump to a page keeps.
func (v *tableView) Hidden() []field {
	fields := v.unfiltered()
	for _, f := range v.Filters {
		fields = append(fields, field{"keep", kept(f)})
	}
	return fields
}

// unfiltered are the parts of the address that the filters' form keeps.
func (v *tableView) unfiltered() []field {
	var fields []field
	if v.Sort != "" {
		fields = append(fields, field{"sort", v.Sort})
	}
	if v.Desc {
		fields = append(fields, field{"order", "desc"})
	}
	for _, name := range v.selection.Facets {
		fields = append(fields, field{"facet", name})
	}
	if !v.DefaultSize() {
		fields = append(fields, field{"size", strconv.Itoa(v.Size)})
	}
	return fields
}

// Unfiltered is unfiltered, and the filters that no field of a form can hold.
func (v *tableView) Unfiltered() []field {
	fields := v.unfiltered()
	for _, c := range v.Chips {
		if !c.Editable {
			fields = append(fields, field{"keep", kept(c.filter)})
		}
	}
	return fields
}

// kept is a filter as one text, because browsers change line breaks in forms.
func kept(f filter) string {
	return url.Values{"column": {f.Column}, "op": {f.Op}, "value": {f.Value}}.Encode()
}
