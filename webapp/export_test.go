package main

import (
	"context"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"drawbridge/internal/mysqltest"
)

// exportSite is a site with the tables that downloads are tried on. Large adds one
// of 200,000 rows, and a view that nobody reads to its end.
func exportSite(t testing.TB, large bool) (*site, *mysqltest.Server, string) {
	t.Helper()
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	root.SetMaxOpenConns(1)
	mustExec(t, root, "SET sql_mode = '', cte_max_recursion_depth = 300000", "SET NAMES utf8mb4",
		`CREATE TABLE e (id INT PRIMARY KEY, big BIGINT UNSIGNED, n DECIMAL(40,20), z DECIMAL(6,2) ZEROFILL, f FLOAT, d DOUBLE, b BIT(64), y YEAR, day DATE, at DATETIME(3), t TIME, v VARCHAR(50), x LONGTEXT, bin VARBINARY(20), blo LONGBLOB, j JSON, g POINT, en ENUM('a','b'))`,
		`INSERT INTO e VALUES (1, 18446744073709551615, 12345678901234567890.12345678901234567890, 0.5, 0.1, 1e300, 0xFFFFFFFFFFFFFFFF, 0, '0000-00-00', '2024-02-29 12:00:00.125', '-25:00:00', 'a "quoted", naïve <b>', CONCAT('two', CHAR(10), 'lines'), 0x00FF, REPEAT('x', 100), '{"a": [1, 2.5, "é"]}', POINT(1, 2), 'a')`,
		"INSERT INTO e (id, v, x, bin) VALUES (2, '', '=1+1', ''), (3, NULL, '-1', NULL), (4, 'NULL', ' padded ', NULL)",
		"CREATE TABLE long_values (id INT PRIMARY KEY, x LONGTEXT)", "INSERT INTO long_values VALUES (1, REPEAT('é', 1000001)), (2, 'short')",
		"CREATE TABLE `e.csv` (id INT PRIMARY KEY)", "CREATE TABLE `a/b é\"` (id INT PRIMARY KEY)", "CREATE TABLE `.` (id INT PRIMARY KEY)", "INSERT INTO `a/b é\"` VALUES (1)", "INSERT INTO `.` VALUES (1)")
	if large {
		mustExec(t, root, "CREATE TABLE many (id INT PRIMARY KEY, x VARCHAR(200))", "INSERT INTO many WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT i, REPEAT('x', 200) FROM n",
			"CREATE VIEW endless AS SELECT id FROM many WHERE SLEEP(60) = 0")
	}
	return newSite(t, server, schema), server, schema
}

func TestCSV(t *testing.T) {
	site, _, _ := exportSite(t, false)
	// "/tables/e.csv" is a table here.
	site.get(t, "/tables/e.csv", 200).has(t, "has no rows")
	got := site.get(t, "/tables/e?format=csv", 200)
	want := "id,big,n,z,f,d,b,y,day,at,t,v,x,bin,blo,j,g,en\r\n" +
		`1,18446744073709551615,12345678901234567890.12345678901234567890,0000.50,0.1,1e+300,18446744073709551615,0,0000-00-00,2024-02-29 12:00:00.125,-25:00:00,"a ""quoted"", naïve <b>","two` + "\n" + `lines",AP8=,` + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 100))) + `,"{""a"": [1, 2.5, ""é""]}",POINT(1 2),a` + "\r\n" +
		`2,,,,,,,,,,,"",=1+1,"",,,,` + "\r\n" + `3,,,,,,,,,,,,-1,,,,,` + "\r\n" + `4,,,,,,,,,,,"NULL"," padded ",,,,,` + "\r\n"
	if got.body != want {
		t.Errorf("got\n%s, want\n%s", got.body, want)
	}
	records, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	if err != nil || len(records) != 5 {
		t.Errorf("%d lines (%v)", len(records), err)
	}
	for name, want := range map[string]string{"Content-Type": "text/csv; charset=utf-8; header=present", "Content-Disposition": "attachment; filename=e.csv", "Drawbridge-Rows": "4", "Drawbridge-Row-Limit": "1000000", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
		if got := got.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := got.Trailer.Get("Drawbridge-Export"); got != "complete; rows=4; cut-values=0" {
		t.Errorf("the trailer says %q", got)
	}
	t.Run("for spreadsheets", func(t *testing.T) {
		got := site.get(t, "/tables/e?format=csv&for=spreadsheet&sort=id&order=desc", 200).body
		if !strings.HasPrefix(got, "\ufeffid,") || !strings.Contains(got, ",'-1,") || !strings.Contains(got, ",'=1+1,") || !strings.Contains(got, ",-25:00:00,") {
			t.Errorf("got %s", got)
		}
	})
	t.Run("names", func(t *testing.T) {
		got := site.get(t, `/tables/a%2Fb%20%C3%A9%22.csv`, 200)
		if got := got.Header.Get("Content-Disposition"); got != "attachment; filename*=utf-8''a_b%20%C3%A9_.csv" {
			t.Errorf("the file is %q", got)
		}
		site.get(t, "/tables/.%20.csv", 200)
		site.get(t, "/tables/.%20", 200).has(t, `href="/tables/.%20.csv"`)
		site.get(t, "/tables/absent.csv", 404).has(t, "absent.csv")
		site.get(t, "/tables/e?format=xml", 400)
		site.get(t, "/tables/e", 200).has(t, `href="/tables/e?format=csv"`, `href="/tables/e.ndjson"`, `href="/tables/e?format=csv&amp;for=spreadsheet"`)
	})
}

func TestJSON(t *testing.T) {
	site, _, _ := exportSite(t, false)
	first := `{"id":1,"big":18446744073709551615,"n":12345678901234567890.12345678901234567890,"z":0.50,"f":0.1,"d":1e+300,"b":18446744073709551615,"y":0,"day":"0000-00-00","at":"2024-02-29 12:00:00.125","t":"-25:00:00","v":"a \"quoted\", naïve \u003cb\u003e","x":"two\nlines","bin":"AP8=","blo":"` +
		base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 100))) + `","j":{"a": [1, 2.5, "é"]},"g":"POINT(1 2)","en":"a"}`
	lines := strings.Split(site.get(t, "/tables/e.ndjson?column=id&op=at-most&value=2", 200).body, "\n")
	if len(lines) != 3 || lines[0] != first {
		t.Errorf("got\n%s, want\n%s", lines[0], first)
	}
	var second map[string]any
	if err := json.Unmarshal([]byte(lines[1]), &second); err != nil || second["v"] != "" || second["bin"] != "" {
		t.Errorf("%s (%v)", lines[1], err)
	}
	if big, there := second["big"]; big != nil || !there {
		t.Errorf("NULL is %v", big)
	}
	got := site.get(t, "/tables/e.json?sort=id&order=desc", 200)
	var all struct {
		Table    string
		Rows     []map[string]any
		RowCount int `json:"row_count"`
		Complete bool
	}
	if err := json.Unmarshal([]byte(got.body), &all); err != nil || all.Table != "e" || len(all.Rows) != 4 || all.RowCount != 4 || !all.Complete || all.Rows[0]["id"] != 4.0 {
		t.Errorf("%+v (%v)", all, err)
	}
	if got := got.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("it is %q", got)
	}
	empty := site.get(t, "/tables/e.json?column=id&op=equals&value=99", 200)
	if err := json.Unmarshal([]byte(empty.body), &all); err != nil || all.RowCount != 0 || !all.Complete {
		t.Errorf("%s (%v)", empty.body, err)
	}
	t.Run("values that are cut say so", func(t *testing.T) {
		got := site.get(t, "/tables/long_values.ndjson", 200)
		if got := got.Trailer.Get("Drawbridge-Export"); got != "complete; rows=2; cut-values=1" {
			t.Errorf("the trailer says %q", got)
		}
		if n := strings.Count(got.body, "é"); n != maxExportValue {
			t.Errorf("%d characters are left", n)
		}
	})
}

func TestDownloadsEndAtTheRowLimit(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	mustExec(t, server.Open(t, "root", rootPassword(server), schema), "CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1), (2), (3), (4)")
	settings := settingsOf(server, schema, newReader(t, server, schema), readerPassword)
	for limit, want := range map[int]string{3: "cut; rows=3; cut-values=0", 4: "complete; rows=4; cut-values=0"} {
		site := newSiteWith(t, settings, func(a *app) { a.exportRows = limit })
		for _, format := range []string{"csv", "json", "ndjson"} {
			got := site.get(t, "/tables/t."+format, 200)
			if got := got.Trailer.Get("Drawbridge-Export"); got != want {
				t.Errorf("%s of %d rows says %q", format, limit, got)
			}
			if format == "json" {
				got.has(t, fmt.Sprintf(`"row_count":%d,"complete":%t}`, limit, limit == 4))
			}
		}
	}
}

// TestDownloadsStayInMemory downloads 40 MB while the heap stays far below that.
func TestDownloadsStayInMemory(t *testing.T) {
	site, _, _ := exportSite(t, true)
	before, most := heap(), uint64(0)
	response, err := site.Client().Get(site.URL + "/tables/many.ndjson?sort=x&order=desc")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	total := 0
	buffer := make([]byte, 1<<20)
	for {
		n, err := io.ReadFull(response.Body, buffer)
		if total += n; err != nil {
			break
		}
		most = max(most, heap())
	}
	if total < 40<<20 || response.Trailer.Get("Drawbridge-Export") != "complete; rows=200000; cut-values=0" {
		t.Errorf("%d bytes, trailer %q", total, response.Trailer.Get("Drawbridge-Export"))
	}
	t.Logf("%d bytes downloaded, the heap grew by %d", total, int64(most)-int64(before))
	if most > before+(16<<20) {
		t.Errorf("the heap grew from %d to %d bytes", before, most)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestHangingUpEndsADownload(t *testing.T) {
	site, server, schema := exportSite(t, true)
	working := func(text string) (n int) {
		t.Helper()
		if err := server.Root(t).QueryRow("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = ? AND COMMAND = 'Execute' AND INFO LIKE ?", "reader_"+schema, "%"+text+"%").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, path := range []string{"/tables/endless.csv", "/tables/many.csv"} {
		t.Run(path, func(t *testing.T) {
			table := strings.TrimSuffix(strings.TrimPrefix(path, "/tables/"), ".csv")
			ctx, cancel := context.WithCancel(t.Context())
			request, _ := http.NewRequestWithContext(ctx, http.MethodGet, site.URL+path, nil)
			go func() {
				if response, err := site.Client().Do(request); err == nil {
					_, _ = io.ReadFull(response.Body, make([]byte, 1000))
					<-ctx.Done()
					response.Body.Close()
				}
			}()
			waitUntil(t, "MySQL works on it", func() bool { return working("`"+table+"`") == 1 })
			time.Sleep(1500 * time.Millisecond) // beyond the counting before it
			if working("`"+table+"`") != 1 {
				t.Fatal("MySQL does not work on it any more")
			}
			cancel()
			waitUntil(t, "MySQL has stopped", func() bool { return working("`"+table+"`") == 0 })
			site.get(t, "/tables/e.ndjson", 200)
		})
	}
	if strings.Contains(site.log.String(), "ERROR") {
		t.Errorf("the log has errors: %s", site.log)
	}
}

func waitUntil(t *testing.T, what string, f func() bool) {
	t.Helper()
	for stop := time.Now().Add(4 * time.Second); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(stop) {
			t.Fatalf("it is not so that %s", what)
		}
	}
}

func TestDownloadsTakeTurns(t *testing.T) {
	site, _, _ := exportSite(t, true)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range maxExports {
		request, _ := http.NewRequestWithContext(ctx, http.MethodGet, site.URL+"/tables/endless.csv", nil)
		go func() {
			if response, err := site.Client().Do(request); err == nil {
				response.Body.Close()
			}
		}()
	}
	time.Sleep(300 * time.Millisecond)
	page := site.get(t, "/tables/e.ndjson", 503)
	if page.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	site.get(t, "/tables/e", 200)
	site.get(t, "/readyz", 200)
}

func TestHalfADownloadIsAFailure(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	mustExec(t, server.Open(t, "root", rootPassword(server), schema), "CREATE TABLE t (id INT PRIMARY KEY, j VARCHAR(20))", "INSERT INTO t VALUES (1, '{}'), (2, '{'), (3, '{}')",
		"CREATE VIEW breaks AS SELECT id, JSON_KEYS(j) AS k FROM t")
	site := newSite(t, server, schema)
	response, err := site.Client().Get(site.URL + "/tables/breaks.csv")
	if err != nil {
		return // it broke before the header
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode == 200 {
		t.Errorf("it looks whole: %s", body)
	}
	if !strings.Contains(site.log.String(), "error 3141") {
		t.Errorf("the log does not say why: %s", site.log)
	}
}

func TestWithoutZeros(t *testing.T) {
	for number, want := range map[string]string{"0": "0", "-0": "-0", "00": "0", "0000.50": "0.50", "0012": "12", "-007.1": "-7.1", "1e+300": "1e+300", "0.1": "0.1", "10": "10"} {
		if got := withoutZeros(number); got != want {
			t.Errorf("%s became %s, want %s", number, got, want)
		}
	}
}
