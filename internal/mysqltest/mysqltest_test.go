package mysqltest

import (
	"database/sql"
	"errors"
	"os"
	"testing"

	"github.com/go-sql-driver/mysql"
)

func TestMain(m *testing.M) { Main(m) }

func TestShared(t *testing.T) {
	s := Shared(t)

	t.Run("is one server", func(t *testing.T) {
		if Shared(t) != s {
			t.Error("there are two")
		}
	})

	t.Run("refuses connections without TLS", func(t *testing.T) {
		// Once it has logged in over TLS, MySQL would let this user in without.
		mustExec(t, s.MasterDB(t), "SELECT 1")
		user, password := s.Master()
		config := mysql.NewConfig()
		config.User, config.Passwd, config.Net, config.Addr = user, password, "tcp", s.Addr()
		connector, err := mysql.NewConnector(config)
		if err != nil {
			t.Fatal(err)
		}
		db := sql.OpenDB(connector)
		defer db.Close() //nolint:errcheck // nothing was written
		const secureTransportRequired = 3159
		wantErrorNumber(t, db, "SELECT 1", secureTransportRequired)
	})

	t.Run("gives every caller of NewSchema an empty schema, dropped afterwards", func(t *testing.T) {
		var names []string
		t.Run("two schemas", func(t *testing.T) {
			names = []string{s.NewSchema(t), s.NewSchema(t)}
			if names[0] == names[1] {
				t.Fatalf("both schemas are called %s", names[0])
			}
			for _, n := range names {
				var tables int
				if err := s.Root(t).QueryRow("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = ?", n).Scan(&tables); err != nil || tables != 0 {
					t.Errorf("%s has %d tables (%v)", n, tables, err)
				}
				mustExec(t, s.MasterDB(t), "CREATE TABLE "+n+".things (id INT PRIMARY KEY)")
			}
		})
		var left int
		if err := s.Root(t).QueryRow("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name IN (?, ?)", names[0], names[1]).Scan(&left); err != nil || left != 0 {
			t.Errorf("%d of the schemas are left (%v)", left, err)
		}
	})
}

func TestStart(t *testing.T) {
	shared := Shared(t)
	var s *Server
	t.Run("a test with a server of its own", func(t *testing.T) {
		s = Start(t)
		if s.Port == shared.Port {
			t.Fatalf("both listen on port %d", s.Port)
		}
		master := s.MasterDB(t)
		schema := s.NewSchema(t)
		mustExec(t, s.Root(t), "CREATE TABLE "+schema+".things (id INT PRIMARY KEY)")
		s.Kill(t)
		if err := master.Ping(); err == nil {
			t.Error("the server still answers after Kill")
		}
		s.Restart(t)
		mustExec(t, master, "INSERT INTO "+schema+".things VALUES (1)")
		s.Stop(t) // and the schema's clean-up has nothing to do
	})
	if s.Running() {
		t.Error("the server still runs after its test")
	}
	if _, err := os.Stat(s.CAFile); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the server's files are still there (%v)", err)
	}
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
