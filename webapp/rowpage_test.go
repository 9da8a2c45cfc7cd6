package main

import (
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/mysqltest"
)

func TestRowPage(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	root.SetMaxOpenConns(1)
	mustExec(t, root, "SET NAMES utf8mb4",
		"CREATE TABLE teams (id INT PRIMARY KEY, name VARCHAR(20) COMMENT 'what it is <called>')", "INSERT INTO teams VALUES (1, 'one'), (2, 'two'), (3, NULL)",
		"CREATE TABLE players (id INT PRIMARY KEY, team INT, mentor INT, about LONGTEXT, photo LONGBLOB, FOREIGN KEY (team) REFERENCES teams (id), FOREIGN KEY (mentor) REFERENCES players (id))",
		"INSERT INTO players VALUES (1, 1, NULL, REPEAT('é', 5000), REPEAT(x'00FF', 50)), (2, 1, 1, REPEAT('x', 100001), REPEAT('z', 3000)), (3, NULL, 1, '', '')",
		"CREATE TABLE pairs (a INT, b VARCHAR(20), PRIMARY KEY (a, b))", "INSERT INTO pairs VALUES (1, 'x,y'), (2, '')",
		"CREATE TABLE uses_pairs (id INT PRIMARY KEY, y VARCHAR(20), x INT, FOREIGN KEY (x, y) REFERENCES pairs (a, b))", "INSERT INTO uses_pairs VALUES (1, 'x,y', 1), (2, 'x,y', 1), (3, NULL, 1)",
		"CREATE TABLE other_key (id INT PRIMARY KEY, code VARCHAR(10), UNIQUE (code))", "INSERT INTO other_key VALUES (1, 'c1')",
		"CREATE TABLE uses_code (id INT PRIMARY KEY, code VARCHAR(10), FOREIGN KEY (code) REFERENCES other_key (code))", "INSERT INTO uses_code VALUES (1, 'c1')",
		"CREATE TABLE loose (a INT)", "INSERT INTO loose VALUES (1)")
	site := newSite(t, server, schema)

	t.Run("shows every value in full", func(t *testing.T) {
		page := site.get(t, "/tables/players/rows/1", 200)
		wellMade(t, page)
		page.has(t, strings.Repeat("é", 5000), "00FF00FF00FF00FF00FF00FF00FF00FF\n00FF", "100 bytes", `<span class="null">NULL</span>`)
		page.hasNot(t, "the first")
		site.get(t, "/tables/players/rows/2", 200).has(t, "the first 100,000 of 100,001 characters", "the first 2,048 of 3,000 bytes")
		site.get(t, "/tables/players/rows/3", 200).has(t, "empty text", "0 bytes")
		site.get(t, "/tables/teams/rows/1", 200).has(t, "what it is &lt;called&gt;")
	})
	t.Run("links to what it refers to", func(t *testing.T) {
		site.get(t, "/tables/players/rows/2", 200).has(t, `<a href="/tables/teams/rows/1" title="in teams">1</a>`, `<a href="/tables/players/rows/1" title="in players">1</a>`)
		site.get(t, "/tables/players", 200).has(t, `<a href="/tables/teams/rows/1" title="in teams">1</a>`, `<a href="/tables/players/rows/2" title="this row">2</a>`)
		for _, path := range []string{"/tables/uses_pairs", "/tables/uses_pairs/rows/1"} {
			page := site.get(t, path, 200)
			page.has(t, `<a href="/tables/pairs/rows/1%2Cx%5C%2Cy" title="in pairs">x,y</a>`, `<a href="/tables/pairs/rows/1%2Cx%5C%2Cy" title="in pairs">1</a>`)
		}
		site.get(t, "/tables/pairs/rows/1%2Cx%5C%2Cy", 200)
		// To a key that is not the primary one, by a filter.
		page := site.get(t, "/tables/uses_code", 200)
		page.has(t, `<a href="/tables/other_key?column=code&amp;op=equals&amp;value=c1" title="in other_key">c1</a>`)
		if rows := site.get(t, "/tables/other_key?column=code&op=equals&value=c1", 200).rowsOf(t); len(rows) != 1 {
			t.Errorf("it leads to %v", rows)
		}
	})
	t.Run("says what refers to it", func(t *testing.T) {
		page := site.get(t, "/tables/teams/rows/1", 200)
		page.has(t, `<a href="/tables/players?column=team&amp;op=equals&amp;value=1"><bdi>players</bdi> by <bdi>team</bdi></a>: 2 rows`)
		site.get(t, "/tables/teams/rows/2", 200).has(t, "</a>: 0 rows")
		site.get(t, "/tables/other_key/rows/1", 200).has(t, "</a>: 1 row<")
		page = site.get(t, "/tables/pairs/rows/1%2Cx%5C%2Cy", 200)
		page.has(t, `href="/tables/uses_pairs?column=x&amp;column=y&amp;op=equals&amp;op=equals&amp;value=1&amp;value=x%2Cy"`, "</a>: 2 rows")
		if rows := site.get(t, "/tables/uses_pairs?column=x&column=y&op=equals&op=equals&value=1&value=x%2Cy", 200).rowsOf(t); len(rows) != 2 {
			t.Errorf("it leads to %v", rows)
		}
		site.get(t, "/tables/teams", 200).has(t, "What refers to this table", `<a href="/tables/players"><bdi>players</bdi></a> by <bdi>team</bdi>`)
	})
	t.Run("is not there", func(t *testing.T) {
		for path, want := range map[string]string{
			"/tables/teams/rows/9": "no row with this key", "/tables/teams/rows/x": "not one of this table’s keys", "/tables/teams/rows/1,2": "not one of", "/tables/teams/rows/%5CN": "no row",
			"/tables/loose/rows/1": "no key that tells its rows apart", "/tables/absent/rows/1": "no table called", "/tables/teams/rows/%FF": "not one of", "/tables/teams/rows/%00": "not one of",
		} {
			site.get(t, path, 404).has(t, want)
		}
		site.get(t, "/tables/teams/rows/", 404)
		site.get(t, "/tables/teams/rows/1/2", 404)
	})
	t.Run("keeps keys out of the log", func(t *testing.T) {
		site.get(t, "/tables/pairs/rows/1%2Csecretkey", 404)
		if strings.Contains(site.log.String(), "secretkey") || !strings.Contains(site.log.String(), "/tables/pairs/rows/…") {
			t.Error("the log holds the key")
		}
	})
}

// TestRowsOfAnyKey makes rows whose keys are names that programs trip over.
func TestRowsOfAnyKey(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	mustExec(t, root, "CREATE TABLE `a/b?c` (k VARCHAR(80) COLLATE utf8mb4_0900_bin PRIMARY KEY, n INT)", "CREATE TABLE bytes (k VARBINARY(200) PRIMARY KEY, n INT)")
	keys := append([]string{"", " ", "NULL", `\N`, `\E`, `\`, `\\`, ",", "\x00", "\x7f\x1b", "rows", "/rows/", "a\\,b", "🐉"}, oddNames...)
	for i, key := range keys {
		for _, table := range []string{"a/b?c", "bytes"} {
			if _, err := root.Exec(fmt.Sprintf("INSERT INTO %s VALUES (?, ?)", mysqldb.QuoteIdentifier(table)), key, i); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := root.Exec("INSERT INTO bytes VALUES (x'FFFE00', -1)"); err != nil {
		t.Fatal(err)
	}
	site := newSite(t, server, schema)
	for table, want := range map[string]int{"a/b?c": len(keys), "bytes": len(keys) + 1} {
		page := site.get(t, "/tables/"+url.PathEscape(table)+"?size=200", 200)
		page.hasNot(t, "<script>")
		rows := page.rowsOf(t)
		if len(rows) != want {
			t.Errorf("%s shows %d rows, want %d", table, len(rows), want)
		}
		for i, key := range rows {
			path := "/tables/" + url.PathEscape(table) + "/rows/" + html.UnescapeString(key)
			row := site.get(t, path, 200)
			row.hasNot(t, "<script>")
			if number := page.cells(t)[i][1]; !strings.Contains(row.body, `<td>`+number+"</td>") {
				t.Errorf("%s is not row %s", path, number)
			}
			if bare := strings.ToLower(strings.ReplaceAll(key, "%2e", ".")); bare == "." || bare == ".." || strings.Contains(bare, "%00") {
				t.Errorf("a browser or proxy would not follow %s", path)
			}
		}
		wantWalk(t, site, "/tables/"+url.PathEscape(table)+"?size=10", rows)
	}
}
