package main

import (
	"database/sql"
	"encoding/json"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/mysqltest"
)

// wantPlain fails unless the answer is one line of plain text that no cache
// keeps.
func (a answer) wantPlain(t *testing.T, text string) {
	t.Helper()
	if a.body != text+"\n" {
		t.Errorf("%s says %q, want %q", a.Request.URL, a.body, text)
	}
	if got := a.Header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
		t.Errorf("%s is %q", a.Request.URL, got)
	}
	if got := a.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("%s may be cached: %q", a.Request.URL, got)
	}
}

func TestDatabaseGoesAndComesBack(t *testing.T) {
	server := mysqltest.Start(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	mustExec(t, root, "CREATE TABLE kept (id INT PRIMARY KEY)", "INSERT INTO kept VALUES (42)")
	site := newSite(t, server, schema)
	there := func(t *testing.T) {
		t.Helper()
		site.get(t, "/healthz", 200).wantPlain(t, "ok")
		site.get(t, "/readyz", 200).wantPlain(t, "ready")
		site.get(t, "/", 200)
		site.get(t, "/tables/kept", 200).has(t, "42")
	}
	away := func(t *testing.T, sentence string, paths ...string) {
		t.Helper()
		site.get(t, "/healthz", 200).wantPlain(t, "ok")
		ready := site.get(t, "/readyz", 503)
		ready.wantPlain(t, sentence)
		for _, path := range paths {
			start := time.Now()
			page := site.get(t, path, 503)
			if page.Header.Get("Retry-After") == "" {
				t.Errorf("%s has no Retry-After", path)
			}
			if took := time.Since(start); took > pageTimeout+2*time.Second {
				t.Errorf("%s took %v", path, took)
			}
			page.hasNot(t, server.Host, "reader_")
		}
	}

	t.Run("there", there)
	server.Stop(t)
	t.Run("stopped", func(t *testing.T) {
		away(t, "The database cannot be reached.", "/readyz", "/", "/tables/kept", "/tables/kept?page=last")
	})
	t.Run("the log says why", func(t *testing.T) {
		if !strings.Contains(site.log.String(), "connection refused") {
			t.Errorf("it does not: %s", site.log)
		}
	})
	server.Restart(t)
	t.Run("there again", there)
	if runtime.GOOS != "windows" {
		server.Pause(t)
		t.Run("hanging", func(t *testing.T) { away(t, "The database did not answer in time.", "/tables/kept") })
		server.Resume(t)
		t.Run("there once more", there)
	}
}

func TestAppStartsBeforeItsDatabase(t *testing.T) {
	server := mysqltest.Start(t)
	schema := server.NewSchema(t)
	settings := settingsOf(server, schema, newReader(t, server, schema), readerPassword)
	server.Stop(t)
	site := newSiteWith(t, settings)
	site.get(t, "/readyz", 503)
	server.Restart(t)
	site.get(t, "/readyz", 200)
}

func TestWhyTheDatabaseIsAway(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	user := newReader(t, server, schema)
	for name, test := range map[string]struct {
		change func(*mysqldb.Settings)
		says   string
	}{
		"wrong password":         {func(s *mysqldb.Settings) { s.Password = "wrong-password" }, "refused the app's user name or password"},
		"unknown database":       {func(s *mysqldb.Settings) { s.Username, s.Password = server.Master(); s.Database = "absent" }, "no database of the name"},
		"untrusted certificate":  {func(s *mysqldb.Settings) { s.CAFile = "" }, "could not prove who it is"},
		"nobody listens":         {func(s *mysqldb.Settings) { s.Port = 1 }, "cannot be reached"},
		"a database not granted": {func(s *mysqldb.Settings) { s.Database = "mysql" }, "refused the app's user name or password"},
	} {
		t.Run(name, func(t *testing.T) {
			settings := settingsOf(server, schema, user, readerPassword)
			test.change(&settings)
			site := newSiteWith(t, settings)
			for _, path := range []string{"/readyz", "/"} {
				page := site.get(t, path, 503)
				if !strings.Contains(strings.ReplaceAll(page.body, "&#39;", "'"), test.says) {
					t.Errorf("%s should say %q: %s", path, test.says, page.body)
				}
				page.hasNot(t, server.Host, user, settings.Password)
			}
		})
	}
}

func TestWhatMySQLCannotShow(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	mustExec(t, root,
		"CREATE TABLE gone (id INT PRIMARY KEY)", "CREATE VIEW broken AS SELECT id FROM gone", "DROP TABLE gone",
		"CREATE TABLE rows_of_it (id INT PRIMARY KEY)", "INSERT INTO rows_of_it VALUES (1), (2), (3)",
		"CREATE VIEW endless AS SELECT SLEEP(60) AS s FROM rows_of_it")
	site := newSite(t, server, schema)

	t.Run("a view of what is gone", func(t *testing.T) {
		site.get(t, "/tables/broken", 502).has(t, "something that it refers to is gone")
		site.get(t, "/", 200).has(t, "broken")
	})
	t.Run("a view that takes too long", func(t *testing.T) {
		start := time.Now()
		site.get(t, "/tables/endless", 503).has(t, "did not answer in time")
		if took := time.Since(start); took > pageTimeout+2*time.Second {
			t.Errorf("the answer took %v", took)
		}
		var running int
		if err := root.QueryRow("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER LIKE 'reader%' AND INFO LIKE '%endless%'").Scan(&running); err != nil {
			t.Fatal(err)
		}
		if running != 0 {
			t.Error("MySQL still works on it")
		}
	})
}

// TestAppCannotWrite lets the app connect as a user who may do everything.
func TestAppCannotWrite(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	mustExec(t, root, "CREATE TABLE kept (id INT PRIMARY KEY)", "INSERT INTO kept VALUES (1)")
	for name, settings := range map[string]mysqldb.Settings{
		"as the read-only user": settingsOf(server, schema, newReader(t, server, schema), readerPassword),
		"as root":               settingsOf(server, schema, "root", rootPassword(server)),
	} {
		t.Run(name, func(t *testing.T) {
			db, err := openDatabase(settings)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			a := newApp(db, slog.New(slog.DiscardHandler), "")
			for _, write := range []string{
				"INSERT INTO kept VALUES (2)", "DELETE FROM kept", "UPDATE kept SET id = 3", "TRUNCATE kept", "DROP TABLE kept",
				"CREATE TABLE another (id INT)", "CREATE USER another", "GRANT ALL ON *.* TO root",
			} {
				if err := a.read(t.Context(), func(r reader) error {
					return r.each(func(*sql.Rows) error { return nil }, write)
				}); err == nil {
					t.Errorf("%s was done", write)
				}
			}
			var n, least int
			if err := root.QueryRow("SELECT COUNT(*), MIN(id) FROM kept").Scan(&n, &least); err != nil || n != 1 || least != 1 {
				t.Errorf("the table changed: %d rows, first %d (%v)", n, least, err)
			}
		})
	}
}

func TestOneLogLineARequest(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	site := newSite(t, server, schema)
	answered := site.get(t, "/tables/absent?page=7&secret=Tell-nobody", 404)
	lines := strings.Split(strings.TrimSpace(site.log.String()), "\n")
	if len(lines) != 1 {
		t.Fatalf("%d lines: %s", len(lines), site.log)
	}
	var line struct {
		Level, Msg, ID, Method, Path, Client string
		Status, Bytes                        int
		MS                                   float64
	}
	if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
		t.Fatal(err)
	}
	if line.Level != "INFO" || line.Msg != "request" || line.Method != "GET" || line.Path != "/tables/absent" || line.Status != 404 ||
		line.Bytes != len(answered.body) || line.MS <= 0 || line.ID != answered.Header.Get("X-Request-Id") || !strings.HasPrefix(line.Client, "127.0.0.1:") {
		t.Errorf("the line is %s", lines[0])
	}
	answered.has(t, line.ID)
	if strings.Contains(lines[0], "Tell-nobody") {
		t.Error("the line holds the query")
	}
}
