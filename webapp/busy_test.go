package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"drawbridge/internal/mysqltest"
)

// slowSite is a site with a table t, a view nap that takes 300 ms to read, and
// a view endless that nobody reads to its end.
func slowSite(t *testing.T, server *mysqltest.Server) (s *site, user string) {
	t.Helper()
	schema := server.NewSchema(t)
	mustExec(t, server.Open(t, "root", rootPassword(server), schema),
		"CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1), (2), (3)",
		"CREATE VIEW nap AS SELECT SLEEP(0.1) AS s FROM t", "CREATE VIEW endless AS SELECT id FROM t WHERE SLEEP(60) = 0")
	s = newSite(t, server, schema)
	return s, "reader_" + schema
}

// hangUp asks for a path and hangs up after a while, if not answered before.
func (s *site) hangUp(t *testing.T, path string, after time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), after)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := http.DefaultTransport.RoundTrip(request); err == nil {
		response.Body.Close()
	}
}

func TestSlowPagesDoNotTakeTheSiteAway(t *testing.T) {
	server := mysqltest.Shared(t)
	site, user := slowSite(t, server)
	working := func() (n int) {
		t.Helper()
		if err := server.Root(t).QueryRow("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = ? AND INFO LIKE '%endless%'", user).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for name, path := range map[string]string{"a slow view": "/tables/endless", "its last page": "/tables/endless?page=last"} {
		t.Run(name, func(t *testing.T) {
			var group sync.WaitGroup
			// Some wait for their answers, and some hang up and leave MySQL at work.
			for range 12 {
				group.Go(func() { site.hangUp(t, path, 2500*time.Millisecond) })
				group.Go(func() { site.hangUp(t, path, 200*time.Millisecond) })
			}
			time.Sleep(1300 * time.Millisecond)
			if n := working(); n != maxTablePages {
				t.Errorf("MySQL works on %d of them, want %d", n, maxTablePages)
			}
			for _, path := range []string{"/", "/readyz"} {
				start := time.Now()
				site.get(t, path, 200)
				if took := time.Since(start); took > time.Second {
					t.Errorf("%s took %v", path, took)
				}
			}
			start := time.Now()
			page := site.get(t, "/tables/t", 503)
			page.has(t, "The database is busy with other pages")
			if page.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			if took := time.Since(start); took > busyWait+time.Second {
				t.Errorf("the answer took %v", took)
			}
			group.Wait()
			for stop := time.Now().Add(2 * pageTimeout); working() > 0 && time.Now().Before(stop); {
				time.Sleep(50 * time.Millisecond)
			}
			site.get(t, "/tables/t", 200)
		})
	}
}

func TestManyVisitorsWaitTheirTurn(t *testing.T) {
	site, _ := slowSite(t, mysqltest.Shared(t))
	var group sync.WaitGroup
	for range 5 * maxTablePages {
		group.Go(func() { site.ask(t, http.MethodGet, "/tables/t", 200) })
	}
	group.Wait()
}

func TestVisitorsWhoHangUpAreNoErrors(t *testing.T) {
	site, _ := slowSite(t, mysqltest.Shared(t))
	for _, path := range []string{"/tables/nap", "/tables/endless"} {
		site.hangUp(t, path, 100*time.Millisecond)
	}
	var lines []string
	for stop := time.Now().Add(2 * pageTimeout); len(lines) < 2 && time.Now().Before(stop); time.Sleep(50 * time.Millisecond) {
		lines = strings.Split(strings.TrimSpace(site.log.String()), "\n")
	}
	for _, text := range lines {
		var line struct {
			Level, Path, Problem string
			Status               int
		}
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		if line.Level != "INFO" || line.Status != 499 || line.Problem != "" {
			t.Errorf("the line is %s", text)
		}
	}
	if len(lines) != 2 {
		t.Errorf("%d lines, want 2", len(lines))
	}
}

func TestLogLinesAreShort(t *testing.T) {
	site := routeSite(t)
	site.get(t, "/"+strings.Repeat("x", 30_000), 404)
	site.ask(t, strings.Repeat("M", 30_000), "/", 405)
	for line := range strings.Lines(site.log.String()) {
		if len(line) > 1000 {
			t.Errorf("a line has %d bytes", len(line))
		}
	}
	if !strings.Contains(site.log.String(), `"/`+strings.Repeat("x", maxLogged-1)+`…"`) {
		t.Errorf("the start of the path is not logged: %s", site.log)
	}
}

// breaking is a proxy to a database whose connections can be made to break the
// next time that they are used, which nobody notices before.
type breaking struct {
	net.Listener
	to string

	mu     sync.Mutex
	doomed map[net.Conn]bool
}

func (b *breaking) serve() {
	for {
		c, err := b.Accept()
		if err != nil {
			return
		}
		b.mu.Lock()
		b.doomed[c] = false
		b.mu.Unlock()
		go b.forward(c)
	}
}

func (b *breaking) forward(c net.Conn) {
	defer c.Close()
	upstream, err := net.Dial("tcp", b.to)
	if err != nil {
		return
	}
	defer upstream.Close()
	go func() { _, _ = io.Copy(c, upstream) }()
	buffer := make([]byte, 64<<10)
	for {
		n, err := c.Read(buffer)
		b.mu.Lock()
		doomed := b.doomed[c]
		b.mu.Unlock()
		if err != nil || doomed {
			return
		}
		if _, err := upstream.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// doom makes all connections of now break at their next use.
func (b *breaking) doom() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.doomed {
		b.doomed[c] = true
	}
}

func TestDeadConnectionsAreNotSeen(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	mustExec(t, server.Open(t, "root", rootPassword(server), schema),
		"CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1), (2), (3)", "CREATE VIEW nap AS SELECT SLEEP(0.1) AS s FROM t")
	settings := settingsOf(server, schema, newReader(t, server, schema), readerPassword)
	listener, err := net.Listen("tcp", net.JoinHostPort(server.Host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	proxy := &breaking{Listener: listener, to: server.Addr(), doomed: map[net.Conn]bool{}}
	go proxy.serve()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	settings.Port, _ = strconv.Atoi(port)
	site := newSiteWith(t, settings)
	for _, path := range []string{"/", "/tables/t", "/readyz"} {
		t.Run(path, func(t *testing.T) {
			// As many connections as the pool keeps.
			var group sync.WaitGroup
			for range maxIdleConnections {
				group.Go(func() { site.ask(t, http.MethodGet, "/tables/nap", 200) })
			}
			group.Wait()
			proxy.doom()
			site.get(t, path, 200)
		})
	}
}
