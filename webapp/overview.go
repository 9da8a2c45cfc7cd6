package main

import (
	"database/sql"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// maxListedColumns is how many columns the overview lists in all.
	maxListedColumns = 10_000
	// manyTables is from how many tables on the overview offers to filter them.
	manyTables = 20
)

// overview is what the first page shows.
type overview struct {
	Connection connection
	Authority  *authority
	// Containing is what the names of the tables were asked to contain.
	Containing string
	tableList
	// PicturesLate is how many pictures are left out for want of time, PicturesCut
	// says that there are too many tables for all of them, and Drawn when the oldest
	// one was drawn; zero when there are none.
	PicturesLate int
	PicturesCut  bool
	Drawn        time.Time
}

// tableList is tables and what is left out of them.
type tableList struct {
	Tables []listed
	// More says that there are more tables than are listed, Uncounted that the
	// time did not do for counting the rows of all, and ColumnsCut that the
	// columns of some are left out.
	More, Uncounted, ColumnsCut bool
}

// listed is a table or view as the overview lists it.
type listed struct {
	table
	// Columns are left out when ColumnsCut. ColumnsHTML is the list of them.
	Columns     []column
	ColumnsCut  bool
	ColumnsHTML template.HTML
	// Picture is nil when there is none. PictureLate says that this is for want of
	// time.
	Picture     *picture
	PictureLate bool
}

func (a *app) overviewPage(w http.ResponseWriter, r *http.Request) {
	o := overview{Containing: r.URL.Query().Get("containing"), Authority: a.authority}
	err := a.read(r.Context(), func(db reader) error { return o.load(db) })
	if gone(r) {
		return
	}
	if err != nil {
		a.failDatabase(w, r, err)
		return
	}
	a.addPictures(r.Context(), &o)
	if gone(r) {
		return
	}
	a.show(w, http.StatusOK, overviewTemplate, view{Title: "Tables", Database: o.Connection.Database, Page: o})
}

func (o *overview) load(db reader) (err error) {
	if o.Connection, err = db.connection(); err != nil {
		return err
	}
	if !possibleName(o.Containing) {
		return nil // no table is called so
	}
	ask := func() (tableList, error) { return db.list(o.Connection.Database, o.Containing) }
	var list tableList
	if o.Containing == "" {
		list, err = recall(db, ask, "overview")
	} else {
		list, err = ask() // visitors could ask for no end of these
	}
	// Each page hangs the pictures in a list of its own.
	list.Tables = slices.Clone(list.Tables)
	o.tableList = list
	return err
}

// list lists the tables whose names contain a text.
func (r reader) list(database, containing string) (l tableList, err error) {
	tables, more, err := r.tables(database, containing)
	if err != nil {
		return l, err
	}
	l.More = more
	columns, first, err := r.listColumns(database, containing)
	if err != nil {
		return l, err
	}
	for _, t := range tables {
		l.ColumnsCut = l.ColumnsCut || t.Name == first
		l.Tables = append(l.Tables, listed{table: t, Columns: columns[t.Name], ColumnsCut: l.ColumnsCut, ColumnsHTML: columnsHTML(columns[t.Name])})
	}
	all, err := r.countEach(l.Tables)
	l.Uncounted = !all
	return l, err
}

// listColumns are the columns of tables whose names contain a text, in the order
// of the tables' names, up to maxListedColumns. Cut is the first table whose
// columns are left out, "" when none are.
func (r reader) listColumns(database, containing string) (columns map[string][]column, cut string, err error) {
	columns = map[string][]column{}
	where, args := nameFilter(containing)
	n := 0
	err = r.each(func(rows *sql.Rows) error {
		var table string
		var c column
		var length sql.Null[uint64]
		if err := rows.Scan(&table, &c.Name, &c.Type, &c.DataType, &c.Key, &length); err != nil {
			return err
		}
		if n++; n > maxListedColumns {
			cut = table
			delete(columns, table)
			return nil
		}
		c.DataType, c.Length = strings.ToLower(c.DataType), length.V
		columns[table] = append(columns[table], c)
		return nil
	}, selectHint+"TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, DATA_TYPE, COLUMN_KEY = 'PRI', CHARACTER_MAXIMUM_LENGTH FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ?"+where+
		" ORDER BY TABLE_NAME, ORDINAL_POSITION LIMIT ?", append(append([]any{database}, args...), maxListedColumns+1)...)
	return columns, cut, err
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

// Filterable says that the page offers to filter the tables by their names.
func (o overview) Filterable() bool { return o.Containing != "" || len(o.Tables) > manyTables }

// Asked is what the tables' names were asked to contain, ready to show.
func (o overview) Asked() string { return printable(shorten(o.Containing, maxName)) }

// Asking is the same for the field of the form, as far as one can hold it.
func (o overview) Asking() string {
	if !utf8.ValidString(o.Containing) {
		return ""
	}
	return o.Containing
}

// DrawnText is Drawn as a time of day.
func (o overview) DrawnText() string { return o.Drawn.UTC().Format("15:04:05") + " UTC" }

// ColumnCount is the number of columns in words.
func (t listed) ColumnCount() string {
	if len(t.Columns) == 1 {
		return "1 column"
	}
	return grouped(uint64(len(t.Columns))) + " columns"
}

// SizeText is the size in the largest unit that fits.
func (t table) SizeText() string { return sizeText(t.Size.V) }

// sizeText writes a number of bytes with three digits or so: "16 KiB", "1.5 GiB".
func sizeText(n uint64) string {
	if n == 1 {
		return "1 byte"
	}
	if n < 1024 {
		return fmt.Sprintf("%d bytes", n)
	}
	size, unit := float64(n), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"} {
		// What would be rounded up to 1024 is 1 of the next.
		if size /= 1024; size < 1023.5 {
			break
		}
	}
	if size < 9.95 {
		return strings.TrimSuffix(fmt.Sprintf("%.1f", size), ".0") + " " + unit
	}
	return fmt.Sprintf("%.0f %s", size, unit)
}
