//go:build sqlmap

package main

import (
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"drawbridge/internal/notrun"
)

// How much sqlmap tries: more than this takes many times as long.
var (
	sqlmapLevel = flag.Int("sqlmap-level", 1, "from 1 to 5, how many payloads sqlmap has")
	sqlmapRisk  = flag.Int("sqlmap-risk", 1, "from 1 to 3, how heavy they may be for MySQL")
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
		"--answers=follow=N", "--dbms=mysql", "--technique=BEUST", "--level", strconv.Itoa(*sqlmapLevel), "--risk", strconv.Itoa(*sqlmapRisk), "--time-sec=2", "--output-dir", output)
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

// suspicion is what sqlmap says of a part that it takes for a way in until it looks closer. On a busy machine it suspects
// that of delays too, which then turn out to be none.
var suspicion = regexp.MustCompile(`(appears to be|is) '[^']*(boolean|error|inline|UNION|stacked)[^']*' injectable`)

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
	if i := differing(strings.Split(path, "/"), strings.Split(r.URL.EscapedPath(), "/")); i >= 0 {
		return w.pathPart(i)
	}
	was := strings.Split(query, "&")
	if i := differing(was, strings.Split(r.URL.RawQuery, "&")); i >= 0 {
		return queryPart(was, i)
	}
	return ""
}

// differing is the index of the first text in which a list is not as it was, or -1.
func differing(was, is []string) int {
	for i := range was {
		if i >= len(is) || was[i] != is[i] {
			return i
		}
	}
	return -1
}

func (w *tampering) pathPart(i int) string {
	return strings.Split(strings.TrimPrefix(w.pattern, "GET "), "/")[i]
}

// queryPart is the name of the ith of the parameters; values are told apart by their column.
func queryPart(parameters []string, i int) string {
	name, _, _ := strings.Cut(parameters[i], "=")
	if name == "value" {
		_, column, _ := strings.Cut(parameters[i-2], "=")
		name += " of " + column
	}
	return name
}

// all are the names of the parts that vary.
func (w *tampering) all() (names []string) {
	for i, segment := range strings.Split(w.pattern, "/") {
		if strings.HasPrefix(segment, "{") && strings.Contains(w.path, "{") {
			names = append(names, w.pathPart(i))
		}
	}
	if w.query != "" {
		parameters := strings.Split(w.query, "&")
		for i := range parameters {
			names = append(names, queryPart(parameters, i))
		}
	}
	return names
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
				if said := sqlmap(t, site.URL+a.marked()); foundHole(t, said) || suspicion.MatchString(said) {
					t.Errorf("sqlmap found a way in:\n%s", said)
				}
				statuses := w.statuses(t, site.log.String())
				if counts := statuses[""]; counts[200] < 2 {
					t.Errorf("the address as it is was answered %v", counts)
				}
				for _, part := range w.all() {
					counts, n := statuses[part], 0
					t.Logf("%s: %v", part, counts)
					for status, times := range counts {
						n += times
						if !slices.Contains([]int{200, 303, 400, 404}, status) {
							t.Errorf("%d requests that tampered with %q were answered with %d", times, part, status)
						}
					}
					if n < 20 {
						t.Errorf("sqlmap tampered with %q only %d times", part, n)
					}
					if slices.Contains(texts, part) && counts[200] < n*9/10 {
						t.Errorf("%d of %d requests that tampered with %q were answered with a page", counts[200], n, part)
					}
					requests, pages = requests+n, pages+counts[200]
				}
			})
		}
	}
	t.Logf("%d requests, %d of them answered with a page", requests, pages)
}
