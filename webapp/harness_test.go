package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/mysqltest"
)

// readerPassword is the password of the user that the tests' apps connect as.
const readerPassword = "Reader-pass-Zq1"

// site is an app that serves one schema of a test server.
type site struct {
	*httptest.Server
	log *syncBuffer
}

// newReader creates a user who may only SELECT in schema.
func newReader(t testing.TB, server *mysqltest.Server, schema string) (user string) {
	t.Helper()
	root := server.Root(t)
	user = "reader_" + schema
	mustExec(t, root,
		fmt.Sprintf("CREATE USER %s IDENTIFIED BY '%s' REQUIRE SSL", user, readerPassword),
		fmt.Sprintf("GRANT SELECT, SHOW VIEW ON %s.* TO %s", strings.ReplaceAll(mysqldb.QuoteIdentifier(schema), "_", `\_`), user))
	t.Cleanup(func() { _, _ = root.Exec("DROP USER " + user) })
	return user
}

// settingsOf are the settings with which user reads schema.
func settingsOf(server *mysqltest.Server, schema, user, password string) mysqldb.Settings {
	return mysqldb.Settings{Host: server.Host, Port: server.Port, Database: schema, Username: user, Password: password, CAFile: server.CAFile}
}

// newSite serves schema as a user who may only read it.
func newSite(t testing.TB, server *mysqltest.Server, schema string) *site {
	t.Helper()
	return newSiteWith(t, settingsOf(server, schema, newReader(t, server, schema), readerPassword))
}

// newSiteWith serves with an app that is changed first.
func newSiteWith(t testing.TB, settings mysqldb.Settings, changes ...func(*app)) *site {
	t.Helper()
	signer := &authority{}
	db, err := openDatabase(settings, signer.watch())
	if err != nil {
		t.Fatal(err)
	}
	log := &syncBuffer{}
	s := &site{log: log, Server: httptest.NewUnstartedServer(nil)}
	a := newApp(db, slog.New(slog.NewJSONHandler(log, nil)), "https://bi.example.com/d/1")
	a.authority = signer
	for _, change := range changes {
		change(a)
	}
	s.Config = newServer(a)
	s.Start()
	t.Cleanup(func() {
		s.Close()
		_ = db.Close()
		if strings.Contains(log.String(), settings.Password) {
			t.Errorf("the log holds the password: %s", log)
		}
	})
	// Or it would ask for gzip, and hide it.
	s.Client().Transport.(*http.Transport).DisableCompression = true
	s.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return s
}

// answer is an answer of the app.
type answer struct {
	*http.Response
	body string
}

// get asks for a path, and fails the test unless the answer has that status.
func (s *site) get(t testing.TB, path string, status int) answer {
	t.Helper()
	return s.ask(t, http.MethodGet, path, status)
}

func (s *site) ask(t testing.TB, method, path string, status int) answer {
	t.Helper()
	return s.askWith(t, method, path, nil, status)
}

// askWith is ask with more in the request's header.
func (s *site) askWith(t testing.TB, method, path string, header map[string]string, status int) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := s.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if status != 0 && response.StatusCode != status {
		t.Fatalf("%s %s: %d, want %d\n%s\n%s", method, path, response.StatusCode, status, body, s.log)
	}
	return answer{response, string(body)}
}

// has fails unless the page holds each part.
func (a answer) has(t *testing.T, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(a.body, part) {
			t.Errorf("%s does not hold %q:\n%s", a.Request.URL, part, a.body)
		}
	}
}

// hasNot fails if the page holds any part.
func (a answer) hasNot(t *testing.T, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(a.body, part) {
			t.Errorf("%s holds %q:\n%s", a.Request.URL, part, a.body)
		}
	}
}

var (
	bodyRow  = regexp.MustCompile(`(?s)<tbody>(.*)</tbody>`)
	tableRow = regexp.MustCompile(`(?s)<tr>(.*?)</tr>`)
	dataCell = regexp.MustCompile(`(?s)<td[^>]*>(.*?)</td>`)
	anyTag   = regexp.MustCompile(`<[^>]*>`)
)

// cells are the texts of the page's table, as a browser would show them; tags
// inside a cell become spaces.
func (a answer) cells(t *testing.T) (rows [][]string) {
	t.Helper()
	body := bodyRow.FindStringSubmatch(a.body)
	if body == nil {
		t.Fatalf("%s has no table:\n%s", a.Request.URL, a.body)
	}
	for _, row := range tableRow.FindAllStringSubmatch(body[1], -1) {
		var texts []string
		for _, cell := range dataCell.FindAllStringSubmatch(row[1], -1) {
			texts = append(texts, html.UnescapeString(strings.Join(strings.Fields(anyTag.ReplaceAllString(cell[1], " ")), " ")))
		}
		rows = append(rows, texts)
	}
	return rows
}

// link is where the page's link with that text leads, or "".
func (a answer) link(rel string) string {
	found := regexp.MustCompile(`href="([^"]*)" rel="` + rel + `"`).FindStringSubmatch(a.body)
	if found == nil {
		return ""
	}
	return html.UnescapeString(found[1])
}

func mustExec(t testing.TB, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// syncBuffer collects a log while it is being written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
