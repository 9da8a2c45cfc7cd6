package webapp

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"drawbridge/internal/child"
)

// kinds are what every site is asked for.
var kinds = []string{"overview", "table", "JSON"}

// site is a running program that shows the database.
type site struct {
	name  string
	base  string
	paths map[string]string // by kind
	pid   int

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
	s.pid = process.Pid
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

// get asks for a path as a browser does whose accepted encoding is that, and returns the body as it was sent.
func (s *site) get(b *testing.B, path, encoding string) (body []byte, header http.Header) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", encoding)
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		b.Fatalf("%s: %v", s.name, err)
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	if err != nil {
		b.Fatalf("%s %s: %v", s.name, path, err)
	}
	if response.StatusCode != http.StatusOK {
		b.Fatalf("%s answered %s with %s: %.500s", s.name, path, response.Status, body)
	}
	return body, response.Header
}

var allRows = regexp.MustCompile(`10,?000`)

// check fails b unless the site shows what all are to show.
func (s *site) check(b *testing.B) {
	b.Helper()
	for _, kind := range kinds {
		body, _ := s.get(b, s.paths[kind], "identity")
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

// tolerance is by how much the mean answer may differ in size from the one that was looked at: headers hold numbers.
const tolerance = 0.02

// measure asks for one kind for so long. The answers must be as large as the one that was looked at, header included:
// any that said something else would not be.
func (s *site) measure(b *testing.B, kind string, length time.Duration) measurement {
	b.Helper()
	body, header := s.get(b, s.paths[kind], "identity")
	m := wrk(b, s.base+s.paths[kind], length)
	size := float64(len(body))
	for name, values := range header {
		for _, value := range values {
			size += float64(len(name) + len(": \r\n") + len(value))
		}
	}
	if most := size*(1+tolerance) + 300; m.answer < size*(1-tolerance) || m.answer > most {
		b.Fatalf("%s's answers for %s have %.0f bytes on average, and the one that was looked at %.0f", s.name, kind, m.answer, size)
	}
	return m
}
