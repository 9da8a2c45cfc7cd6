package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"html"
	"os"
	"regexp"
	"strings"
	"testing"

	"drawbridge/internal/mysqltest"
	"drawbridge/internal/rdsca"
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

	t.Run("lists tables and views with rows, size, columns and comment", func(t *testing.T) {
		for i, want := range [][]string{
			{"", "3", "16 KiB", "3 columns id int x int y int", "three <b>numbers</b>"},
			{"", "0", "16 KiB", "1 column id int", ""},
			{"", "", "", "1 column id int", ""}, // what is left out is compared below
			{"", "not counted", "none of its own", "1 column x int", ""},
			{"", "not counted", "none of its own", "1 column SLEEP(60) bigint", ""},
		} {
			got := page.cells(t)[i]
			for j, text := range want {
				if text == "" {
					got[j] = ""
				}
			}
			if strings.Join(got, "|") != strings.Join(want, "|") {
				t.Errorf("row %d is %q, want %q", i, got, want)
			}
		}
		page.has(t, "3 tables and 2 views", `<a href="/tables/a_counted">`)
		if views := strings.Count(page.body, `<span class="badge">view</span>`); views != 2 {
			t.Errorf("%d are marked as views, want 2", views)
		}
	})
	t.Run("says which numbers are estimates", func(t *testing.T) {
		if rows := page.cells(t)[2][1]; !strings.HasPrefix(rows, "about 1") && !strings.HasPrefix(rows, "more than 10,000") {
			t.Errorf("the large table has %q rows, want an estimate", rows)
		}
		page.has(t, "Numbers after <em>about</em>", "Sizes are MySQL’s estimates")
		// A large table has more than one page of InnoDB's.
		if size := page.cells(t)[2][2]; !regexp.MustCompile(`^[1-9][0-9]{2} KiB$`).MatchString(size) {
			t.Errorf("the size of the large table is %q", size)
		}
	})
	t.Run("says who is connected, to what, and how", func(t *testing.T) {
		page.has(t, schema, "reader_"+schema+"@%", "<dd>MySQL ", "TLSv1.", "TLS_", "<dd>verified<br>", "signed by <bdi>"+authorityOf(t, server)+"</bdi>, an authority that this app was told to trust")
		var distribution string
		if err := root.QueryRow("SELECT @@version_comment").Scan(&distribution); err != nil {
			t.Fatal(err)
		}
		page.has(t, html.EscapeString(distribution))
	})
	t.Run("links to the dashboard", func(t *testing.T) {
		page.has(t, `href="/dashboard"`)
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

// authorityOf is the name in the certificate authority of a test server.
func authorityOf(t *testing.T, server *mysqltest.Server) string {
	t.Helper()
	text, err := os.ReadFile(server.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c.Subject.CommonName
}

func TestAuthority(t *testing.T) {
	var a authority
	if a.Name() != "" || a.OfRDS() {
		t.Error("before the first connection there is a name")
	}
	a.last.Store(rdsca.Certificates()[0])
	if !strings.HasPrefix(a.Name(), "Amazon RDS ") || !a.OfRDS() {
		t.Errorf("an authority of RDS is called %q, of RDS: %v", a.Name(), a.OfRDS())
	}
}

func TestOverviewOfManyTables(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	var wide []string
	for i := range 40 {
		wide = append(wide, fmt.Sprintf("column_with_a_name_%d VARCHAR(100) COMMENT 'x'", i))
	}
	mustExec(t, root, "CREATE TABLE Wide_100 ("+strings.Join(wide, ", ")+")", "CREATE TABLE `percent%|` (id INT)")
	site, forget := forgetfulSite(t, server, schema)
	site.get(t, "/", 200).hasNot(t, `name="containing"`)
	forget()
	for i := range 70 {
		mustExec(t, root, fmt.Sprintf("CREATE TABLE t%03d (id INT PRIMARY KEY)", i), fmt.Sprintf("INSERT INTO t%03d VALUES (1), (2)", i))
	}
	page := site.get(t, "/", 200)
	page.has(t, "72 tables", `name="containing"`, "40 columns", "column_with_a_name_39")
	for i, row := range page.cells(t)[:70] {
		if want := map[bool]string{true: "2", false: "0"}[i > 1]; row[1] != want && i > 1 {
			t.Errorf("table %d has %q rows, want %q", i, row[1], want)
		}
	}
	for asked, want := range map[string][]string{
		"t00": {"10 tables with “<bdi>t00</bdi>” in the name", "/tables/t009"}, "T00": {"10 tables"}, "wide": {"1 table with", "/tables/Wide_100"},
		"_1": {"1 table with", "/tables/Wide_100"}, "%25%7C": {"1 table with"}, "%25": {"1 table with"}, "absent": {"No table or view", "All tables"},
		"%3Cb%3E%27%22%5C": {"No table or view", "&lt;b&gt;"}, "%FF": {"No table or view"}, "%00": {"No table or view"}, strings.Repeat("x", 65): {"No table or view", "x…"}, "": {"72 tables"},
	} {
		site.get(t, "/?containing="+asked, 200).has(t, want...)
	}
}

func TestOverviewListsSoManyColumns(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	var columns []string
	for i := range 1000 {
		columns = append(columns, fmt.Sprintf("c%d TINYINT", i))
	}
	for i := range 11 {
		mustExec(t, root, fmt.Sprintf("CREATE TABLE t%02d (%s)", i, strings.Join(columns, ", ")))
	}
	site := newSite(t, server, schema)
	page := site.get(t, "/", 200)
	page.has(t, "more than 10,000 columns")
	cells := page.cells(t)
	if !strings.HasPrefix(cells[9][3], "1,000 columns") || cells[10][3] != "not listed" {
		t.Errorf("the last two tables show %.40q and %q", cells[9][3], cells[10][3])
	}
	site.get(t, "/?containing=t10", 200).hasNot(t, "not listed")
}

func TestOverviewOfATableThatIsLocked(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	root.SetMaxOpenConns(1)
	mustExec(t, root, "CREATE TABLE a (id INT PRIMARY KEY)", "CREATE TABLE b (id INT PRIMARY KEY)", "INSERT INTO b VALUES (1), (2)", "CREATE TABLE c (id INT PRIMARY KEY)", "INSERT INTO c VALUES (1)")
	site, forget := forgetfulSite(t, server, schema)
	mustExec(t, root, "LOCK TABLES a WRITE")
	page := site.get(t, "/", 200)
	mustExec(t, root, "UNLOCK TABLES")
	forget()
	site.get(t, "/", 200).hasNot(t, "Counting the rows")
	page.has(t, "Counting the rows of all tables takes too long")
	cells := page.cells(t)
	if got := cells[0][1] + "|" + cells[1][1] + "|" + cells[2][1]; got != "about 0|2|1" {
		t.Errorf("the tables have %q rows", got)
	}
}

func TestSizeText(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0 bytes", 1: "1 byte", 1023: "1023 bytes", 1024: "1 KiB", 1536: "1.5 KiB", 16384: "16 KiB", 1023 << 10: "1023 KiB", 1<<20 - 1: "1 MiB", 1 << 20: "1 MiB",
		10 << 30: "10 GiB", 5 << 40: "5 TiB", 1<<64 - 1: "16 EiB",
	} {
		if got := sizeText(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}

// forgetfulSite is a site that can be told to forget what MySQL said of tables.
func forgetfulSite(t *testing.T, server *mysqltest.Server, schema string) (s *site, forget func()) {
	t.Helper()
	s = newSiteWith(t, settingsOf(server, schema, newReader(t, server, schema), readerPassword), func(a *app) { forget = a.catalog.forget })
	return s, forget
}
