package main

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	defaultSize = 50
	maxSize     = 200
	maxPage     = 1_000_000_000
	// maxFacets is how many columns a page counts the values of.
	maxFacets = 3
)

// selection is what an address says of a table's rows: which of them, in what
// order, and which page of these.
type selection struct {
	Filters []filter
	// Sort is the column that rows are ordered by; empty for the key.
	Sort string
	Desc bool
	// Facets are the columns whose values are counted.
	Facets []string
	window
}

// window says which of the selected rows a page shows.
type window struct {
	// Size is the number of rows on a page.
	Size int
	// At is the key of the first row, and Before of the row after the last one.
	// Row is the number of the first row that At or Before lead to, counted from
	// 1; it comes from the page that had the link, and 0 is unknown.
	At, Before string
	Row        uint64
	// Page counts from 1, for pages that are found by counting rows. Last asks
	// for the last page instead.
	Page int
	Last bool
}

// selectionOf reads a selection from a request. Again says that the address
// can be written shorter, as the form's often can. The error is a sentence for
// the visitor, without its end.
func selectionOf(r *http.Request) (s selection, again bool, err error) {
	s = selection{window: window{Page: 1, Size: defaultSize}}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return s, false, fmt.Errorf("the part of the address after the question mark cannot be read")
	}
	if size := query.Get("size"); size != "" {
		if s.Size, err = strconv.Atoi(size); err != nil || s.Size < 1 || s.Size > maxSize {
			return s, false, fmt.Errorf("size is %q, and should be a number of rows from 1 to %d", shorten(size, 40), maxSize)
		}
	}
	switch page := query.Get("page"); page {
	case "":
	case "last":
		s.Last = true
	default:
		if s.Page, err = strconv.Atoi(page); err != nil || s.Page < 1 || s.Page > maxPage {
			return s, false, fmt.Errorf("page is %q, and should be a number from 1 to %d, or the word last", shorten(page, 40), maxPage)
		}
	}
	s.At, s.Before = query.Get("at"), query.Get("before")
	if s.At != "" && s.Before != "" {
		return s, false, fmt.Errorf("at and before cannot both be given")
	}
	if row := query.Get("row"); row != "" {
		if s.Row, err = strconv.ParseUint(row, 10, 63); err != nil {
			return s, false, fmt.Errorf("row is %q, and should be a number", shorten(row, 40))
		}
	}
	s.Sort = query.Get("sort")
	switch order := query.Get("order"); order {
	case "", "asc":
	case "desc":
		s.Desc = true
	default:
		return s, false, fmt.Errorf("order is %q, and should be asc or desc", shorten(order, 40))
	}
	for _, name := range query["facet"] {
		if name == "" {
			again = true
		} else if !slices.Contains(s.Facets, name) {
			s.Facets = append(s.Facets, name)
		}
	}
	if len(s.Facets) > maxFacets {
		return s, false, fmt.Errorf("the values of %d columns are asked for, and %d is the most", len(s.Facets), maxFacets)
	}
	if err := s.readFilters(query); err != nil {
		return s, false, err
	}
	for _, kept := range query["keep"] {
		inner, err := url.ParseQuery(kept)
		if err == nil {
			err = s.readFilters(inner)
		}
		if err != nil {
			return s, false, fmt.Errorf("a filter that the form kept cannot be read")
		}
	}
	if len(s.Filters) > maxFilters {
		return s, false, fmt.Errorf("there are %d filters, and %d is the most", len(s.Filters), maxFilters)
	}
	return s, again || query.Has("keep") || slices.Contains(query["column"], ""), nil
}

// readFilters reads the filters of a query, in which the nth of column, op and
// value belong together: so a form without JavaScript can hold several.
func (s *selection) readFilters(query url.Values) error {
	names, ops, values := query["column"], query["op"], query["value"]
	if len(names) != len(ops) || len(names) != len(values) {
		return fmt.Errorf("each filter needs one each of column, op and value; there are %d, %d and %d", len(names), len(ops), len(values))
	}
	for i, name := range names {
		if name == "" {
			continue // the form's empty line
		}
		f := filter{name, ops[i], values[i]}
		if o, ok := operatorOf(f.Op); ok && o.NoValue() {
			f.Value = ""
		}
		if !slices.Contains(s.Filters, f) {
			s.Filters = append(s.Filters, f)
		}
	}
	return nil
}

// offset is the number of rows before the page, for pages found by counting.
func (w window) offset() uint64 { return uint64(w.Page-1) * uint64(w.Size) }

// DefaultSize says that the window need not name its size.
func (w window) DefaultSize() bool { return w.Size == defaultSize }

// pages is the number of pages that n rows fill: at least one, which may be
// empty.
func (w window) pages(n uint64) int {
	return max(1, int((n+uint64(w.Size)-1)/uint64(w.Size)))
}

// first is the selection's first page.
func (s selection) first() selection {
	s.window = window{Page: 1, Size: s.Size}
	return s
}

// page is a page of the selection, found by counting rows.
func (s selection) page(n int) selection {
	s.window = window{Page: n, Size: s.Size}
	return s
}

// last is the selection's last page.
func (s selection) last() selection {
	s.window = window{Page: 1, Last: true, Size: s.Size}
	return s
}

// at is the page whose first row has that key and number.
func (s selection) at(key string, row uint64) selection {
	s.window = window{Page: 1, Size: s.Size, At: key, Row: row}
	return s
}

// before is the page that ends before the row of that key. Row is the number of
// its first row.
func (s selection) before(key string, row uint64) selection {
	s.window = window{Page: 1, Size: s.Size, Before: key, Row: row}
	return s
}

// sorted is the selection in another order, from the start.
func (s selection) sorted(name string, desc bool) selection {
	s = s.first()
	s.Sort, s.Desc = name, desc
	return s
}

// with is the selection with one filter more, and without the one at i, from the
// start.
func (s selection) with(f filter) selection {
	s = s.first()
	s.Filters = append(slices.Clone(s.Filters), f)
	return s
}

func (s selection) without(i int) selection {
	s = s.first()
	s.Filters = slices.Delete(slices.Clone(s.Filters), i, i+1)
	return s
}

// rowsQuery is the part of an address that says which rows and in what order.
func (s selection) rowsQuery() url.Values {
	query := url.Values{}
	for _, f := range s.Filters {
		query.Add("column", f.Column)
		query.Add("op", f.Op)
		query.Add("value", f.Value)
	}
	if s.Sort != "" {
		query.Set("sort", s.Sort)
	}
	if s.Desc {
		query.Set("order", "desc")
	}
	return query
}

// url is the address of the selection's page on the table of that name.
func (s selection) url(name string) string {
	query := s.pageQuery()
	for _, facet := range s.Facets {
		query.Add("facet", facet)
	}
	return withQuery(tablePath(name), query)
}

// pageQuery is the part of an address that says which rows, in what order, and
// which page of them.
func (s selection) pageQuery() url.Values {
	query := s.rowsQuery()
	switch {
	case s.Last:
		query.Set("page", "last")
	case s.At != "":
		query.Set("at", s.At)
	case s.Before != "":
		query.Set("before", s.Before)
	case s.Page != 1:
		query.Set("page", strconv.Itoa(s.Page))
	}
	if s.Row != 0 && (s.At != "" || s.Before != "") {
		query.Set("row", strconv.FormatUint(s.Row, 10))
	}
	if !s.DefaultSize() {
		query.Set("size", strconv.Itoa(s.Size))
	}
	return query
}

func withQuery(path string, query url.Values) string {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path
}

// tablePath is the address of the table of that name. Browsers take the names
// "." and ".." for steps in the path, escaped or not, so these get a space after
// them, which MySQL allows at the end of no name.
func tablePath(name string) string {
	if name == "." || name == ".." {
		name += " "
	}
	return "/tables/" + url.PathEscape(name)
}

// tableOf is the name in an address: the reverse of tablePath.
func tableOf(name string) string {
	switch name {
	case ". ", ".. ":
		return strings.TrimSuffix(name, " ")
	}
	return name
}
