package main

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"drawbridge/internal/mysqldb"
)

const (
	defaultSize = 50
	maxSize     = 200
	maxPage     = 1_000_000_000
)

// window says which rows of a table a page shows.
type window struct {
	// Page counts from 1. Last asks for the last one instead.
	Page int
	Last bool
	// Size is the number of rows on a page.
	Size int
}

// windowOf reads the window from a request's ?page= and ?size=. The error is
// a sentence for the visitor.
func windowOf(r *http.Request) (window, error) {
	w := window{Page: 1, Size: defaultSize}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return w, fmt.Errorf("the part of the address after the question mark cannot be read")
	}
	if size := query.Get("size"); size != "" {
		if w.Size, err = strconv.Atoi(size); err != nil || w.Size < 1 || w.Size > maxSize {
			return w, fmt.Errorf("size is %q, and should be a number of rows from 1 to %d", shorten(size, 40), maxSize)
		}
	}
	switch page := query.Get("page"); page {
	case "":
	case "last":
		w.Last = true
	default:
		if w.Page, err = strconv.Atoi(page); err != nil || w.Page < 1 || w.Page > maxPage {
			return w, fmt.Errorf("page is %q, and should be a number from 1 to %d, or the word last", shorten(page, 40), maxPage)
		}
	}
	return w, nil
}

func (w window) offset() uint64 { return uint64(w.Page-1) * uint64(w.Size) }

// at is the same window on another page.
func (w window) at(page int) window { return window{Page: page, Size: w.Size} }

// pages is the number of pages that n rows fill: at least one, which may be
// empty.
func (w window) pages(n uint64) int {
	return max(1, int((n+uint64(w.Size)-1)/uint64(w.Size)))
}

// Path is the address of the table of that name, without the window. Browsers
// take the names "." and ".." for steps in the path, escaped or not, so these
// get a space after them, which MySQL allows at the end of no name.
func (w window) Path(name string) string {
	if name == "." || name == ".." {
		name += " "
	}
	return "/tables/" + url.PathEscape(name)
}

// tableOf is the name of the table that r asks for: the reverse of Path.
func tableOf(r *http.Request) string {
	switch name := r.PathValue("name"); name {
	case ". ", ".. ":
		return strings.TrimSuffix(name, " ")
	default:
		return name
	}
}

// DefaultSize says that the window need not name its size.
func (w window) DefaultSize() bool { return w.Size == defaultSize }

// url is the address of the window on the table of that name.
func (w window) url(name string) string {
	query := url.Values{}
	if w.Last {
		query.Set("page", "last")
	} else if w.Page != 1 {
		query.Set("page", strconv.Itoa(w.Page))
	}
	if !w.DefaultSize() {
		query.Set("size", strconv.Itoa(w.Size))
	}
	address := w.Path(name)
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return address
}

// rows reads the rows of t in the window w, and whether there are more after
// them. The rows are in the order of key, or in no certain order without one.
func (r reader) rows(t table, columns []column, key []string, w window) (cells [][]cell, more bool, err error) {
	limit := textLimit(columns, w.Size)
	values := make([]any, len(columns))
	lengths := make([]sql.Null[int64], len(columns))
	var selected []string
	var dest []any
	for i, c := range columns {
		value, length := c.expressions(limit)
		selected, dest = append(selected, value), append(dest, &values[i])
		if length != "" {
			selected, dest = append(selected, length), append(dest, &lengths[i])
		}
	}
	query := selectHint + strings.Join(selected, ", ") + " FROM " + mysqldb.QuoteIdentifier(t.Name)
	if len(key) > 0 {
		query += " ORDER BY " + strings.Join(quoteAll(key), ", ")
	}
	// Placeholders make the driver prepare the statement, and only the answers to
	// prepared statements hold FLOAT values unrounded.
	query += " LIMIT ? OFFSET ?"

	err = r.each(func(rows *sql.Rows) error {
		if len(cells) == w.Size {
			more = true
			return nil
		}
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		row := make([]cell, len(columns))
		for i, c := range columns {
			row[i] = c.cell(values[i], lengths[i].V)
		}
		cells = append(cells, row)
		return nil
	}, query, w.Size+1, w.offset())
	return cells, more, err
}

func quoteAll(names []string) []string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = mysqldb.QuoteIdentifier(name)
	}
	return quoted
}
