package main

import (
	"fmt"
	"slices"
	"strings"

	"drawbridge/internal/mysqldb"
)

const (
	// maxFilters is how many filters a page may have, and maxList how many values
	// one that lists them.
	maxFilters = 20
	maxList    = 100
)

// filter keeps the rows whose value in a column is as it says.
type filter struct {
	Column, Op, Value string
}

// operator is one way to compare.
type operator struct {
	// Name stands in addresses.
	Name string
	// Words stand on pages, after the column's name.
	Words string
	// Hint says how to write the value, where that is not plain.
	Hint string
	// forms are the forms of column that it fits; all when there are none.
	forms []form
	// sql is the comparison with one value.
	sql string
}

// NoValue says that the operator needs no value.
func (o operator) NoValue() bool { return o.Name == "is-null" || o.Name == "is-not-null" }

var (
	ordered = []form{plainText, longText, number, moment, bits}
	textual = []form{plainText, longText}
	// operators are in the order in which the form offers them.
	operators = []operator{
		{Name: "equals", Words: "equals", sql: "=", forms: append([]form{binary}, ordered...)},
		{Name: "not-equals", Words: "does not equal", sql: "<>", forms: append([]form{binary}, ordered...)},
		{Name: "contains", Words: "contains", sql: "LIKE", forms: textual},
		{Name: "starts-with", Words: "starts with", sql: "LIKE", forms: textual},
		{Name: "greater", Words: "is greater than", sql: ">", forms: ordered},
		{Name: "at-least", Words: "is at least", sql: ">=", forms: ordered},
		{Name: "less", Words: "is less than", sql: "<", forms: ordered},
		{Name: "at-most", Words: "is at most", sql: "<=", forms: ordered},
		{Name: "between", Words: "is between", Hint: "two values with .. between them, like 1..10", forms: []form{number, moment, bits}},
		{Name: "in", Words: "is one of", Hint: "values with commas between them; one that holds a comma stands in double quotes", sql: "=", forms: append([]form{binary}, ordered...)},
		{Name: "is-null", Words: "is NULL"},
		{Name: "is-not-null", Words: "is not NULL"},
	}
)

func operatorOf(name string) (operator, bool) {
	i := slices.IndexFunc(operators, func(o operator) bool { return o.Name == name })
	if i < 0 {
		return operator{}, false
	}
	return operators[i], true
}

// fits says whether values of the column can be compared so.
func (o operator) fits(c column) bool {
	if o.forms == nil {
		return true
	}
	if c.DataType == "json" {
		return o.Name == "contains" // in its text; MySQL compares JSON values by rules of its own
	}
	if c.DataType == "vector" {
		return false
	}
	return slices.Contains(o.forms, c.form())
}

// condition is the filter in SQL. The error is a sentence without its end, about
// the filter's column.
func (f filter) condition(c column) (condition, error) {
	o, ok := operatorOf(f.Op)
	if !ok {
		return condition{}, fmt.Errorf("there is no comparison %q", shorten(f.Op, 40))
	}
	name := mysqldb.QuoteIdentifier(c.Name)
	if !o.fits(c) {
		return condition{}, fmt.Errorf("the column is of the type %s, which the comparison “%s” does not fit", c.ShortType(), o.Words)
	}
	switch o.Name {
	case "is-null":
		return condition{sql: name + " IS NULL"}, nil
	case "is-not-null":
		return condition{sql: name + " IS NOT NULL"}, nil
	case "between":
		low, high, ok := strings.Cut(f.Value, "..")
		if !ok {
			return condition{}, fmt.Errorf("the value is “%s”, and should be %s", printable(shorten(f.Value, 40)), o.Hint)
		}
		return conditionOf(c, " BETWEEN %s AND %s", low, high)
	case "in":
		list, err := splitList(f.Value)
		if err != nil {
			return condition{}, err
		}
		return conditionOf(c, " IN ("+strings.TrimSuffix(strings.Repeat("%s, ", len(list)), ", ")+")", list...)
	case "contains", "starts-with":
		if c.DataType == "json" {
			name = fmt.Sprintf("CAST(%s AS CHAR)", name)
		}
		if _, err := (column{DataType: "text"}).operand(f.Value); err != nil {
			return condition{}, fmt.Errorf("the value “%s” %w", printable(shorten(f.Value, 40)), err)
		}
		pattern := likeEscapes.Replace(f.Value) + "%"
		if o.Name == "contains" {
			pattern = "%" + pattern
		}
		return condition{name + " LIKE ? ESCAPE '|'", []any{pattern}}, nil
	}
	return conditionOf(c, " "+o.sql+" %s", f.Value)
}

// likeEscapes takes the meaning from the wildcards of LIKE.
var likeEscapes = strings.NewReplacer("|", "||", "%", "|%", "_", "|_")

// conditionOf is the column and after it the comparison, with a value for each
// %s.
func conditionOf(c column, comparison string, values ...string) (condition, error) {
	var all condition
	for _, value := range values {
		o, err := c.operand(value)
		if err != nil {
			return condition{}, fmt.Errorf("the value “%s” %w", printable(shorten(value, 40)), err)
		}
		comparison = strings.Replace(comparison, "%s", o.sql, 1)
		all.args = append(all.args, o.arg)
	}
	all.sql = mysqldb.QuoteIdentifier(c.Name) + comparison
	return all, nil
}

// splitList reads values with commas between them. A value in double quotes may
// hold commas, and double quotes as two of them.
func splitList(text string) ([]string, error) {
	var list []string
	for {
		var value string
		if trimmed := strings.TrimLeft(text, " "); strings.HasPrefix(trimmed, `"`) {
			var b strings.Builder
			rest, closed := trimmed[1:], false
			for !closed {
				before, after, found := strings.Cut(rest, `"`)
				if !found {
					return nil, fmt.Errorf("the list has a double quote that nothing closes")
				}
				b.WriteString(before)
				if rest = after; strings.HasPrefix(after, `"`) {
					b.WriteByte('"')
					rest = after[1:]
				} else {
					closed = true
				}
			}
			value, text = b.String(), strings.TrimLeft(rest, " ")
			if text != "" && text[0] != ',' {
				return nil, fmt.Errorf("the list has something after the double quotes around a value, where a comma should be")
			}
		} else {
			end := strings.IndexByte(text, ',')
			if end < 0 {
				end = len(text)
			}
			value, text = strings.TrimSpace(text[:end]), text[end:]
		}
		if list = append(list, value); len(list) > maxList {
			return nil, fmt.Errorf("the list has more than %d values", maxList)
		}
		if text == "" {
			return list, nil
		}
		text = text[1:]
	}
}
