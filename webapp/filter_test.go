package main

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"drawbridge/internal/mysqltest"
)

// filterQuery is the query of filters, given as column, op and value in turn.
func filterQuery(parts ...string) string {
	query := url.Values{}
	for i := 0; i < len(parts); i += 3 {
		query.Add("column", parts[i])
		query.Add("op", parts[i+1])
		query.Add("value", parts[i+2])
	}
	return query.Encode()
}

func filterSite(t testing.TB) *site {
	t.Helper()
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	root.SetMaxOpenConns(1)
	mustExec(t, root, "SET sql_mode = ''", "SET NAMES utf8mb4",
		`CREATE TABLE f (id INT PRIMARY KEY, i INT, u BIGINT UNSIGNED, n DECIMAL(40,10), f FLOAT, d DOUBLE, b BIT(8), y YEAR, day DATE, at DATETIME(3), ts TIMESTAMP NULL, t TIME,
			v VARCHAR(50), l VARCHAR(20) CHARACTER SET latin1, x TEXT, c CHAR(5), e ENUM('red','green','Blue'), s SET('a','b'), bin VARBINARY(20), j JSON, g POINT)`,
		`INSERT INTO f VALUES
			(1, -5, 0, 0.1, 0.1, 0.1, b'1', 1999, '2024-02-29', '2024-02-29 12:00:00.125', '2024-02-29 12:00:00', '01:30', 'apple', 'café', 'first text', 'ab', 'red', 'a', 0x00FF, '{"k": "v%"}', POINT(1, 2)),
			(2, 0, 18446744073709551615, 12345678901234567890.0000000001, 16777216, 1e300, b'11111111', 2024, '0000-00-00', '2024-03-01', '2024-03-01', '-25:00:00', '100%_|done', 'x', 'a,b', '', 'Blue', 'a,b', x'', '[1]', NULL),
			(3, 7, 5, -2, 2.5, -0.5, b'0', 0, '2024-12-31', '9999-12-31 23:59:59.999', NULL, '838:59:59', 'Ärger', 'É', REPEAT('z', 300), 'é', 'green', '', 0x61, 'null', NULL)`,
		"INSERT INTO f (id) VALUES (4)")
	return newSite(t, server, schema)
}

func TestFilters(t *testing.T) {
	site := filterSite(t)
	for _, test := range []struct {
		filter []string
		want   string // the ids
	}{
		{[]string{"i", "equals", "7"}, "3"}, {[]string{"i", "equals", " -5 "}, "1"}, {[]string{"i", "not-equals", "7"}, "1 2"}, {[]string{"i", "greater", "-5"}, "2 3"},
		{[]string{"i", "at-least", "-5"}, "1 2 3"}, {[]string{"i", "less", "0"}, "1"}, {[]string{"i", "at-most", "0"}, "1 2"}, {[]string{"i", "between", "-1..7"}, "2 3"},
		{[]string{"i", "in", "7, -5,99"}, "1 3"}, {[]string{"i", "is-null", ""}, "4"}, {[]string{"i", "is-not-null", "ignored"}, "1 2 3"},
		{[]string{"u", "equals", "18446744073709551615"}, "2"}, {[]string{"u", "less", "18446744073709551615"}, "1 3"},
		{[]string{"n", "equals", "12345678901234567890.0000000001"}, "2"}, {[]string{"n", "less", "12345678901234567890.00000000011"}, "1 2 3"}, {[]string{"n", "equals", "0.1"}, "1"},
		{[]string{"n", "in", "0.1,-2.0"}, "1 3"}, {[]string{"n", "greater", "-2"}, "1 2"}, {[]string{"n", "at-most", "99999999999999999999999999999999999999999999999999999999999999999"}, "1 2 3"},
		{[]string{"f", "equals", "0.1"}, "1"}, {[]string{"f", "equals", "16777216"}, "2"}, {[]string{"f", "between", "0.1..2.5"}, "1 3"}, {[]string{"d", "equals", "1e300"}, "2"}, {[]string{"d", "equals", "0.1"}, "1"},
		{[]string{"b", "equals", "255"}, "2"}, {[]string{"b", "at-least", "b'1'"}, "1 2"}, {[]string{"y", "equals", "0"}, "3"}, {[]string{"y", "greater", "1999"}, "2"},
		{[]string{"day", "equals", "2024-02-29"}, "1"}, {[]string{"day", "equals", "0000-00-00"}, "2"}, {[]string{"day", "greater", "2024-02-29"}, "3"}, {[]string{"day", "between", "2024-01-01..2024-12-31"}, "1 3"},
		{[]string{"at", "equals", "2024-02-29T12:00:00.125"}, "1"}, {[]string{"at", "at-least", "2024-03-01"}, "2 3"}, {[]string{"at", "equals", "2024-03-01 00:00"}, "2"}, {[]string{"ts", "less", "2024-02-29 12:00:01"}, "1"},
		{[]string{"t", "less", "00:00"}, "2"}, {[]string{"t", "equals", "838:59:59"}, "3"}, {[]string{"t", "equals", "1:30"}, "1"},
		{[]string{"v", "equals", "APPLE"}, "1"}, {[]string{"v", "contains", "%"}, "2"}, {[]string{"v", "contains", "_"}, "2"}, {[]string{"v", "contains", "%_|"}, "2"}, {[]string{"v", "contains", "0|"}, ""}, {[]string{"v", "contains", `\`}, ""},
		{[]string{"v", "starts-with", "a"}, "1 3"}, {[]string{"v", "starts-with", "100%"}, "2"}, {[]string{"v", "starts-with", "%"}, ""}, {[]string{"v", "greater", "apple"}, "3"}, {[]string{"v", "equals", ""}, ""},
		{[]string{"v", "in", `"apple","100%_|done"`}, "1 2"}, {[]string{"x", "in", `"a,b", zz`}, "2"}, {[]string{"c", "equals", ""}, "2"},
		{[]string{"v", "equals", "' OR 1=1 -- "}, ""}, {[]string{"l", "equals", "café"}, "1"}, {[]string{"l", "contains", "É"}, "1 3"},
		{[]string{"e", "equals", "blue"}, "2"}, {[]string{"e", "in", "red,green"}, "1 3"}, {[]string{"e", "contains", "e"}, "1 2 3"}, {[]string{"s", "equals", "a,b"}, "2"}, {[]string{"s", "contains", "a"}, "1 2"}, {[]string{"s", "equals", ""}, "3"},
		{[]string{"bin", "equals", "0x00ff"}, "1"}, {[]string{"bin", "equals", ""}, "2"}, {[]string{"bin", "in", "61,00FF"}, "1 3"}, {[]string{"bin", "not-equals", "61"}, "1 2"},
		{[]string{"j", "contains", "v%"}, "1"}, {[]string{"j", "is-null", ""}, "4"}, {[]string{"g", "is-not-null", ""}, "1"},
		{[]string{"i", "at-least", "0", "v", "contains", "r"}, "3"}, {[]string{"i", "is-not-null", "", "id", "less", "3", "e", "equals", "red"}, "1"},
	} {
		t.Run(strings.Join(test.filter, " "), func(t *testing.T) {
			path := "/tables/f?" + filterQuery(test.filter...)
			page := site.get(t, path, 200)
			var got []string
			if test.want != "" {
				got = page.rowsOf(t)
			} else {
				page.has(t, "No rows are as the filters say")
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("it finds %v, want %v", got, test.want)
			}
			// The page leads back to the whole table, and to itself.
			page.has(t, `<a href="/tables/f">Start over</a>`)
			if test.want != "" {
				for _, sorted := range []string{"&sort=v", "&sort=day&order=desc"} {
					keys := site.get(t, path+sorted, 200).rowsOf(t)
					slices.Sort(keys)
					if strings.Join(keys, " ") != test.want {
						t.Errorf("sorted, it finds %v, want %v", keys, test.want)
					}
				}
			}
		})
	}
}

func TestFiltersThatDoNotFit(t *testing.T) {
	site := filterSite(t)
	for _, test := range []struct {
		filter []string
		want   string
	}{
		{[]string{"i", "equals", "x"}, "The filter on “i” cannot be used: the value “x” should be a whole number from -2147483648 to 2147483647."},
		{[]string{"i", "equals", "2147483648"}, "should be a whole number"}, {[]string{"i", "equals", "1.5"}, "should be a whole number"}, {[]string{"i", "equals", ""}, "the value “” should be a whole number"},
		{[]string{"u", "equals", "-1"}, "from 0 to 18446744073709551615"}, {[]string{"i", "contains", "1"}, "is of the type int, which the comparison “contains” does not fit"},
		{[]string{"n", "equals", "1e5"}, "should be a number"}, {[]string{"n", "equals", strings.Repeat("9", 66)}, "at most 65 digits"}, {[]string{"n", "equals", "0." + strings.Repeat("1", 31)}, "at most 30"},
		{[]string{"f", "equals", "NaN"}, "should be a number"}, {[]string{"f", "equals", "1e39"}, "fits 32 bits"}, {[]string{"d", "equals", "0x10"}, "should be a number"}, {[]string{"d", "equals", "1e999"}, "fits 64 bits"},
		{[]string{"b", "equals", "256"}, "from 0 to 255"}, {[]string{"b", "equals", "b'2'"}, "from 0 to 255"}, {[]string{"y", "equals", "1900"}, "from 1901 to 2155"},
		{[]string{"day", "equals", "29.2.2024"}, "should be a date"}, {[]string{"day", "equals", "2023-02-29"}, "should be a date"}, {[]string{"day", "equals", "2024-02-29 12:00"}, "should be a date"}, {[]string{"at", "equals", "12:00"}, "a date and time"},
		{[]string{"t", "equals", "900:00"}, "should be a time"}, {[]string{"t", "equals", "noon"}, "should be a time"}, {[]string{"v", "equals", "\xff"}, "valid UTF-8"}, {[]string{"v", "contains", "\xff"}, "valid UTF-8"},
		{[]string{"v", "between", "a..b"}, "does not fit"}, {[]string{"i", "between", "5"}, "two values with .. between them"}, {[]string{"i", "between", "5..x"}, "“x” should be"}, {[]string{"i", "in", "1,,2"}, "“” should be"},
		{[]string{"v", "in", `"a`}, "nothing closes"}, {[]string{"v", "in", `"a"b`}, "a comma should be"}, {[]string{"i", "in", strings.Repeat("1,", 100) + "1"}, "more than 100"},
		{[]string{"bin", "equals", "zz"}, "in hexadecimal"}, {[]string{"bin", "greater", "00"}, "does not fit"}, {[]string{"j", "equals", "1"}, "does not fit"}, {[]string{"g", "equals", "1"}, "does not fit"},
		{[]string{"absent", "equals", "1"}, "no column “absent”"}, {[]string{"I", "equals", "1"}, "no column “I”"}, {[]string{"i", "resembles", "1"}, "no comparison &#34;resembles&#34;"},
		{[]string{"l", "equals", "日本"}, "characters that the column’s character set does not have"},
	} {
		t.Run(strings.Join(test.filter, " "), func(t *testing.T) {
			page := site.get(t, "/tables/f?"+filterQuery(append([]string{"id", "less", "3"}, test.filter...)...), 400)
			page.has(t, test.want)
			if test.filter[0] != "l" {
				// The way on keeps the other filter.
				page.has(t, `href="/tables/f?column=id&amp;op=less&amp;value=3"`)
			}
		})
	}
	for query, want := range map[string]string{
		"column=i": "each filter needs one each", "column=i&op=equals": "each filter needs", "op=equals&value=1": "each filter needs", "sort=absent": "no column “absent” to sort by", "sort=j": "cannot be sorted by “j”",
		"sort=g": "cannot be sorted", "order=up": "should be asc or desc", "facet=absent": "no column “absent” whose values", "facet=x": "cannot be counted", "at=x": "cannot be read", "at=1,2": "cannot be read", "before=%5CN&sort=i": "cannot be read",
		"at=1&before=2": "cannot both", "row=x": "row is", "facet=i&facet=u&facet=n&facet=v": "is the most", "keep=a%25": "the form kept", "format=xml": "format is", "at=%5C": "cannot be read", "at=%5Cx0": "cannot be read",
		strings.Repeat("column=i&op=is-null&value=&", 1) + filterQuery(slices.Repeat([]string{"i", "equals", "1"}, 1)...) + manyFilters(): "is the most",
	} {
		site.get(t, "/tables/f?"+query, 400).has(t, want)
	}
}

func manyFilters() (query string) {
	for i := range maxFilters {
		query += fmt.Sprintf("&column=i&op=equals&value=%d", i+10)
	}
	return query
}

func TestFiltersStayTogether(t *testing.T) {
	site := filterSite(t)
	page := site.get(t, "/tables/f?"+filterQuery("i", "at-least", "-5", "v", "is-not-null", "", "v", "not-equals", "a\nb")+"&sort=v&order=desc&size=1&facet=e", 200)
	t.Run("the address of each part keeps the others", func(t *testing.T) {
		next, err := url.Parse(page.link("next"))
		if err != nil {
			t.Fatal(err)
		}
		query := next.Query()
		if got := fmt.Sprint(query["column"], query["op"], query["value"], query["sort"], query["order"], query["facet"], query["size"]); got != "[i v v] [at-least is-not-null not-equals] [-5  a\nb] [v] [desc] [e] [1]" {
			t.Errorf("next is %s", got)
		}
		var seen []string
		for path := page.link("next"); path != ""; {
			next := site.get(t, path, 200)
			seen = append(seen, next.rowsOf(t)...)
			path = next.link("next")
		}
		if fmt.Sprint(page.rowsOf(t), seen) != "[1] [3 2]" && fmt.Sprint(page.rowsOf(t), seen) != "[3] [1 2]" {
			t.Errorf("the pages show %v, then %v", page.rowsOf(t), seen)
		}
	})
	t.Run("removing one keeps the others", func(t *testing.T) {
		page.has(t, "Remove filter 1, on i", "Remove filter 3, on v",
			`<a href="/tables/f?column=v&amp;column=v&amp;facet=e&amp;op=is-not-null&amp;op=not-equals&amp;order=desc&amp;size=1&amp;sort=v&amp;value=&amp;value=a%0Ab" aria-label="Remove filter 1`)
	})
	t.Run("what no field can hold is kept as it is", func(t *testing.T) {
		page.has(t, `<input type="hidden" name="keep" value="column=v&amp;op=not-equals&amp;value=a%0Ab">`)
	})
	t.Run("the form's empty lines go away", func(t *testing.T) {
		kept := url.QueryEscape("column=v&op=not-equals&value=a%0Ab")
		answer := site.get(t, "/tables/f?column=i&op=equals&value=7&column=&op=equals&value=zzz&facet=&size=50&keep="+kept, 303)
		if got, want := answer.Header.Get("Location"), "/tables/f?column=i&column=v&op=equals&op=not-equals&value=7&value=a%0Ab"; got != want {
			t.Errorf("the form leads to %q, want %q", got, want)
		}
	})
}

func FuzzSelection(f *testing.F) {
	f.Add("i", "equals", "7", "v", "desc", "1,2", "")
	f.Add("v", "contains", "%", "day", "asc", `\N,1`, "2024-02-29,1")
	f.Add("n", "in", `1,"2"`, "n", "", "0.1,1", "")
	f.Add("e", "starts-with", "\x00\xff", "e", "", "1,1", "x")
	f.Add("bin", "equals", "0xZZ", "bin", "desc", "00FF,1", "")
	f.Add("at", "between", "2024-01-01..9999-99-99", "t", "", "-838:59:59,1", "")
	f.Add("l", "equals", "日本", "l", "desc", "日本,1", "")
	f.Add("y", "less", "99", "y", "", "70,1", "")
	f.Add("f", "at-most", "1e38", "f", "", "1e-45,1", "")
	f.Add("s", "equals", "a,b", "s", "", "18446744073709551615,1", "")
	f.Add("ts", "greater", "2024-02-31", "ts", "", "0000-00-00 00:00:00,1", "")
	site := filterSite(f)
	f.Fuzz(func(t *testing.T, column, op, value, sort, order, at, before string) {
		query := url.Values{"column": {column, "id"}, "op": {op, "is-not-null"}, "value": {value, ""}, "sort": {sort}, "order": {order}, "at": {at}, "before": {before}, "facet": {column}}
		for _, path := range []string{"/tables/f", "/tables/f.csv", "/tables/f.json"} {
			if got := site.get(t, path+"?"+query.Encode(), 0); got.StatusCode >= 500 {
				t.Errorf("%s: status %d\n%s", query.Encode(), got.StatusCode, site.log)
			}
			query.Del("facet")
		}
		site.get(t, "/tables/f/rows/"+url.PathEscape(at), 0)
	})
}

// FuzzOperands compares every column with any text.
func FuzzOperands(f *testing.F) {
	for _, text := range []string{"0", "2024-02-29", "日本", "\x00"} {
		f.Add(text)
	}
	site := filterSite(f)
	columns := []string{"i", "u", "n", "f", "d", "b", "y", "day", "at", "ts", "t", "v", "l", "x", "c", "e", "s", "bin", "j", "g"}
	f.Fuzz(func(t *testing.T, text string) {
		for _, c := range columns {
			for _, o := range operators {
				path := "/tables/f?" + filterQuery(c, o.Name, text)
				if got := site.get(t, path, 0); got.StatusCode >= 500 {
					t.Errorf("%s: status %d\n%s", path, got.StatusCode, site.log)
				}
			}
			path := "/tables/f?sort=" + c + "&at=" + url.QueryEscape(text+",1")
			if got := site.get(t, path, 0); got.StatusCode >= 500 {
				t.Errorf("%s: status %d\n%s", path, got.StatusCode, site.log)
			}
		}
	})
}

// FuzzKeys writes and reads keys. What comes back is what was written, and no
// proxy or browser takes it for anything else.
func FuzzKeys(f *testing.F) {
	f.Add("a", "b", true)
	f.Add("", "..", false)
	f.Add(",\\", "\x00\x1f\x7f", false)
	f.Add("N", `\N`, true)
	f.Fuzz(func(t *testing.T, a, b string, null bool) {
		a, b = strings.ToValidUTF8(a, "?"), strings.ToValidUTF8(b, "?")
		for _, values := range [][]exact{{{Text: a}}, {{Text: a}, {Text: b}}, {{Null: null, Text: map[bool]string{false: a}[null]}, {Text: b}, {}}} {
			text := writeKey(values)
			got, err := readKey(text)
			if err != nil || !slices.Equal(got, values) {
				t.Errorf("%+v became %q and then %+v (%v)", values, text, got, err)
			}
			if strings.ContainsAny(text, "\x00\x1f\x7f\n") || text == "." || text == ".." || text == "" {
				t.Errorf("%+v became %q", values, text)
			}
		}
		if values, err := readKey(a); err == nil && writeKey(values) != a && len(values) > 0 {
			if again, err := readKey(writeKey(values)); err != nil || !slices.Equal(again, values) {
				t.Errorf("%q is read as %+v, and then as %+v", a, values, again)
			}
		}
	})
}

func FuzzList(f *testing.F) {
	f.Add(`a,"b,c",""""`)
	f.Fuzz(func(t *testing.T, text string) {
		if list, err := splitList(text); err == nil && (len(list) == 0 || len(list) > maxList) {
			t.Errorf("%q is %d values", text, len(list))
		}
	})
}

func TestSelectionsSurviveTheirAddress(t *testing.T) {
	for _, want := range []selection{
		{window: window{Page: 1, Size: 50}},
		{window: window{Page: 3, Size: 25}},
		{window: window{Page: 1, Size: 50, Last: true}},
		{window: window{Page: 1, Size: 50, At: `a\,b,\N`, Row: 51}},
		{window: window{Page: 1, Size: 50, Before: "1"}, Sort: "a&b=c", Desc: true, Facets: []string{"x", "%"}, Filters: []filter{{"a", "equals", "1&column=b"}, {"c#d", "contains", "\xff\n"}, {"e", "is-null", ""}}},
	} {
		got, again, err := selectionOf(httptest.NewRequest("GET", want.url("t"), nil))
		if err != nil || again || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("%s is read as %+v, %v, %v; want %+v", want.url("t"), got, again, err, want)
		}
	}
}
