package main

import (
	"fmt"
	"slices"
)

// refusal is why a selection does not fit its table.
type refusal struct {
	// sentence is for the visitor, with its end.
	sentence string
	// back is the nearest selection that may fit.
	back selection
}

func (r *refusal) Error() string { return r.sentence }

// resolved is a selection in terms of its table.
type resolved struct {
	selection
	Table   table
	Columns []column
	// Key tells rows apart; none where nothing does.
	Key     []term
	terms   []term
	filters []condition
	// start is the place that At or Before name.
	start place
}

// resolve finds out what s means for the table. The error is a *refusal when
// nothing can.
func (r reader) resolve(t table, s selection) (resolved, error) {
	q := resolved{selection: s, Table: t}
	var err error
	if q.Columns, q.Key, err = r.columns(t.Name); err != nil {
		return q, err
	}
	for i, f := range s.Filters {
		c, ok := q.column(f.Column)
		if !ok {
			return q, &refusal{fmt.Sprintf("There is no column “%s” to filter by.", printable(shorten(f.Column, maxName))), s.without(i)}
		}
		condition, err := f.condition(c)
		if err != nil {
			return q, &refusal{fmt.Sprintf("The filter on “%s” cannot be used: %v.", printable(c.Name), err), s.without(i)}
		}
		q.filters = append(q.filters, condition)
	}
	for _, name := range s.Facets {
		back := s.first()
		back.Facets = slices.DeleteFunc(slices.Clone(s.Facets), func(other string) bool { return other == name })
		c, ok := q.column(name)
		if !ok {
			return q, &refusal{fmt.Sprintf("There is no column “%s” whose values could be counted.", printable(shorten(name, maxName))), back}
		}
		if !c.Countable() {
			return q, &refusal{fmt.Sprintf("The values of “%s” cannot be counted: its type is %s.", printable(c.Name), c.ShortType()), back}
		}
	}
	if err := q.order(); err != nil {
		return q, err
	}
	return q, q.place()
}

// resolveNamed finds out what s means for the table of that name. The error is a
// *noTable when there is none, and a *refusal as of resolve.
func (r reader) resolveNamed(name string, s selection) (resolved, error) {
	found, err := r.named(name)
	if err != nil {
		return resolved{}, err
	}
	if _, ok := found[name]; !ok {
		return resolved{}, r.noTable()
	}
	return r.resolve(found[name], s)
}

func (q *resolved) column(name string) (column, bool) {
	i := slices.IndexFunc(q.Columns, func(c column) bool { return c.Name == name })
	if i < 0 {
		return column{}, false
	}
	return q.Columns[i], true
}

// order finds the terms: the column to sort by, and the key after it, so that
// no two rows are equal.
func (q *resolved) order() error {
	if q.Sort != "" {
		c, ok := q.column(q.Sort)
		back := q.sorted("", false)
		if !ok {
			return &refusal{fmt.Sprintf("There is no column “%s” to sort by.", printable(shorten(q.Sort, maxName))), back}
		}
		if !c.Sortable() {
			return &refusal{fmt.Sprintf("Rows cannot be sorted by “%s”: MySQL has no order of values of the type %s that means anything.", printable(c.Name), c.ShortType()), back}
		}
		t := c.term(q.Desc)
		if i := slices.IndexFunc(q.Key, func(k term) bool { return k.Name == c.Name }); i >= 0 {
			t.cut = q.Key[i].cut
		}
		q.terms = append(q.terms, t)
	}
	for _, k := range q.Key {
		if k.Name != q.Sort {
			k.desc = q.Desc
			q.terms = append(q.terms, k)
		}
	}
	return nil
}

// place reads At or Before.
func (q *resolved) place() (err error) {
	text := q.At + q.Before
	if text == "" {
		return nil
	}
	if len(q.Key) == 0 {
		return &refusal{"This table has no key that tells its rows apart, so its pages are found by their numbers only.", q.first()}
	}
	values, err := readKey(text)
	if err == nil {
		q.start, err = placeOf(q.terms, values)
	}
	if err != nil {
		return &refusal{"The place in the table that this address names cannot be read: it was changed, or the table was.", q.first()}
	}
	return nil
}
