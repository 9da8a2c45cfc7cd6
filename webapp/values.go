package main

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"drawbridge/internal/mysqldb"
)

const (
	// maxText is how many characters of a text leave the database, at most.
	maxText = 4000
	// pageText is about how many characters of text one page may hold in all, so
	// that a table of many long texts does not fill the app's memory.
	pageText = 4_000_000
	// shortText is how many characters of a text show before it is opened.
	shortText = 80
	// narrowText is how many characters of text stay on one line.
	narrowText = 40
	// maxBinary is how many bytes of a binary value show.
	maxBinary = 16
)

// cell is one value of one row, ready to show.
type cell struct {
	Null bool
	// Text is what to show. It is valid UTF-8 without control characters other
	// than line breaks and tabs.
	Text string
	// Short is the beginning of a Text that is too long to show at once; else
	// empty.
	Short string
	// Wide says that Text may go over several lines.
	Wide bool
	// Note says in words what Text leaves out, or what it is.
	Note string
	// URL leads to what the value refers to; Reference says where that is.
	URL, Reference string
	// RowURL leads to the page of the value's own row.
	RowURL string
}

// form is how values of a type are read and shown.
type form int

const (
	plainText form = iota
	longText       // may be long: cut by the server
	number
	moment // a date or a time
	bits
	binary
	geometry
)

func (c column) form() form {
	switch c.DataType {
	case "tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double", "year":
		return number
	case "date", "datetime", "timestamp", "time":
		return moment
	case "varchar", "text", "mediumtext", "longtext", "json":
		return longText
	case "bit":
		return bits
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector":
		return binary
	case "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geomcollection", "geometrycollection":
		return geometry
	}
	return plainText
}

// Number says that the column's values stand at the right.
func (c column) Number() bool { return c.form() == number }

// Text says that the column's values may be in any script.
func (c column) Text() bool { return c.form() == plainText || c.form() == longText }

// Code says that the column's values are bits, bytes or shapes.
func (c column) Code() bool {
	return c.form() == bits || c.form() == binary || c.form() == geometry
}

// ShortType is the column's type, cut where it would make the column too wide.
func (c column) ShortType() string { return shorten(c.Type, 20) }

// Zone says of a date with a time what time zone it is in; "" of other types.
// MySQL keeps a TIMESTAMP as a moment, which the app asks for in UTC, and of a
// DATETIME only what a clock somewhere showed.
func (c column) Zone() string {
	switch c.DataType {
	case "timestamp":
		return "in UTC"
	case "datetime":
		return "no time zone"
	}
	return ""
}

// textLimit is the number of characters to read of each long text when a page
// of size rows has these columns.
func textLimit(columns []column, size int) int {
	long := 0
	for _, c := range columns {
		if c.form() == longText || c.form() == geometry {
			long++
		}
	}
	return min(maxText, max(shortText+1, pageText/max(1, long*size)))
}

// expressions are what to select for the column: its value, and for values that
// may be cut, also its whole length.
func (c column) expressions(limit int) (value, length string) {
	name := mysqldb.QuoteIdentifier(c.Name)
	if c.DataType == "json" {
		// MySQL would cut JSON itself as well, but not every server like it does.
		name = fmt.Sprintf("CAST(%s AS CHAR)", name)
	}
	switch c.form() {
	case longText:
		return fmt.Sprintf("LEFT(%s, %d)", name, limit), fmt.Sprintf("CHAR_LENGTH(%s)", name)
	case binary:
		// Of a longer value this is the beginning; a shorter one is filled up.
		return fmt.Sprintf("CAST(%s AS BINARY(%d))", name, maxBinary), fmt.Sprintf("LENGTH(%s)", name)
	case geometry:
		return fmt.Sprintf("LEFT(ST_AsText(%s), %d)", name, limit), fmt.Sprintf("CHAR_LENGTH(ST_AsText(%s))", name)
	}
	// As text, dates that are none ("0000-00-00", "2024-00-00") stay as they are.
	switch c.DataType {
	case "date":
		return fmt.Sprintf("DATE_FORMAT(%s, '%%Y-%%m-%%d')", name), ""
	case "datetime", "timestamp":
		return fmt.Sprintf("CAST(%s AS CHAR)", name), ""
	}
	return name, ""
}

// cell makes a cell of what the driver read for the column: the value, and its
// whole length where expressions asked for it.
func (c column) cell(value any, length int64) cell {
	if value == nil {
		return cell{Null: true}
	}
	switch c.form() {
	case bits:
		return cell{Text: c.bitText(value)}
	case binary:
		return binaryCell([]byte(plain(value)), length)
	case number:
		if c.DataType == "year" {
			if year, ok := value.(int64); ok {
				return cell{Text: fmt.Sprintf("%04d", year)}
			}
		}
	case longText, geometry:
		return textCell(plain(value), length)
	}
	text := plain(value)
	return textCell(text, int64(utf8.RuneCountInString(text)))
}

// textCell shows text, the beginning of a value that is length characters long.
func textCell(text string, length int64) cell {
	shown := utf8.RuneCountInString(text)
	c := cell{Text: printable(text)}
	c.Wide = shown > narrowText || strings.ContainsRune(c.Text, '\n')
	if shown > shortText {
		c.Short = shorten(c.Text, shortText)
	}
	if int64(shown) < length {
		c.Note = fmt.Sprintf("the first %s of %s characters", grouped(uint64(shown)), grouped(uint64(length)))
	}
	if text == "" {
		c.Note = "empty text"
	}
	return c
}

// binaryCell shows data, which begins with a value that is length bytes long or
// with its beginning.
func binaryCell(data []byte, length int64) cell {
	data = data[:min(int64(len(data)), length)]
	c := cell{Note: grouped(uint64(length)) + " bytes"}
	if length == 1 {
		c.Note = "1 byte"
	}
	if len(data) > 0 {
		c.Text = "0x" + strings.ToUpper(hex.EncodeToString(data))
	}
	if int64(len(data)) < length {
		c.Text += "…"
	}
	return c
}

// bitText is a BIT(n) value as MySQL writes it in statements: b'0101'.
func (c column) bitText(value any) string {
	return fmt.Sprintf("b'%0*b'", c.width(), bitNumber(value))
}

// plain is a value of the driver as text. Numbers keep every digit: integers
// and decimals as they are, floating-point numbers in the shortest form that
// reads back as the same number.
func plain(value any) string {
	switch v := value.(type) {
	case []byte:
		return string(v)
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float32:
		return floatText(float64(v), 32)
	case float64:
		return floatText(v, 64)
	case time.Time:
		return v.Format("2006-01-02 15:04:05.999999")
	}
	return fmt.Sprint(value)
}

func floatText(f float64, bits int) string {
	format := byte('f')
	if size := math.Abs(f); size != 0 && (size < 1e-6 || size >= 1e15) {
		format = 'e'
	}
	return strconv.FormatFloat(f, format, -1, bits)
}

// printable replaces what is not valid UTF-8 by U+FFFD, and control characters,
// which would be invisible, by their Unicode control pictures.
func printable(s string) string {
	if isPrintableASCII(s) {
		return s
	}
	// Map itself gives the function U+FFFD for each byte that is not valid.
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < 0x20:
			return 0x2400 + r
		case r == 0x7F:
			return 0x2421
		case 0x80 <= r && r < 0xA0:
			return '\uFFFD'
		}
		return r
	}, s)
}

// isPrintableASCII tells what most values are.
func isPrintableASCII(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7F {
			return false
		}
	}
	return true
}

// shorten cuts s after at most n characters, with an ellipsis for the rest.
func shorten(s string, n int) string {
	seen := 0
	for i := range s {
		if seen == n {
			return s[:i] + "…"
		}
		seen++
	}
	return s
}

// grouped writes n with a comma between thousands.
func grouped(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
