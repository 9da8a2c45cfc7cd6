package mysqltest

import (
	"context"
	"database/sql"
	"testing"

	"drawbridge/internal/mysqlserver"
)

// Server is a running MySQL server of the tests' own. What fails ends the test.
type Server struct{ *mysqlserver.Server }

// start starts a server that requires TLS.
func start() (*Server, error) {
	s, err := mysqlserver.Start(context.Background(), mysqlserver.Options{Settings: map[string]string{"require_secure_transport": "1"}})
	if err != nil {
		return nil, err
	}
	return &Server{s}, nil
}

// Root opens a pool of connections as the user who may do everything. It is
// closed when t ends.
func (s *Server) Root(t testing.TB) *sql.DB {
	t.Helper()
	user, password := s.RootLogin()
	return s.Open(t, user, password, "")
}

// MasterDB opens a pool of connections as the Master user. It is closed when t
// ends.
func (s *Server) MasterDB(t testing.TB) *sql.DB {
	t.Helper()
	user, password := s.Master()
	return s.Open(t, user, password, "")
}

// Open opens a pool of connections as any user, over TLS, with schema as the
// default one unless it is empty. Logging in is left to the first statement.
// The pool is closed when t ends.
func (s *Server) Open(t testing.TB, user, password, schema string) *sql.DB {
	t.Helper()
	db, err := s.Server.Open(user, password, schema)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// Stop shuts the server down as an administrator would, and waits until it has
// ended. Port and data stay the server's own: [Server.Restart] brings it back.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	must(t, s.Server.Stop(context.Background()))
}

// Kill ends the server at once, as a crash would. [Server.Restart] brings it
// back.
func (s *Server) Kill(testing.TB) { s.Server.Kill() }

// Restart starts the server again on the same port and data, after stopping it
// if it runs, and returns when it is ready.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	must(t, s.Server.Restart(context.Background()))
}

// Pause freezes the server: connections to it hang until [Server.Resume]. It
// needs a Unix system.
func (s *Server) Pause(t testing.TB) {
	t.Helper()
	must(t, s.Server.Pause())
}

// Resume ends what [Server.Pause] began; a server that runs is left alone.
func (s *Server) Resume(t testing.TB) {
	t.Helper()
	must(t, s.Server.Resume())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
