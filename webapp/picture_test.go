package main

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"drawbridge/internal/mysqltest"
)

// labels are what the pictures of the page say, by table.
func (a answer) labels(t *testing.T) map[string]string {
	t.Helper()
	labels := map[string]string{}
	for _, row := range tableRow.FindAllString(a.body, -1) {
		name := regexp.MustCompile(`href="/tables/([^"]*)"`).FindStringSubmatch(row)
		if name == nil {
			continue
		}
		labels[name[1]] = ""
		if label := regexp.MustCompile(`<svg [^>]*role="img" aria-label="([^"]*)"`).FindStringSubmatch(row); label != nil {
			labels[name[1]] = html.UnescapeString(label[1])
		}
	}
	return labels
}

func TestPictures(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	root.SetMaxOpenConns(1)
	const n = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) "
	mustExec(t, root, "SET sql_mode = '', cte_max_recursion_depth = 20000",
		"CREATE TABLE by_month (id INT PRIMARY KEY, price INT, signed_up DATETIME(3))", "INSERT INTO by_month "+n+"SELECT i, i, '2024-01-15 10:00:00.5' + INTERVAL IF(i <= 70, 0, i % 5) MONTH FROM n",
		"CREATE TABLE no_dates (id INT PRIMARY KEY, d DATE, e TIMESTAMP NULL, x DECIMAL(10,2))", "INSERT INTO no_dates "+n+"SELECT i, '0000-00-00', IF(i < 5, '2024-05-05 05:05:05', NULL), i / 4 FROM n",
		"CREATE TABLE by_number (id INT PRIMARY KEY, other_id INT, x INT)", "INSERT INTO by_number "+n+"SELECT i, i, i % 3 FROM n",
		"CREATE TABLE by_value (id INT PRIMARY KEY, name VARCHAR(30), kind ENUM('a','b','c') NOT NULL)", "INSERT INTO by_value "+n+"SELECT i, CONCAT('n', i), IF(i < 61, 'b', 'c') FROM n",
		"CREATE TABLE by_flag (id INT PRIMARY KEY, on_off BOOLEAN)", "INSERT INTO by_flag "+n+"SELECT i, i < 10 FROM n",
		"CREATE TABLE says_nothing (id INT PRIMARY KEY, name VARCHAR(30), note TEXT, same INT, doc JSON, t TIME)", "INSERT INTO says_nothing "+n+"SELECT i, CONCAT('n', i), 'x', 7, '{}', '10:00:00' FROM n",
		"CREATE TABLE has_no_rows (id INT PRIMARY KEY, d DATE)",
		"CREATE TABLE large (id INT PRIMARY KEY, d DATE)", "INSERT INTO large WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000) SELECT i, '2024-01-01' + INTERVAL i DIV 1000 DAY FROM n",
		"CREATE TABLE `<b>\"t` (id INT PRIMARY KEY, `\"><script>alert(1)</script>` ENUM('\"><i>', '\u202e'))", "INSERT INTO `<b>\"t` "+n+"SELECT i, 1 + i % 2 FROM n",
		"CREATE VIEW v AS SELECT * FROM by_month",
	)
	var a *app
	site := newSiteWith(t, settingsOf(server, schema, newReader(t, server, schema), readerPassword), func(made *app) { a = made })
	page := site.get(t, "/", 200)
	labels := page.labels(t)
	for table, want := range map[string]string{
		"by_month":     "Rows by month of signed_up: January 2024: 76, February 2024: 6, March 2024: 6, April 2024: 6, May 2024: 6",
		"no_dates":     "Rows by x: 0 to 5: 19, 25 to 30: 1, most in 5 to 10: 20",
		"by_number":    "Rows by x: 0: 33, 1: 34, 2: 33",
		"by_value":     "Rows by kind: “b”: 60, “c”: 40",
		"by_flag":      "Rows by on_off: “0”: 91, “1”: 9",
		"says_nothing": "", "has_no_rows": "", "v": "",
		"large":       "Rows by day of d, of the first 10,000 that MySQL finds: 1 January 2024: 999, 11 January 2024: 1, most in 2 January 2024: 1,000",
		"%3Cb%3E%22t": "Rows by \"><script>alert(1)</script>: “\"><i>”: 50, “\u202e”: 50",
	} {
		if got, ok := labels[table]; !ok || got != want {
			t.Errorf("the picture of %s says %q, want %q", table, got, want)
		}
	}
	page.hasNot(t, "<script", "<i>", "<b>", "style=")
	page.has(t, "by month, January 2024 to May 2024", "</bdi> from 0.25 to 25.00</span>", "of the first 10,000 rows", "UTC or later")

	t.Run("are drawn again after a while", func(t *testing.T) {
		mustExec(t, root, "DELETE FROM by_flag WHERE id > 50")
		if got := site.get(t, "/", 200).labels(t)["by_flag"]; got != labels["by_flag"] {
			t.Errorf("at once it is %q", got)
		}
		a.gallery.hang("by_flag", hung{drawn: time.Now().Add(-pictureAge)})
		if got := site.get(t, "/", 200).labels(t)["by_flag"]; got != "Rows by on_off: “0”: 41, “1”: 9" {
			t.Errorf("later it is %q", got)
		}
	})
}

func TestPicturesOfManyTables(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	for i := range maxPictures + 2 {
		mustExec(t, root, fmt.Sprintf("CREATE TABLE t%02d (id INT PRIMARY KEY, kind ENUM('a', 'b'))", i), fmt.Sprintf("INSERT INTO t%02d VALUES (1, 1), (2, 1), (3, 1), (4, 2)", i))
	}
	var a *app
	site := newSiteWith(t, settingsOf(server, schema, newReader(t, server, schema), readerPassword), func(made *app) { a = made })
	page := site.get(t, "/", 200)
	labels := page.labels(t)
	if labels["t49"] == "" || labels["t50"] != "" {
		t.Errorf("the pictures say %q", labels)
	}
	page.has(t, "Only the first 50 tables have a picture")
	// What is asked for by name has one.
	page = site.get(t, "/?containing=t51", 200)
	page.hasNot(t, "Only the first")
	if page.labels(t)["t51"] == "" {
		t.Error("t51 has no picture when asked for")
	}
	if n := len(a.gallery.known); n != maxPictures+1 {
		t.Errorf("the gallery holds %d pictures", n)
	}
	for i := range maxTables {
		a.gallery.hang(fmt.Sprint(i), hung{})
	}
	if n := len(a.gallery.known); n > maxTables {
		t.Errorf("the gallery holds %d pictures", n)
	}
}

func TestPicturesThatTakeTooLong(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	root.SetMaxOpenConns(1)
	for _, name := range []string{"a", "b"} {
		mustExec(t, root, "CREATE TABLE "+name+" (id INT PRIMARY KEY, kind ENUM('a', 'b'))", "INSERT INTO "+name+" VALUES (1, 1), (2, 1), (3, 1), (4, 2)")
	}
	site := newSite(t, server, schema)
	mustExec(t, root, "LOCK TABLES a WRITE")
	page := site.get(t, "/", 200)
	mustExec(t, root, "UNLOCK TABLES")
	page.has(t, "One picture is left out: drawing it takes too long", "took too long")
	if labels := page.labels(t); labels["a"] != "" || labels["b"] == "" {
		t.Errorf("the pictures say %q", labels)
	}
}

// TestACrowdDrawsOnce counts what MySQL is asked while many look at the overview
// at once.
func TestACrowdDrawsOnce(t *testing.T) {
	server := mysqltest.Start(t)
	schema := server.NewSchema(t)
	mustExec(t, server.Open(t, "root", rootPassword(server), schema), "CREATE TABLE t (id INT PRIMARY KEY, kind ENUM('a', 'b'))", "INSERT INTO t VALUES (1, 1), (2, 1), (3, 1), (4, 2)")
	site := newSite(t, server, schema)
	since := recording(t, server, "reader_"+schema)
	var group sync.WaitGroup
	for range 30 {
		group.Go(func() {
			if site.get(t, "/", 200).labels(t)["t"] == "" {
				t.Error("a page has no picture")
			}
		})
	}
	group.Wait()
	drawn, counted := 0, 0
	for _, statement := range since() {
		if strings.Contains(statement, "`kind` FROM `t` LIMIT") {
			drawn++
		} else if strings.Contains(statement, "SELECT 1 FROM `t` LIMIT") {
			counted++
		}
	}
	if drawn != 1 || counted == 0 {
		t.Errorf("MySQL gave the rows for the picture %d times, and counted them %d times", drawn, counted)
	}
}

func TestByTime(t *testing.T) {
	for name, test := range map[string]struct {
		values []string
		days   bool
		unit   string
		n      int
		first  string
		last   string
	}{
		"nothing":           {nil, true, "", 0, "", ""},
		"one day":           {[]string{"2024-02-29", "2024-02-29"}, true, "day", 1, "29 February 2024", "29 February 2024"},
		"hours":             {[]string{"2024-02-29 22:30:00.000001", "2024-03-01 01:00:00"}, false, "hour", 4, "29 February 2024, 22:00", "1 March 2024, 01:00"},
		"days":              {[]string{"2024-02-29", "2024-03-02"}, true, "day", 3, "29 February 2024", "2 March 2024"},
		"months":            {[]string{"2023-12-31", "2024-06-01"}, true, "month", 7, "December 2023", "June 2024"},
		"years":             {[]string{"1990-12-31", "2024-06-01"}, true, "year", 35, "1990", "2024"},
		"decades":           {[]string{"1805-12-31", "2024-06-01"}, true, "decade", 23, "the 1800s", "the 2020s"},
		"centuries":         {[]string{"1000-01-01 00:00:00", "2024-06-01 00:00:00"}, false, "century", 11, "the 1000s", "the 2000s"},
		"never and no date": {[]string{"9999-12-31", "0000-00-00", "2024-00-00", "2024-02-30", "2024-01-01", "2024-01-02"}, true, "day", 2, "1 January 2024", "2 January 2024"},
		"before the epoch":  {[]string{"1969-12-31 23:59:59", "1970-01-01 00:00:00"}, false, "hour", 2, "31 December 1969, 23:00", "1 January 1970, 00:00"},
		"the first years":   {[]string{"0001-01-01 00:59:59", "0001-01-01 01:00:00"}, false, "hour", 2, "1 January 0001, 00:00", "1 January 0001, 01:00"},
	} {
		buckets, unit := byTime(test.values, test.days)
		rows := 0
		for _, b := range buckets {
			rows += b.rows
		}
		if unit != test.unit || len(buckets) != test.n || test.n > 0 && (buckets[0].name != test.first || buckets[test.n-1].name != test.last || buckets[0].rows == 0 || buckets[test.n-1].rows == 0) {
			t.Errorf("%s: by %s, %v", name, unit, buckets)
		}
		if dates := len(slices.DeleteFunc(slices.Clone(test.values), func(s string) bool {
			return strings.HasPrefix(s, "9999") || strings.Contains(s, "00-00") || strings.HasSuffix(s, "02-30")
		})); rows != dates {
			t.Errorf("%s: %d rows in %v, want %d", name, rows, buckets, dates)
		}
	}
}

func TestByNumber(t *testing.T) {
	for values, want := range map[string]string{
		"":                     "[]",
		"5 5 5":                "[]",
		"0 1 1 3":              "[{1 0} {2 1} {0 2} {1 3}]",
		"-5 0 95":              "[{1 -10 to -1} {1 0 to 9} {0 10 to 19} {0 20 to 29} {0 30 to 39} {0 40 to 49} {0 50 to 59} {0 60 to 69} {0 70 to 79} {0 80 to 89} {1 90 to 99}]",
		"0.05 0.3 1.1":         "[{1 0 to 0.1} {0 0.1 to 0.2} {0 0.2 to 0.3} {1 0.3 to 0.4} {0 0.4 to 0.5} {0 0.5 to 0.6} {0 0.6 to 0.7} {0 0.7 to 0.8} {0 0.8 to 0.9} {0 0.9 to 1.0} {0 1.0 to 1.1} {1 1.1 to 1.2}]",
		"-1.7e308 1.7e308":     "[]",
		"5e-324 0":             "[]",
		"1e16 1.0000000001e16": "",
	} {
		buckets, from, to := byNumber(strings.Fields(values))
		got := fmt.Sprint(buckets)
		if (len(buckets) > 0) != (from+to != "") || buckets != nil && (!strings.Contains(values, from) || !strings.Contains(values, to)) {
			t.Errorf("%q goes from %q to %q", values, from, to)
		}
		if want != "" && got != want {
			t.Errorf("%q is %s, want %s", values, got, want)
		}
	}
}

// FuzzByNumber and FuzzByTime find no values that break a picture.
func FuzzByNumber(f *testing.F) {
	for _, seed := range []string{"1 2 3", "-1e308 1e308", "0.1 0.2", "nan inf", "18446744073709551615 0", "1e15 1000000000000001"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		values := strings.Fields(text)
		for _, c := range []column{{Name: "n", DataType: "double"}, {Name: "d", DataType: "datetime"}, {Name: "v", DataType: "varchar", Length: 5}} {
			p := c.picture(values, false)
			if p != nil && (p.Path == "" || p.Label == "" || strings.Contains(p.Path, "--")) {
				t.Errorf("%q is drawn as %+v", values, p)
			}
		}
	})
}

func TestRoundStep(t *testing.T) {
	for f, want := range map[float64]float64{0: 0, 1: 1, 1.1: 2, 3: 5, 7: 10, 0.08: 0.1, 250: 500} {
		if got := roundStep(f); got != want {
			t.Errorf("%v is rounded up to %v, want %v", f, got, want)
		}
	}
}

func TestGalleryForgets(t *testing.T) {
	var g gallery
	g.hang("old", hung{drawn: time.Now().Add(-pictureAge)})
	g.hang("new", hung{drawn: time.Now()})
	if _, ok := g.fresh("old"); ok {
		t.Error("an old picture is shown")
	}
	if _, ok := g.fresh("new"); !ok {
		t.Error("a new picture is not shown")
	}
}
