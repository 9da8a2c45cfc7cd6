package main

import (
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"drawbridge/internal/bigtable"
	"drawbridge/internal/mysqltest"
)

const (
	million       = 1_000_000
	millionSchema = "test_million"
)

var loadMillion struct {
	sync.Once
	err error
}

// millionServer is the shared server with a schema of a million rows. The first test that asks makes them, for all others
// too: they end with the server.
func millionServer(t testing.TB) *mysqltest.Server {
	t.Helper()
	server := mysqltest.Shared(t)
	loadMillion.Do(func() {
		root := server.Root(t)
		if _, loadMillion.err = root.Exec("CREATE DATABASE " + millionSchema); loadMillion.err == nil {
			loadMillion.err = bigtable.Load(context.Background(), root, millionSchema, million)
		}
	})
	if loadMillion.err != nil {
		t.Fatal(loadMillion.err)
	}
	return server
}

// millionSite serves the schema of a million rows with an app that is changed first.
func millionSite(t testing.TB, changes ...func(*app)) *site {
	t.Helper()
	server := millionServer(t)
	return newSiteWith(t, settingsOf(server, millionSchema, newReader(t, server, millionSchema), readerPassword), changes...)
}

// slowly is get for a page for which MySQL looks at every row: on a machine that is busy with other tests, that may take
// longer than a page may.
func (s *site) slowly(t *testing.T, path string) answer {
	t.Helper()
	var page answer
	for range 6 {
		if page = s.get(t, path, 0); page.StatusCode != http.StatusServiceUnavailable {
			break
		}
		time.Sleep(time.Second)
	}
	if page.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, want 200", path, page.StatusCode)
	}
	return page
}

// Columns that an index serves the order of, and others.
var (
	indexedReadings = []string{"id", "station_id", "taken_at", "label", "amount"}
	otherReadings   = []string{"kind", "level", "checked", "note"}
)

func TestMillionRows(t *testing.T) {
	site := millionSite(t)
	site.get(t, "/", 200).has(t, "readings", "stations")
	t.Run("by key", func(t *testing.T) {
		for path, first := range map[string]int{
			"?size=200": 1, "?page=10000": 499_951, "?at=499951&row=499951": 499_951, "?page=20000": 999_951, "?page=last": 999_951, "?before=499951&row=499901": 499_901,
		} {
			rows := site.get(t, "/tables/readings"+path, 200).rowsOf(t)
			if rows[0] != strconv.Itoa(first) {
				t.Errorf("%s begins with row %s, want %d", path, rows[0], first)
			}
		}
		site.get(t, "/tables/readings?page=20001", 404).has(t, "ends before that")
		site.get(t, "/tables/readings?page=10000&size=100", 200).has(t, "Rows 999,901 to 1,000,000")
	})
	for _, column := range indexedReadings {
		for _, order := range []string{"asc", "desc"} {
			t.Run(column+" "+order, func(t *testing.T) {
				sorted := "/tables/readings?sort=" + column + "&order=" + order
				deep := site.slowly(t, sorted+"&page=10000")
				deep.has(t, "Rows 499,951 to 500,000")
				// Previous and Next lead to the neighbours of the page, and back to it.
				next := site.get(t, deep.link("next"), 200)
				if back := site.get(t, next.link("prev"), 200); fmt.Sprint(back.rowsOf(t)) != fmt.Sprint(deep.rowsOf(t)) {
					t.Errorf("page 10,000 is %v, and from page 10,001 %v", deep.rowsOf(t), back.rowsOf(t))
				}
				apart(t, site.get(t, sorted, 200), deep, next, site.get(t, sorted+"&page=last", 200))
			})
		}
	}
	for i, column := range otherReadings {
		t.Run(column, func(t *testing.T) {
			sorted := "/tables/readings?sort=" + column + "&order=" + []string{"asc", "desc"}[i%2]
			apart(t, site.slowly(t, sorted), site.slowly(t, sorted+"&page=10000"), site.slowly(t, sorted+"&page=last"))
		})
	}
	t.Run("filters", func(t *testing.T) {
		for _, test := range []struct {
			filter []string
			want   string
		}{
			{[]string{"id", "between", "500000..500999"}, "of 1,000 that the filters keep"},
			{[]string{"station_id", "equals", "17"}, "of 1,000 that the filters keep"},
			{[]string{"label", "is-null", ""}, "of more than 10,000 that the filters keep"},
			{[]string{"label", "equals", "label 17"}, "of 200 that the filters keep"},
			{[]string{"level", "greater", "976"}, "that the filters keep"},
			{[]string{"note", "contains", "9999 of station 99"}, "that the filters keep"},
			{[]string{"note", "contains", "nowhere"}, "No rows are as the filters say"},
			{[]string{"kind", "equals", "sun", "checked", "equals", "1", "amount", "less", "-49990"}, "that the filters keep"},
		} {
			site.slowly(t, "/tables/readings?"+filterQuery(test.filter...)).has(t, test.want)
		}
	})
	t.Run("counting values", func(t *testing.T) {
		for _, column := range slices.Concat(indexedReadings, otherReadings) {
			page := site.get(t, "/tables/readings?facet="+column, 200)
			if !strings.Contains(page.body, "Counting took too long") {
				page.has(t, "Counted in the first 100,000 rows that MySQL finds")
			}
		}
	})
	t.Run("charts", func(t *testing.T) {
		for query, want := range map[string]string{
			"": "readings", "kind=bar&x=kind": "rain", "kind=line&x=taken_at&by=year&y=amount&aggregate=avg": "2020", "kind=histogram&x=level": "Rows by ranges of level",
			"kind=scatter&x=level&y=amount&group=kind": "amount against level", "kind=bar&x=station_id&y=level&aggregate=max": "station_id",
		} {
			site.slowly(t, "/tables/readings/chart?"+query).has(t, want)
		}
	})
	t.Run("rows", func(t *testing.T) {
		site.get(t, "/tables/readings/rows/1000000", 200).has(t, "/tables/stations/rows/")
		site.get(t, "/tables/readings/rows/1000001", 404)
		site.get(t, "/tables/stations/rows/17", 200).has(t, "1,000")
	})
}

// apart fails unless the pages are full, and show no row twice.
func apart(t *testing.T, pages ...answer) {
	t.Helper()
	var keys []string
	for _, page := range pages {
		keys = append(keys, page.rowsOf(t)...)
	}
	slices.Sort(keys)
	if want := defaultSize * len(pages); len(keys) != want || len(slices.Compact(keys)) != want {
		t.Errorf("%d pages show %d rows: %v", len(pages), len(keys), keys)
	}
}

func TestDownloadOfAMillionRows(t *testing.T) {
	site := millionSite(t)
	response, err := site.Client().Get(site.URL + "/tables/readings.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	records := csv.NewReader(response.Body)
	records.ReuseRecord = true
	n := 0
	for ; ; n++ {
		record, err := records.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 && record[0] != strconv.Itoa(n) {
			t.Fatalf("row %d is %v", n, record)
		}
	}
	if n != million+1 {
		t.Errorf("there are %d lines, want %d", n, million+1)
	}
	if got, want := response.Trailer.Get("Drawbridge-Export"), fmt.Sprintf("complete; rows=%d; cut-values=0", million); got != want {
		t.Errorf("the trailer says %q, want %q", got, want)
	}
}

func TestDownloadThatIsCut(t *testing.T) {
	const limit = 100_000
	site := millionSite(t, func(a *app) { a.exportRows = limit })
	for _, format := range []string{"csv", "json", "ndjson"} {
		t.Run(format, func(t *testing.T) {
			got := site.get(t, "/tables/readings."+format+"?sort=id&order=desc", 200)
			if got, want := got.Trailer.Get("Drawbridge-Export"), fmt.Sprintf("cut; rows=%d; cut-values=0", limit); got != want {
				t.Errorf("the trailer says %q, want %q", got, want)
			}
			if got := got.Header.Get("Drawbridge-Rows"); got != "more than 10000" {
				t.Errorf("Drawbridge-Rows is %q", got)
			}
			if format == "json" {
				var all struct {
					Rows     []struct{ ID int }
					RowCount int `json:"row_count"`
					Complete bool
				}
				if err := json.Unmarshal([]byte(got.body), &all); err != nil || all.RowCount != limit || all.Complete || len(all.Rows) != limit || all.Rows[limit-1].ID != million-limit+1 {
					t.Errorf("%d rows of %d, complete: %v (%v)", len(all.Rows), all.RowCount, all.Complete, err)
				}
				return
			}
			if lines := strings.Count(got.body, "\n"); lines != limit+map[string]int{"csv": 1}[format] {
				t.Errorf("there are %d lines", lines)
			}
		})
	}
}

// TestPageTenThousandCostsWhatTheFirstDoes compares what MySQL reads for whole pages, all of their statements together.
// Page 10,000 is the one that Next leads to, and Previous.
func TestPageTenThousandCostsWhatTheFirstDoes(t *testing.T) {
	var served *app
	site := millionSite(t, func(a *app) { served = a })
	served.db.SetMaxOpenConns(1) // the session's counters are those of all pages
	reads := func(path string) (n int) {
		t.Helper()
		before := sessionReads(t, served.db.DB)
		own := sessionReads(t, served.db.DB) - before
		served.catalog.forget()
		site.get(t, path, 200)
		return sessionReads(t, served.db.DB) - before - 2*own
	}
	for _, sort := range append([]string{""}, indexedReadings...) {
		for _, order := range []string{"asc", "desc"} {
			t.Run(sort+" "+order, func(t *testing.T) {
				path := "/tables/readings?sort=" + sort + "&order=" + order
				first := reads(path)
				next := reads(site.get(t, path+"&page=9999", 200).link("next"))
				previous := reads(site.get(t, path+"&page=10001", 200).link("prev"))
				t.Logf("MySQL reads %d rows and index entries for page 1, %d for page 10,000 by Next, %d by Previous", first, next, previous)
				if most := first + defaultSize; next > most || previous > most {
					t.Errorf("page 1 takes %d reads, page 10,000 %d by Next, %d by Previous", first, next, previous)
				}
			})
		}
	}
}

// sessionReads is what the only connection of a pool has read.
func sessionReads(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool
	if n, err = handlerReads(reader{ctx: t.Context(), visitor: t.Context(), conn: conn, answered: new(bool)}); err != nil {
		t.Fatal(err)
	}
	return n
}

// BenchmarkMillionRows asks for page 1 and for page 10,000, as Next leads to it, in turns, so that what else the machine does
// meets both alike, and reports the median of each. Page 10,000 by its number comes after: it drives the others' rows out of
// MySQL's memory.
func BenchmarkMillionRows(b *testing.B) {
	site := millionSite(b)
	for _, sort := range indexedReadings {
		first := "/tables/readings?sort=" + sort
		for _, asked := range []struct{ name, first, far string }{
			{"by Next", first, site.get(b, first+"&page=9999", 200).link("next")}, {"by number", "", first + "&page=10000"},
		} {
			b.Run(sort+" "+asked.name, func(b *testing.B) {
				paths := map[string]string{"ms/page-10000": asked.far}
				if asked.first != "" {
					paths["ms/page-1"] = asked.first
				}
				took := map[string][]time.Duration{}
				for b.Loop() {
					for name, path := range paths {
						start := time.Now()
						site.get(b, path, 200)
						took[name] = append(took[name], time.Since(start))
					}
				}
				for name, times := range took {
					slices.Sort(times)
					b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, name)
				}
			})
		}
	}
}
