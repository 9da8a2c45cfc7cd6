package main

import (
	"net/url"
	"strings"
	"testing"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/mysqltest"
)

// hostileTexts are what strangers may have written into names and values.
var hostileTexts = []string{
	`</script><script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' OR '1'='1`, "`; DROP TABLE t; --", "\u202egnp.exe\u202c", "a\x01\x1b[31mb\u0085",
	`{{.Title}}`, `\u003c/figure\u003e`, "line\nbreak\ttab", "=1+1", "%s%d?", "é 日本 🐉", " ", "\u2028\u2029",
}

func TestHostileNamesAndValuesInCharts(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	mustExec(t, root, "CREATE TABLE v (id INT PRIMARY KEY AUTO_INCREMENT, text VARCHAR(100) CHARACTER SET utf8mb4, n INT)")
	for i, text := range hostileTexts {
		if _, err := root.Exec("INSERT INTO v (text, n) VALUES (?, ?)", text, i); err != nil {
			t.Fatal(err)
		}
	}
	site := newSite(t, server, schema)
	safe := func(t *testing.T, page answer) {
		t.Helper()
		if strings.Count(page.body, "<script") != strings.Count(page.body, `<script src="/static/`) || strings.Contains(page.body, "<img src=x") || strings.ContainsAny(page.caption(), "\x01\x1b\u0085") {
			t.Errorf("%s lets something through:\n%s", page.Request.URL, page.body)
		}
	}
	t.Run("values", func(t *testing.T) {
		for _, query := range []string{"kind=bar&x=text", "kind=bar&x=text&group=text", "kind=line&x=n&group=text&aggregate=count", "kind=scatter&x=n&y=id&group=text"} {
			page := site.get(t, "/tables/v/chart?"+query, 200)
			safe(t, page)
			d := page.drawing(t)
			for _, name := range append(d.Names, d.Groups...) {
				if strings.ContainsAny(name, "\x01\x1b\n\u0085") {
					t.Errorf("%s: the picture has the text %q", query, name)
				}
			}
			if len(d.XS) < len(hostileTexts)-6 {
				t.Errorf("%s: %d points", query, len(d.XS))
			}
			safe(t, site.get(t, "/tables/v/chart/embed?"+query, 200))
		}
	})
	t.Run("filters", func(t *testing.T) {
		for _, text := range hostileTexts {
			page := site.get(t, "/tables/v/chart?kind=bar&x=n&"+filterQuery("text", "equals", text), 200)
			safe(t, page)
			if rows := page.data(t); len(rows) != 1 {
				t.Errorf("%q: %d rows", text, len(rows))
			}
		}
	})
	t.Run("names", func(t *testing.T) {
		for _, name := range hostileTexts {
			if strings.HasSuffix(name, " ") || strings.ContainsFunc(name, func(r rune) bool { return r > 0xFFFF }) {
				continue // MySQL allows no such name
			}
			quoted := mysqldb.QuoteIdentifier(name)
			mustExec(t, root, "CREATE TABLE "+quoted+" ("+quoted+" ENUM('a','b'), n INT, at DATE)", "INSERT INTO "+quoted+" VALUES ('a', 1, '2024-01-01'), ('b', 2, '2024-02-01'), ('b', 3, '2024-02-02')")
			x := url.QueryEscape(name)
			for query, want := range map[string]string{
				"kind=bar&x=" + x: "b|2 a|1", "kind=bar&x=" + x + "&y=n&aggregate=sum&group=" + x: "b|b|5 a|a|1",
				"kind=line&x=at&by=month&group=" + x: "2024-01|b|0 2024-01|a|1 2024-02|b|2 2024-02|a|0", "kind=scatter&x=n&y=at&group=" + x: "1|a|2024-01-01 2|b|2024-02-01 3|b|2024-02-02",
			} {
				page := site.get(t, chartPath(name)+"?"+query, 200)
				safe(t, page)
				if got := strings.Join(page.data(t), " "); got != want {
					t.Errorf("%q, %s: %s, want %s", name, query, got, want)
				}
			}
			safe(t, site.get(t, chartPath(name), 200))
			site.get(t, chartPath(name)+"?kind=bar&x="+x+"&format=json", 200)
		}
	})
}

// FuzzCharts asks for any chart of a table of many types. Whatever it is, the app
// does not fail.
func FuzzCharts(f *testing.F) {
	for _, kind := range []string{"", "bar", "line", "scatter", "histogram", "pie"} {
		f.Add(kind, "n", "x", "sum", "e", "day", "n", "at-least", "1")
	}
	f.Add("bar", "d", "at", "count-distinct", "d", "week", "d", "equals", "0000-00-00")
	f.Add("scatter", "at", "w", "", "bin", "", "bin", "equals", "00FF")
	f.Add("line", "ts", "big", "max", "y", "hour", "v", "contains", "'")
	f.Add("histogram", "big", "", "", "", "", "u", "greater", "18446744073709551615")
	f.Add("bar", "b", "flag", "avg", "s", "", "j", "contains", "\xff")
	f.Add("bar", "g", "j", "min", "txt", "year", "g", "is-null", "")
	site := chartSite(f)
	f.Fuzz(func(t *testing.T, kind, x, y, aggregate, group, by, column, op, value string) {
		query := url.Values{"kind": {kind}, "x": {x}, "y": {y}, "aggregate": {aggregate}, "group": {group}, "by": {by}}
		with := url.Values{"column": {column}, "op": {op}, "value": {value}}
		for _, path := range []string{"/tables/t/chart?" + query.Encode(), "/tables/t/chart?" + query.Encode() + "&" + with.Encode(), "/tables/t/chart?kind=bar&x=e&" + with.Encode(), "/tables/t/chart/embed?" + query.Encode()} {
			page := site.get(t, path, 0)
			if page.StatusCode == 303 {
				page = site.get(t, page.Header.Get("Location"), 0)
			}
			if page.StatusCode >= 500 {
				t.Errorf("%s: status %d\n%s", path, page.StatusCode, site.log)
			}
		}
	})
}
