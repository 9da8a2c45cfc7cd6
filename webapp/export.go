package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"drawbridge/internal/mysqldb"
)

const (
	// maxExports is how many downloads run at a time. Each holds a connection for
	// as long as the visitor takes to fetch it, within exportTimeout.
	maxExports = 2
	// exportTimeout is how long MySQL works for a download, sending included.
	exportTimeout = time.Minute
	// exportWait is how long a visitor may take to fetch the next part of it.
	exportWait = 20 * time.Second
	// maxExportRows is how many rows a download has at most, and maxExportValue
	// how many characters or bytes a value in it: that bounds the app's memory.
	maxExportRows  = 1_000_000
	maxExportValue = 1_000_000
)

// exportFormat is a way to write rows for programs.
type exportFormat struct {
	name, contentType, disposition string
	writer                         func(w *bufio.Writer, columns []column, table string, spreadsheet bool) exportWriter
}

var exportFormats = []exportFormat{
	{"csv", "text/csv; charset=utf-8; header=present", "attachment", newCSVWriter},
	{"json", "application/json", "inline", newJSONWriter},
	{"ndjson", "application/x-ndjson", "attachment", newNDJSONWriter},
}

// exportWriter writes rows in a format. Errors of writing stay in the
// bufio.Writer, as is its way.
type exportWriter interface {
	begin()
	// row writes a row's values as the driver read them. Cut says of each whether
	// it was cut.
	row(values []any, cut []bool)
	end(rows int, complete bool)
}

func formatOf(name string) (exportFormat, bool) {
	for _, f := range exportFormats {
		if f.name == name {
			return f, true
		}
	}
	return exportFormat{}, false
}

// tableOrExport answers for a table's page and for its downloads, whose addresses
// have the format after the table's name. A table may itself be called "a.csv":
// then that is the table's page, and the download of a table "a" is at
// ?format=csv.
func (a *app) tableOrExport(w http.ResponseWriter, r *http.Request) {
	if name := r.URL.Query().Get("format"); name != "" {
		format, ok := formatOf(name)
		if !ok {
			a.fail(w, r, unreadable(fmt.Errorf("format is %q, and should be csv, json or ndjson", shorten(name, 40))))
			return
		}
		a.export(w, r, tableOf(r.PathValue("name")), format)
		return
	}
	whole := r.PathValue("name")
	base, suffix, _ := cutLast(whole, ".")
	format, ok := formatOf(suffix)
	if !ok {
		a.tablePage(w, r)
		return
	}
	base = tableOf(base)
	var found map[string]table
	err := a.readInTurn(r.Context(), func(db reader) (err error) {
		found, err = db.named(whole, base)
		return err
	})
	_, page := found[whole]
	_, download := found[base]
	switch {
	case err != nil:
		a.failTable(w, r, whole, selection{}, err)
	case page || !download:
		a.tablePage(w, r)
	default:
		a.export(w, r, base, format)
	}
}

func cutLast(s, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i], s[i+len(separator):], true
	}
	return s, "", false
}

// exportURL is the address of the selected rows in a format. Taken are the tables
// that have the address's name.
func exportURL(name, format string, s selection, taken map[string]table) string {
	return exportOf(name, format, s.rowsQuery(), taken)
}

// exportPageURL is the address of the rows of the selection's page.
func exportPageURL(name, format string, s selection, taken map[string]table) string {
	query := s.pageQuery()
	query.Set("rows", "page")
	return exportOf(name, format, query, taken)
}

func exportOf(name, format string, query url.Values, taken map[string]table) string {
	path := tablePath(name) + "." + format
	if _, ok := taken[name+"."+format]; ok {
		path = tablePath(name)
		query.Set("format", format)
	}
	return withQuery(path, query)
}

// export answers with the selected rows of a table: all, or one page of them.
func (a *app) export(w http.ResponseWriter, r *http.Request, name string, format exportFormat) {
	s, _, err := selectionOf(r)
	if err != nil {
		a.fail(w, r, unreadable(err))
		return
	}
	requestOf(r.Context()).route = "/tables/{name}." + format.name
	s.Facets = nil
	e := export{format: format, w: w, r: r, limit: a.exportRows, spreadsheet: r.URL.Query().Get("for") == "spreadsheet"}
	switch rows := r.URL.Query().Get("rows"); {
	case rows == "page" && (s.Before != "" || s.Last):
		a.fail(w, r, unreadable(errors.New("a download of one page names its first row by at, or its number by page, not by before or as the last")))
	case rows == "page":
		a.exportPage(&e, name, s)
	case rows == "" || rows == "all":
		s.window = window{Page: 1, Size: defaultSize}
		a.exportAll(&e, name, s)
	default:
		a.fail(w, r, unreadable(fmt.Errorf("rows is %q, and should be page or all", shorten(rows, 40))))
	}
}

// exportAll streams all of the selected rows.
func (a *app) exportAll(e *export, name string, s selection) {
	w, r := e.w, e.r
	wanted, stop := context.WithCancel(r.Context())
	defer stop()
	e.stop = stop
	var first error
	err := a.stream(wanted, func(db reader) (err error) {
		if e.begun {
			return first // what is out cannot be taken back
		}
		defer func() { first = err }()
		db.memory = nil // a type that has changed would make other values of the same texts
		soon, done := db.within(pageTimeout)
		defer done()
		q, err := soon.resolveNamed(name, s)
		if err != nil {
			return err
		}
		counted, err := e.count(soon, q)
		if err != nil {
			return err
		}
		return e.run(db, q, counted)
	})
	if e.cut {
		a.metrics.limited.WithLabelValues(rowLimit).Inc()
	}
	switch {
	case err == nil:
	case e.begun:
		if errors.Is(err, errGone) {
			requestOf(r.Context()).status = statusClientGone
		} else if !gone(r) {
			requestOf(r.Context()).problem = "a download was cut off: " + mysqldb.Explain(err).Error()
		}
		// Half a download must not look like a whole one: the connection is cut,
		// which every client takes for a failure. nginx would say that the app
		// failed if it had not even seen the header.
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	default:
		// The time for an answer may be over.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(exportWait))
		a.failTable(w, r, name, s, err)
	}
}

// stream is read for downloads.
func (a *app) stream(ctx context.Context, f func(reader) error) error {
	wait := time.NewTimer(busyWait)
	defer wait.Stop()
	select {
	case a.exports <- struct{}{}:
		defer func() { <-a.exports }()
	case <-wait.C:
		a.metrics.refused.WithLabelValues(downloadTurn).Inc()
		return errBusy
	case <-ctx.Done():
		return ctx.Err()
	}
	return a.readWithin(ctx, exportTimeout+pageTimeout, f)
}

// export is one download under way.
type export struct {
	format      exportFormat
	w           http.ResponseWriter
	r           *http.Request
	limit       int
	spreadsheet bool
	// stop says that nobody wants the rest.
	stop func()
	// start sends the answer's header, begun says that it is out, and cut that there
	// are more rows than limit.
	start      func()
	begun, cut bool
	// rows and cutValues are how many were written, and how many values in them cut.
	rows, cutValues int
}

// errGone says that nobody fetches the download any more.
var errGone = errors.New("the visitor does not fetch the download")

func (e *export) run(db reader, q resolved, counted string) error {
	e.start = func() {
		e.begun = true
		e.header(q.Table.Name, counted)
		e.w.Header().Set("Trailer", "Drawbridge-Export")
		e.w.WriteHeader(http.StatusOK)
	}
	if e.r.Method == http.MethodHead {
		e.start()
		return nil
	}
	out := bufio.NewWriterSize(e, 32<<10)
	writer := e.format.writer(out, q.Columns, q.Table.Name, e.spreadsheet)
	writer.begin()
	e.rows, e.cutValues, e.cut = 0, 0, false
	err := db.exported(q, exportTimeout, e.limit+1, 0, func(values []any, cut []bool) error {
		if e.rows == e.limit {
			e.cut = true
			return nil
		}
		if db.visitor.Err() != nil {
			return errGone
		}
		e.row(writer, values, cut)
		if _, err := out.Write(nil); err != nil {
			e.stop()
			return errGone
		}
		return nil
	})
	if err != nil {
		return err
	}
	writer.end(e.rows, !e.cut)
	if out.Flush() != nil {
		return errGone
	}
	if !e.begun {
		e.start()
	}
	e.outcome()
	return nil
}

// row writes a row, and counts it and the values in it that were cut.
func (e *export) row(w exportWriter, values []any, cut []bool) {
	e.rows++
	for _, c := range cut {
		if c {
			e.cutValues++
		}
	}
	w.row(values, cut)
}

// exported reads up to most rows of q in the form of downloads, and says of each
// value whether it was cut.
func (r reader) exported(q resolved, limit time.Duration, most int, offset uint64, row func(values []any, cut []bool) error) error {
	values := make([]any, len(q.Columns))
	lengths := make([]sql.Null[int64], len(q.Columns))
	cut := make([]bool, len(q.Columns))
	var selected []string
	var dest []any
	for i, c := range q.Columns {
		value, length := c.exported()
		selected, dest = append(selected, value), append(dest, &values[i])
		if length != "" {
			selected, dest = append(selected, length), append(dest, &lengths[i])
		}
	}
	where, args := whereOf(q.filters)
	query := hinted(limit) + strings.Join(selected, ", ") + " FROM " + mysqldb.QuoteIdentifier(q.Table.Name) + where + orderBy(q.Table, q.terms, false) + " LIMIT ? OFFSET ?"
	return r.each(func(rows *sql.Rows) error {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		for i := range cut {
			cut[i] = lengths[i].V > maxExportValue
		}
		return row(values, cut)
	}, query, append(args, most, offset)...)
}

// count is the number of rows for the header: a number, or "more than" one.
func (e *export) count(db reader, q resolved) (string, error) {
	n, err := db.countSome(q.Table, q.filters, pageCountTime, countLimit)
	switch {
	case tooLong(err):
		return "unknown", nil
	case n > countLimit:
		return fmt.Sprintf("more than %d", countLimit), err
	}
	return fmt.Sprint(n), err
}

func (e *export) header(table, counted string) {
	h := e.w.Header()
	h.Set("Content-Type", e.format.contentType)
	h.Set("Content-Disposition", disposition(e.format.disposition, table+"."+e.format.name))
	h.Set("Drawbridge-Rows", counted)
	h.Set("Drawbridge-Row-Limit", fmt.Sprint(e.limit))
}

// outcome says in a header or trailer what the download holds.
func (e *export) outcome() {
	e.w.Header().Set("Drawbridge-Export", fmt.Sprintf("%s; rows=%d; cut-values=%d", map[bool]string{false: "complete", true: "cut"}[e.cut], e.rows, e.cutValues))
}

// disposition is the header that names a file. Browsers make a file name of it, in
// which some characters mean something.
func disposition(kind, file string) string {
	return mime.FormatMediaType(kind, map[string]string{"filename": strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) || r < 0x20 || r == 0x7F {
			return '_'
		}
		return r
	}, file)})
}

// Write sends a part of the body, and the header before the first: what fails
// earlier is answered with its own status. Each part has a time limit, in place of
// the one for a whole answer.
func (e *export) Write(p []byte) (int, error) {
	if !e.begun {
		e.start()
	}
	_ = http.NewResponseController(e.w).SetWriteDeadline(time.Now().Add(exportWait)) // not every test's writer has one
	return e.w.Write(p)
}

// exported is what to select for the column in a download: its value, and its
// whole length where it may be cut.
func (c column) exported() (value, length string) {
	name := mysqldb.QuoteIdentifier(c.Name)
	switch {
	case c.form() == geometry, c.DataType == "json", c.DataType == "mediumtext", c.DataType == "longtext":
		return c.expressions(maxExportValue)
	case c.DataType == "mediumblob", c.DataType == "longblob":
		return fmt.Sprintf("LEFT(%s, %d)", name, maxExportValue), fmt.Sprintf("LENGTH(%s)", name)
	case c.form() == moment:
		return c.expressions(maxExportValue)
	}
	return name, ""
}
