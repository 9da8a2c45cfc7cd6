package main

import (
	"encoding/json"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"drawbridge/internal/mysqltest"
	"drawbridge/internal/sampledata"
)

// sampleSite serves the sample data.
func sampleSite(t testing.TB, changes ...func(*app)) *site {
	t.Helper()
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	if _, err := sampledata.Load(t.Context(), server.Open(t, "root", rootPassword(server), ""), schema); err != nil {
		t.Fatal(err)
	}
	return newSiteWith(t, settingsOf(server, schema, newReader(t, server, schema), readerPassword), changes...)
}

var (
	chartAttribute = regexp.MustCompile(`data-chart="([^"]*)"`)
	captionText    = regexp.MustCompile(`(?s)<figcaption[^>]*>(.*?)</figcaption>`)
)

// drawing is what the page's script draws.
func (a answer) drawing(t *testing.T) (d graphData) {
	t.Helper()
	found := chartAttribute.FindStringSubmatch(a.body)
	if found == nil {
		t.Fatalf("%s has no chart:\n%s", a.Request.URL, a.body)
	}
	if err := json.Unmarshal([]byte(html.UnescapeString(found[1])), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// caption is the words under the chart.
func (a answer) caption() string {
	found := captionText.FindStringSubmatch(a.body)
	if found == nil {
		return ""
	}
	return html.UnescapeString(strings.TrimSpace(anyTag.ReplaceAllString(found[1], "")))
}

// data is the chart's table: the cells of each row, with bars between them.
func (a answer) data(t *testing.T) []string {
	t.Helper()
	var rows []string
	for _, row := range a.cells(t) {
		rows = append(rows, strings.Join(row, "|"))
	}
	return rows
}

// chartSite serves tables that are hard to chart.
func chartSite(t testing.TB) *site {
	t.Helper()
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	root.SetMaxOpenConns(1)
	mustExec(t, root, "SET cte_max_recursion_depth = 200000, sql_mode = '', NAMES utf8mb4, time_zone = '+00:00'",
		`CREATE TABLE t (id INT PRIMARY KEY, e ENUM('b','a'), s SET('p','q'), v VARCHAR(40), d DATE, at DATETIME(3), ts TIMESTAMP NULL, n INT, u BIGINT UNSIGNED,
			big DECIMAL(65,30), f FLOAT, x DOUBLE, b BIT(40), y YEAR, w TIME, flag BOOLEAN, bin VARBINARY(20), j JSON, g POINT, txt TEXT)`,
		`INSERT INTO t VALUES
			(1, 'a', 'p', 'x', '2024-02-29', '2024-02-29 23:59:59.999', '2024-02-29 23:30:00', 1, 18446744073709551615, 12345678901234567890123456789012345.5, 0.3, 1e300, b'1', 2024, '01:30', 1, x'00FF', '1', POINT(1, 2), 'a'),
			(2, 'a', 'p,q', 'X', '2024-03-01', '2024-03-01', '2024-03-01', 2, 0, -0.1, 0.1, -1e300, b'0', 1999, '-02:00', 0, x'00FF', '1', NULL, 'a'),
			(3, 'b', '', '', '0000-00-00', '0000-00-00', '2026-11-28', 4, 7, 0, 0.2, 0, b'1111111111111111111111111111111111111111', 0, '838:59:59', 1, '', 'null', NULL, 'b'),
			(4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
			(5, '', 'q', 'NULL', '2024-00-00', '2024-02-00 12:00:00', '2024-12-30', 8, 7, 1.5, 0.3, 2.5, b'10', 2024, '01:00', 0, x'FF', '[]', NULL, 'b')`,
		"CREATE TABLE many (id INT PRIMARY KEY, word VARCHAR(20), day DATE, n INT, k INT)",
		`INSERT INTO many WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 2999)
			SELECT i, CONCAT('w', LPAD(i MOD 70, 2, '0')), '2000-01-01' + INTERVAL i DAY, i MOD 700, i MOD 12 FROM c`,
		"CREATE VIEW seen AS SELECT e, v, n FROM t",
		"CREATE VIEW slow AS SELECT n, e, SLEEP(0.6) AS s FROM t",
		"CREATE VIEW endless AS SELECT n, e FROM t WHERE SLEEP(60) = 0",
		"CREATE TABLE hollow (id INT PRIMARY KEY, n INT, at DATETIME, e ENUM('a'))",
		"CREATE TABLE only_key (id INT PRIMARY KEY)", "INSERT INTO only_key VALUES (1), (2), (30)",
		"CREATE TABLE only_text (x TEXT)", "INSERT INTO only_text VALUES ('a')",
		"CREATE TABLE nulls (n INT, e ENUM('a'), at DATE)", "INSERT INTO nulls () VALUES (), ()",
		"CREATE TABLE `k` (k INT, g INT, v INT, n INT, kr INT, kw INT, some_rows INT)", "INSERT INTO `k` VALUES (1, 2, 3, 4, 5, 6, 7), (1, 2, 3, 4, 5, 6, 7), (2, 1, 1, 1, 1, 1, 1)",
		"CREATE TABLE decades (born DATE)", "INSERT INTO decades VALUES ('1991-05-01'), ('2010-01-01'), ('2019-12-31')",
		"CREATE TABLE hours (at DATETIME, n INT)", "INSERT INTO hours VALUES ('2024-01-01 22:10', 1), ('2024-01-01 22:50', 3), ('2024-01-02 01:00', 5)",
		"CREATE TABLE edges (n DECIMAL(10,2), i BIGINT, x DOUBLE)", "INSERT INTO edges VALUES (0, 0, 0), (0.1, 1, 0.1), (0.2, 2, 0.2), (0.3, 3, 0.3), (0.29, 3, 0.29), (0.7, 7, 0.7), (2.5, 29999999, 2.5)",
	)
	return newSite(t, server, schema)
}

func TestChartsShowWhatTheyAreAskedFor(t *testing.T) {
	site := chartSite(t)
	for name, test := range map[string]struct {
		path, data, caption string // rows of the data with spaces between them; part of the caption
	}{
		"bars of an ENUM":              {"t/chart?kind=bar&x=e", "a|2 NULL|1 empty_text|1 b|1", "Rows by e. 4 bars. Largest: 2 (a)."},
		"bars of a SET":                {"t/chart?kind=bar&x=s", "NULL|1 empty_text|1 p|1 q|1 p,q|1", ""},
		"bars of texts":                {"t/chart?kind=bar&x=v", "x|2 NULL|1 empty_text|1 NULL|1", ""},
		"bars of bytes":                {"t/chart?kind=bar&x=bin", "0x00FF|2 NULL|1 0_bytes|1 0xFF|1", ""},
		"bars of bits":                 {"t/chart?kind=bar&x=b&column=b&op=less&value=5", "b'0000000000000000000000000000000000000000'|1 b'0000000000000000000000000000000000000001'|1 b'0000000000000000000000000000000000000010'|1", ""},
		"bars of numbers, in order":    {"t/chart?kind=bar&x=u", "0|1 7|2 18446744073709551615|1 NULL|1", ""},
		"bars of years":                {"t/chart?kind=bar&x=y", "0000|1 1999|1 2024|2 NULL|1", ""},
		"bars of a sum":                {"t/chart?kind=bar&x=e&y=n&aggregate=sum", "empty_text|8 b|4 a|3 NULL|NULL", "Sum of n by e"},
		"bars of a largest value":      {"t/chart?kind=bar&x=e&y=big&aggregate=max", "a|12345678901234567890123456789012345.5 empty_text|1.5 b|0 NULL|NULL", "Largest big by e"},
		"bars of an average of times":  {"t/chart?kind=bar&x=flag&y=w", "0|-0.5 1|420.24985", "Average w in hours by flag"},
		"bars of a number of values":   {"t/chart?kind=bar&x=e&y=v&aggregate=count", "a|2 empty_text|1 b|1 NULL|0", "Rows with v by e"},
		"bars of different values":     {"t/chart?kind=bar&x=flag&y=v&aggregate=count-distinct", "0|2 1|2 NULL|0", "Different values of v by flag"},
		"bars of groups":               {"t/chart?kind=bar&x=flag&group=e&column=n&op=is-not-null&value=", "0|a|1 0|empty_text|1 1|a|1 1|b|1", "Rows by flag and e"},
		"bars of NULL groups":          {"t/chart?kind=bar&x=n&group=e&column=id&op=greater&value=3", "8|empty_text|1 NULL|NULL|1", ""},
		"bars by day":                  {"t/chart?kind=bar&x=d&by=day", "2024-02-29|1 2024-03-01|1", "Left out: 3 rows whose d is NULL or no whole date."},
		"bars by week":                 {"t/chart?kind=bar&x=ts&by=week&column=id&op=less&value=3", "week_of_2024-02-26|2", "Times are in UTC."},
		"a week of two years":          {"t/chart?kind=bar&x=ts&by=week&column=id&op=equals&value=5", "week_of_2024-12-30|1", ""},
		"a line by decade, with zeros": {"decades/chart?kind=line&x=born&by=decade", "1990s|1 2000s|0 2010s|2", "3 points, 1990s to 2010s."},
		"a line by month, with zeros":  {"t/chart?kind=line&x=ts&by=month&column=ts&op=less&value=2024-06-01", "2024-02|1 2024-03|1", "2 points, 2024-02 to 2024-03. All are 1."},
		"a line by hour, with zeros":   {"hours/chart?kind=line&x=at", "2024-01-01_22:00|2 2024-01-01_23:00|0 2024-01-02_00:00|0 2024-01-02_01:00|1", "4 points, 2024-01-01 22:00 to 2024-01-02 01:00. Largest: 2 (2024-01-01 22:00)."},
		"a line of averages, no zeros": {"hours/chart?x=at&y=n", "2024-01-01_22:00|2 2024-01-02_01:00|5", "Average n by at, an hour at a time"},
		"a line over numbers":          {"t/chart?kind=line&x=n&y=x&aggregate=min", "1|1e+300 2|-1e+300 4|0 8|2.5", ""},
		"a line over FLOATs":           {"t/chart?kind=line&x=f&aggregate=count", "0.1|1 0.2|1 0.3|2", "whose f is NULL"},
		"a scatter":                    {"t/chart?kind=scatter&x=n&y=f", "1|0.3 2|0.1 4|0.2 8|0.3", "4 points. n from 1 to 8; f from 0.1 to 0.3."},
		"a scatter of times":           {"t/chart?kind=scatter&x=at&y=w", "2024-02-29_23:59:59.999|1.5 2024-03-01_00:00:00.000|-2", "no whole date are left out"},
		"a scatter with groups":        {"t/chart?kind=scatter&x=n&y=f&group=e", "1|a|0.3 2|a|0.1 4|b|0.2 8|empty_text|0.3", "f against n, by e."},
		"a scatter of huge decimals":   {"t/chart?kind=scatter&x=n&y=big", "1|12345678901234567890123456789012345.5 2|-0.1 4|0 8|1.5", ""},
		"a histogram":                  {"t/chart?kind=histogram&x=n", "1|1 2|1 3|0 4|1 5|0 6|0 7|0 8|1", "8 bars of a width of 1. Most: 1 (1). Left out: 1 row whose n is NULL."},
		"a histogram of decimals":      {"edges/chart?kind=histogram&x=n&column=n&op=less&value=0.31", "", "width of 0.02"},
		"a view":                       {"seen/chart?kind=bar&x=v", "x|2 NULL|1 empty_text|1 NULL|1", ""},
		"columns that are called like the statement's own": {"k/chart?kind=bar&x=k&y=some_rows&aggregate=sum&group=g", "1|2|14 2|1|1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			page := site.get(t, "/tables/"+test.path, 200)
			got := strings.ReplaceAll(strings.Join(page.data(t), "\x00"), " ", "_")
			got = strings.ReplaceAll(got, "\x00", " ")
			if test.data != "" && got != test.data && !strings.HasPrefix(got, test.data) {
				t.Errorf("got  %s\nwant %s", got, test.data)
			}
			if !strings.Contains(page.caption(), test.caption) {
				t.Errorf("the caption is %s", page.caption())
			}
			if d := page.drawing(t); len(d.XS) != len(d.YS) || len(d.XS) != len(page.data(t)) {
				t.Errorf("%d points along x, %d along y, %d rows in the table", len(d.XS), len(d.YS), len(page.data(t)))
			}
			if d := page.drawing(t); d.X.Scale == "times" {
				for i, row := range page.data(t) {
					text, _, _ := strings.Cut(strings.TrimPrefix(row, "week of "), "|")
					text = strings.TrimSuffix(text, "s") // of a decade
					if at := time.UnixMilli(int64(d.XS[i])).UTC().Format("2006-01-02 15:04:05.000"); !strings.HasPrefix(at, text) || len(d.X2S) > 0 && d.X2S[i] <= d.XS[i] {
						t.Errorf("the picture has %s where the table has %s", at, text)
					}
				}
			}
			// The page leads to itself, with everything that was guessed.
			again := site.get(t, html.UnescapeString(regexp.MustCompile(`<a href="([^"]*)">its address`).FindStringSubmatch(page.body)[1]), 200)
			if again.caption() != page.caption() {
				t.Errorf("its address leads to %s", again.caption())
			}
		})
	}
}

func TestHistogramsPutEachValueIntoItsRange(t *testing.T) {
	site := chartSite(t)
	for _, test := range []struct{ path, want string }{
		{"n", "from 0 to under 0.1|1 from 0.1 to under 0.2|1 from 0.2 to under 0.3|2 from 0.3 to under 0.4|1 from 0.7 to under 0.8|1 from 2.5 to under 2.6|1"},
		{"x", "from 0 to under 0.1|1 from 0.1 to under 0.2|1 from 0.2 to under 0.3|2 from 0.3 to under 0.4|1 from 0.7 to under 0.8|1 from 2.5 to under 2.6|1"},
		{"i", "from 0 to under 2000000|6 from 28000000 to under 30000000|1"},
	} {
		var got []string
		for _, row := range site.get(t, "/tables/edges/chart?kind=histogram&x="+test.path, 200).data(t) {
			if !strings.HasSuffix(row, "|0") {
				got = append(got, row)
			}
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: got %v", test.path, got)
		}
	}
	// Every type has a histogram, however far apart its values are.
	for _, column := range []string{"n", "u", "big", "f", "x", "b", "y", "w", "flag", "id"} {
		page := site.get(t, "/tables/t/chart?kind=histogram&x="+column, 200)
		sum := 0
		for _, y := range page.drawing(t).YS {
			sum += int(*y)
		}
		if want := 4; sum != want && !(column == "id" && sum == 5) {
			t.Errorf("%s: the bars have %d values, want %d: %v", column, sum, want, page.data(t))
		}
	}
}

func TestChartsAreGuessed(t *testing.T) {
	sample, other := sampleSite(t), chartSite(t)
	for _, test := range []struct {
		site *site
		path string
		want string // the chart's own address
	}{
		{sample, "monsters/chart", "aggregate=avg&by=decade&kind=line&x=hatched_on&y=height_m"},
		{sample, "games/chart", "aggregate=avg&by=month&kind=line&x=starts_at&y=home_goals"},
		{sample, "sponsors/chart", "aggregate=count&kind=bar&x=industry"},
		{sample, "monsters/chart?kind=bar", "aggregate=count&kind=bar&x=species"},
		{sample, "monsters/chart?kind=scatter", "kind=scatter&x=height_m&y=weight_kg"},
		{sample, "monsters/chart?kind=histogram", "kind=histogram&x=height_m"},
		{sample, "monsters/chart?x=species&y=salary", "aggregate=avg&kind=bar&x=species&y=salary"},
		{sample, "monsters/chart?x=salary", "kind=histogram&x=salary"},
		{sample, "monsters/chart?x=salary&y=weight_kg", "kind=scatter&x=salary&y=weight_kg"},
		{sample, "monsters/chart?y=salary", "aggregate=avg&by=decade&kind=line&x=hatched_on&y=salary"},
		{sample, "games/chart?x=starts_at&column=season&op=equals&value=2024", "aggregate=count&by=month&column=season&kind=bar&op=equals&value=2024&x=starts_at"},
		{sample, "teams/chart?kind=bar", "aggregate=count&kind=bar&x=habitat"},
		{other, "only_key/chart", "kind=histogram&x=id"},
		{other, "seen/chart", "aggregate=count&kind=bar&x=e"},
		{other, "many/chart", "aggregate=avg&by=month&kind=line&x=day&y=n"},
		{other, "many/chart?kind=bar&x=word&by=day", "aggregate=count&kind=bar&x=word"},
		{other, "edges/chart", "kind=scatter&x=n&y=i"},
	} {
		page := test.site.get(t, "/tables/"+test.path, 200)
		name, _, _ := strings.Cut(test.path, "/")
		page.has(t, `<a href="/tables/`+name+`/chart?`+strings.ReplaceAll(test.want, "&", "&amp;")+`">its address</a>`)
	}
	other.get(t, "/tables/only_text/chart", 200).has(t, "No column of this table fits a chart")
	for _, table := range []string{"hollow", "nulls"} {
		page := other.get(t, "/tables/"+table+"/chart", 200)
		if !strings.Contains(page.body, "There are no rows to show.") && !strings.Contains(page.body, "All values") {
			t.Errorf("%s: %s", table, page.body)
		}
	}
	other.get(t, "/tables/t/chart?kind=bar&x=e&column=id&op=equals&value=99", 200).has(t, "No rows are as the filters say.", "Rows kept:")
}

func TestChartsSayWhatTheyLeaveOut(t *testing.T) {
	site := chartSite(t)
	for _, test := range []struct {
		path, note string
		points     int
	}{
		{"many/chart?kind=bar&x=word", "Only the 50 largest values of word are shown; others not shown: 20.", 50},
		{"many/chart?kind=bar&x=word&y=n&aggregate=avg&group=k", "Only the 50 most frequent values of word are shown; others not shown: 20. Only the 8 most frequent values of k are shown; others not shown: 4.", 0},
		{"many/chart?kind=line&x=day&by=day", "Only the 500 latest days are shown; others not shown: 2,500.", 500},
		{"many/chart?kind=line&x=n&y=k", "Only the 500 lowest values of n are shown; others not shown: 200.", 500},
		{"many/chart?kind=scatter&x=n&y=k", "It is a sample: the first 2,000 rows in the order of the key. There are more.", 2000},
		{"many/chart?kind=scatter&x=n&y=id&group=k", "Only the 8 most frequent values of k have a colour; the others are grey.", 2000},
	} {
		page := site.get(t, "/tables/"+test.path, 200)
		if !strings.Contains(page.caption(), test.note) {
			t.Errorf("%s: the caption is %s", test.path, page.caption())
		}
		if n := len(page.drawing(t).XS); test.points > 0 && n != test.points {
			t.Errorf("%s: %d points, want %d", test.path, n, test.points)
		}
	}
	if last := site.get(t, "/tables/many/chart?kind=line&x=day&by=day", 200).data(t); last[499] != "2008-03-18|1" {
		t.Errorf("the last day is %s", last[499])
	}
	t.Run("too slow for all rows", func(t *testing.T) {
		page := site.get(t, "/tables/endless/chart?kind=bar&x=e", 503)
		page.has(t, "The database did not answer in time. Filter the rows", `<select id="x"`)
		if page.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	})
}

func TestAChartOfSomeRowsSaysSo(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	root.SetMaxOpenConns(1)
	// The rows after the first 100,000 take half a second each.
	mustExec(t, root, "SET cte_max_recursion_depth = 200000",
		"CREATE TABLE t (id INT PRIMARY KEY, n INT)", "INSERT INTO t WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 100100) SELECT i, i MOD 5 FROM c",
		"CREATE VIEW v AS SELECT n + IF(id > 100000, SLEEP(0.5), 0) AS n FROM t")
	site := newSite(t, server, schema)
	page := site.get(t, "/tables/v/chart?kind=bar&x=n", 200)
	if note := "It is made of the first 100,000 rows that MySQL finds, because all of them would take too long."; !strings.Contains(page.caption(), note) {
		t.Errorf("the caption is %s", page.caption())
	}
	if got := strings.Join(page.data(t), " "); got != "0|20000 1|20000 2|20000 3|20000 4|20000" {
		t.Errorf("got %s", got)
	}
}

func TestChartsThatCannotBe(t *testing.T) {
	site := chartSite(t)
	for _, test := range []struct{ path, says string }{
		{"t/chart?kind=pie", `kind is &#34;pie&#34;, and should be bar, line, scatter or histogram`},
		{"t/chart?aggregate=median", "aggregate is"},
		{"t/chart?by=fortnight&x=d", "by is"},
		{"t/chart?x=e&x=v", "x is given more than once"},
		{"t/chart?x=absent", "There is no column “absent” to make a chart of."},
		{"t/chart?kind=bar&x=e&group=E", "There is no column “E” to make a chart of."},
		{"t/chart?x=e&column=zz&op=equals&value=1", "There is no column “zz” to filter by."},
		{"t/chart?x=e&column=n&op=equals&value=a", "should be a whole number"},
		{"t/chart?x=e&column=n", "each filter needs one each of column, op and value"},
		{"t/chart?kind=bar&x=j", "Bars need short values along x, and “j” is of the type json"},
		{"t/chart?kind=bar&x=txt", "Bars need short values along x, and “txt” is of the type text"},
		{"t/chart?kind=bar&x=g", "“g” is of the type point"},
		{"t/chart?kind=line&x=e", "A line needs numbers or times along x"},
		{"t/chart?kind=scatter&x=v&y=n", "A scatter needs numbers or times along x"},
		{"t/chart?kind=scatter&x=n&y=v", "A scatter needs numbers or times along y"},
		{"t/chart?kind=histogram&x=d", "A histogram needs numbers along x, and “d” is of the type date"},
		{"t/chart?kind=bar&x=e&y=v&aggregate=sum", "Only numbers have a value “sum”, and “v” is of the type varchar(40)"},
		{"t/chart?kind=bar&x=e&aggregate=sum", "Choose a column for y: the sum of what"},
		{"t/chart?kind=bar&x=e&y=txt&aggregate=count-distinct", "Only short values can be told apart"},
		{"t/chart?kind=bar&x=e&group=j", "Groups need short values"},
		{"t/chart?x=%zz", "cannot be read"},
		{"t/chart?format=pdf", "should be csv, json or ndjson"},
	} {
		site.get(t, "/tables/"+test.path, 400).has(t, test.says)
	}
	site.get(t, "/tables/absent/chart", 404).has(t, "The database has no table called “absent”")
}

func TestChartAddresses(t *testing.T) {
	site := chartSite(t)
	for path, want := range map[string]string{
		// What a form sends becomes short.
		"t/chart?kind=bar&x=e&by=&aggregate=&y=&group=":                  "t/chart?kind=bar&x=e",
		"t/chart?kind=histogram&x=n&by=day&aggregate=sum&y=u&group=e":    "t/chart?kind=histogram&x=n",
		"t/chart?kind=bar&x=e&keep=column%3Dn%26op%3Dequals%26value%3D1": "t/chart?column=n&kind=bar&op=equals&value=1&x=e",
		"t/chart/embed?kind=bar&x=e&y=":                                  "t/chart/embed?kind=bar&x=e",
		"t/chart?kind=bar&x=e&y=&format=csv":                             "t/chart?format=csv&kind=bar&x=e",
	} {
		if got := site.get(t, "/tables/"+path, 303).Header.Get("Location"); got != "/tables/"+want {
			t.Errorf("%s leads to %s", path, got)
		}
	}
	// The table's page leads to its chart, and back, with its filters.
	site.get(t, "/tables/t?column=n&op=at-least&value=2", 200).has(t, `<a href="/tables/t/chart?column=n&amp;op=at-least&amp;value=2">Chart</a>`)
	page := site.get(t, "/tables/t/chart?kind=bar&x=e&column=n&op=at-least&value=2", 200)
	page.has(t, `<a href="/tables/t?column=n&amp;op=at-least&amp;value=2">its rows</a>`, `is at least <bdi>2</bdi> <a href="/tables/t/chart?aggregate=count&amp;kind=bar&amp;x=e"`,
		`<input type="hidden" name="keep" value="column=n&amp;op=at-least&amp;value=2">`)
	if policy := page.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self'; ") || strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %s", policy)
	}
	if policy := site.get(t, "/tables/t", 200).Header.Get("Content-Security-Policy"); strings.Contains(policy, "script-src") {
		t.Errorf("the table's page may run scripts: %s", policy)
	}
}

func TestChartDataForPrograms(t *testing.T) {
	site := chartSite(t)
	csv := site.get(t, "/tables/t/chart?kind=bar&x=e&y=big&aggregate=max&format=csv", 200)
	if csv.body != "e,largest big\r\na,12345678901234567890123456789012345.500000000000000000000000000000\r\n\"\",1.500000000000000000000000000000\r\nb,0.000000000000000000000000000000\r\n,\r\n" {
		t.Errorf("got %q", csv.body)
	}
	if got := csv.Header.Get("Content-Disposition"); got != `attachment; filename="t chart.csv"` {
		t.Errorf("the file is %s", got)
	}
	for _, query := range []string{"kind=bar&x=v&group=e", "kind=bar&x=b&group=bin", "kind=line&x=ts&by=day", "kind=scatter&x=at&y=big&group=flag", "kind=histogram&x=big", "kind=bar&x=u&y=x&aggregate=sum", "kind=bar&x=d&by=year&group=d"} {
		var whole struct {
			Rows     []map[string]any
			RowCount int `json:"row_count"`
		}
		page := site.get(t, "/tables/t/chart?format=json&"+query, 200)
		if err := json.Unmarshal([]byte(page.body), &whole); err != nil {
			t.Fatalf("%s: %v\n%s", query, err, page.body)
		}
		if want := len(site.get(t, "/tables/t/chart?"+query, 200).data(t)); len(whole.Rows) != want || whole.RowCount != want {
			t.Errorf("%s: %d rows, want %d", query, len(whole.Rows), want)
		}
	}
}
