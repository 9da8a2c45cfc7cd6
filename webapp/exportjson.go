package main

import (
	"bufio"
	"encoding/json"
	"strconv"
	"strings"
)

// jsonWriter writes rows as JSON objects, with the columns in their order.
type jsonWriter struct {
	*bufio.Writer
	columns []column
	// names are the columns' names with what stands before them.
	names [][]byte
	// table is the table's name in JSON. Without it the rows stand by themselves,
	// one a line.
	table []byte
	any   bool
	line  []byte
}

func newJSONWriter(w *bufio.Writer, columns []column, table string, _ bool) exportWriter {
	return newRowsWriter(w, columns, appendJSONText(nil, table))
}

func newNDJSONWriter(w *bufio.Writer, columns []column, _ string, _ bool) exportWriter {
	return newRowsWriter(w, columns, nil)
}

func newRowsWriter(w *bufio.Writer, columns []column, table []byte) *jsonWriter {
	j := &jsonWriter{Writer: w, columns: columns, table: table}
	for i, c := range columns {
		before := byte(',')
		if i == 0 {
			before = '{'
		}
		j.names = append(j.names, appendJSONText([]byte{before}, c.Name))
	}
	return j
}

func (w *jsonWriter) begin() {
	if w.table != nil {
		w.texts(`{"table":`, string(w.table), `,"rows":[`)
	}
}

func (w *jsonWriter) row(values []any, cut []bool) {
	b := w.line[:0]
	if w.table != nil {
		if w.any {
			b = append(b, ',')
		}
		b = append(b, '\n')
	}
	w.any = true
	for i, c := range w.columns {
		b = append(append(b, w.names[i]...), ':')
		b = c.appendJSON(b, values[i], cut[i])
	}
	b = append(b, '}')
	if w.table == nil {
		b = append(b, '\n')
	}
	_, _ = w.Write(b)
	w.line = b
}

// end says how many rows there were, and whether these are all: trailers get
// lost on the way through a proxy.
func (w *jsonWriter) end(rows int, complete bool) {
	if w.table != nil {
		w.texts("\n],\"row_count\":", strconv.Itoa(rows), ",\"complete\":", strconv.FormatBool(complete), "}\n")
	}
}

func (w *jsonWriter) texts(texts ...string) {
	for _, text := range texts {
		_, _ = w.WriteString(text)
	}
}

// appendJSON appends a value in JSON. Numbers keep all of their digits. JSON stays
// what it is, unless it was cut.
func (c column) appendJSON(b []byte, value any, cut bool) []byte {
	if value == nil {
		return append(b, "null"...)
	}
	text := c.exportText(value)
	switch form := c.form(); {
	case form == number || form == bits:
		return append(b, withoutZeros(text)...)
	case c.DataType == "json" && !cut:
		return append(b, text...)
	}
	return appendJSONText(b, text)
}

// withoutZeros is a number without the zeros that ZEROFILL puts before a DECIMAL,
// which JSON does not allow.
func withoutZeros(number string) string {
	digits := strings.TrimPrefix(number, "-")
	sign := number[:len(number)-len(digits)]
	for len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' {
		digits = digits[1:]
	}
	return sign + digits
}

// appendJSONText appends text as a JSON string.
func appendJSONText(b []byte, text string) []byte {
	// Most texts stand for themselves.
	if !strings.ContainsFunc(text, func(r rune) bool {
		return r < ' ' || r > '~' || r == '"' || r == '\\' || r == '<' || r == '>' || r == '&'
	}) {
		return append(append(append(b, '"'), text...), '"')
	}
	quoted, err := json.Marshal(strings.ToValidUTF8(text, "\uFFFD"))
	if err != nil {
		panic(err) // no text is refused
	}
	return append(b, quoted...)
}
