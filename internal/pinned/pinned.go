// Package pinned is the charts that the config pins to the web app's dashboard:
// what they may look like, and how they get from the config to the app.
package pinned

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// MaxCharts is how many charts a dashboard has at most.
	MaxCharts = 12
	// MaxTitle is how many characters a title has at most, and MaxAddress how many bytes
	// an address.
	MaxTitle   = 80
	MaxAddress = 1000
)

// Chart is a chart with a title of its own.
type Chart struct {
	Title string `json:"title"`
	// Address is where the web app shows it: "/tables/NAME/chart?…".
	Address string `json:"address"`
}

// Parameters are those that the address of a chart may have, with the values of
// each, where these are few.
var Parameters = map[string][]string{
	"kind":      {"bar", "line", "scatter", "histogram"},
	"aggregate": {"count", "sum", "avg", "min", "max", "count-distinct"},
	"by":        {"decade", "year", "month", "week", "day", "hour"},
	"x":         nil, "y": nil, "group": nil,
	"column": nil, "op": nil, "value": nil,
}

// filters are the parameters that may stand there several times, and as often as
// each other.
var filters = []string{"column", "op", "value"}

// Parse reads the address, without looking at any table. The error is a sentence
// without its subject, the address, and without its end.
func Parse(address string) (u *url.URL, table string, err error) {
	if len(address) > MaxAddress {
		return nil, "", fmt.Errorf("is longer than %d bytes", MaxAddress)
	}
	if !strings.HasPrefix(address, "/") {
		return nil, "", errors.New("does not start with /tables/: leave out what stands before it in the browser")
	}
	if u, err = url.Parse(address); err != nil || u.Host != "" || u.Fragment != "" {
		return nil, "", errors.New("is not the path of a page")
	}
	escaped, ok := strings.CutPrefix(u.EscapedPath(), "/tables/")
	if ok {
		escaped, ok = strings.CutSuffix(escaped, "/chart")
	}
	if !ok || escaped == "" || strings.Contains(escaped, "/") {
		return nil, "", errors.New("does not lead to a chart, which is at /tables/NAME/chart")
	}
	if table, err = url.PathUnescape(escaped); err != nil || !utf8.ValidString(table) {
		return nil, "", errors.New("names a table in a way that cannot be read")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, "", errors.New("has a part after the question mark that cannot be read")
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		values := query[name]
		allowed, known := Parameters[name]
		switch {
		case !known:
			return nil, "", fmt.Errorf("has the parameter %q, which charts do not have", name)
		case len(values) > 1 && !slices.Contains(filters, name):
			return nil, "", fmt.Errorf("has the parameter %q more than once", name)
		case allowed != nil && values[0] != "" && !slices.Contains(allowed, values[0]):
			return nil, "", fmt.Errorf("has %s=%q, where it should be one of %s", name, values[0], strings.Join(allowed, ", "))
		}
	}
	if n := len(query["column"]); len(query["op"]) != n || len(query["value"]) != n {
		return nil, "", errors.New("has not one each of column, op and value for each filter")
	}
	return u, table, nil
}

// CheckTitle says what is wrong with a title: a sentence without its subject and
// without its end.
func CheckTitle(title string) error {
	switch {
	case strings.TrimSpace(title) == "":
		return errors.New("is empty")
	case utf8.RuneCountInString(title) > MaxTitle:
		return fmt.Errorf("is longer than %d characters", MaxTitle)
	case !utf8.ValidString(title) || strings.ContainsFunc(title, unicode.IsControl):
		return errors.New("holds characters that do not show")
	}
	return nil
}

// Encode writes charts as a text for [Variables].
func Encode(charts []Chart) string {
	if len(charts) == 0 {
		return ""
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // which would make six bytes of each &
	if err := encoder.Encode(charts); err != nil {
		panic(err) // texts can always be written
	}
	return strings.TrimSuffix(text.String(), "\n")
}

// Decode is the reverse of Encode. The error is a sentence without its subject
// and without its end.
func Decode(text string) ([]Chart, error) {
	var charts []Chart
	if err := json.Unmarshal([]byte(text), &charts); err != nil {
		return nil, errors.New(`is not JSON like [{"title": "…", "address": "/tables/…"}]`)
	}
	if len(charts) > MaxCharts {
		return nil, fmt.Errorf("holds more than %d charts", MaxCharts)
	}
	for i, c := range charts {
		if err := CheckTitle(c.Title); err != nil {
			return nil, fmt.Errorf("holds a title, of chart %d, that %w", i+1, err)
		}
		if _, _, err := Parse(c.Address); err != nil {
			return nil, fmt.Errorf("holds an address, of chart %d, that %w", i+1, err)
		}
	}
	return charts, nil
}
