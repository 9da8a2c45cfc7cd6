package mysqltest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"drawbridge/internal/child"
	"drawbridge/internal/notrun"
)

func TestMain(m *testing.M) { Main(m) }

func TestServer(t *testing.T) {
	s := Shared(t)

	t.Run("is MySQL 8.4 or newer on a loopback address", func(t *testing.T) {
		var version, address string
		row := s.Root(t).QueryRow("SELECT VERSION(), @@bind_address")
		if err := row.Scan(&version, &address); err != nil {
			t.Fatal(err)
		}
		if !isMySQL84("Ver " + version) {
			t.Errorf("version %q is older than 8.4", version)
		}
		if address != "127.0.0.1" || s.Host != address {
			t.Errorf("it listens on %q and says %q, want 127.0.0.1", address, s.Host)
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

	t.Run("has a certificate for localhost and 127.0.0.1 from the authority in CAFile", func(t *testing.T) {
		text, err := os.ReadFile(s.CAFile)
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			t.Fatalf("no certificate in %s", s.CAFile)
		}
		for name, wantFail := range map[string]bool{"localhost": false, "127.0.0.1": false, "db.example.com": true} {
			user, password := s.Master()
			config := mysql.NewConfig()
			config.User, config.Passwd, config.Net, config.Addr = user, password, "tcp", s.Addr()
			config.TLS = &tls.Config{RootCAs: pool, ServerName: name}
			connector, err := mysql.NewConnector(config)
			if err != nil {
				t.Fatal(err)
			}
			db := sql.OpenDB(connector)
			defer db.Close() //nolint:errcheck // nothing was written
			if err := db.Ping(); (err != nil) != wantFail {
				t.Errorf("as %s: error %v, want one: %v", name, err, wantFail)
			}
		}
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

	t.Run("says nothing of its passwords", func(t *testing.T) {
		text := fmt.Sprintf("%v %s", s, s)
		_, master := s.Master()
		_, root := s.RootLogin()
		if strings.Contains(text, master) || strings.Contains(text, root) {
			t.Error("printing the server prints a password")
		}
		log, err := os.ReadFile(filepath.Join(s.dir, "error.log"))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(log, []byte(master)) || bytes.Contains(log, []byte(root)) {
			t.Error("the server's log holds a password")
		}
	})
}

func TestMasterUser(t *testing.T) {
	s := Shared(t)
	master := s.MasterDB(t)
	schema := s.NewSchema(t)
	escaped := strings.ReplaceAll(schema, "_", `\_`)

	allowed := map[string]string{
		"reads mysql.user":        "SELECT user, host FROM mysql.user",
		"creates a schema":        "CREATE DATABASE made_by_master",
		"drops a schema":          "DROP DATABASE IF EXISTS made_by_master_too",
		"creates a table":         "CREATE TABLE " + schema + ".t (id INT PRIMARY KEY)",
		"creates a user":          "CREATE USER 'made_by_master'@'127.0.0.0/255.0.0.0' IDENTIFIED BY 'correct horse' REQUIRE SSL WITH MAX_USER_CONNECTIONS 5",
		"creates a role":          "CREATE ROLE made_by_master_role",
		"takes a lock by name":    "SELECT GET_LOCK('made_by_master', 0)",
		"sees the server's state": "SHOW PROCESSLIST",
		"sees every grant":        "SHOW GRANTS FOR 'root'@'localhost'",
	}
	t.Cleanup(func() {
		root := s.Root(t)
		mustExec(t, root, "DROP DATABASE IF EXISTS made_by_master")
		mustExec(t, root, "DROP USER IF EXISTS 'made_by_master'@'127.0.0.0/255.0.0.0'")
		mustExec(t, root, "DROP ROLE IF EXISTS made_by_master_role")
	})
	for name, statement := range allowed {
		t.Run(name, func(t *testing.T) { mustExec(t, master, statement) })
	}

	t.Run("grants SELECT on one schema, and the wildcard is one", func(t *testing.T) {
		const user, password = "reader", "battery staple"
		mustExec(t, master, "CREATE USER 'reader'@'%' IDENTIFIED BY '"+password+"'")
		t.Cleanup(func() { mustExec(t, s.Root(t), "DROP USER 'reader'@'%'") })
		neighbour := strings.ReplaceAll(schema, "_", "X")
		mustExec(t, master, "CREATE DATABASE "+neighbour)
		t.Cleanup(func() { mustExec(t, s.Root(t), "DROP DATABASE "+neighbour) })
		mustExec(t, master, "CREATE TABLE "+neighbour+".t (id INT PRIMARY KEY)")
		mustExec(t, master, "CREATE TABLE "+schema+".mine (id INT PRIMARY KEY)")

		mustExec(t, master, "GRANT SELECT ON `"+escaped+"`.* TO 'reader'@'%'")
		reader := s.Open(t, user, password, schema)
		mustExec(t, reader, "SELECT * FROM mine")
		wantErrorNumber(t, reader, "INSERT INTO mine VALUES (1)", 1142)
		wantErrorNumber(t, reader, "SELECT * FROM "+neighbour+".t", 1142)

		mustExec(t, master, "GRANT SELECT ON `"+schema+"`.* TO 'reader'@'%'")
		mustExec(t, s.Open(t, user, password, schema), "SELECT * FROM "+neighbour+".t")
	})

	t.Run("changes a password and keeps the old one valid", func(t *testing.T) {
		mustExec(t, master, "CREATE USER 'rotated'@'%' IDENTIFIED BY 'first'")
		t.Cleanup(func() { mustExec(t, s.Root(t), "DROP USER 'rotated'@'%'") })
		mustExec(t, master, "ALTER USER 'rotated'@'%' IDENTIFIED BY 'second' RETAIN CURRENT PASSWORD")
		for _, password := range []string{"first", "second"} {
			mustExec(t, s.Open(t, "rotated", password, ""), "SELECT 1")
		}
		mustExec(t, master, "ALTER USER 'rotated'@'%' DISCARD OLD PASSWORD")
		wantErrorNumber(t, s.Open(t, "rotated", "first", ""), "SELECT 1", 1045)
	})

	refused := map[string]struct {
		statement string
		number    uint16
	}{
		"writing mysql.user":         {"UPDATE mysql.user SET max_connections = 1 WHERE user = 'nobody'", 1142},
		"deleting from mysql.user":   {"DELETE FROM mysql.user WHERE user = 'nobody'", 1142},
		"inserting into mysql.db":    {"INSERT INTO mysql.db (host, db, user) VALUES ('%', 'x', 'x')", 1142},
		"creating a table in mysql":  {"CREATE TABLE mysql.mine (id INT)", 1142},
		"dropping the schema mysql":  {"DROP DATABASE mysql", 1044},
		"creating a table in sys":    {"CREATE TABLE sys.mine (id INT)", 1142},
		"granting itself mysql":      {"GRANT INSERT ON mysql.* TO 'admin'@'%'", 1044},
		"granting all":               {"GRANT ALL ON *.* TO 'admin'@'%'", 1045},
		"changing root":              {"ALTER USER 'root'@'localhost' IDENTIFIED BY 'x'", 1227},
		"dropping root":              {"DROP USER 'root'@'localhost'", 1227},
		"setting a global variable":  {"SET GLOBAL max_connections = 10", 1227},
		"shutting the server down":   {"SHUTDOWN", 1227},
		"writing files":              {"SELECT 1 INTO OUTFILE 'drawbridge-outfile'", 1227},
		"reading the server's files": {"LOAD DATA INFILE '/etc/passwd' INTO TABLE " + schema + ".none", 1045},
		"turning binary logging off": {"SET SESSION sql_log_bin = 0", 1227},
		"installing a plugin":        {"INSTALL PLUGIN example SONAME 'ha_example.so'", 1142},
	}
	for name, tc := range refused {
		t.Run("is refused "+name, func(t *testing.T) { wantErrorNumber(t, master, tc.statement, tc.number) })
	}
}

func TestOwnServer(t *testing.T) {
	s := Start(t)

	t.Run("runs beside the shared one, with other data and other passwords", func(t *testing.T) {
		other := Shared(t)
		if s.Port == other.Port {
			t.Fatalf("both listen on port %d", s.Port)
		}
		_, mine := s.Master()
		_, theirs := other.Master()
		if mine == theirs {
			t.Error("both have the same master password")
		}
		var a, b string
		for server, id := range map[*Server]*string{s: &a, other: &b} {
			if err := server.Root(t).QueryRow("SELECT @@server_uuid").Scan(id); err != nil {
				t.Fatal(err)
			}
		}
		if a == b {
			t.Errorf("both have the identity %s", a)
		}
	})

	master := s.MasterDB(t)
	// A server that shuts down waits two seconds for whoever is connected.
	master.SetMaxIdleConns(0)
	mustExec(t, master, "CREATE DATABASE kept")
	mustExec(t, master, "CREATE TABLE kept.things (id INT PRIMARY KEY)")
	rows := 0
	for name, end := range map[string]func(testing.TB){"Stop": s.Stop, "Kill": s.Kill, "nothing": func(testing.TB) {}} {
		t.Run("has its port and data back with Restart after "+name, func(t *testing.T) {
			rows++
			if _, err := master.Exec("INSERT INTO kept.things VALUES (?)", rows); err != nil {
				t.Fatal(err)
			}
			port := s.Port
			end(t)
			if name != "nothing" {
				if err := master.Ping(); err == nil {
					t.Errorf("the server still answers after %s", name)
				}
			}
			s.Restart(t)
			if s.Port != port {
				t.Errorf("port %d, want %d", s.Port, port)
			}
			var got int
			if err := master.QueryRow("SELECT COUNT(*) FROM kept.things").Scan(&got); err != nil || got != rows {
				t.Errorf("%d rows (%v), want %d", got, err, rows)
			}
		})
	}

	t.Run("hangs while paused and answers when resumed", func(t *testing.T) {
		if runtime.GOOS == "windows" {
			notrun.Because(t, "pausing a process needs a Unix system")
		}
		mustExec(t, master, "SELECT 1")
		s.Pause(t)
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		var one int
		if err := master.QueryRowContext(ctx, "SELECT 1").Scan(&one); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v while paused, want a time-out", err)
		}
		s.Resume(t)
		mustExec(t, master, "SELECT 1")
	})

	t.Run("can be stopped while paused, twice", func(t *testing.T) {
		if runtime.GOOS == "windows" {
			notrun.Because(t, "pausing a process needs a Unix system")
		}
		s.Pause(t)
		s.Stop(t)
		s.Stop(t)
		s.Kill(t)
		s.Restart(t)
		mustExec(t, master, "SELECT 1")
	})
}

func TestNothingIsLeftBehind(t *testing.T) {
	if _, err := findBinary(); err != nil {
		give(t, err)
	}
	var dir string
	var p *child.Process
	t.Run("a test with a server", func(t *testing.T) {
		s := Start(t)
		dir, p = s.dir, s.process
	})
	select {
	case <-p.Exited:
	default:
		t.Error("the server still runs after its test")
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the server's folder is still there (%v)", err)
	}
}

const asVictim = "MYSQLTEST_VICTIM"

// TestVictim is the body of a test binary that TestServerDiesWithTheTests kills.
func TestVictim(t *testing.T) {
	if os.Getenv(asVictim) == "" {
		return // alone this test has nothing to do
	}
	s := Start(t)
	fmt.Printf("VICTIM %s %d %s\n", s.Addr(), s.process.Pid, s.dir)
	select {}
}

func TestServerDiesWithTheTests(t *testing.T) {
	if runtime.GOOS != "linux" {
		notrun.Because(t, "only Linux ends a process with its parent")
	}
	if _, err := findBinary(); err != nil {
		give(t, err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$")
	cmd.Env = append(os.Environ(), asVictim+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var addr, dir string
	var pid int
	_, scanErr := fmt.Fscanf(out, "VICTIM %s %d %s\n", &addr, &pid, &dir)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	if scanErr != nil {
		t.Fatalf("the test binary did not start a server: %v", scanErr)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	deadline := time.Now().Add(10 * time.Second)
	for answers(addr) {
		if time.Now().After(deadline) {
			if p, err := os.FindProcess(pid); err == nil {
				_ = p.Kill()
			}
			t.Fatalf("the server on %s outlived its test binary", addr)
		}
		time.Sleep(50 * time.Millisecond)
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
