package main

import (
	"database/sql"
	"strings"

	"drawbridge/internal/mysqldb"
)

// rowsQuery is rows of a table to read for a page.
type rowsQuery struct {
	table   table
	columns []column
	filters []condition
	// terms are the order; without any, MySQL gives rows as it likes.
	terms     []term
	backwards bool
	size      int
	offset    uint64
}

// row is a row of a page.
type row struct {
	Cells []cell
	// exacts are the row's exact values, by the SQL that gives each.
	exacts map[string]exact
}

// values are the row's values for the terms of an order or of a key.
func (r row) values(terms []term) []exact {
	var values []exact
	for _, t := range terms {
		values = append(values, r.exacts[t.selected()])
	}
	return values
}

// rows reads the rows of q, in q's order even when they are read backwards, and
// one more than q's size where there is one. It also reads the exact values of
// the terms in exact.
func (r reader) rows(q rowsQuery, exacts map[string]column) (list []row, err error) {
	limit := textLimit(q.columns, q.size)
	values := make([]any, len(q.columns))
	lengths := make([]sql.Null[int64], len(q.columns))
	var selected []string
	var dest []any
	for i, c := range q.columns {
		value, length := c.expressions(limit)
		selected, dest = append(selected, value), append(dest, &values[i])
		if length != "" {
			selected, dest = append(selected, length), append(dest, &lengths[i])
		}
	}
	names := make([]string, 0, len(exacts))
	exactValues := make([]any, len(exacts))
	for name := range exacts {
		selected, dest = append(selected, name), append(dest, &exactValues[len(names)])
		names = append(names, name)
	}
	where, args := whereOf(q.filters)
	// Placeholders make the driver prepare the statement, and only the answers to
	// prepared statements hold FLOAT values unrounded.
	query := hinted(statementTimeout) + strings.Join(selected, ", ") + " FROM " + mysqldb.QuoteIdentifier(q.table.Name) + where + orderBy(q.table, q.terms, q.backwards) + " LIMIT ? OFFSET ?"

	list = make([]row, 0, q.size+1)
	err = r.each(func(rows *sql.Rows) error {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		one := row{Cells: make([]cell, len(q.columns)), exacts: make(map[string]exact, len(names))}
		for i, c := range q.columns {
			one.Cells[i] = c.cell(values[i], lengths[i].V)
		}
		for i, name := range names {
			one.exacts[name] = exacts[name].exactText(exactValues[i])
		}
		list = append(list, one)
		return nil
	}, query, append(args, q.size+1, q.offset)...)
	return list, err
}

// whereOf is the WHERE for all of the conditions, with a space before it, or
// nothing.
func whereOf(conditions []condition) (where string, args []any) {
	for i, c := range conditions {
		if i == 0 {
			where = " WHERE "
		} else {
			where += " AND "
		}
		where += c.sql
		args = append(args, c.args...)
	}
	return where, args
}

// orderBy is the ORDER BY of rows of t for the terms, with a space before it, or nothing.
func orderBy(t table, terms []term, backwards bool) string {
	var parts []string
	for _, one := range terms {
		parts = append(parts, one.order(t.Name, backwards))
	}
	if len(parts) == 0 {
		return ""
	}
	return " ORDER BY " + strings.Join(parts, ", ")
}
