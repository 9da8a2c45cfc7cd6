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
	names   [][]byte
	// table is the table's name in JSON. Without it the rows stand by themselves,
	// one a line.
	table []byte
	any   bool
}

func newJSONWriter(w *bufio.Writer, columns []column, table string, _ bool) exportWriter {
	return newRowsWriter(w, columns, jsonText(table))
}

func newNDJSONWriter(w *bufio.Writer, columns []column, _ string, _ bool) exportWriter {
	return newRowsWriter(w, columns, nil)
}

func newRowsWriter(w *bufio.Writer, columns []column, table []byte) *jsonWriter {
	j := &jsonWriter{Writer: w, columns: columns, table: table}
	for _, c := range columns {
		j.names = append(j.names, jsonText(c.Name))
	}
	return j
}

func (w *jsonWriter) begin() {
	if w.table != nil {
		w.texts(`{"table":`, string(w.table), `,"rows":[`)
	}
}

func (w *jsonWriter) row(values []any, cut []bool) {
	if w.table != nil {
		if w.any {
			w.texts(",")
		}
		w.texts("\n")
	}
	w.any = true
	for i, c := range w.columns {
		if i == 0 {
			w.texts("{")
		} else {
			w.texts(",")
		}
		_, _ = w.Write(w.names[i])
		w.texts(":")
		_, _ = w.Write(c.json(values[i], cut[i]))
	}
	w.texts("}")
	if w.table == nil {
		w.texts("\n")
	}
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

// json is a value in JSON. Numbers keep all of their digits. JSON stays what it
// is, unless it was cut.
func (c column) json(value any, cut bool) []byte {
	if value == nil {
		return []byte("null")
	}
	text := c.exportText(value)
	switch {
	case c.form() == number || c.form() == bits:
		return []byte(withoutZeros(text))
	case c.DataType == "json" && !cut:
		return []byte(text)
	}
	return jsonText(text)
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

// jsonText is text as a JSON string.
func jsonText(text string) []byte {
	quoted, err := json.Marshal(strings.ToValidUTF8(text, "\uFFFD"))
	if err != nil {
		panic(err) // no text is refused
	}
	return quoted
}
