package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"drawbridge/internal/mysqltest"
)

// metricsOf is what Prometheus would get from the app.
func metricsOf(t *testing.T, a *app) string {
	t.Helper()
	w := httptest.NewRecorder()
	newMetricsServer(a).Handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("/metrics answers %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestMetrics(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	mustExec(t, server.Open(t, "root", rootPassword(server), schema),
		"CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(9))", "INSERT INTO t VALUES (1, 'x'), (2, 'y')",
		"CREATE VIEW endless AS SELECT SLEEP(60) AS s FROM t")
	var a *app
	site := newSiteWith(t, settingsOf(server, schema, newReader(t, server, schema), readerPassword), func(made *app) { a, made.exportRows = made, 1 })

	for path := range everyRoute {
		site.ask(t, http.MethodGet, path, 0)
		site.ask(t, http.MethodHead, path, 0)
		site.ask(t, "SECRETIVE", path, 0)
	}
	site.get(t, "/tables/never-mind-this-name?column=never-mind-this-column", 0)
	site.get(t, "/never-mind-this-path", 404)
	site.get(t, assetURLs["style.css"], 200)
	site.get(t, "/tables/endless", 503)
	text := metricsOf(t, a)

	t.Run("say what was answered, and how", func(t *testing.T) {
		for _, line := range []string{
			`drawbridge_http_requests_total{method="GET",route="/",status="2xx"} 1`,
			`drawbridge_http_requests_total{method="HEAD",route="/",status="2xx"} 1`,
			`drawbridge_http_requests_total{method="GET",route="/tables/{name}.csv",status="2xx"} 1`,
			`drawbridge_http_requests_total{method="GET",route="/tables/{name}/rows/{key}",status="2xx"} `,
			`drawbridge_http_requests_total{method="GET",route="/static/{file}",status="2xx"} 1`,
			`drawbridge_http_requests_total{method="GET",route="/tables/{name}",status="5xx"} 1`,
			`drawbridge_http_request_duration_seconds_count{route="/tables/{name}.json"} 2`,
			`drawbridge_http_requests_in_flight 0`,
			`drawbridge_limits_reached_total{limit="time"} 1`,
			`drawbridge_limits_reached_total{limit="rows"} 2`,
			`drawbridge_refused_total{turn="page"} 0`,
			`drawbridge_refused_total{turn="download"} 0`,
			`go_sql_max_open_connections{db_name="mysql"}`,
			`go_sql_open_connections{db_name="mysql"}`,
			`go_goroutines `,
			`process_resident_memory_bytes `,
		} {
			if !strings.Contains(text, "\n"+line) {
				t.Errorf("there is no line %q", line)
			}
		}
	})
	t.Run("hold nothing that a visitor chose", func(t *testing.T) {
		for _, chosen := range []string{"never-mind", "SECRETIVE", "endless", schema, readerPassword} {
			if strings.Contains(text, chosen) {
				t.Errorf("they hold %q", chosen)
			}
		}
	})
	t.Run("are well made", func(t *testing.T) {
		problems, err := testutil.GatherAndLint(a.metrics.registry)
		if err != nil || len(problems) > 0 {
			t.Errorf("%v (%v)", problems, err)
		}
	})
	t.Run("are few", func(t *testing.T) {
		if n := strings.Count(text, "drawbridge_http_requests_total{"); n > 60 {
			t.Errorf("%d lines", n)
		}
		if strings.Contains(text, `route=""`) || strings.Contains(text, `status="none"`) {
			t.Errorf("a request has no route or no status:\n%s", text)
		}
	})
	t.Run("are not for visitors", func(t *testing.T) {
		page := site.get(t, "/metrics", 404)
		page.hasNot(t, "drawbridge_http_requests_total")
	})
}

func TestRefusedIsCounted(t *testing.T) {
	var a *app
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	site := newSiteWith(t, settingsOf(server, schema, newReader(t, server, schema), readerPassword), func(made *app) { a = made })
	for range maxTablePages {
		a.tablePages <- struct{}{}
	}
	for range maxExports {
		a.exports <- struct{}{}
	}
	site.get(t, "/tables/t", 503)
	site.get(t, "/tables/t?format=csv", 503)
	text := metricsOf(t, a)
	for _, line := range []string{`drawbridge_refused_total{turn="page"} 1`, `drawbridge_refused_total{turn="download"} 1`} {
		if !strings.Contains(text, line) {
			t.Errorf("there is no line %q", line)
		}
	}
}

func TestWhatEndedOtherwiseIsCountedSo(t *testing.T) {
	for want, r := range map[string]request{
		"2xx": {status: 200}, "3xx": {status: 304}, "4xx": {status: 404, problem: "x"}, "5xx": {status: 503, problem: "x"},
		"gone": {status: statusClientGone}, "cut": {status: 200, problem: "a download was cut off"}, "none": {},
	} {
		if got := r.class(); got != want {
			t.Errorf("status %d counts as %s, want %s", r.status, got, want)
		}
	}
	for pattern, want := range map[string]string{"GET /{$}": "/", "GET /tables/{name}": "/tables/{name}", "/": "other", "": "other", "/any/path/": "other"} {
		if got := routeOf(pattern); got != want {
			t.Errorf("%q counts as %s, want %s", pattern, got, want)
		}
	}
}

// scraped is /metrics of a running program.
func scraped(t *testing.T, port string) string {
	t.Helper()
	response, err := http.Get("http://127.0.0.1:" + port + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("/metrics answers %d (%v)", response.StatusCode, err)
	}
	return string(body)
}

// metric is the value of a line of /metrics.
func metric(t *testing.T, text, name string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (.*)$`).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("there is no %s", name)
	}
	return found[1]
}
