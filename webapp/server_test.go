package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"drawbridge/internal/mysqltest"
)

// everyRoute is a path of each kind, with the status that it answers.
var everyRoute = map[string]int{
	"/": 200, "/tables/t": 200, "/tables/nothing_in_it": 200, "/tables/absent": 404, "/tables/t?page=9": 404, "/tables/t?page=x": 400, "/tables/t?page=last": 200, "/tables/nothing_in_it?page=last": 303, "/tables/t?column=&op=equals&value=": 303, "/tables/t?column=id&op=equals&value=x": 400,
	"/tables/t?sort=name&order=desc&facet=name": 200, "/tables/t/rows/1": 200, "/tables/t/rows/2": 404, "/tables/t.csv": 200, "/tables/t.json": 200, "/tables/absent.csv": 404,
	"/healthz": 200, "/readyz": 200, "/nothing": 404, "/tables": 404, "/tables/": 404, "/tables/t/": 404, "/static/absent.css": 404, "/static/": 404,
	"//tables//t": 307, "/tables/../healthz": 307,
}

func routeSite(t *testing.T) *site {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	mustExec(t, server.Open(t, "root", rootPassword(server), schema),
		"CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(9))", "INSERT INTO t VALUES (1, 'x')", "CREATE TABLE nothing_in_it (id INT)")
	return newSite(t, server, schema)
}

func TestEveryRoute(t *testing.T) {
	site := routeSite(t)
	routes := map[string]int{assetURLs["style.css"]: 200, assetURLs["icon.svg"]: 200}
	for path, status := range everyRoute {
		routes[path] = status
	}
	for path, status := range routes {
		t.Run(path, func(t *testing.T) {
			page := site.get(t, path, status)
			for name, want := range map[string]string{
				"Content-Security-Policy": strictPolicy,
				"X-Content-Type-Options":  "nosniff",
				"Referrer-Policy":         "no-referrer",
			} {
				if got := page.Header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if page.Header.Get("X-Request-Id") == "" {
				t.Error("no X-Request-Id")
			}
			if strings.Contains(page.body, "<html") {
				wellMade(t, page)
			}

			head := site.ask(t, http.MethodHead, path, status)
			if head.body != "" {
				t.Errorf("HEAD answers a body: %q", head.body)
			}
			for _, name := range []string{"Content-Type", "Content-Length", "Cache-Control"} {
				// The body of a redirect is for people, and http.Redirect leaves it out.
				if got, want := head.Header.Get(name), page.Header.Get(name); got != want && status/100 != 3 {
					t.Errorf("HEAD has %s %q, GET %q", name, got, want)
				}
			}

			post := site.ask(t, http.MethodPost, path, 0)
			if post.StatusCode != 405 && post.StatusCode != 307 {
				t.Errorf("POST answers %d, want 405", post.StatusCode)
			}
			if post.StatusCode == 405 && post.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("POST is told to use %q", post.Header.Get("Allow"))
			}
		})
	}
}

var reference = regexp.MustCompile(`(?:href|src|action)="([^"]*)"`)

// wellMade checks what every page must be: in English, with a title, one main
// part, one first heading, and nothing from elsewhere but the dashboard's link.
func wellMade(t *testing.T, page answer) {
	t.Helper()
	for part, times := range map[string]int{`<html lang="en">`: 1, "<title>": 1, "<main ": 1, "<h1>": 1, `class="skip" href="#main"`: 1, "<script": 0, "style=": 0} {
		if n := strings.Count(page.body, part); n != times {
			t.Errorf("the page holds %q %d times, want %d", part, n, times)
		}
	}
	for _, found := range reference.FindAllStringSubmatch(page.body, -1) {
		if to := found[1]; !strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "#") && to != "https://bi.example.com/d/1" || strings.HasPrefix(to, "//") {
			t.Errorf("the page refers to %q", to)
		}
	}
	if strings.Contains(page.body, "<table") {
		page.has(t, "<caption", `scope="col"`)
	}
	if got := page.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("the page may be cached: %q", got)
	}
}

func TestStaticFiles(t *testing.T) {
	site := routeSite(t)
	style := site.get(t, assetURLs["style.css"], 200)
	t.Run("are kept by browsers, and named by their content", func(t *testing.T) {
		if got := style.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("Cache-Control is %q", got)
		}
		if got := style.Header.Get("Content-Type"); got != "text/css; charset=utf-8" {
			t.Errorf("Content-Type is %q", got)
		}
		site.get(t, "/", 200).has(t, assetURLs["style.css"], assetURLs["icon.svg"])
		if got := site.get(t, assetURLs["icon.svg"], 200).Header.Get("Content-Type"); got != "image/svg+xml" {
			t.Errorf("the icon is %q", got)
		}
	})
	t.Run("are not sent twice", func(t *testing.T) {
		request, _ := http.NewRequest(http.MethodGet, site.URL+assetURLs["style.css"], nil)
		request.Header.Set("If-None-Match", style.Header.Get("ETag"))
		response, err := site.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusNotModified {
			t.Errorf("status %d, want 304", response.StatusCode)
		}
	})
	t.Run("load nothing", func(t *testing.T) {
		if strings.Contains(style.body, "url(") || strings.Contains(style.body, "@import") {
			t.Error("the style sheet loads something")
		}
	})
	t.Run("are small", func(t *testing.T) {
		if n := len(style.body); n > 12_000 {
			t.Errorf("the style sheet has %d bytes, want at most 12,000", n)
		}
	})
	t.Run("are all that is served from there", func(t *testing.T) {
		for _, path := range []string{"/static/style.css", "/static/..%2fserver.go", "/static/%2e%2e/server.go"} {
			if status := site.get(t, path, 0).StatusCode; status == 200 {
				t.Errorf("%s is served", path)
			}
		}
	})
}

func TestPanicIsAnAnswerAndALogLine(t *testing.T) {
	var log bytes.Buffer
	// Every page needs a database: this app panics.
	a := newApp(&database{}, slog.New(slog.NewJSONHandler(&log, nil)), "")
	recorder := httptest.NewRecorder()
	a.handler().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/", nil))
	if recorder.Code != 500 || !strings.Contains(recorder.Body.String(), "Something went wrong") {
		t.Errorf("answered %d: %s", recorder.Code, recorder.Body)
	}
	if strings.Contains(recorder.Body.String(), "nil pointer") {
		t.Error("the page shows the program's own error")
	}
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "nil pointer") || !strings.Contains(text, "in the app at (*app).readOnce.func1, line ") || strings.Contains(text, "goroutine") {
		t.Errorf("the log is %s", text)
	}
}

func TestClientIsWhoNginxSaw(t *testing.T) {
	for name, test := range map[string]struct {
		forwarded []string
		want      string
	}{
		"no proxy":                       {nil, "192.0.2.1:1234"},
		"one proxy":                      {[]string{"203.0.113.9"}, "203.0.113.9"},
		"a client that sends its own":    {[]string{"127.0.0.1, 203.0.113.9"}, "203.0.113.9"},
		"a client that sends two fields": {[]string{"127.0.0.1", "10.0.0.1, 203.0.113.9 "}, "203.0.113.9"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header["X-Forwarded-For"] = test.forwarded
			if got := client(r); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestProcfileStartsTheBinary(t *testing.T) {
	content, err := os.ReadFile("Procfile")
	if err != nil {
		t.Fatal(err)
	}
	if string(content) != "web: bin/application\n" {
		t.Errorf("it says %q", content)
	}
}

// TestContrast computes the contrast of each text on each ground that the style
// sheet puts it on, by the formula of WCAG 2.2, which asks for 4.5.
func TestContrast(t *testing.T) {
	style, err := staticFiles.ReadFile("static/style.css")
	if err != nil {
		t.Fatal(err)
	}
	schemes := strings.SplitN(string(style), "prefers-color-scheme: dark", 2)
	for i, scheme := range []string{"light", "dark"} {
		block, _, _ := strings.Cut(schemes[i], "}")
		colours := map[string]string{}
		for _, found := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]+);`).FindAllStringSubmatch(block, -1) {
			colours[found[1]] = found[2]
		}
		for _, pair := range [][2]string{
			{"text", "ground"}, {"text", "surface"}, {"text", "raised"}, {"text", "hint"}, {"quiet", "ground"}, {"quiet", "surface"}, {"quiet", "raised"},
			{"accent", "ground"}, {"accent", "surface"}, {"accent", "raised"}, {"accent-text", "accent"},
		} {
			if c := contrast(t, colours[pair[0]], colours[pair[1]]); c < 4.5 {
				t.Errorf("%s: %s on %s has contrast %.2f", scheme, pair[0], pair[1], c)
			}
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	la, lb := luminance(t, a), luminance(t, b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	if len(colour) == 4 {
		colour = "#" + strings.Repeat(colour[1:2], 2) + strings.Repeat(colour[2:3], 2) + strings.Repeat(colour[3:4], 2)
	}
	var rgb [3]int
	if _, err := fmt.Sscanf(colour, "#%02x%02x%02x", &rgb[0], &rgb[1], &rgb[2]); err != nil {
		t.Fatalf("%q is no colour: %v", colour, err)
	}
	var l float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v := float64(rgb[i]) / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		l += weight * v
	}
	return l
}
