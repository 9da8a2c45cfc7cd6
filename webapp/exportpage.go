package main

import (
	"bufio"
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strconv"
)

// maxExportPage is how many bytes a download of one page may have. It is made in
// memory, so that the connection is free before the visitor has fetched it.
const maxExportPage = 8 << 20

// errExportPage is why a page is no download.
var errExportPage = errors.New("the page is too large to be downloaded by itself")

// exportPage answers with the rows that a page of the selection shows.
func (a *app) exportPage(e *export, name string, s selection) {
	body := &bounded{left: maxExportPage}
	err := a.readInTurn(e.r.Context(), func(db reader) error {
		q, err := db.resolveNamed(name, s)
		if err != nil {
			return err
		}
		if err := q.tooFar(); err != nil {
			return err
		}
		if q.At != "" {
			q.filters = append(slices.Clip(q.filters), q.start.from(q.terms, false))
		}
		*body = bounded{left: maxExportPage}
		out := bufio.NewWriter(body)
		writer := e.format.writer(out, q.Columns, q.Table.Name, e.spreadsheet)
		writer.begin()
		e.rows, e.cutValues = 0, 0
		err = db.exported(q, statementTimeout, q.Size, q.offset(), func(values []any, cut []bool) error {
			e.row(writer, values, cut)
			_, err := out.Write(nil)
			return err
		})
		if err != nil {
			return err
		}
		writer.end(e.rows, true)
		return out.Flush()
	})
	if errors.Is(err, errExportPage) {
		a.fail(e.w, e.r, problem{
			Status: http.StatusUnprocessableEntity, Title: "Too large a page", Back: s.url(name), BackText: "The page",
			Sentence: "The whole values of these rows are more than " + grouped(maxExportPage>>20) + " MiB: download all rows instead, or fewer on a page.",
		})
		return
	}
	if err != nil {
		a.failTable(e.w, e.r, name, s, err)
		return
	}
	if e.rows == 0 && (s.Page > 1 || s.At != "") {
		a.fail(e.w, e.r, problem{Status: http.StatusNotFound, Title: "Beyond the end", Sentence: "There are no rows from there on: the table ends before.", Back: s.last().url(name), BackText: "The last page of this table"})
		return
	}
	e.limit = s.Size
	e.header(name, strconv.Itoa(e.rows))
	e.outcome()
	e.w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	e.w.WriteHeader(http.StatusOK)
	_, _ = e.w.Write(body.Bytes()) // The visitor may be gone; nobody is left to tell.
}

// bounded is a buffer that takes so many bytes and no more.
type bounded struct {
	bytes.Buffer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errExportPage
	}
	return b.Buffer.Write(p)
}
