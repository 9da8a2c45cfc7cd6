package mysqlserver

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/go-sql-driver/mysql"

	"drawbridge/internal/notrun"
)

// start starts a server for t alone.
func start(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), o)
	give(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

// give ends t when err is one, which may say that there is no server.
func give(t testing.TB, err error) {
	t.Helper()
	var missing *MissingError
	if errors.As(err, &missing) {
		notrun.Because(t, "%v", missing)
	}
	must(t, err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, s *Server, user, password, schema string) *sql.DB {
	t.Helper()
	db, err := s.Open(user, password, schema)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func openRoot(t testing.TB, s *Server) *sql.DB {
	t.Helper()
	user, password := s.RootLogin()
	return open(t, s, user, password, "")
}

func openMaster(t testing.TB, s *Server) *sql.DB {
	t.Helper()
	user, password := s.Master()
	return open(t, s, user, password, "")
}

func mustExec(t testing.TB, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func wantErrorNumber(t testing.TB, db *sql.DB, statement string, want uint16) {
	t.Helper()
	_, err := db.Exec(statement)
	var refusal *mysql.MySQLError
	if !errors.As(err, &refusal) || refusal.Number != want {
		t.Errorf("%s: error %v, want number %d", statement, err, want)
	}
}
