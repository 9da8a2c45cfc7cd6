package main

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"drawbridge/internal/mysqltest"
)

var facetEntry = regexp.MustCompile(`(?s)<li>(?:<a href="([^"]*)">|<strong[^>]*>)(.*?)(?:</a>|</strong>) <span class="n">(.*?)</span></li>`)

// facetOf are the values that the page counts, as "value: number", and where
// each leads.
func (a answer) facetOf() (values, links []string) {
	_, part, _ := strings.Cut(a.body, `<div class="facets">`)
	part, _, _ = strings.Cut(part, "</div>")
	for _, found := range facetEntry.FindAllStringSubmatch(part, -1) {
		values = append(values, html.UnescapeString(anyTag.ReplaceAllString(found[2], ""))+": "+found[3])
		links = append(links, html.UnescapeString(found[1]))
	}
	return values, links
}

func TestFacets(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	root.SetMaxOpenConns(1)
	mustExec(t, root, "SET cte_max_recursion_depth = 200000", "SET NAMES utf8mb4", "SET sql_mode = ''",
		"CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), e ENUM('b','a'), d DATE, n DECIMAL(5,2), bin VARBINARY(4), f FLOAT, b BIT(3), x TEXT, j JSON)",
		"INSERT INTO t VALUES (1, 'x', 'a', '2024-01-01', 1.50, x'00FF', 0.1, b'101', '', '1'), (2, 'X', 'a', '0000-00-00', 1.50, x'00FF', 0.1, b'101', '', '1'), (3, 'y', 'b', '2024-01-01', 2, NULL, 1, b'0', '', '1'), (4, '', NULL, NULL, NULL, '', NULL, NULL, '', '1'), (5, '<b>', NULL, NULL, 1.5, '', NULL, NULL, '', '1')",
		"CREATE TABLE many (id INT PRIMARY KEY, v INT)", "INSERT INTO many WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100010) SELECT i, i % 20 FROM n",
		"CREATE VIEW slow AS SELECT v, SLEEP(0.3) AS s FROM t")
	site := newSite(t, server, schema)
	for column, want := range map[string]string{
		"v": "x: 2|empty text: 1|<b>: 1|y: 1", "e": "NULL: 2|a: 2|b: 1", "d": "NULL: 2|2024-01-01: 2|0000-00-00: 1", "n": "1.50: 3|NULL: 1|2.00: 1", "bin": "0 bytes: 2|0x00FF: 2|NULL: 1", "f": "NULL: 2|0.1: 2|1: 1", "b": "NULL: 2|b'101': 2|b'000': 1",
	} {
		t.Run(column, func(t *testing.T) {
			page := site.get(t, "/tables/t?sort=id&order=desc&facet="+column, 200)
			values, links := page.facetOf()
			if got := strings.Join(values, "|"); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			page.hasNot(t, "<b>:", "There are other values", "Counted in")
			// Each leads to as many rows as it says, and keeps the order.
			for i, link := range links {
				filtered := site.get(t, link, 200)
				if got, want := len(filtered.rowsOf(t)), values[i][strings.LastIndex(values[i], " ")+1:]; got != int(want[0]-'0') {
					t.Errorf("%s shows %d rows, want %s", link, got, want)
				}
				filtered.has(t, "descending")
				if _, links := filtered.facetOf(); len(links) == 0 || links[0] != "" {
					t.Errorf("%s offers its own filter again: %v", link, links)
				}
			}
		})
	}
	t.Run("counts what the filters keep", func(t *testing.T) {
		values, _ := site.get(t, "/tables/t?facet=e&column=id&op=less&value=4", 200).facetOf()
		if got := strings.Join(values, "|"); got != "a: 2|b: 1" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("says what it leaves out", func(t *testing.T) {
		page := site.get(t, "/tables/many?facet=v", 200)
		page.has(t, "There are other values", "Counted in the first 100,000 rows")
		if values, _ := page.facetOf(); len(values) != facetValues {
			t.Errorf("%d values", len(values))
		}
	})
	t.Run("gives up in time", func(t *testing.T) {
		site.get(t, "/tables/slow?facet=s", 200).has(t, "Counting took too long")
	})
	t.Run("long texts and JSON are not counted", func(t *testing.T) {
		site.get(t, "/tables/t?facet=x", 400)
		site.get(t, "/tables/t?facet=j", 400)
		site.get(t, "/tables/t", 200).has(t, `no other column</option><option value="id">id</option>`)
	})
}
