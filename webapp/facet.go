package main

import (
	"database/sql"
	"fmt"
	"slices"
	"time"

	"drawbridge/internal/mysqldb"
)

const (
	// facetValues is how many values of a column are listed.
	facetValues = 10
	// facetRows is how many rows are looked at for that, and facetTime how long.
	facetRows = 100_000
	facetTime = 700 * time.Millisecond
)

// facet is the most frequent values of a column in the selected rows.
type facet struct {
	Column column
	Values []facetValue
	// More says that there are other values, Cut that not all rows were looked at,
	// and Perhaps that this is not known.
	More, Cut, Perhaps bool
	// TooLong says that there are no values because it took too long.
	TooLong   bool
	RemoveURL string
}

type facetValue struct {
	Cell cell
	N    uint64
	// URL adds the value to the filters.
	URL string
}

// Countable says that the values of the column can be counted: each must be
// short enough to stand in an address.
func (c column) Countable() bool {
	return c.Sortable() && c.term(false).cut == 0
}

// facets counts values for q. Errors of one column spoil only that one.
func (r reader) facets(q resolved, exact bool) ([]facet, error) {
	if len(q.Facets) == 0 {
		return nil, nil
	}
	cut, perhaps := false, false
	if !exact {
		n, err := r.countSome(q.Table, q.filters, facetTime, facetRows)
		if err != nil && !tooLong(err) {
			return nil, err
		}
		cut, perhaps = n > facetRows, err != nil
	}
	var list []facet
	for _, name := range q.Facets {
		c, _ := q.column(name)
		f, err := r.facet(q, c)
		if tooLong(err) {
			f.TooLong, err = true, nil
		}
		if err != nil {
			return nil, err
		}
		f.Cut, f.Perhaps = cut, perhaps
		less := q.first()
		less.Facets = slices.DeleteFunc(slices.Clone(less.Facets), func(other string) bool { return other == name })
		f.RemoveURL = less.url(q.Table.Name)
		list = append(list, f)
	}
	return list, nil
}

func (r reader) facet(q resolved, c column) (facet, error) {
	f := facet{Column: c}
	name := mysqldb.QuoteIdentifier(c.Name)
	where, args := whereOf(q.filters)
	value, length := c.expressions(maxWholeText)
	if length == "" {
		length = "0"
	}
	query := hinted(facetTime) + fmt.Sprintf("%s, %s, %s, COUNT(*) FROM (SELECT %s FROM %s%s LIMIT %d) AS some_rows GROUP BY some_rows.%s ORDER BY COUNT(*) DESC, some_rows.%s LIMIT ?",
		value, length, c.exactly(), name, mysqldb.QuoteIdentifier(q.Table.Name), where, facetRows, name, name)
	err := r.each(func(rows *sql.Rows) error {
		var shown, whole any
		var characters sql.Null[int64]
		var n uint64
		if err := rows.Scan(&shown, &characters, &whole, &n); err != nil {
			return err
		}
		if len(f.Values) == facetValues {
			f.More = true
			return nil
		}
		one := filter{Column: c.Name, Op: "equals", Value: c.exactText(whole).Text}
		if whole == nil {
			one.Op = "is-null"
		}
		v := facetValue{Cell: c.cell(shown, characters.V), N: n}
		if !slices.Contains(q.Filters, one) {
			v.URL = q.with(one).url(q.Table.Name)
		}
		f.Values = append(f.Values, v)
		return nil
	}, query, append(args, facetValues+1)...)
	return f, err
}

// tooLong says that MySQL gave up because of the time limit.
func tooLong(err error) bool {
	return err != nil && mysqldb.Explain(err).Kind == mysqldb.TimedOut
}
