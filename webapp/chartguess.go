package main

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"drawbridge/internal/mysqldb"
)

const (
	// guessRows is how many rows are looked at to find out whether a column of
	// texts has few values, and fewValues how many are few.
	guessRows = 10_000
	fewValues = 30
	// guessTime is how long each look at the rows may take that only serves a
	// guess.
	guessTime = 500 * time.Millisecond
)

// drawn is a chart in terms of its table, with nothing left open.
type drawn struct {
	resolved
	chart     chart
	x, y      column
	group     column
	misfit    string // why it cannot be made, without its end
	unguessed bool   // there is no column that a chart could show
}

// draw finds out what c means for q, and guesses what it leaves open. The error
// is a *refusal when a column does not exist.
func (r reader) draw(q resolved, c chart) (drawn, error) {
	d := drawn{resolved: q, chart: c}
	for _, name := range []string{c.X, c.Y, c.Group} {
		if _, ok := q.column(name); name != "" && !ok {
			return d, &refusal{fmt.Sprintf("There is no column “%s” to make a chart of.", printable(shorten(name, maxName))), c.rows()}
		}
	}
	if err := r.guess(&d); err != nil {
		return d, err
	}
	d.chart = d.chart.used()
	d.x, _ = q.column(d.chart.X)
	d.y, _ = q.column(d.chart.Y)
	d.group, _ = q.column(d.chart.Group)
	if d.unguessed = d.chart.X == "" && c.X == ""; d.unguessed {
		return d, nil
	}
	d.misfit = d.chart.fits(d.x, d.y, d.group)
	return d, nil
}

// candidates are a table's columns by what they are good for in a chart.
type candidates struct {
	times, numbers, words []string
	// rest are columns that would do where there is nothing better.
	restNumbers, restWords []string
}

// guess fills in what the chart leaves open.
func (r reader) guess(d *drawn) error {
	c := &d.chart
	if c.X == "" || c.Kind == scatterChart && c.Y == "" {
		found, err := r.candidates(d)
		if err != nil {
			return err
		}
		c.guessColumns(found)
	}
	x, _ := d.column(c.X)
	y, _ := d.column(c.Y)
	if c.Kind == "" {
		c.Kind = c.guessKind(x, y)
	}
	if c.Kind != barChart && c.Kind != lineChart {
		return nil
	}
	if c.Aggregate == "" {
		switch {
		case c.Y == "":
			c.Aggregate = "count"
		case y.measurable():
			c.Aggregate = "avg"
		default:
			c.Aggregate = "count-distinct"
		}
	}
	if !x.dated() {
		c.By = ""
		return nil
	}
	if c.By == "" {
		var err error
		c.By, err = r.guessSpan(d, x)
		return err
	}
	return nil
}

// candidates sorts the columns. A column that only names rows is good for
// nothing: its numbers mean nothing, and each of its values is there once.
func (r reader) candidates(d *drawn) (found candidates, err error) {
	references, _, err := r.references(d.Table.Name)
	if err != nil {
		return found, err
	}
	var texts, flags []string
	for _, c := range d.Columns {
		keyed := d.keyed(c, references)
		switch {
		case c.Name == d.chart.X || c.Name == d.chart.Y || c.Name == d.chart.Group:
		case c.dated():
			found.times = append(found.times, c.Name)
		case c.Type == "tinyint(1)":
			flags = append(flags, c.Name)
		case c.measurable() && (keyed || c.form() != number || names(c)):
			found.restNumbers = append(found.restNumbers, c.Name)
		case c.measurable():
			found.numbers = append(found.numbers, c.Name)
		case c.DataType == "enum" || c.DataType == "set":
			found.words = append(found.words, c.Name)
		case c.Countable() && c.Text() && !keyed:
			texts = append(texts, c.Name)
		case c.Countable():
			found.restWords = append(found.restWords, c.Name)
		}
	}
	if len(found.words) == 0 && len(texts) > 0 && (d.chart.Kind == "" || d.chart.Kind == barChart) {
		if found.words, err = r.few(d, texts[:min(len(texts), 8)]); err != nil {
			return found, err
		}
	}
	found.words = append(found.words, flags...)
	found.restWords = append(texts, found.restWords...)
	return found, nil
}

// names says that the column's numbers are names rather than measures, as far as
// its own name and type tell.
func names(c column) bool {
	name := strings.ToLower(c.Name)
	return c.DataType == "year" || slices.ContainsFunc([]string{"year", "season", "code", "number", "zip", "phone"}, func(part string) bool { return strings.Contains(name, part) })
}

// few are those of the columns that have few values in the first rows.
func (r reader) few(d *drawn, names []string) (few []string, err error) {
	counts := make([]uint64, len(names)+1)
	dest := []any{&counts[len(names)]}
	selected, counted := make([]string, len(names)), "COUNT(*)"
	for i, name := range names {
		selected[i] = mysqldb.QuoteIdentifier(name)
		counted += ", COUNT(DISTINCT " + selected[i] + ")"
		dest = append(dest, &counts[i])
	}
	where, args := whereOf(d.filters)
	err = r.one(dest, hinted(guessTime)+fmt.Sprintf("%s FROM (SELECT %s FROM %s%s LIMIT %d) AS some_rows",
		counted, strings.Join(selected, ", "), mysqldb.QuoteIdentifier(d.Table.Name), where, guessRows), args...)
	if tooLong(err) {
		return nil, nil
	}
	rows := counts[len(names)]
	for i, name := range names {
		if counts[i] > 1 && counts[i] <= fewValues && counts[i] <= rows/2 {
			few = append(few, name)
		}
	}
	return few, err
}

func first(lists ...[]string) string {
	for _, list := range lists {
		if len(list) > 0 {
			return list[0]
		}
	}
	return ""
}

// guessColumns chooses the columns along the axes.
func (c *chart) guessColumns(found candidates) {
	numbers := append(slices.Clone(found.numbers), found.restNumbers...)
	switch {
	case c.Kind == histogramChart:
		c.X = first(numbers)
	case c.Kind == scatterChart:
		if c.X == "" {
			if c.X = first(numbers, found.times); len(numbers) > 0 {
				numbers = numbers[1:]
			}
		}
		if c.Y == "" {
			c.Y = first(numbers, found.times)
		}
	case c.Kind == lineChart:
		c.X = first(found.times, numbers)
	case c.Kind == barChart:
		c.X = first(found.words, found.times, found.restWords, numbers)
	case c.Y != "":
		c.X = first(found.times, found.words, found.numbers, found.restWords, found.restNumbers)
	case len(found.times) > 0 && len(found.numbers) > 0:
		c.Kind, c.X = lineChart, found.times[0]
		if c.Aggregate == "" {
			c.Y = found.numbers[0]
		}
	case len(found.words) > 0:
		c.Kind, c.X = barChart, found.words[0]
	case len(found.times) > 0:
		c.Kind, c.X = barChart, found.times[0]
	case len(found.numbers) > 1 && c.Aggregate == "":
		c.Kind, c.X, c.Y = scatterChart, found.numbers[0], found.numbers[1]
	case len(found.numbers) > 0:
		c.Kind, c.X = histogramChart, found.numbers[0]
	case len(found.restNumbers) > 0:
		c.Kind, c.X = histogramChart, found.restNumbers[0]
	case len(found.restWords) > 0:
		c.Kind, c.X = barChart, found.restWords[0]
	}
}

// guessKind chooses the kind for the columns.
func (c *chart) guessKind(x, y column) string {
	switch {
	case x.dated() && c.Y != "":
		return lineChart
	case x.dated(), !x.measurable(), x.Type == "tinyint(1)":
		return barChart
	case c.Y == "" && c.Aggregate == "" && c.Group == "":
		return histogramChart
	case c.Aggregate == "" && c.Y != "" && (y.measurable() || y.dated()):
		return scatterChart
	}
	return barChart
}

// guessSpan chooses the length of time that rows are gathered by.
func (r reader) guessSpan(d *drawn, x column) (string, error) {
	name := mysqldb.QuoteIdentifier(x.Name)
	where, args := whereOf(append(slices.Clip(d.filters), condition{name + " >= ?", []any{"0001-01-01"}}))
	var low, high sql.NullString
	err := r.one([]any{&low, &high}, hinted(guessTime)+fmt.Sprintf("CAST(MIN(%[1]s) AS CHAR), CAST(MAX(%[1]s) AS CHAR) FROM %[2]s%[3]s LIMIT 1", name, mysqldb.QuoteIdentifier(d.Table.Name), where), args...)
	if err != nil && !tooLong(err) {
		return "", err
	}
	begin, ok := momentOf(low.String)
	end, fine := momentOf(high.String)
	if !ok || !fine {
		return "month", nil
	}
	switch length := end.Sub(begin); {
	case end.Year()-begin.Year() > 100:
		return "decade", nil
	case end.Year()-begin.Year() > 10: // a Duration has no more than 292 years
		return "year", nil
	case length <= 4*24*time.Hour && x.DataType != "date":
		return "hour", nil
	case length <= 100*24*time.Hour:
		return "day", nil
	}
	return "month", nil
}
