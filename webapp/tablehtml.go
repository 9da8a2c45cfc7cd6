package main

import (
	"html/template"
	"strings"
)

// The parts of a table's page that repeat are written here, as a template would
// make them, in a tenth of the time: they are most of the work of making a page.
// The tests compare them with templates.

// rowsHTML writes the rows.
func rowsHTML(columns []column, rows []row) template.HTML {
	const usual = 48 // bytes of a value with its element
	var w htmlWriter
	w.Grow(len(rows) * len(columns) * usual)
	for _, r := range rows {
		w.WriteString("<tr>")
		for i, c := range r.Cells {
			w.cell(columns[i], c)
		}
		w.WriteString("</tr>\n")
	}
	return template.HTML(w.String()) //nolint:gosec // every value went through text
}

// headsHTML writes the headings of the columns.
func headsHTML(heads []head) template.HTML {
	var w htmlWriter
	for _, h := range heads {
		w.head(h)
	}
	return template.HTML(w.String()) //nolint:gosec // every value went through text
}

// columnsHTML writes the items of a list of columns with their types.
func columnsHTML(columns []column) template.HTML {
	var w htmlWriter
	for _, c := range columns {
		w.WriteString("<li><bdi>")
		w.text(c.Name)
		w.WriteString("</bdi> ")
		w.columnType(c)
		w.WriteString("</li>")
	}
	return template.HTML(w.String()) //nolint:gosec // every value went through text
}

// optionsHTML writes the options of a form's list.
func optionsHTML[T any](list []T, option func(T) (value, words string), selected string) template.HTML {
	var w htmlWriter
	for _, one := range list {
		value, words := option(one)
		w.WriteString(`<option value="`)
		w.text(value)
		w.WriteString(`"`)
		if value == selected {
			w.WriteString(" selected")
		}
		w.WriteString(">")
		w.text(words)
		w.WriteString("</option>")
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

func (w *htmlWriter) head(h head) {
	w.WriteString(`<th scope="col"`)
	if h.Number() {
		w.WriteString(` class="number"`)
	}
	w.attribute("title", h.Comment)
	w.attribute("aria-sort", h.Sorted)
	w.WriteString(">")
	if h.URL == "" {
		w.WriteString(`<bdi title="Rows cannot be sorted by this type">`)
		w.text(h.Name)
		w.WriteString("</bdi>")
	} else {
		w.WriteString(`<a href="`)
		w.text(h.URL)
		w.WriteString(`" rel="nofollow"><bdi>`)
		w.text(h.Name)
		w.WriteString("</bdi>")
		switch h.Sorted {
		case "ascending":
			w.WriteString(`<span aria-hidden="true"> ▲</span>`)
		case "descending":
			w.WriteString(`<span aria-hidden="true"> ▼</span>`)
		}
		w.WriteString("</a>")
	}
	if h.Key {
		w.WriteString(` <span class="key" title="Part of the key that tells rows apart">key</span>`)
	}
	w.columnType(h.column)
	w.WriteString("</th>")
}

func (w *htmlWriter) columnType(c column) {
	w.WriteString(`<span class="type"`)
	short := c.ShortType()
	if short != c.Type {
		w.attribute("title", c.Type)
	}
	w.WriteString(">")
	w.text(short)
	if zone := c.Zone(); zone != "" {
		w.WriteString(", " + zone)
	}
	w.WriteString("</span>")
}

// attribute writes an attribute unless its value is empty.
func (w *htmlWriter) attribute(name, value string) {
	if value == "" {
		return
	}
	w.WriteString(" ")
	w.WriteString(name)
	w.WriteString(`="`)
	w.text(value)
	w.WriteString(`"`)
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
