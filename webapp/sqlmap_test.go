//go:build sqlmap

package main

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"drawbridge/internal/notrun"
)

// sqlmap looks for a way to inject SQL into the marked parts of an address, and returns what it says. It tries every
// technique: errors, other pages, UNION, stacked statements and delays. The delays are short: nothing but a hole makes
// them happen.
func sqlmap(t *testing.T, address string) string {
	t.Helper()
	program := filepath.Join("..", ".tools", "venv", "bin", "sqlmap")
	if named := os.Getenv("SQLMAP"); named != "" {
		program = named
	}
	if _, err := exec.LookPath(program); err != nil {
		notrun.Because(t, "there is no %s: 'make sqlmap' fetches it", program)
	}
	output := t.TempDir()
	command := exec.CommandContext(t.Context(), program, "--url", address, "--batch", "--flush-session", "--disable-coloring", "--ignore-proxy", "--skip-waf",
		"--answers=follow=N", "--dbms=mysql", "--technique=BEUST", "--level=2", "--risk=2", "--time-sec=2", "--output-dir", output)
	command.Env = append(os.Environ(), "HOME="+output)
	said, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("sqlmap: %v\n%s", err, said)
	}
	return string(said)
}

// foundHole says that sqlmap found a way in.
func foundHole(t *testing.T, said string) bool {
	t.Helper()
	in := strings.Contains(said, "identified the following injection point")
	if out := strings.Contains(said, "do not appear to be injectable"); in == out {
		t.Fatalf("sqlmap came to no result:\n%s", said)
	}
	return in
}

// marked is the address with sqlmap's mark on each part that varies.
func (a address) marked() string {
	path := varies.ReplaceAllString(a.path, "$1*")
	if a.query == "" {
		return path
	}
	return path + "?" + strings.ReplaceAll(a.query, "&", "*&") + "*"
}

// tampering notes with which part of an address each request tampers.
type tampering struct {
	pattern string
	address

	mu sync.Mutex
	// parts has the name of the part for the id of each request.
	parts map[string]string
}

func (w *tampering) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		part := w.part(r)
		defer func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.parts[rw.Header().Get("X-Request-Id")] = part
		}()
		next.ServeHTTP(rw, r)
	})
}

// part is the name of the part of the address that r has another value of, or "".
func (w *tampering) part(r *http.Request) string {
	path, query, _ := strings.Cut(w.url(), "?")
	was, is := strings.Split(path, "/"), strings.Split(r.URL.EscapedPath(), "/")
	for i := range was {
		if i >= len(is) || was[i] != is[i] {
			return strings.Split(strings.TrimPrefix(w.pattern, "GET "), "/")[i]
		}
	}
	was, is = strings.Split(query, "&"), strings.Split(r.URL.RawQuery, "&")
	for i, part := range was {
		if i < len(is) && part == is[i] {
			continue
		}
		name, _, _ := strings.Cut(part, "=")
		if name == "value" {
			_, column, _ := strings.Cut(was[i-2], "=")
			name += " of " + column
		}
		return name
	}
	return ""
}

// statuses are the statuses in the app's log of the requests, by what they tampered with.
func (w *tampering) statuses(t *testing.T, log string) map[string]map[int]int {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	all := map[string]map[int]int{}
	for line := range strings.Lines(log) {
		var entry struct {
			ID     string
			Status int
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		part := w.parts[entry.ID]
		if all[part] == nil {
			all[part] = map[int]int{}
		}
		all[part][entry.Status]++
	}
	return all
}

// texts are the parts of addresses that take any text, so that what sqlmap writes there reaches MySQL as a value and is
// answered with a page. Of other parts, most are refused with 400, or are names of nothing, 404.
var texts = []string{"containing", "value of species", "value of name", "for"}

// TestSqlmapFindsNothing gives every part of every address to sqlmap.
func TestSqlmapFindsNothing(t *testing.T) {
	requests, pages := 0, 0
	for _, r := range routes {
		for _, a := range r.addresses {
			if len(a.spots()) == 0 {
				continue
			}
			t.Run(a.url(), func(t *testing.T) {
				w := &tampering{pattern: r.pattern, address: a, parts: map[string]string{}}
				site := sampleSite(t)
				site.Config.Handler = w.watch(site.Config.Handler)
				site.get(t, a.url(), 200)
				if said := sqlmap(t, site.URL+a.marked()); foundHole(t, said) {
					t.Errorf("sqlmap found a way in:\n%s", said)
				}
				statuses := w.statuses(t, site.log.String())
				tampered := 0
				for part, counts := range statuses {
					t.Logf("%s: %v", part, counts)
					n := 0
					for status, times := range counts {
						n += times
						if !slices.Contains([]int{200, 303, 400, 404}, status) {
							t.Errorf("%d requests that tampered with %q were answered with %d", times, part, status)
						}
					}
					requests, pages = requests+n, pages+counts[200]
					if part == "" {
						if counts[200] < 2 {
							t.Errorf("the address as it is was answered %v", counts)
						}
						continue
					}
					tampered++
					if n < 20 {
						t.Errorf("sqlmap tampered with %q only %d times", part, n)
					}
					if slices.Contains(texts, part) && counts[200] < n*9/10 {
						t.Errorf("%d of %d requests that tampered with %q were answered with a page", counts[200], n, part)
					}
				}
				if tampered == 0 {
					t.Error("sqlmap tampered with nothing")
				}
			})
		}
	}
	t.Logf("%d requests, %d of them answered with a page", requests, pages)
}
