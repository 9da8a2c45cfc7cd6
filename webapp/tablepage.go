package main

import (
	"net/http"
	"strings"
	"unicode/utf8"
)

// tableView is one page of rows of a table.
type tableView struct {
	resolved
	Rows rowCount
	List []row
	// FirstRow and LastRow number the rows shown, counted from 1. Both are 0 when
	// that is not known, or when there are no rows.
	FirstRow, LastRow uint64
	// Pages is the number of pages, or 0 where the rows were not all counted, and
	// PageNumber which of them this is, or 0.
	Pages, PageNumber int
	// Bounded says that pages end here because the table has no key, and
	// CountTooLong that the time did not do for counting the rows.
	Bounded, CountTooLong bool
	// Links to other pages, empty where there is none.
	FirstURL, PreviousURL, NextURL, LastURL string
	Sizes                                   []sizeLink
	Chips                                   []chip
	Heads                                   []head
	Counts                                  []facet
	Referrers                               []foreignKey
	// ReferencesCut and ReferrersCut say that there are more foreign keys, of the
	// table and of others, than the page looks at.
	ReferencesCut, ReferrersCut bool

	database string
	// taken are the tables whose names look like this one's downloads.
	taken map[string]table
	// redirect is where the answer is, if not here.
	redirect string
	// beyond says that the table ends before the page.
	beyond bool
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
	name := tableOf(r.PathValue("name"))
	s, again, err := selectionOf(r)
	if err != nil {
		a.fail(w, r, unreadable(err))
		return
	}
	if again {
		http.Redirect(w, r, s.url(name), http.StatusSeeOther)
		return
	}
	var v tableView
	err = a.readTable(r, name, func(db reader, found map[string]table) (err error) {
		v = tableView{taken: found}
		if v.resolved, err = db.resolve(found[name], s); err != nil {
			return err
		}
		return v.load(db)
	})
	switch {
	case err != nil:
		a.failTable(w, r, name, s, err)
	case gone(r):
	case v.redirect != "":
		http.Redirect(w, r, v.redirect, http.StatusSeeOther)
	case v.beyond:
		a.fail(w, r, v.beyondTheEnd())
	default:
		a.show(w, http.StatusOK, tableTemplate, view{Title: v.Table.Name, Database: v.database, Page: &v})
	}
}

// readTable runs f in turn, with what is found of the table of that name and of
// those whose names are taken for downloads of it. The error is a *noTable when
// the table does not exist.
func (a *app) readTable(r *http.Request, name string, f func(reader, map[string]table) error) error {
	return a.readInTurn(r.Context(), func(db reader) error {
		names := []string{name}
		for _, format := range exportFormats {
			names = append(names, name+"."+format.name)
		}
		found, err := db.named(names...)
		if err != nil {
			return err
		}
		if _, ok := found[name]; !ok {
			return db.noTable()
		}
		return f(db, found)
	})
}

// load reads what the page shows.
func (v *tableView) load(db reader) (err error) {
	if v.database, err = db.database(); err != nil {
		return err
	}
	if len(v.Key) == 0 {
		if err = v.findLast(db); err != nil || v.redirect != "" {
			return err
		}
		if err := v.tooFar(); err != nil {
			return err
		}
	}
	references, more, err := db.linked(v.resolved)
	if v.ReferencesCut = more; err != nil {
		return err
	}
	if v.Referrers, v.ReferrersCut, err = db.referrers(v.Table.Name); err != nil {
		return err
	}
	if err = v.read(db, exacts(v.terms, v.Key, references)); err != nil {
		return err
	}
	if v.Counts, err = db.facets(v.resolved, v.Rows.Exact); err != nil {
		return err
	}
	for _, r := range v.List {
		link(r, v.Columns, v.Key, references, v.Table.Name)
	}
	v.dress()
	return nil
}
