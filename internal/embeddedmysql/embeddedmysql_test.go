package embeddedmysql_test

import (
	"database/sql"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/go-sql-driver/mysql"

	"drawbridge/internal/embeddedmysql"
	"drawbridge/internal/mysqldb"
)

func TestServer(t *testing.T) {
	s, err := embeddedmysql.Start()
	if err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, s.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	open := func(user, password string) *sql.DB {
		db, err := mysqldb.Open(mysqldb.Settings{Host: s.Host, Port: s.Port, Username: user, Password: password, CAFile: ca})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	user, password := s.RootLogin()
	root := open(user, password)

	t.Run("takes root with the password of this start", func(t *testing.T) {
		if err := root.Ping(); err != nil {
			t.Error(err)
		}
	})
	t.Run("does not pass for MySQL", func(t *testing.T) {
		var version string
		if err := root.QueryRow("SELECT VERSION()").Scan(&version); err != nil || version != "8.4.0-embedded" {
			t.Errorf("version %q, error %v", version, err)
		}
	})
	t.Run("refuses another password", func(t *testing.T) {
		if err := mysqldb.Explain(open(user, "wrong").Ping()); err == nil || err.Kind != mysqldb.AccessDenied {
			t.Errorf("got %v", err)
		}
	})
	t.Run("refuses a connection without TLS", func(t *testing.T) {
		c := mysql.NewConfig()
		c.User, c.Passwd, c.Net, c.Addr = user, password, "tcp", net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
		connector, err := mysql.NewConnector(c)
		if err != nil {
			t.Fatal(err)
		}
		db := sql.OpenDB(connector)
		defer db.Close()
		if err := db.Ping(); err == nil {
			t.Error("it connects")
		}
	})
	t.Run("refuses a write of a user who may read", func(t *testing.T) {
		for _, statement := range []string{
			"CREATE DATABASE zoo", "CREATE TABLE zoo.animals (id INT PRIMARY KEY)", "INSERT INTO zoo.animals VALUES (1)",
			"CREATE USER 'reader'@'%' IDENTIFIED BY 'secret'", "GRANT SELECT ON zoo.* TO 'reader'@'%'",
		} {
			if _, err := root.Exec(statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		reader := open("reader", "secret")
		var id int
		if err := reader.QueryRow("SELECT id FROM zoo.animals").Scan(&id); err != nil || id != 1 {
			t.Errorf("id %d, error %v", id, err)
		}
		if _, err := reader.Exec("INSERT INTO zoo.animals VALUES (2)"); err == nil {
			t.Error("it writes")
		}
	})
	t.Run("is gone after Close", func(t *testing.T) {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := mysqldb.Explain(open(user, password).Ping()); err == nil || err.Kind != mysqldb.Unreachable {
			t.Errorf("got %v", err)
		}
	})
}
