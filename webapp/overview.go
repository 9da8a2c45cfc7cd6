package main

import (
	"fmt"
	"net/http"
	"strings"
)

// overview is what the first page shows.
type overview struct {
	Connection connection
	Tables     []table
	// More says that there are more tables than are listed.
	More bool
}

func (a *app) overviewPage(w http.ResponseWriter, r *http.Request) {
	var o overview
	err := a.read(r.Context(), func(db reader) (err error) {
		if o.Tables, o.More, err = db.tables(); err != nil {
			return err
		}
		if err = db.countEach(o.Tables); err != nil {
			return err
		}
		o.Connection, err = db.connection()
		return err
	})
	if gone(r) {
		return
	}
	if err != nil {
		a.failDatabase(w, r, err)
		return
	}
	a.show(w, http.StatusOK, overviewTemplate, view{Title: "Tables", Database: o.Connection.Database, Page: o})
}

// Summary counts the list: "12 tables and 1 view".
func (o overview) Summary() string {
	var tables, views int
	for _, t := range o.Tables {
		if t.View {
			views++
		} else {
			tables++
		}
	}
	var parts []string
	for _, kind := range []struct {
		n    int
		name string
	}{{tables, "table"}, {views, "view"}} {
		switch {
		case kind.n == 1:
			parts = append(parts, "1 "+kind.name)
		case kind.n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", kind.n, kind.name))
		}
	}
	return strings.Join(parts, " and ")
}

// Estimates says that some number of rows is not exact.
func (o overview) Estimates() bool {
	for _, t := range o.Tables {
		if t.Rows.Known && !t.Rows.Exact && !t.Rows.MoreThan {
			return true
		}
	}
	return false
}
