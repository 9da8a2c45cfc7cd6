package webapp

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"drawbridge/internal/child"
)

// connections is how many requests are under way at a time, whoever answers.
const connections = 10

// kinds are what every site is asked for.
var kinds = []string{"overview", "table", "JSON"}

// site is a running program that shows the database.
type site struct {
	name  string
	base  string            // its address without a path
	paths map[string]string // by kind
	pids  []int             // of the programs, without what they start

	measured map[string][]measurement // by kind
}

// freePort is a port on loopback that nobody listens on.
func freePort(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// serve runs the command, which is to listen on that port of loopback, until b ends.
func serve(b *testing.B, name, port string, paths map[string]string, command *exec.Cmd) *site {
	b.Helper()
	s := &site{name: name, base: "http://127.0.0.1:" + port, paths: paths, measured: map[string][]measurement{}}
	log, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	command.Stdout, command.Stderr = log, log
	process, err := child.Start(command)
	if err != nil {
		b.Fatal(err)
	}
	s.pids = []int{process.Pid}
	b.Cleanup(func() {
		_ = process.Signal(syscall.SIGTERM)
		select {
		case <-process.Exited:
		case <-time.After(20 * time.Second):
			_ = process.Kill()
			<-process.Exited
		}
		_ = log.Close()
	})
	for stop := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if connection, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			_ = connection.Close()
			return s
		}
		select {
		case <-process.Exited:
		default:
			if time.Now().Before(stop) {
				continue
			}
		}
		text, _ := os.ReadFile(log.Name())
		b.Fatalf("%s does not listen on port %s: %s", name, port, text)
	}
}

// get asks for a path, with a header of names and values in turns, and returns the body as it was sent.
func (s *site) get(b *testing.B, path string, header ...string) (body []byte, answered *http.Response) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "identity")
	for pair := range slices.Chunk(header, 2) {
		request.Header.Set(pair[0], pair[1])
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		b.Fatalf("%s: %v", s.name, err)
	}
	defer response.Body.Close() //nolint:errcheck // it has been read
	body, err = io.ReadAll(response.Body)
	if err != nil {
		b.Fatalf("%s %s: %v", s.name, path, err)
	}
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusNotModified {
		b.Fatalf("%s answered %s with %s: %.500s", s.name, path, response.Status, body)
	}
	return body, response
}

// allRows is how an overview says how many rows the table has. Datasette counts for 5 ms, and then says the latter.
var allRows = regexp.MustCompile(`10,?000|Many rows`)

// check fails b unless the site shows what all are to show.
func (s *site) check(b *testing.B) {
	b.Helper()
	for _, kind := range kinds {
		body, _ := s.get(b, s.paths[kind])
		wanted, unwanted := []string{note(1), note(pageSize)}, []string{note(pageSize + 1)}
		if kind == "overview" {
			wanted, unwanted = []string{tableName, "sponsors", "teams", "monsters", "games", "appearances"}, nil
			if !allRows.Match(body) {
				b.Errorf("%s's overview does not say that %s has %d rows", s.name, tableName, tableRows)
			}
		}
		for _, text := range wanted {
			if !strings.Contains(string(body), text) {
				b.Errorf("%s's %s lacks %q", s.name, kind, text)
			}
		}
		for _, text := range unwanted {
			if strings.Contains(string(body), text) {
				b.Errorf("%s's %s has %q, which is not among its %d rows", s.name, kind, text, pageSize)
			}
		}
	}
	if b.Failed() {
		b.FailNow()
	}
}

// tolerance is by how much the mean answer may differ in size from the one that was looked at, whose numbers and dates
// differ, and headerSize what its header may have at most.
const (
	tolerance  = 0.02
	headerSize = 1500
)

// measure asks for one kind for so long. The answers must be as large as one that was looked at: any that said something
// else would not be.
func (s *site) measure(b *testing.B, w *world, kind string, length time.Duration) measurement {
	b.Helper()
	body, _ := s.get(b, s.paths[kind])
	m := w.timed(b, length, func() measurement { return wrk(b, s.base+s.paths[kind], length) }, s.pids...)
	size := float64(len(body))
	if m.size < size*(1-tolerance) || m.size > size*(1+tolerance)+headerSize {
		b.Fatalf("%s's answers for %s have %.0f bytes on average with their headers, and the one that was looked at %.0f without", s.name, kind, m.size, size)
	}
	return m
}

// wrk asks for an address for so long, in whole seconds.
func wrk(b *testing.B, url string, length time.Duration) measurement {
	b.Helper()
	output, err := exec.Command("wrk", "--threads", "1", "--connections", fmt.Sprint(connections), "--timeout", "20s",
		"--duration", fmt.Sprintf("%ds", int(length.Seconds())), "--script", "wrk.lua", url).CombinedOutput()
	if err != nil {
		b.Fatalf("wrk %s: %v: %s", url, err, output)
	}
	m, err := parseWrk(string(output))
	if err != nil {
		b.Fatalf("%s: %v", url, err)
	}
	return m
}

// weigh fetches a page and what it loads as a browser does, twice.
func (s *site) weigh(b *testing.B, name, path string) weight {
	b.Helper()
	plain, _ := s.get(b, path)
	sent, _ := s.get(b, path, "Accept-Encoding", "gzip")
	w := weight{page: name, raw: len(plain), zipped: gzipped(plain), files: 1, sent: len(sent), again: len(sent)}
	for _, file := range loads(plain) {
		content, answer := s.get(b, file, "Accept-Encoding", "gzip")
		w.files++
		w.sent += len(content)
		if strings.Contains(answer.Header.Get("Cache-Control"), "max-age") {
			continue // the browser has it still
		}
		content, _ = s.get(b, file, "Accept-Encoding", "gzip", "If-None-Match", answer.Header.Get("ETag"), "If-Modified-Since", answer.Header.Get("Last-Modified"))
		w.again += len(content)
	}
	return w
}
