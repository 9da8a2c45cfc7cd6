package main

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPrintable(t *testing.T) {
	for name, test := range map[string]struct{ in, want string }{
		"plain text stays":          {"naïve 日本語 עברית\n\tend", "naïve 日本語 עברית\n\tend"},
		"invalid UTF-8 is marked":   {"a\xffb\xc3", "a\uFFFDb\uFFFD"},
		"control characters show":   {"\x00\x1b[31m\x7f\r", "␀␛[31m␡␍"},
		"C1 controls are marked":    {"a\u009bb", "a\uFFFDb"},
		"an emoji of several parts": {"👩‍👩‍👧", "👩‍👩‍👧"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := printable(test.in); got != test.want {
				t.Errorf("%q became %q, want %q", test.in, got, test.want)
			}
		})
	}
}

func TestFloatText(t *testing.T) {
	for want, f := range map[string]float64{
		"0": 0, "1": 1, "-0.5": -0.5, "123456789": 123456789, "999999999999999": 999999999999999, "1e+15": 1e15, "0.000001": 1e-6, "1e-07": 1e-7,
		"1.7976931348623157e+308": math.MaxFloat64, "0.1": 0.1, "0.30000000000000004": 0.30000000000000004,
	} {
		if got := floatText(f, 64); got != want {
			t.Errorf("%v is written %q, want %q", f, got, want)
		}
	}
	if got := plain(float32(0.1)); got != "0.1" {
		t.Errorf("a FLOAT of 0.1 is written %q", got)
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 12: "12", 999: "999", 1000: "1,000", 123456: "123,456", 1234567: "1,234,567", math.MaxUint64: "18,446,744,073,709,551,615"} {
		if got := grouped(n); got != want {
			t.Errorf("%d is written %q, want %q", n, got, want)
		}
	}
}

func TestTextLimitBoundsAPage(t *testing.T) {
	columns := func(n int) []column {
		list := []column{{DataType: "int"}}
		for range n {
			list = append(list, column{DataType: "longtext"})
		}
		return list
	}
	for name, test := range map[string]struct{ columns, size, want int }{
		"no long text":   {0, 200, maxText},
		"a few columns":  {3, 50, maxText},
		"many columns":   {100, 50, 800},
		"far too many":   {1000, 200, shortText + 1},
		"a page of one":  {1, 1, maxText},
		"the usual page": {5, defaultSize, maxText},
	} {
		t.Run(name, func(t *testing.T) {
			if got := textLimit(columns(test.columns), test.size); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestRowCountsOfAPage(t *testing.T) {
	for n, want := range map[uint64]int{0: 1, 1: 1, 50: 1, 51: 2, 100: 2, 101: 3} {
		if got := (window{Size: 50}).pages(n); got != want {
			t.Errorf("%d rows fill %d pages, want %d", n, got, want)
		}
	}
	if got := (window{Page: maxPage, Size: maxSize}).offset(); got != (maxPage-1)*maxSize {
		t.Errorf("the last page that can be asked for begins at %d", got)
	}
}

// FuzzTextCell shows any text. What comes out is valid, and cut where it says.
func FuzzTextCell(f *testing.F) {
	for _, seed := range []string{"", "a", "\xff", strings.Repeat("é", 81), strings.Repeat("\xff", 200), "a\u0300\u0301"} {
		f.Add(seed, 0)
	}
	f.Add("abc", 5000)
	f.Fuzz(func(t *testing.T, text string, extra int) {
		length := int64(utf8.RuneCountInString(text)) + int64(max(0, min(extra, 1<<40)))
		c := textCell(text, length)
		if !utf8.ValidString(c.Text) || !utf8.ValidString(c.Short) {
			t.Errorf("%q shows as invalid text", text)
		}
		if utf8.RuneCountInString(c.Short) > shortText+1 || c.Short != "" && !strings.HasPrefix(c.Text, strings.TrimSuffix(c.Short, "…")) {
			t.Errorf("%q is shortened to %q", c.Text, c.Short)
		}
		if cut := length > int64(utf8.RuneCountInString(text)); cut && text != "" && !strings.Contains(c.Note, grouped(uint64(length))) {
			t.Errorf("a text of %s characters does not say so: %q", strconv.FormatInt(length, 10), c.Note)
		}
		if (column{DataType: "varchar"}).cell([]byte(text), length) != c {
			t.Error("a column shows it in another way")
		}
	})
}
