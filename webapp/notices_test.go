package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"drawbridge/internal/mysqltest"
)

// TestEveryLimitIsSaid hits the limits of the pages, and sees that each page says
// which. Those of downloads are in export_test.go, those of pictures, columns and
// counts of the overview beside it.
func TestEveryLimitIsSaid(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	root.SetMaxOpenConns(1)
	var keys []string
	for i := range maxReferences + 1 {
		keys = append(keys, fmt.Sprintf("f%d INT, FOREIGN KEY (f%d) REFERENCES parent (id)", i, i))
	}
	mustExec(t, root, "SET cte_max_recursion_depth = 200000",
		"CREATE TABLE some_rows (id INT PRIMARY KEY, v INT)", "INSERT INTO some_rows WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) SELECT i, i FROM n",
		"CREATE TABLE many (id INT PRIMARY KEY, v INT)", "INSERT INTO many WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100300) SELECT i, i FROM n", "ANALYZE TABLE many",
		"CREATE TABLE keyless AS SELECT v FROM many",
		"CREATE TABLE parent (id INT PRIMARY KEY, t MEDIUMTEXT, b BLOB)", "INSERT INTO parent VALUES (1, REPEAT('x', 100001), REPEAT('x', 2049))",
		"CREATE TABLE child (id INT PRIMARY KEY, "+strings.Join(keys, ", ")+")", "INSERT INTO child (id, f0) VALUES (1, 1)",
		"CREATE VIEW slowly AS SELECT id, v FROM some_rows WHERE SLEEP(0.02) = 0",
		"CREATE VIEW never AS SELECT id FROM some_rows WHERE SLEEP(60) = 0",
		"CREATE VIEW slow_values AS SELECT v, SLEEP(0.3) AS s FROM some_rows LIMIT 5",
	)
	site := newSite(t, server, schema)
	var filters string
	for i := range maxFilters + 1 {
		filters += fmt.Sprintf("column=v&op=greater&value=%d&", i)
	}
	long := strings.Repeat("x", 300)
	for name, test := range map[string]struct {
		path   string
		status int
		words  []string
	}{
		"an estimate in place of a number":   {"/tables/many", 200, []string{"of about ", "<em>About</em> is MySQL’s estimate: rows are counted up to 10,000"}},
		"more rows than are counted":         {"/tables/many?column=v&op=greater&value=5", 200, []string{"of more than 10,000 that the filters keep", ". Rows are counted up to 10,000<", "each up to 1,000,000 rows"}},
		"counting that takes too long":       {"/tables/slowly?size=1", 200, []string{"Counting the rows takes longer than 1 second, so their number is not known."}},
		"a page that takes too long":         {"/tables/never", 503, []string{"MySQL ends its work for a page after 4 seconds."}},
		"the last page that pages reach":     {"/tables/keyless?size=200&page=500", 200, []string{"The pages end here, though the table goes on", "as far as row 100,000"}},
		"a page beyond that":                 {"/tables/keyless?size=200&page=501", 400, []string{"reach only as far as row 100,000"}},
		"the last page beyond that":          {"/tables/keyless?page=last", 400, []string{"reach only as far as row 100,000"}},
		"facets of more rows than counted":   {"/tables/many?facet=v", 200, []string{"Counted in the first 100,000 rows that MySQL finds, not in all.", "There are other values"}},
		"facets that take too long":          {"/tables/slow_values?facet=s", 200, []string{"Counting took too long: MySQL ends it after 0.7 seconds."}},
		"too many facets":                    {"/tables/many?facet=a&facet=b&facet=c&facet=d", 400, []string{"4 columns are asked for, and 3 is the most"}},
		"too many filters":                   {"/tables/many?" + filters, 400, []string{"there are 21 filters, and 20 is the most"}},
		"too many values in a filter":        {"/tables/many?column=v&op=in&value=" + strings.Repeat("1,", maxList) + "1", 400, []string{"the list has more than 100 values"}},
		"a page that is too large":           {"/tables/many?size=201", 400, []string{"a number of rows from 1 to 200"}},
		"a long text":                        {"/tables/parent", 200, []string{"the first 4,000 of 100,001 characters", "2,049 bytes"}},
		"a long text on the page of its row": {"/tables/parent/rows/1", 200, []string{"the first 100,000 of 100,001 characters", "the first 2,048 of 2,049 bytes"}},
		"more foreign keys than links":       {"/tables/child", 200, []string{"This table has more than 50 foreign keys"}},
		"the same on the page of a row":      {"/tables/child/rows/1", 200, []string{"This table has more than 50 foreign keys"}},
		"more that refers to a table":        {"/tables/parent", 200, []string{"More than 50 foreign keys refer to this table"}},
		"more that refers to a row":          {"/tables/parent/rows/1", 200, []string{"More than 50 foreign keys refer to this table"}},
		"a name too long to look for":        {"/?containing=" + long, 200, []string{"No table or view"}},
	} {
		t.Run(name, func(t *testing.T) {
			site.get(t, test.path, test.status).has(t, test.words...)
		})
	}
	t.Run("and not without", func(t *testing.T) {
		for _, path := range []string{"/tables/some_rows", "/tables/some_rows?facet=v"} {
			site.get(t, path, 200).hasNot(t, `class="hint"`, "estimate", "counted up to", "not counted", "each up to", "Counted in")
		}
	})
	t.Run("what refers to a row is not counted", func(t *testing.T) {
		mustExec(t, root, "CREATE TABLE up (id INT PRIMARY KEY)", "INSERT INTO up VALUES (1)", "CREATE TABLE down (up INT, FOREIGN KEY (up) REFERENCES up (id))")
		site.get(t, "/tables/up/rows/1", 200).hasNot(t, "not counted")
		mustExec(t, root, "LOCK TABLES down WRITE")
		page := site.get(t, "/tables/up/rows/1", 200)
		mustExec(t, root, "UNLOCK TABLES")
		page.has(t, "not counted", "Some of what refers to this row is not counted: that would take longer than 0.3 seconds for one foreign key, or 1.5 seconds for all.")
	})
	t.Run("more tables than are listed", func(t *testing.T) {
		schema := server.NewSchema(t)
		root := server.Open(t, "root", rootPassword(server), schema)
		for i := range maxTables + 1 {
			mustExec(t, root, fmt.Sprintf("CREATE VIEW v%04d AS SELECT 1 AS one", i))
		}
		site := newSite(t, server, schema)
		page := site.get(t, "/", 200)
		page.has(t, "The database has more than 1,000 tables and views: these are the first by name. Ask for a part of a name", "1000 views")
		page.hasNot(t, "v1000")
		site.get(t, "/?containing=v1000", 200).has(t, "1 view with", "/tables/v1000")
		site.get(t, "/?containing=v", 200).has(t, "more than 1,000 tables and views with such names")
		site.get(t, "/tables/absent", 404).has(t, "There are more tables than these")
	})
}

func TestInSeconds(t *testing.T) {
	for d, want := range map[time.Duration]string{time.Second: "1 second", 700 * time.Millisecond: "0.7 seconds", 4 * time.Second: "4 seconds"} {
		if got := inSeconds(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

// TestZones sees that pages say which time zone a time is in, wherever the server
// and whoever wrote the value are.
func TestZones(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	root.SetMaxOpenConns(1)
	mustExec(t, root, "SET time_zone = '+05:30'", "CREATE TABLE times (id INT PRIMARY KEY, at_moment TIMESTAMP NULL, on_clock DATETIME(3), on_day DATE, long_for TIME)",
		"INSERT INTO times VALUES (1, '2024-07-01 12:00:00', '2024-07-01 12:00:00', '2024-07-01', '12:00:00')", "CREATE TABLE no_times LIKE times")
	site := newSite(t, server, schema)
	for _, path := range []string{"/tables/times", "/tables/times/rows/1"} {
		page := site.get(t, path, 200)
		page.has(t, "timestamp, in UTC</span>", "datetime(3), no time zone</span>", "2024-07-01 06:30:00<", "2024-07-01 12:00:00.000<", "date</span>", "time</span>")
	}
	site.get(t, "/tables/no_times", 200).has(t, "timestamp, in UTC<", "datetime(3), no time zone<")
}
