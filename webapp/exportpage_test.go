package main

import (
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"

	"drawbridge/internal/mysqltest"
)

// pageExportLink is the link of a table's page to its own rows in a format.
func pageExportLink(t *testing.T, page answer, format string) string {
	t.Helper()
	for _, found := range regexp.MustCompile(`href="([^"]*rows=page[^"]*)"`).FindAllStringSubmatch(page.body, -1) {
		if address := html.UnescapeString(found[1]); strings.Contains(address, "."+format+"?") {
			return address
		}
	}
	t.Fatalf("%s has no link to its rows as %s:\n%s", page.Request.URL, format, page.body)
	return ""
}

func TestOnePageAsADownload(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	mustExec(t, server.Open(t, "root", rootPassword(server), schema),
		"CREATE TABLE t (id INT PRIMARY KEY, grp INT, txt TEXT)",
		"INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 130) SELECT i, i % 3, REPEAT('x', 5000) FROM n",
		"CREATE VIEW v AS SELECT id FROM t", "CREATE TABLE big (id INT PRIMARY KEY, a LONGTEXT, b LONGTEXT)", "INSERT INTO big SELECT id, REPEAT('y', 900000), REPEAT('z', 900000) FROM t WHERE id < 10")
	site := newSite(t, server, schema)

	for _, path := range []string{
		"/tables/t", "/tables/t?page=2", "/tables/t?page=last", "/tables/t?sort=grp&order=desc&size=20", "/tables/t?at=101&size=10&row=101", "/tables/t?before=101&size=10",
		"/tables/t?column=grp&op=equals&value=1&size=7&page=3", "/tables/v?page=2&size=10",
	} {
		page := site.get(t, path, 200)
		var shown []string
		for _, row := range page.cells(t) {
			shown = append(shown, row[0])
		}
		download := site.get(t, pageExportLink(t, page, "json"), 200)
		var got struct {
			Rows     []map[string]any
			RowCount int `json:"row_count"`
			Complete bool
		}
		if err := json.Unmarshal([]byte(download.body), &got); err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, row := range got.Rows {
			ids = append(ids, fmt.Sprint(row["id"]))
			if text, ok := row["txt"].(string); ok && len(text) != 5000 {
				t.Errorf("%s: a text has %d characters, want all 5000", path, len(text))
			}
		}
		if fmt.Sprint(ids) != fmt.Sprint(shown) || got.RowCount != len(ids) || !got.Complete {
			t.Errorf("%s shows %v, and its download has %v (%d, %t)", path, shown, ids, got.RowCount, got.Complete)
		}
		if rows, outcome := download.Header.Get("Drawbridge-Rows"), download.Header.Get("Drawbridge-Export"); rows != fmt.Sprint(len(ids)) || outcome != fmt.Sprintf("complete; rows=%d; cut-values=0", len(ids)) {
			t.Errorf("%s: the headers say %q and %q", path, rows, outcome)
		}
		lines := strings.Count(site.get(t, pageExportLink(t, page, "ndjson"), 200).body, "\n")
		if csv := strings.Count(site.get(t, pageExportLink(t, page, "csv"), 200).body, "\r\n"); lines != len(ids) || csv != len(ids)+1 {
			t.Errorf("%s: %d lines of NDJSON and %d of CSV for %d rows", path, lines, csv, len(ids))
		}
	}
	site.get(t, "/tables/t.json?rows=page&page=9", 404).has(t, "There are no rows from there on")
	site.get(t, "/tables/t.json?rows=page&at=999", 404).has(t, "There are no rows from there on")
	site.get(t, "/tables/t.json?rows=page&column=id&op=equals&value=999", 200).has(t, `"row_count":0`)
	site.get(t, "/tables/t.json?rows=page&before=101", 400).has(t, "names its first row by at")
	site.get(t, "/tables/t.json?rows=page&page=last", 400).has(t, "names its first row by at")
	site.get(t, "/tables/t.json?rows=some", 400).has(t, "should be page or all")
	site.get(t, "/tables/v.json?rows=page&page=90000", 400).has(t, "reach only as far as row")
	site.get(t, "/tables/big.json?rows=page", 422).has(t, "more than 8 MiB")
	site.get(t, "/tables/big.json?rows=page&size=2", 200)
	site.get(t, "/tables/none.json?rows=page", 404)
}
