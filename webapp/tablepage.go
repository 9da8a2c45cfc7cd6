package main

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"
)

// tableView is one page of rows of a table.
type tableView struct {
	Table   table
	Columns []column
	Key     []string
	Cells   [][]cell
	Window  window
	// First and Last number the rows shown, counted from 1. Both are 0 when the
	// table is empty.
	First, Last uint64
	// Pages is the number of pages, or 0 where the rows were not all counted.
	Pages int
	// Links to other pages, empty where there is none.
	FirstURL, PreviousURL, NextURL, LastURL string
	Sizes                                   []sizeLink
}

type sizeLink struct {
	Size    int
	URL     string
	Current bool
}

// maxName is how many characters a table's name can have ("Identifier Length
// Limits" in the MySQL reference manual).
const maxName = 64

// possibleName reports whether MySQL would allow a table of that name: up to
// maxName characters of the Basic Multilingual Plane, but U+0000 ("Schema
// Object Names" in the MySQL reference manual). It fails when asked for others.
func possibleName(name string) bool {
	return utf8.ValidString(name) && utf8.RuneCountInString(name) <= maxName &&
		!strings.ContainsFunc(name, func(r rune) bool { return r == 0 || r > 0xFFFF })
}

func (a *app) tablePage(w http.ResponseWriter, r *http.Request) {
	name := tableOf(r)
	window, err := windowOf(r)
	if err != nil {
		a.fail(w, r, problem{Status: http.StatusBadRequest, Title: "Not a page", Sentence: "This address cannot be followed: " + err.Error() + "."})
		return
	}

	v := tableView{Window: window}
	var database string
	var others []table
	found := true
	err = a.readInTurn(r.Context(), func(db reader) (err error) {
		if database, err = db.database(); err != nil {
			return err
		}
		if possibleName(name) {
			v.Table, err = db.table(name)
		} else {
			err = sql.ErrNoRows
		}
		if errors.Is(err, sql.ErrNoRows) {
			found = false
			others, _, err = db.tables()
		}
		if err != nil || !found {
			return err
		}
		return v.load(db)
	})
	switch {
	case gone(r):
	case errors.Is(err, errBusy):
		a.fail(w, r, problem{
			Status: http.StatusServiceUnavailable, Title: "Too much at once", cause: errBusy.Error(),
			Sentence: "The database is busy with other pages that take long. Try again in a few seconds.",
		})
	case err != nil:
		a.failDatabase(w, r, err)
	case !found:
		a.fail(w, r, problem{
			Status: http.StatusNotFound, Title: "No such table", database: database, Tables: others,
			Sentence: fmt.Sprintf("The database has no table called “%s” that this app may read.", printable(shorten(name, maxName))),
		})
	case window.Last:
		http.Redirect(w, r, window.at(v.Pages).url(name), http.StatusSeeOther)
	case len(v.Cells) == 0 && window.Page > 1:
		sentence := fmt.Sprintf("The table has no page %s: it ends before that.", grouped(uint64(window.Page)))
		if v.Pages > 0 {
			sentence = fmt.Sprintf("The table has no page %s: with %d rows on a page, the last one is page %s.", grouped(uint64(window.Page)), window.Size, grouped(uint64(v.Pages)))
		}
		last := window
		last.Last = true
		a.fail(w, r, problem{Status: http.StatusNotFound, Title: "Beyond the end", Sentence: sentence, database: database, Back: last.url(name), BackText: "The last page of this table"})
	default:
		a.show(w, http.StatusOK, tableTemplate, view{Title: v.Table.Name, Database: database, Page: &v})
	}
}

// load reads what the page shows. When the last page was asked for, it only
// finds out which that is.
func (v *tableView) load(db reader) (err error) {
	if v.Window.Last {
		n, err := db.countAll(v.Table)
		v.Pages = v.Window.pages(n)
		return err
	}
	if v.Table.Rows, err = db.count(v.Table); err != nil {
		return err
	}
	if v.Table.Rows.Exact {
		v.Pages = v.Window.pages(v.Table.Rows.N)
		if v.Window.Page > v.Pages {
			return nil
		}
	}
	if v.Columns, v.Key, err = db.columns(v.Table.Name); err != nil {
		return err
	}
	var more bool
	if v.Cells, more, err = db.rows(v.Table, v.Columns, v.Key, v.Window); err != nil {
		return err
	}
	v.link(more)
	return nil
}

// link fills in the numbers and links around the rows. More says that there are
// rows after those shown.
func (v *tableView) link(more bool) {
	w, name := v.Window, v.Table.Name
	if len(v.Cells) > 0 {
		v.First = w.offset() + 1
		v.Last = w.offset() + uint64(len(v.Cells))
	}
	if w.Page > 1 {
		v.FirstURL, v.PreviousURL = w.at(1).url(name), w.at(w.Page-1).url(name)
	}
	if more {
		v.NextURL = w.at(w.Page + 1).url(name)
		last := w
		last.Last = true
		if v.Pages > 0 {
			last = w.at(v.Pages)
		}
		v.LastURL = last.url(name)
	}
	for _, size := range []int{25, 50, 100, 200} {
		// The first row shown stays on the page.
		same := window{Page: int(w.offset())/size + 1, Size: size}
		v.Sizes = append(v.Sizes, sizeLink{Size: size, URL: same.url(name), Current: size == w.Size})
	}
}

// Paged says that the rows do not all stand on one page.
func (v *tableView) Paged() bool { return v.PreviousURL != "" || v.NextURL != "" }

// pager is what the links to other pages need; they stand above and below the
// rows.
type pager struct {
	Label string
	View  *tableView
}

// Pager is the links to other pages, under a label that tells them apart.
func (v *tableView) Pager(label string) pager { return pager{label, v} }
