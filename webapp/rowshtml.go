package main

import (
	"html/template"
	"strings"
)

// rowsHTML writes the rows of a table's page. It does what a template would do,
// in a tenth of the time: cells are most of the work of making a page.
// TestRowsAreWhatATemplateWouldMake compares the two.
func rowsHTML(columns []column, rows []row) template.HTML {
	var w htmlWriter
	for _, r := range rows {
		w.WriteString("<tr>")
		for i, c := range r.Cells {
			w.cell(columns[i], c)
		}
		w.WriteString("</tr>\n")
	}
	return template.HTML(w.String()) //nolint:gosec // every value went through text
}

// htmlWriter writes HTML. Strings of this program are written as they are, and
// everything else by text.
type htmlWriter struct{ strings.Builder }

// text writes s as the text of an element or the value of an attribute in double
// quotes.
func (w *htmlWriter) text(s string) {
	if strings.ContainsAny(s, "\x00\"&'<>") {
		s = template.HTMLEscapeString(s)
	}
	w.WriteString(s)
}

func (w *htmlWriter) cell(c column, v cell) {
	w.WriteString("<td")
	switch {
	case c.Number():
		w.WriteString(` class="number"`)
	case c.Code() && v.Wide:
		w.WriteString(` class="code wide"`)
	case c.Code():
		w.WriteString(` class="code"`)
	case v.Wide:
		w.WriteString(` class="wide"`)
	}
	if c.Text() {
		w.WriteString(` dir="auto"`)
	}
	w.WriteString(">")
	w.value(v)
	w.WriteString("</td>")
}

func (w *htmlWriter) value(v cell) {
	if v.Null {
		w.WriteString(`<span class="null">NULL</span>`)
		return
	}
	linked := false // to the value's own row
	switch {
	case v.Short != "":
		w.WriteString("<details><summary>")
		w.text(v.Short)
		w.WriteString(`</summary><div class="full">`)
		w.text(v.Text)
		w.WriteString("</div></details>")
	case v.URL != "":
		w.link(v.URL, "in "+v.Reference, v.Text)
	case v.RowURL != "" && v.Text != "":
		w.link(v.RowURL, "this row", v.Text)
		linked = true
	default:
		w.text(v.Text)
	}
	if v.Note != "" {
		w.WriteString(`<span class="note">`)
		w.text(v.Note)
		w.WriteString("</span>")
	}
	if v.RowURL != "" && !linked {
		w.WriteString(` <a class="open" href="`)
		w.text(v.RowURL)
		w.WriteString(`">row</a>`)
	}
}

// link writes a link to an address of this app, which is one path and query that
// url.URL has escaped.
func (w *htmlWriter) link(address, title, text string) {
	w.WriteString(`<a href="`)
	w.text(address)
	w.WriteString(`" title="`)
	w.text(title)
	w.WriteString(`">`)
	w.text(text)
	w.WriteString("</a>")
}
