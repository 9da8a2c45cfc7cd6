package main

import (
	"fmt"
	"strconv"
	"strings"

	"drawbridge/internal/mysqldb"
)

const (
	// sortedText is how many characters of a long text, or bytes of a long binary
	// value, count when rows are sorted by it. A page's address holds so many.
	sortedText = 100
	// maxWholeText is the length up to which the whole value counts, so that an
	// index on the column serves.
	maxWholeText = 255
)

// term is one column that rows are ordered by.
type term struct {
	column
	// cut is the number of characters or bytes that count; 0 is all.
	cut  uint64
	desc bool
}

// Sortable says that rows can be ordered by the column. MySQL orders JSON only
// in part, and shapes and vectors by nothing that a person would see.
func (c column) Sortable() bool {
	return c.DataType != "json" && c.DataType != "vector" && c.form() != geometry
}

// term orders rows by the column. Of long values only the beginning counts.
func (c column) term(desc bool) term {
	t := term{column: c, desc: desc}
	if f := c.form(); (f == longText || f == binary) && (c.Length > maxWholeText || strings.HasSuffix(c.DataType, "text") || strings.HasSuffix(c.DataType, "blob")) {
		t.cut = sortedText
	}
	return t
}

// numbered says that MySQL orders the values by their numbers, though it
// compares them as texts.
func (t term) numbered() bool { return t.DataType == "enum" || t.DataType == "set" }

// order is the term in ORDER BY. It is the bare column of the table wherever that
// is right, which is what an index can serve; by its name alone it might be taken
// for something selected that MySQL names alike. MySQL puts NULL first, and last
// in descending order.
func (t term) order(table string, backwards bool) string {
	expression := t.compared()
	if t.numbered() || t.cut == 0 {
		expression = mysqldb.QuoteIdentifier(table) + "." + mysqldb.QuoteIdentifier(t.Name)
	}
	if t.desc != backwards {
		return expression + " DESC"
	}
	return expression
}

// compared is the term in WHERE, where it follows the same order.
func (t term) compared() string {
	name := mysqldb.QuoteIdentifier(t.Name)
	switch {
	case t.numbered():
		return fmt.Sprintf("CAST(%s AS UNSIGNED)", name)
	case t.cut > 0:
		return fmt.Sprintf("LEFT(%s, %d)", name, t.cut)
	}
	return name
}

// selected is what to select for the term's value.
func (t term) selected() string {
	switch {
	case t.numbered():
		return t.compared()
	case t.cut > 0 && t.form() == binary:
		return fmt.Sprintf("HEX(%s)", t.compared())
	case t.cut > 0:
		return t.compared()
	}
	return t.exactly()
}

// operand reads the text of the term's value.
func (t term) operand(text string) (operand, error) {
	if t.numbered() {
		n, err := strconv.ParseUint(text, 10, 64)
		return operand{"?", n}, err
	}
	return t.column.operand(text)
}

// place is the values of a row for each term of an order, ready for SQL.
type place []placed

type placed struct {
	null bool
	operand
}

// place reads the texts of a row's values for the terms.
func placeOf(terms []term, values []exact) (place, error) {
	if len(values) != len(terms) {
		return nil, errKey
	}
	p := make(place, len(terms))
	for i, v := range values {
		if p[i].null = v.Null; v.Null {
			continue
		}
		var err error
		if p[i].operand, err = terms[i].operand(v.Text); err != nil {
			return nil, errKey
		}
	}
	return p, nil
}

// condition is a part of WHERE.
type condition struct {
	sql  string
	args []any
}

// same is the condition for the rows at the place.
func (p place) same(terms []term) condition {
	var all condition
	var parts []string
	for i, t := range terms {
		if p[i].null {
			parts = append(parts, t.compared()+" IS NULL")
			continue
		}
		parts = append(parts, t.compared()+" = "+p[i].sql)
		all.args = append(all.args, p[i].arg)
	}
	all.sql = strings.Join(parts, " AND ")
	return all
}

// from is the condition for the rows at the place and after it, or, backwards,
// for those before it. In the form a > ? OR (a = ? AND b > ?) MySQL reads it as
// ranges of an index, which it does not do for (a, b) > (?, ?).
func (p place) from(terms []term, backwards bool) condition {
	var all condition
	var parts []string
	for i, t := range terms {
		beyond := p[i].beyond(t, backwards, i == len(terms)-1 && !backwards)
		if beyond.sql == "" {
			continue
		}
		if i > 0 {
			same := p[:i].same(terms[:i])
			beyond = condition{"(" + same.sql + " AND " + beyond.sql + ")", append(same.args, beyond.args...)}
		}
		parts, all.args = append(parts, beyond.sql), append(all.args, beyond.args...)
	}
	if len(parts) == 0 {
		return condition{sql: "FALSE"}
	}
	all.sql = "(" + strings.Join(parts, " OR ") + ")"
	return all
}

// beyond is the condition for the values after v, or before it when backwards;
// equal adds v itself. It is empty when there can be none.
func (v placed) beyond(t term, backwards, equal bool) condition {
	expression := t.compared()
	descending := t.desc != backwards
	switch {
	case v.null && descending && equal:
		return condition{sql: expression + " IS NULL"}
	case v.null && descending:
		return condition{}
	case v.null && equal:
		return condition{sql: "TRUE"}
	case v.null:
		return condition{sql: expression + " IS NOT NULL"}
	}
	operator := ">"
	if descending {
		operator = "<"
	}
	if equal {
		operator += "="
	}
	c := condition{expression + " " + operator + " " + v.sql, []any{v.arg}}
	if descending && t.Nullable {
		c.sql = "(" + c.sql + " OR " + expression + " IS NULL)"
	}
	return c
}
