package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"drawbridge/internal/mysqltest"
	"drawbridge/internal/pinned"
)

// gapSite has tables in which some values, groups or numbers have no place in a
// picture.
func gapSite(t *testing.T, changes ...func(*app)) *site {
	t.Helper()
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	mustExec(t, root,
		"CREATE TABLE ten (i INT)", "INSERT INTO ten VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9),(10)",
		"CREATE TABLE gaps (n INT, w VARCHAR(9), g VARCHAR(9))",
		// Eight large groups with n = 1, a ninth alone with n = 2, and one of the first with n = 3.
		"INSERT INTO gaps SELECT 1, 'one', CHAR(96 + a.i) FROM ten a, ten b WHERE a.i <= 8", "INSERT INTO gaps SELECT 2, 'two', 'z' FROM ten WHERE i <= 5", "INSERT INTO gaps VALUES (3, 'three', 'a')",
		// The largest group has rows in days long ago alone.
		"CREATE TABLE days (d DATE, g VARCHAR(9))", "SET cte_max_recursion_depth = 2000",
		"INSERT INTO days WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 600) SELECT '2020-01-01' + INTERVAL i DAY, 'new' FROM n",
		"INSERT INTO days SELECT '2019-01-01', 'old' FROM ten a, ten b, ten c",
		"CREATE TABLE doubles (id INT PRIMARY KEY, f DOUBLE)", "INSERT INTO doubles VALUES (1, 0), (2, 1.7976931348623157e308)",
		"CREATE TABLE signed (id INT PRIMARY KEY, f DOUBLE)", "INSERT INTO signed VALUES (1, -1e308), (2, 7e307)",
		"CREATE TABLE unplaced (d DATE, n INT)", "INSERT INTO unplaced VALUES (NULL, 1), (NULL, 2)")
	return newSiteWith(t, settingsOf(server, schema, newReader(t, server, schema), readerPassword), changes...)
}

func TestBarsStandByTheirNamesWhenGroupsAreLeftOut(t *testing.T) {
	site := gapSite(t)
	for x, names := range map[string][]string{"n": {"1", "3"}, "w": {"one", "three"}} {
		page := site.get(t, "/tables/gaps/chart?kind=bar&x="+x+"&group=g", 200)
		d := page.drawing(t)
		if !slices.Equal(d.Names, names) {
			t.Errorf("by %s the names are %v, want %v", x, d.Names, names)
		}
		for i, row := range page.data(t) {
			if name, _, _ := strings.Cut(row, "|"); d.Names[int(d.XS[i])] != name {
				t.Errorf("by %s the bar of %s stands by %s", x, row, d.Names[int(d.XS[i])])
			}
		}
		if rows := page.data(t); len(rows) != 9 {
			t.Errorf("by %s there are %d bars, want 9: %v", x, len(rows), rows)
		}
	}
}

func TestGroupsWithoutAPointAreNotThere(t *testing.T) {
	page := gapSite(t).get(t, "/tables/days/chart?kind=bar&x=d&by=day&group=g", 200)
	if d := page.drawing(t); !slices.Equal(d.Groups, []string{"new"}) || slices.ContainsFunc(d.GS, func(g int) bool { return g != 0 }) {
		t.Errorf("the groups are %q", d.Groups)
	}
	for _, row := range page.data(t) {
		if !strings.Contains(row, "|new|1") {
			t.Errorf("there is the row %s", row)
		}
	}
}

func TestHistogramsOfTheLargestNumbersThereAre(t *testing.T) {
	site := gapSite(t)
	for _, table := range []string{"doubles", "signed"} {
		site.get(t, "/tables/"+table+"/chart?kind=histogram&x=f", 200)
	}
}

func TestChartsWithoutAPlaceForAnyRowSayWhy(t *testing.T) {
	site := gapSite(t)
	site.get(t, "/tables/unplaced/chart?kind=line&x=d&by=day", 200).has(t, "All values along x are NULL, or no whole dates.")
	site.get(t, "/tables/unplaced/chart?kind=line&x=d&by=day&column=n&op=equals&value=9", 200).has(t, "No rows are as the filters say.")
}

func TestAMistakeInAChartOfADashboardDoesNotEndTheApp(t *testing.T) {
	// Every chart needs a database: this app panics.
	a := &app{tablePages: make(chan struct{}, 1)}
	entry := &request{}
	ctx := context.WithValue(t.Context(), requestKey{}, entry)
	p := a.readPinnedChart(ctx, pinned.Chart{Title: "bad", Address: "/tables/gaps/chart"})
	if p.Title != "bad" || p.Problem != "It could not be made because of a mistake in the app." || p.Figure != nil {
		t.Errorf("the chart is %+v", p)
	}
	if !strings.Contains(entry.problem, "a mistake in the app at ") || len(a.tablePages) != 0 {
		t.Errorf("the log says %q, and %d turns are taken", entry.problem, len(a.tablePages))
	}
}

// TestWhatIsNotThereMakesNothingForgotten: whoever asks for absent tables, rows and
// columns does not make MySQL describe the others again.
func TestWhatIsNotThereMakesNothingForgotten(t *testing.T) {
	var a *app
	site := gapSite(t, func(made *app) { a = made })
	site.get(t, "/tables/doubles", 200)
	known := len(a.catalog.answers)
	for i, path := range []string{"/tables/absent", "/tables/doubles/rows/99", "/tables/doubles?sort=absent", "/tables/doubles/rows/x"} {
		site.ask(t, "GET", path, 0)
		if now := len(a.catalog.answers); now < known {
			t.Errorf("after %d, %s: %d answers are remembered, before %d", i, path, now, known)
		}
	}
	if _, ok := a.catalog.get(fmt.Sprintf("%q", []string{"columns", "doubles"})); !ok {
		t.Error("the columns are forgotten")
	}
}
