package main

import (
	"net/url"
	"slices"
)

// rowURL is the address of the row of that key in a table.
func rowURL(table string, key []exact) string {
	return tablePath(table) + "/rows/" + url.PathEscape(writeKey(key))
}

// filterURL is the address of the rows of a table whose columns have the
// values.
func filterURL(table string, columns []string, values []exact) string {
	s := selection{window: window{Page: 1, Size: defaultSize}}
	for i, c := range columns {
		s.Filters = append(s.Filters, filter{Column: c, Op: "equals", Value: values[i].Text})
	}
	return s.url(table)
}

// outgoing is a foreign key of a table, ready for links.
type outgoing struct {
	foreignKey
	columns []column
	// key has, for each part of the key of the table referred to, the foreign
	// key's column that holds it. It is nil when the foreign key is not that key.
	key []int
}

// linked are the foreign keys of a table whose columns can all be read. More says
// that there are others beyond maxReferences.
func (r reader) linked(q resolved) (list []outgoing, more bool, err error) {
	found, more, err := r.references(q.Table.Name)
	if err != nil || len(found) == 0 {
		return nil, false, err
	}
	var tables []string
	for _, k := range found {
		if !slices.Contains(tables, k.To) {
			tables = append(tables, k.To)
		}
	}
	keys, err := r.keys(tables...)
	if err != nil {
		return nil, false, err
	}
	for _, k := range found {
		one := outgoing{foreignKey: k}
		plain := true
		for _, name := range k.Columns {
			if c, ok := q.column(name); ok {
				one.columns = append(one.columns, c)
				plain = plain && !c.term(false).numbered()
			}
		}
		if len(one.columns) != len(k.Columns) {
			continue
		}
		if parts := keys[k.To]; plain && len(parts) == len(k.ToColumn) {
			for _, part := range parts {
				i := slices.Index(k.ToColumn, part.column)
				if i < 0 || part.cut > 0 {
					one.key = nil
					break
				}
				one.key = append(one.key, i)
			}
		}
		list = append(list, one)
	}
	return list, more, nil
}

// url is the address of the row that a row refers to, or "" when it refers to
// none.
func (k outgoing) url(from row) string {
	var values []exact
	for _, c := range k.columns {
		v := from.exacts[c.exactly()]
		if v.Null {
			return ""
		}
		values = append(values, v)
	}
	if k.key == nil {
		return filterURL(k.To, k.ToColumn, values)
	}
	var key []exact
	for _, i := range k.key {
		key = append(key, values[i])
	}
	return rowURL(k.To, key)
}

// link gives the cells of a row their links: to the rows that it refers to, and
// to its own page.
func link(from row, columns []column, key []term, references []outgoing, table string) {
	for _, k := range references {
		address := k.url(from)
		for i, c := range columns {
			if cell := &from.Cells[i]; address != "" && cell.URL == "" && slices.Contains(k.Columns, c.Name) {
				cell.URL, cell.Reference = address, k.To
			}
		}
	}
	if len(key) == 0 {
		return
	}
	at := slices.IndexFunc(columns, func(c column) bool { return c.Name == key[0].Name })
	from.Cells[at].RowURL = rowURL(table, from.values(key))
}

// exacts are the columns whose exact values the links and places need, by the
// SQL that gives each.
func exacts(terms, key []term, references []outgoing) map[string]column {
	all := map[string]column{}
	for _, t := range slices.Concat(terms, key) {
		all[t.selected()] = t.column
	}
	for _, k := range references {
		for _, c := range k.columns {
			all[c.exactly()] = c
		}
	}
	return all
}
