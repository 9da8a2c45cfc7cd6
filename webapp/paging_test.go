package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"drawbridge/internal/mysqltest"
	"drawbridge/internal/sampledata"
)

func TestPaging(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	root.SetMaxOpenConns(1)
	mustExec(t, root, "SET cte_max_recursion_depth = 20000",
		// Without ORDER BY, MySQL would read the smaller index, by label.
		"CREATE TABLE numbers (label VARCHAR(20), id INT PRIMARY KEY, KEY (label))",
		"INSERT INTO numbers WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120) SELECT CONCAT('n', 1000 - i), i FROM n",
		"CREATE TABLE pairs (b INT, a INT, PRIMARY KEY (a, b))",
		"INSERT INTO pairs VALUES (2, 1), (1, 2), (1, 1), (2, 2)",
		"CREATE TABLE unordered (id INT)", "INSERT INTO unordered VALUES (1), (2), (3)",
		"CREATE TABLE nothing (id INT PRIMARY KEY, note TEXT)",
		"CREATE TABLE large (id INT PRIMARY KEY)",
		"INSERT INTO large WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10050) SELECT i FROM n",
		"CREATE VIEW seen AS SELECT id FROM numbers WHERE id <= 60",
	)
	site := newSite(t, server, schema)

	t.Run("following next shows every row once, in the key's order", func(t *testing.T) {
		var ids []int
		path := "/tables/numbers?size=50"
		for path != "" {
			page := site.get(t, path, 200)
			for _, row := range page.cells(t) {
				id, err := strconv.Atoi(row[1])
				if err != nil {
					t.Fatal(err)
				}
				ids = append(ids, id)
			}
			path = page.link("next")
		}
		if len(ids) != 120 || !slices.IsSorted(ids) || ids[0] != 1 || ids[119] != 120 {
			t.Errorf("got %d rows: %v", len(ids), ids)
		}
	})
	t.Run("following previous leads back", func(t *testing.T) {
		path, pages := "/tables/numbers?page=3", 0
		for path != "" {
			page := site.get(t, path, 200)
			path = page.link("prev")
			pages++
		}
		if pages != 3 {
			t.Errorf("%d pages, want 3", pages)
		}
	})
	t.Run("first and last", func(t *testing.T) {
		page := site.get(t, "/tables/numbers?page=2&size=25", 200)
		page.has(t, "Rows 26 to 50 of 120, ordered by <bdi>id</bdi>", "Page 2 of 5")
		if got := page.link("first"); got != "/tables/numbers?size=25" {
			t.Errorf("first leads to %q", got)
		}
		if got := page.link("last"); got != "/tables/numbers?page=last&size=25" {
			t.Errorf("last leads to %q", got)
		}
		last := site.get(t, page.link("last"), 200)
		if got := last.link("next") + last.link("last"); got != "" {
			t.Errorf("the last page leads on to %q", got)
		}
	})
	t.Run("the word last leads to the last page", func(t *testing.T) {
		for path, want := range map[string]string{
			"/tables/numbers?page=last":         "101 to 120, page 3 of 3",
			"/tables/numbers?page=last&size=70": "71 to 120, page 2 of 2",
			"/tables/numbers?page=last&size=60": "61 to 120, page 2 of 2",
			"/tables/pairs?page=last":           "1 to 4, page 1 of 1",
		} {
			page := site.get(t, path, 200)
			rows, number, _ := strings.Cut(want, ", page ")
			page.has(t, "Rows "+rows)
			if page.link("prev") != "" {
				page.has(t, "Page "+number)
			}
			if got := page.link("next") + page.link("last"); got != "" {
				t.Errorf("%s leads on to %q", path, got)
			}
		}
		site.get(t, "/tables/nothing?page=last", 200).has(t, "has no rows")
		if got := site.get(t, "/tables/seen?page=last", 303).Header.Get("Location"); got != "/tables/seen?page=2" {
			t.Errorf("the last page of a view is %q", got)
		}
	})
	t.Run("a table too large to count", func(t *testing.T) {
		page := site.get(t, "/tables/large", 200)
		if got := page.link("last"); got != "/tables/large?page=last" {
			t.Errorf("last leads to %q", got)
		}
		page.hasNot(t, "of 10,050")
		end := site.get(t, "/tables/large?page=201", 200)
		if rows := end.cells(t); len(rows) != 50 || rows[49][0] != "10050" {
			t.Errorf("the last page ends with %v", rows[len(rows)-1])
		}
		site.get(t, "/tables/large?page=202", 404).has(t, "no page 202", `href="/tables/large?page=last"`)
	})
	t.Run("beyond the end", func(t *testing.T) {
		site.get(t, "/tables/numbers?page=4", 404).has(t, "no page 4", "the last one is page 3")
		site.get(t, "/tables/numbers?page=1000000000&size=200", 404)
		site.get(t, "/tables/nothing?page=2", 404)
	})
	t.Run("what is no page or size", func(t *testing.T) {
		for query, want := range map[string]string{
			"page=0": "page is", "page=-1": "page is", "page=x": "page is", "page=1.5": "page is", "page=1e3": "page is", "page=1000000001": "page is",
			"page=99999999999999999999": "page is", "page=%00": "page is", "page=<script>": "page is", "page=Last": "page is",
			"size=0": "size is", "size=201": "size is", "size=-5": "size is", "size=all": "size is", "page=%zz": "cannot be read", "a;b=1": "cannot be read",
		} {
			page := site.get(t, "/tables/numbers?"+query, 400)
			page.has(t, want)
			page.hasNot(t, "<script>")
		}
	})
	t.Run("another size keeps the first row in sight", func(t *testing.T) {
		page := site.get(t, "/tables/numbers?page=3&size=25", 200) // rows 51 to 75
		page.has(t, `<a href="/tables/numbers?page=2">50</a>`, `<a href="/tables/numbers?size=100">100</a>`, `<strong aria-current="true">25</strong>`)
	})
	t.Run("a key of several columns", func(t *testing.T) {
		page := site.get(t, "/tables/pairs", 200)
		if got := fmt.Sprint(page.cells(t)); got != "[[1 1] [2 1] [1 2] [2 2]]" {
			t.Errorf("the order is %s", got)
		}
		page.has(t, "by <bdi>a</bdi>, <bdi>b</bdi>")
		page.hasNot(t, "Previous") // four rows need no links to other pages
	})
	t.Run("no key", func(t *testing.T) {
		page := site.get(t, "/tables/unordered", 200)
		page.has(t, "no primary key")
		if len(page.cells(t)) != 3 {
			t.Errorf("rows: %v", page.cells(t))
		}
	})
	t.Run("an empty table", func(t *testing.T) {
		site.get(t, "/tables/nothing", 200).has(t, "has no rows", "<bdi>note</bdi>", "text")
	})
	t.Run("a view", func(t *testing.T) {
		page := site.get(t, "/tables/seen?page=2", 200)
		page.has(t, "view", "Rows 51 to 60 of 60", "A view has no primary key")
	})
	t.Run("an unknown table", func(t *testing.T) {
		page := site.get(t, "/tables/absent", 404)
		page.has(t, "no table called “absent”", `<a href="/tables/numbers">`, `<a href="/tables/seen">`)
		for _, path := range []string{"/tables/NUMBERS", "/tables/numbers%20", "/tables/%FF%FE", "/tables/%00", "/tables/" + strings.Repeat("x", 65), "/tables/mysql.user", "/tables/🐉", "/tables/numbers%2F.."} {
			site.get(t, path, 404)
		}
	})
}

func TestSampleDataShows(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	loaded, err := sampledata.Load(t.Context(), server.Root(t), schema)
	if err != nil {
		t.Fatal(err)
	}
	site := newSite(t, server, schema)
	overview := site.get(t, "/", 200)
	if got := len(overview.cells(t)); got != loaded.Tables {
		t.Errorf("the overview lists %d tables, want %d", got, loaded.Tables)
	}
	rows := 0
	for _, line := range strings.Split(overview.body, `<a href="/tables/`)[1:] {
		name, _, _ := strings.Cut(line, `"`)
		for path := "/tables/" + name + "?size=200"; path != ""; {
			page := site.get(t, path, 200)
			rows += len(page.cells(t))
			path = page.link("next")
		}
	}
	if rows != loaded.Rows {
		t.Errorf("all pages of all tables show %d rows, want %d", rows, loaded.Rows)
	}
}
