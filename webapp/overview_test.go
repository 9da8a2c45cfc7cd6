package main

import (
	"strings"
	"testing"

	"drawbridge/internal/mysqltest"
)

func TestOverview(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	root.SetMaxOpenConns(1)
	mustExec(t, root,
		"CREATE TABLE a_counted (id INT PRIMARY KEY, x INT, y INT) COMMENT 'three <b>numbers</b>'",
		"INSERT INTO a_counted VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3)",
		"CREATE TABLE b_empty (id INT PRIMARY KEY)",
		"CREATE TABLE c_large (id INT PRIMARY KEY)",
		"SET cte_max_recursion_depth = 20000",
		"INSERT INTO c_large WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12345) SELECT i FROM n",
		"ANALYZE TABLE c_large",
		"CREATE VIEW d_view AS SELECT x FROM a_counted",
		// Counting this one would take minutes.
		"CREATE VIEW e_slow AS SELECT SLEEP(60) FROM a_counted",
	)
	site := newSite(t, server, schema)
	page := site.get(t, "/", 200)

	t.Run("lists tables and views with rows, columns, kind and comment", func(t *testing.T) {
		for i, want := range [][]string{
			{"3", "3", "table", "three <b>numbers</b>"},
			{"0", "1", "table", ""},
			{"", "1", "table", ""}, // the number is compared below
			{"not counted", "1", "view", ""},
			{"not counted", "1", "view", ""},
		} {
			got := page.cells(t)[i]
			if want[0] == "" {
				got[0] = ""
			}
			if strings.Join(got, "|") != strings.Join(want, "|") {
				t.Errorf("row %d is %q, want %q", i, got, want)
			}
		}
		page.has(t, "3 tables and 2 views", `<a href="/tables/a_counted">`)
	})
	t.Run("says which numbers are estimates", func(t *testing.T) {
		if rows := page.cells(t)[2][0]; !strings.HasPrefix(rows, "about 1") && !strings.HasPrefix(rows, "more than 10,000") {
			t.Errorf("the large table has %q rows, want an estimate", rows)
		}
		page.has(t, "estimates")
	})
	t.Run("says who is connected, to what, and how", func(t *testing.T) {
		page.has(t, schema, "reader_"+schema+"@%", "MySQL ", "TLSv1.", "TLS_", "certificate verified")
	})
	t.Run("links to the dashboard", func(t *testing.T) {
		page.has(t, `href="https://bi.example.com/d/1"`)
	})
}

func TestOverviewOfAnEmptyDatabase(t *testing.T) {
	server := mysqltest.Shared(t)
	site := newSite(t, server, server.NewSchema(t))
	site.get(t, "/", 200).has(t, "no tables or views")
}

func TestOverviewWithoutADatabase(t *testing.T) {
	server := mysqltest.Shared(t)
	user, password := server.Master()
	site := newSiteWith(t, settingsOf(server, "", user, password))
	site.get(t, "/", 503).has(t, "no database of the name")
	site.get(t, "/tables/x", 503)
	if !strings.Contains(site.log.String(), "RDS_DB_NAME") {
		t.Errorf("the log should say what to set: %s", site.log)
	}
}
