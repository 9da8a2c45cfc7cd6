package main

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"drawbridge/internal/mysqltest"
	"drawbridge/internal/pinned"
)

var pinnedSection = regexp.MustCompile(`(?s)<section aria-label="[^"]*">(.*?)</section>`)

// sections are the charts of a dashboard.
func (a answer) sections() (texts []string) {
	for _, found := range pinnedSection.FindAllStringSubmatch(a.body, -1) {
		texts = append(texts, found[1])
	}
	return texts
}

func TestTheDashboardShowsPinnedCharts(t *testing.T) {
	site := sampleSite(t, func(a *app) {
		a.charts = []pinned.Chart{
			{Title: "Monsters <by> species", Address: "/tables/monsters/chart?kind=bar&x=species"},
			{Title: "Crowds", Address: "/tables/games/chart?kind=line&x=starts_at&y=attendance&by=month&column=season&op=at-least&value=2024"},
			{Title: "Gone table", Address: "/tables/gone/chart"},
			{Title: "Gone column", Address: "/tables/games/chart?x=gone"},
			{Title: "Bad value", Address: "/tables/games/chart?x=season&column=season&op=equals&value=x"},
			{Title: "Misfit", Address: "/tables/teams/chart?kind=bar&x=colours"},
			{Title: "None", Address: "/tables/games/chart?x=season&column=season&op=equals&value=1"},
		}
	})
	page := site.get(t, "/dashboard", 200)
	sections := page.sections()
	want := []string{"Rows by species.", "Average attendance by starts_at, a month at a time.", "no table called “gone”", "no column “gone” to make a chart of", "should be a whole number", "Bars need short values along x", "No rows are as the filters say."}
	if len(sections) != len(want) {
		t.Fatalf("%d charts, want %d:\n%s", len(sections), len(want), page.body)
	}
	for i, part := range want {
		if !strings.Contains(sections[i], part) {
			t.Errorf("chart %d does not say %q: %s", i+1, part, sections[i])
		}
	}
	page.has(t, `<a href="/tables/monsters/chart?kind=bar&amp;x=species">Monsters &lt;by&gt; species</a>`, `id="summary0"`, `id="summary1"`,
		`<iframe class="vendor" src="https://bi.example.com/d/1" title="The vendor’s dashboard" sandbox="allow-scripts allow-same-origin allow-forms allow-popups"`, `href="https://bi.example.com/d/1" rel="noreferrer"`)
	got := page.Header.Get("Content-Security-Policy")
	for _, part := range []string{"script-src 'self'", "frame-src https://bi.example.com;", "frame-ancestors 'none'"} {
		if !strings.Contains(got, part) {
			t.Errorf("the policy lacks %q: %s", part, got)
		}
	}
	// No other page may show frames.
	for _, path := range []string{"/", "/tables/monsters", "/tables/monsters/chart", "/absent"} {
		if got := site.ask(t, "GET", path, 0).Header.Get("Content-Security-Policy"); strings.Contains(got, "frame-src") {
			t.Errorf("%s: the policy is %s", path, got)
		}
	}
}

func TestTheDashboardWithoutCharts(t *testing.T) {
	site := sampleSite(t)
	page := site.get(t, "/dashboard", 200)
	page.hasNot(t, "<script")
	if got := page.Header.Get("Content-Security-Policy"); strings.Contains(got, "script-src") || !strings.Contains(got, "frame-src https://bi.example.com;") {
		t.Errorf("the policy is %s", got)
	}
	none := sampleSite(t, func(a *app) { a.dashboardURL = "" })
	none.get(t, "/dashboard", 404)
	none.get(t, "/", 200).hasNot(t, "/dashboard")
	charts := sampleSite(t, func(a *app) {
		a.dashboardURL, a.charts = "", []pinned.Chart{{Title: "x", Address: "/tables/games/chart"}}
	})
	charts.get(t, "/dashboard", 200).hasNot(t, "iframe")
	odd := sampleSite(t, func(a *app) { a.dashboardURL = "https://bi.example.com;script-src/d" })
	odd.get(t, "/dashboard", 200).hasNot(t, "iframe")
}

func TestASlowChartLeavesTheOthers(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	mustExec(t, server.Open(t, "root", rootPassword(server), schema),
		"CREATE TABLE t (id INT PRIMARY KEY, n INT)", "INSERT INTO t VALUES (1, 1), (2, 2), (3, 2)", "CREATE VIEW endless AS SELECT n FROM t WHERE SLEEP(60) = 0")
	slow := pinned.Chart{Title: "slow", Address: "/tables/endless/chart?kind=bar&x=n"}
	quick := pinned.Chart{Title: "quick", Address: "/tables/t/chart?kind=bar&x=n"}
	site := newSiteWith(t, settingsOf(server, schema, newReader(t, server, schema), readerPassword), func(a *app) {
		a.charts = []pinned.Chart{slow, quick, slow, quick, slow, quick}
	})
	start := time.Now()
	sections := site.get(t, "/dashboard", 200).sections()
	if took := time.Since(start); took > dashboardTime+pageTimeout {
		t.Errorf("it took %v", took)
	}
	for i, section := range sections {
		want := []string{"The database did not answer in time.", "Rows by n. 2 bars."}[i%2]
		if !strings.Contains(anyTag.ReplaceAllString(section, ""), want) {
			t.Errorf("chart %d does not say %q: %s", i+1, want, section)
		}
	}
	if len(sections) != 6 {
		t.Errorf("%d charts", len(sections))
	}
}

func TestTheDashboardWhileTheDatabaseIsAway(t *testing.T) {
	server := mysqltest.Shared(t)
	settings := settingsOf(server, "none", "nobody", readerPassword)
	settings.Port = 1
	site := newSiteWith(t, settings, func(a *app) {
		a.charts = []pinned.Chart{{Title: "a", Address: "/tables/t/chart"}, {Title: "b", Address: "/tables/t/chart"}}
	})
	if page := site.get(t, "/dashboard", 503); page.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestEmbedding(t *testing.T) {
	closed := sampleSite(t)
	page := closed.get(t, "/tables/monsters/chart?kind=bar&x=species", 200)
	page.has(t, "No other site may yet", "webapp.embedOrigins")
	embed := closed.get(t, "/tables/monsters/chart/embed?kind=bar&x=species", 200)
	embed.has(t, "data-chart=", "Rows by species", "<details>", `<a href="/tables/monsters/chart?aggregate=count&amp;kind=bar&amp;x=species" target="_blank" rel="noopener">`)
	embed.hasNot(t, "<header", "<form", "<nav")
	for site, want := range map[*site][2]string{
		closed: {"frame-ancestors 'self'", "same-origin"},
		sampleSite(t, func(a *app) { a.embedOrigins = []string{"https://wiki.example.com", "https://intranet:8443"} }): {"frame-ancestors 'self' https://wiki.example.com https://intranet:8443", "cross-origin"},
	} {
		embed := site.get(t, "/tables/monsters/chart/embed?kind=bar&x=species", 200)
		if got := embed.Header.Get("Content-Security-Policy"); !strings.HasSuffix(got, want[0]) {
			t.Errorf("the policy is %s", got)
		}
		if got := embed.Header.Get("Cross-Origin-Resource-Policy"); got != want[1] {
			t.Errorf("the resource policy is %s", got)
		}
		chart := site.get(t, "/tables/monsters/chart?kind=bar&x=species", 200)
		if got := chart.Header.Get("Content-Security-Policy"); !strings.HasSuffix(got, "frame-ancestors 'none'") {
			t.Errorf("the chart's own page has the policy %s", got)
		}
		if want[1] == "cross-origin" {
			chart.has(t, "<code>https://wiki.example.com</code>, <code>https://intranet:8443</code>",
				`&lt;iframe src=&#34;`+site.URL+`/tables/monsters/chart/embed?aggregate=count&amp;amp;kind=bar&amp;amp;x=species&#34;`)
		}
	}
	closed.get(t, "/tables/absent/chart/embed", 404)
	closed.get(t, "/tables/monsters/chart/embed?kind=bar&x=abilities", 400).has(t, "Bars need short values")
}

func TestChartSettings(t *testing.T) {
	env := map[string]string{"RDS_HOSTNAME": "db", "RDS_DB_NAME": "shop", "RDS_USERNAME": "webapp", "RDS_PASSWORD": readerPassword}
	read := func(name, value string) (settings, error) {
		return settingsFromEnv(func(asked string) (string, bool) {
			if asked == name {
				return value, true
			}
			return env[asked], env[asked] != ""
		})
	}
	charts := []pinned.Chart{{Title: "a", Address: "/tables/t/chart"}}
	if s, err := read("DASHBOARD_CHARTS", pinned.Encode(charts)); err != nil || !slices.Equal(s.charts, charts) {
		t.Errorf("got %v, %v", s.charts, err)
	}
	long := "https://bi.example.com/d/1?" + strings.Repeat("a=b&", 100)
	variables := pinned.Variables("DASHBOARD_URL", long)
	if s, err := settingsFromEnv(func(asked string) (string, bool) {
		value := env[asked] + variables[asked]
		return value, value != ""
	}); err != nil || s.dashboardURL != long || len(variables) < 2 {
		t.Errorf("from %d variables got %q, %v", len(variables), s.dashboardURL, err)
	}
	if s, err := read("EMBED_ORIGINS", "https://a.example https://b.example"); err != nil || len(s.embedOrigins) != 2 {
		t.Errorf("got %v, %v", s.embedOrigins, err)
	}
	for name, value := range map[string]string{"DASHBOARD_CHARTS": "{}", "EMBED_ORIGINS": "https://a.example http://b.example"} {
		if _, err := read(name, value); err == nil || !strings.HasPrefix(err.Error(), name+" ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPinnedParametersAreTheCharts: what the config takes is what the pages take.
func TestPinnedParametersAreTheCharts(t *testing.T) {
	for name, choices := range map[string][]choice{"kind": chartKinds, "aggregate": aggregates, "by": spans} {
		var values []string
		for _, c := range choices {
			values = append(values, c.Value)
		}
		if !slices.Equal(values, pinned.Parameters[name]) {
			t.Errorf("%s: pages take %v, the config %v", name, values, pinned.Parameters[name])
		}
	}
	all := chart{Filters: []filter{{"c", "equals", "1"}}, Kind: barChart, X: "x", Y: "y", Group: "g", Aggregate: "sum", By: "day"}
	u, err := url.Parse(all.url("a/b."))
	if err != nil {
		t.Fatal(err)
	}
	if len(u.Query()) != len(pinned.Parameters) {
		t.Errorf("charts have %d parameters, the config takes %d", len(u.Query()), len(pinned.Parameters))
	}
	for _, table := range []string{"a/b.", ".", "..", "é 日本%", "chart"} {
		if _, name, err := pinned.Parse(all.url(table)); err != nil || tableOf(name) != table {
			t.Errorf("%q: %q, %v", table, name, err)
		}
	}
}
