package main

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// The kinds of chart.
const (
	barChart       = "bar"
	lineChart      = "line"
	scatterChart   = "scatter"
	histogramChart = "histogram"
)

// choice is one of several values of a parameter, and its words on pages.
type choice struct{ Value, Words string }

var (
	chartKinds = []choice{
		{barChart, "bars"}, {lineChart, "line"}, {scatterChart, "scatter"}, {histogramChart, "histogram"},
	}
	// aggregates are what can be made of many values.
	aggregates = []choice{
		{"count", "number"}, {"sum", "sum"}, {"avg", "average"}, {"min", "smallest"}, {"max", "largest"}, {"count-distinct", "number of different"},
	}
	// spans are the lengths of time that rows are gathered by.
	spans = []choice{
		{"decade", "decade"}, {"year", "year"}, {"month", "month"}, {"week", "week"}, {"day", "day"}, {"hour", "hour"},
	}
)

func among(choices []choice, value string) bool {
	return slices.ContainsFunc(choices, func(c choice) bool { return c.Value == value })
}

// wordsOf are the words of one of choices.
func wordsOf(choices []choice, value string) string {
	for _, c := range choices {
		if c.Value == value {
			return c.Words
		}
	}
	return value
}

// chart is what an address says of a picture of a table's rows. What it leaves
// open is guessed.
type chart struct {
	Filters []filter
	// Kind is the kind of chart, X and Y the columns along the axes, and Group
	// the one whose values get a colour each.
	Kind, X, Y, Group string
	// Aggregate is what is made of the values of Y that share X and Group.
	Aggregate string
	// By is the length of time that rows are gathered by, where X is a time.
	By string
}

// chartOf reads a chart from a request. Again says that the address can be
// written shorter, as the form's often can. The error is a sentence for the
// visitor, without its end.
func chartOf(r *http.Request) (c chart, again bool, err error) {
	s, again, err := selectionOf(r)
	if err != nil {
		return c, false, err
	}
	c.Filters = s.Filters
	query := r.URL.Query()
	for _, p := range []struct {
		name    string
		value   *string
		choices []choice
	}{
		{"kind", &c.Kind, chartKinds}, {"x", &c.X, nil}, {"y", &c.Y, nil}, {"aggregate", &c.Aggregate, aggregates}, {"group", &c.Group, nil}, {"by", &c.By, spans},
	} {
		if len(query[p.name]) > 1 {
			return c, false, fmt.Errorf("%s is given more than once", p.name)
		}
		*p.value = query.Get(p.name)
		again = again || query.Has(p.name) && *p.value == ""
		if p.choices != nil && *p.value != "" && !among(p.choices, *p.value) {
			return c, false, fmt.Errorf("%s is %q, and should be %s", p.name, shorten(*p.value, 40), oneOf(p.choices))
		}
	}
	shorter := c.used()
	return shorter, again || !slices.Equal(shorter.Filters, c.Filters) || shorter.query().Encode() != c.query().Encode(), nil
}

// oneOf lists the values of choices: "a, b or c".
func oneOf(choices []choice) (text string) {
	for i, c := range choices {
		switch {
		case i > 0 && i == len(choices)-1:
			text += " or "
		case i > 0:
			text += ", "
		}
		text += c.Value
	}
	return text
}

// used is the chart without what its kind has no use for, which a form may hold
// from before.
func (c chart) used() chart {
	switch c.Kind {
	case scatterChart:
		c.Aggregate, c.By = "", ""
	case histogramChart:
		c.Y, c.Aggregate, c.Group, c.By = "", "", "", ""
	}
	return c
}

// query is the part of an address that says which chart.
func (c chart) query() url.Values {
	query := selection{Filters: c.Filters}.rowsQuery()
	for name, value := range map[string]string{"kind": c.Kind, "x": c.X, "y": c.Y, "aggregate": c.Aggregate, "group": c.Group, "by": c.By} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return query
}

// rows is the selection of the rows that the chart is made of.
func (c chart) rows() selection {
	return selection{Filters: c.Filters, window: window{Page: 1, Size: defaultSize}}
}

// url is the address of the chart of the table of that name.
func (c chart) url(name string) string { return withQuery(chartPath(name), c.query()) }

// chartPath is the address of the charts of a table.
func chartPath(name string) string { return tablePath(name) + "/chart" }
