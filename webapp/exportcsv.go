package main

import (
	"bufio"
	"encoding/base64"
	"strconv"
	"strings"
)

// csvWriter writes CSV (RFC 4180). NULL is an empty field, and an empty text a
// pair of double quotes.
type csvWriter struct {
	*bufio.Writer
	columns []column
	// spreadsheet is for programs that take some texts for formulas.
	spreadsheet bool
}

func newCSVWriter(w *bufio.Writer, columns []column, _ string, spreadsheet bool) exportWriter {
	return &csvWriter{w, columns, spreadsheet}
}

func (w *csvWriter) begin() {
	if w.spreadsheet {
		_, _ = w.WriteString("\ufeff") // without which Excel does not take it for UTF-8
	}
	for i, c := range w.columns {
		w.field(i, c.Name, true)
	}
	w.endLine()
}

func (w *csvWriter) row(values []any, _ []bool) {
	for i, c := range w.columns {
		if values[i] == nil {
			if i > 0 {
				_ = w.WriteByte(',')
			}
			if len(w.columns) == 1 {
				_, _ = w.WriteString("NULL") // an empty line would be no row at all
			}
			continue
		}
		w.field(i, c.exportText(values[i]), c.form() == plainText || c.form() == longText)
	}
	w.endLine()
}

func (w *csvWriter) end(int, bool) {}

func (w *csvWriter) endLine() { _, _ = w.WriteString("\r\n") }

// field writes the ith field of a line. Words says that the text is not a number
// or the like, and so may be anything.
func (w *csvWriter) field(i int, text string, words bool) {
	if i > 0 {
		_ = w.WriteByte(',')
	}
	if w.spreadsheet && words && text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		// Spreadsheets run such a text as a formula unless a quote stands before it
		// ("CSV Injection", OWASP).
		text = "'" + text
	}
	if text != "" && text != "NULL" && !strings.ContainsAny(text, "\",\r\n") && text[0] != ' ' && text[len(text)-1] != ' ' {
		_, _ = w.WriteString(text)
		return
	}
	_ = w.WriteByte('"')
	_, _ = w.WriteString(strings.ReplaceAll(text, `"`, `""`))
	_ = w.WriteByte('"')
}

// exportText is a value, other than NULL, as text for programs.
func (c column) exportText(value any) string {
	switch c.form() {
	case binary:
		return base64.StdEncoding.EncodeToString([]byte(plain(value)))
	case bits:
		return strconv.FormatUint(bitNumber(value), 10)
	}
	return plain(value)
}
