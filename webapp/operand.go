package main

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"drawbridge/internal/mysqldb"
)

// operand is a value to compare a column with: SQL with one placeholder, and
// what stands in its place.
type operand struct {
	sql string
	arg any
}

// integers are the sizes of the integer types in bits.
var integers = map[string]int{"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}

// operand reads text as a value of the column's type, which MySQL then compares
// exactly as it is. The error says what the text should be.
func (c column) operand(text string) (operand, error) {
	if !utf8.ValidString(text) {
		return operand{}, errors.New("should be valid UTF-8")
	}
	switch c.DataType {
	case "tinyint", "smallint", "mediumint", "int", "bigint":
		return c.integer(strings.TrimSpace(text))
	case "decimal":
		return decimal(strings.TrimSpace(text))
	case "float":
		return floating(strings.TrimSpace(text), 32)
	case "double":
		return floating(strings.TrimSpace(text), 64)
	case "bit":
		return c.bits(strings.TrimSpace(text))
	case "year":
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil || n != 0 && (n < 1901 || n > 2155) {
			return operand{}, errors.New("should be a year from 1901 to 2155, or 0")
		}
		return operand{"?", n}, nil
	case "date":
		moment, err := dateTime(strings.TrimSpace(text))
		if err != nil || len(moment) > len("2006-01-02") {
			return operand{}, errors.New("should be a date, like 2026-11-28")
		}
		return operand{"?", moment}, nil
	case "datetime", "timestamp":
		moment, err := dateTime(strings.TrimSpace(text))
		if err != nil {
			return operand{}, errors.New("should be a date or a date and time, like 2026-11-28 or 2026-11-28 15:30:00")
		}
		return operand{"?", moment}, nil
	case "time":
		return clock(strings.TrimSpace(text))
	}
	switch c.form() {
	case binary:
		data := strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(text), "0x"), "0X")
		if !hexadecimal.MatchString(data) {
			return operand{}, errors.New("should be bytes in hexadecimal, like 0x00FFC3")
		}
		return operand{"UNHEX(?)", data}, nil
	case plainText, longText:
		return operand{"?", text}, nil
	}
	return operand{}, errors.New("cannot be compared with")
}

var (
	hexadecimal    = regexp.MustCompile(`^([0-9A-Fa-f]{2})*$`)
	decimalNumber  = regexp.MustCompile(`^[+-]?([0-9]+)(?:\.([0-9]*))?$`)
	floatingNumber = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$`)
	zeroDate       = regexp.MustCompile(`^([0-9]{4})-(0[0-9]|1[0-2])-([0-2][0-9]|3[01])((?: ([01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?)?)$`)
	clockTime      = regexp.MustCompile(`^-?([0-9]{1,3}):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?$`)
)

func (c column) unsigned() bool { return strings.Contains(c.Type, "unsigned") }

func (c column) integer(text string) (operand, error) {
	size := integers[c.DataType]
	if c.unsigned() {
		n, err := strconv.ParseUint(strings.TrimPrefix(text, "+"), 10, size)
		if limit := uint64(math.MaxUint64) >> (64 - size); err != nil {
			return operand{}, fmt.Errorf("should be a whole number from 0 to %d", limit)
		}
		return operand{"?", n}, nil
	}
	n, err := strconv.ParseInt(text, 10, size)
	if limit := int64(math.MaxInt64) >> (64 - size); err != nil {
		return operand{}, fmt.Errorf("should be a whole number from %d to %d", -limit-1, limit)
	}
	return operand{"?", n}, nil
}

// decimal keeps every digit of text: a DECIMAL has up to 65, and up to 30 of them
// after the point ("Fixed-Point Types" in the MySQL reference manual). A DECIMAL
// compared with a text as it is would be compared as floating-point numbers.
func decimal(text string) (operand, error) {
	parts := decimalNumber.FindStringSubmatch(text)
	if parts == nil {
		return operand{}, errors.New("should be a number, like -12.50")
	}
	scale := len(parts[2])
	if whole := len(strings.TrimLeft(parts[1], "0")); scale > 30 || whole+scale > 65 {
		return operand{}, errors.New("should be a number of at most 65 digits, with at most 30 of them after the point")
	}
	return operand{fmt.Sprintf("CAST(? AS DECIMAL(65,%d))", scale), text}, nil
}

// floating is a FLOAT or DOUBLE. MySQL compares both as DOUBLE, so a FLOAT is
// rounded to what the column can hold first: 0.1 finds the 0.1 in a FLOAT column.
func floating(text string, bits int) (operand, error) {
	if !floatingNumber.MatchString(text) {
		return operand{}, errors.New("should be a number, like -12.5 or 1e10")
	}
	f, err := strconv.ParseFloat(text, bits)
	if err != nil {
		return operand{}, fmt.Errorf("should be a number that fits %d bits", bits)
	}
	return operand{"?", f}, nil
}

func (c column) bits(text string) (operand, error) {
	width := c.width()
	digits, base := text, 10
	if inner, ok := strings.CutPrefix(text, "b'"); ok {
		if inner, ok = strings.CutSuffix(inner, "'"); ok {
			digits, base = inner, 2
		}
	}
	n, err := strconv.ParseUint(digits, base, width)
	if err != nil {
		return operand{}, fmt.Errorf("should be a whole number from 0 to %d, or bits like b'101'", uint64(math.MaxUint64)>>(64-width))
	}
	return operand{"?", n}, nil
}

// width is n of a BIT(n).
func (c column) width() int {
	width := 1
	_, _ = fmt.Sscanf(c.Type, "bit(%d)", &width)
	return min(max(width, 1), 64)
}

// dateTime is text as MySQL writes dates. A table may hold dates that are none,
// with a zero for month or day ("2024-00-00"), so these are taken too.
func dateTime(text string) (string, error) {
	if len(text) > 10 && text[10] == 'T' {
		text = text[:10] + " " + text[11:]
	}
	parts := zeroDate.FindStringSubmatch(text)
	if parts == nil {
		return "", errors.New("no date")
	}
	if parts[2] != "00" && parts[3] != "00" && parts[1] != "0000" {
		if _, err := time.Parse(time.DateOnly, text[:10]); err != nil {
			return "", err
		}
	}
	return text, nil
}

func clock(text string) (operand, error) {
	parts := clockTime.FindStringSubmatch(text)
	if parts != nil {
		if hours, err := strconv.Atoi(parts[1]); err == nil && hours <= 838 {
			return operand{"?", text}, nil
		}
	}
	return operand{}, errors.New("should be a time from -838:59:59 to 838:59:59, like 15:30 or 15:30:00.125")
}

// exactly is what to select for the whole value of the column, in a form that
// exactText understands.
func (c column) exactly() string {
	name := mysqldb.QuoteIdentifier(c.Name)
	switch c.DataType {
	case "date":
		return fmt.Sprintf("DATE_FORMAT(%s, '%%Y-%%m-%%d')", name)
	case "datetime", "timestamp":
		return fmt.Sprintf("CAST(%s AS CHAR)", name)
	}
	if c.form() == binary {
		return fmt.Sprintf("HEX(%s)", name)
	}
	return name
}

// exactText makes the text for addresses of what the driver read for exactly.
func (c column) exactText(value any) exact {
	if value == nil {
		return exact{Null: true}
	}
	if c.form() == bits {
		return exact{Text: strconv.FormatUint(bitNumber(value), 10)}
	}
	return exact{Text: plain(value)}
}

func bitNumber(value any) (n uint64) {
	switch v := value.(type) {
	case []byte:
		for _, b := range v {
			n = n<<8 | uint64(b)
		}
	case int64:
		n = uint64(v)
	case uint64:
		n = v
	}
	return n
}
