package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"drawbridge/internal/mysqldb"
)

// scale is how values lie along an axis.
type scale int

const (
	categories scale = iota
	numbers
	times
)

// dated says that the column's values are points in time.
func (c column) dated() bool { return c.form() == moment && c.DataType != "time" }

// measurable says that the column's values are numbers, or as good as.
func (c column) measurable() bool {
	return c.form() == number || c.form() == bits || c.DataType == "time"
}

// measured is the SQL for the value of a measurable column of rows as a number.
func (c column) measured(rows string) string {
	name := rows + "." + mysqldb.QuoteIdentifier(c.Name)
	switch {
	case c.DataType == "time":
		return "TIME_TO_SEC(" + name + ") / 3600"
	case c.form() == bits:
		return name + " + 0"
	}
	return name
}

// measure names the column as what an axis measures.
func (c column) measure() string {
	name := printable(c.Name)
	if c.DataType == "time" {
		return name + " in hours"
	}
	return name
}

// gathered is the SQL for the span of time that the value of a dated column of
// rows is in: the text of its beginning. It is NULL for dates that are none,
// like 2024-00-00.
func (c column) gathered(rows, by string) string {
	name := rows + "." + mysqldb.QuoteIdentifier(c.Name)
	begin := ""
	switch by {
	case "decade":
		begin = "CONCAT(LEFT(DATE_FORMAT(" + name + ", '%Y'), 3), '0-01-01 00:00')"
	case "year":
		begin = "DATE_FORMAT(" + name + ", '%Y-01-01 00:00')"
	case "month":
		begin = "DATE_FORMAT(" + name + ", '%Y-%m-01 00:00')"
	case "week":
		begin = "DATE_FORMAT(DATE_SUB(" + name + ", INTERVAL WEEKDAY(" + name + ") DAY), '%Y-%m-%d 00:00')"
	case "day":
		begin = "DATE_FORMAT(" + name + ", '%Y-%m-%d 00:00')"
	default:
		begin = "DATE_FORMAT(" + name + ", '%Y-%m-%d %H:00')"
	}
	return fmt.Sprintf("CASE WHEN YEAR(%[1]s) = 0 OR MONTH(%[1]s) = 0 OR DAYOFMONTH(%[1]s) = 0 THEN NULL ELSE %[2]s END", name, begin)
}

// spanFormat is how gathered writes times.
const spanFormat = "2006-01-02 15:04"

// after is the beginning of the next span.
func after(t time.Time, by string) time.Time {
	switch by {
	case "decade":
		return t.AddDate(10, 0, 0)
	case "year":
		return t.AddDate(1, 0, 0)
	case "month":
		return t.AddDate(0, 1, 0)
	case "week":
		return t.AddDate(0, 0, 7)
	case "day":
		return t.AddDate(0, 0, 1)
	}
	return t.Add(time.Hour)
}

// spanText is the span that begins at t in words: "2024-02".
func spanText(t time.Time, by string) string {
	switch by {
	case "decade":
		return t.Format("2006") + "s"
	case "year":
		return t.Format("2006")
	case "month":
		return t.Format("2006-01")
	case "week":
		return "week of " + t.Format(time.DateOnly)
	case "day":
		return t.Format(time.DateOnly)
	}
	return t.Format(spanFormat)
}

// momentOf reads a date or time as expressions gives it. It is false for dates
// that are none.
func momentOf(text string) (time.Time, bool) {
	for _, format := range []string{"2006-01-02 15:04:05.999999", time.DateOnly} {
		if t, err := time.Parse(format, text); err == nil && t.Year() > 0 {
			return t, true
		}
	}
	return time.Time{}, false
}

// fits says in half a sentence why the chart cannot be made of the columns, or
// nothing.
func (c chart) fits(x, y, group column) string {
	of := func(c column) string {
		return fmt.Sprintf("“%s” is of the type %s", printable(c.Name), c.ShortType())
	}
	axis := func(c column) bool { return c.dated() || c.measurable() }
	switch {
	case c.X == "":
		return "Choose a column for x"
	case c.Kind == histogramChart && !x.measurable():
		return "A histogram needs numbers along x, and " + of(x)
	case c.Kind == lineChart && !axis(x):
		return "A line needs numbers or times along x, and " + of(x) + ": bars would do"
	case c.Kind == barChart && !x.dated() && !x.Countable():
		return "Bars need short values along x, and " + of(x)
	case c.Kind == scatterChart && !axis(x):
		return "A scatter needs numbers or times along x, and " + of(x)
	case c.Kind == scatterChart && c.Y == "":
		return "A scatter needs a column for y too"
	case c.Kind == scatterChart && !axis(y):
		return "A scatter needs numbers or times along y, and " + of(y)
	case c.Kind == histogramChart, c.Kind == scatterChart:
	case c.Y == "" && c.Aggregate != "count":
		return fmt.Sprintf("Choose a column for y: the %s of what", wordsOf(aggregates, c.Aggregate))
	case c.Aggregate == "count-distinct" && !y.Countable():
		return "Only short values can be told apart, and " + of(y)
	case c.Aggregate != "count" && c.Aggregate != "count-distinct" && !y.measurable():
		return fmt.Sprintf("Only numbers have a value “%s”, and %s", wordsOf(aggregates, c.Aggregate), of(y))
	}
	if c.Group != "" && !group.Countable() {
		return "Groups need short values, and " + of(group)
	}
	return ""
}

// scaleOf is how the values of x lie along its axis.
func (c chart) scaleOf(x column) scale {
	switch {
	case x.dated():
		return times
	case c.Kind == barChart:
		return categories
	}
	return numbers
}

// additive says that the values of several groups add up to that of all.
func (c chart) additive() bool { return c.Aggregate == "count" || c.Aggregate == "sum" }

// zero says that the value where there are no rows is 0.
func (c chart) zero() bool { return c.additive() || c.Aggregate == "count-distinct" }

// aggregated is the SQL for the value of the rows that share x and group.
func (c chart) aggregated(y column, rows string) string {
	switch c.Aggregate {
	case "count":
		if c.Y == "" {
			return "COUNT(*)"
		}
		return "COUNT(" + rows + "." + mysqldb.QuoteIdentifier(y.Name) + ")"
	case "count-distinct":
		return "COUNT(DISTINCT " + rows + "." + mysqldb.QuoteIdentifier(y.Name) + ")"
	}
	return strings.ToUpper(c.Aggregate) + "(" + y.measured(rows) + ")"
}

// measure names what the chart shows of each bar or point.
func (c chart) measure(y column) string {
	switch {
	case c.Kind == histogramChart || c.Y == "":
		return "rows"
	case c.Kind == scatterChart:
		return y.measure()
	case c.Aggregate == "count":
		return "rows with " + printable(c.Y)
	case c.Aggregate == "count-distinct":
		return "different values of " + printable(c.Y)
	}
	words := wordsOf(aggregates, c.Aggregate)
	if c.Aggregate == "sum" {
		words += " of"
	}
	return words + " " + y.measure()
}

var article = map[string]string{"decade": "a", "year": "a", "month": "a", "week": "a", "day": "a", "hour": "an"}

// title names the chart.
func (c chart) title(x, y column) string {
	switch c.Kind {
	case histogramChart:
		return "Rows by ranges of " + x.measure()
	case scatterChart:
		title := y.measure() + " against " + x.measure()
		if c.Group != "" {
			title += ", by " + printable(c.Group)
		}
		return title
	}
	by := printable(c.X)
	if c.Group != "" {
		by += " and " + printable(c.Group)
	}
	if c.By != "" {
		by = printable(c.X) + ", " + article[c.By] + " " + c.By + " at a time"
		if c.Group != "" {
			by += ", and " + printable(c.Group)
		}
	}
	measure := c.measure(y)
	return strings.ToUpper(measure[:1]) + measure[1:] + " by " + by
}

// keyed says that the column's values only name rows: those of the key, of other
// tables' keys, or so by the column's name.
func (q *resolved) keyed(c column, references []foreignKey) bool {
	name := strings.ToLower(c.Name)
	return c.Key || name == "id" || strings.HasSuffix(name, "_id") || strings.HasSuffix(c.Name, "Id") || strings.Contains(name, "uuid") ||
		slices.ContainsFunc(references, func(k foreignKey) bool { return slices.Contains(k.Columns, c.Name) })
}
