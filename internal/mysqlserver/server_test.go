package mysqlserver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"drawbridge/internal/notrun"
)

func TestServer(t *testing.T) {
	s := start(t, Options{})

	t.Run("is MySQL 8.4 or newer on a loopback address", func(t *testing.T) {
		var version, address string
		row := openRoot(t, s).QueryRow("SELECT VERSION(), @@bind_address")
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

	t.Run("lets other users read its certificate authority alone", func(t *testing.T) {
		if runtime.GOOS == "windows" {
			notrun.Because(t, "files have no modes there")
		}
		err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			if path == filepath.Join(s.dir, "data") && info.Mode().Perm() == 0o700 {
				return fs.SkipDir
			}
			want := fs.FileMode(0)
			switch path {
			case s.dir:
				want = 1 // to pass through
			case s.CAFile:
				want = 4
			}
			if others := info.Mode().Perm() & 7; others != want {
				t.Errorf("%s lets others do %o, want %o", path, others, want)
			}
			return nil
		})
		must(t, err)
	})

	t.Run("says nothing of its passwords", func(t *testing.T) {
		text := fmt.Sprintf("%v %s", s, s)
		_, master := s.Master()
		_, root := s.RootLogin()
		if strings.Contains(text, master) || strings.Contains(text, root) {
			t.Error("printing the server prints a password")
		}
		if log := s.logs(); log == "" || strings.Contains(log, master) || strings.Contains(log, root) {
			t.Errorf("the server's log holds a password, or nothing: %d bytes", len(log))
		}
		if _, err := os.Stat(filepath.Join(s.dir, "users.sql")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the file with the passwords is still there (%v)", err)
		}
	})
}

func TestOwnServer(t *testing.T) {
	s := start(t, Options{})

	t.Run("runs beside the shared one, with other data and other passwords", func(t *testing.T) {
		other := start(t, Options{})
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
			if err := openRoot(t, server).QueryRow("SELECT @@server_uuid").Scan(id); err != nil {
				t.Fatal(err)
			}
		}
		if a == b {
			t.Errorf("both have the identity %s", a)
		}
	})

	master := openMaster(t, s)
	// A server that shuts down waits two seconds for whoever is connected.
	master.SetMaxIdleConns(0)
	mustExec(t, master, "CREATE DATABASE kept")
	mustExec(t, master, "CREATE TABLE kept.things (id INT PRIMARY KEY)")
	rows := 0
	for name, end := range map[string]func(){"Stop": func() { must(t, s.Stop(t.Context())) }, "Kill": s.Kill, "nothing": func() {}} {
		t.Run("has its port and data back with Restart after "+name, func(t *testing.T) {
			rows++
			if _, err := master.Exec("INSERT INTO kept.things VALUES (?)", rows); err != nil {
				t.Fatal(err)
			}
			port := s.Port
			end()
			if s.Running() != (name == "nothing") {
				t.Errorf("after %s it runs: %v", name, s.Running())
			}
			if name != "nothing" {
				if err := master.Ping(); err == nil {
					t.Errorf("the server still answers after %s", name)
				}
			}
			must(t, s.Restart(t.Context()))
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
		must(t, s.Pause())
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		var one int
		if err := master.QueryRowContext(ctx, "SELECT 1").Scan(&one); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v while paused, want a time-out", err)
		}
		must(t, s.Resume())
		mustExec(t, master, "SELECT 1")
	})

	t.Run("can be stopped while paused, twice", func(t *testing.T) {
		if runtime.GOOS == "windows" {
			notrun.Because(t, "pausing a process needs a Unix system")
		}
		must(t, s.Pause())
		must(t, s.Stop(t.Context()))
		must(t, s.Stop(t.Context()))
		s.Kill()
		must(t, s.Restart(t.Context()))
		mustExec(t, master, "SELECT 1")
	})

	t.Run("cannot be paused or resumed while it is away", func(t *testing.T) {
		s.Kill()
		for _, err := range []error{s.Pause(), s.Resume()} {
			if err == nil || !strings.Contains(err.Error(), "is stopped") {
				t.Errorf("%v", err)
			}
		}
	})
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	s := start(t, Options{})
	must(t, s.Close())
	if s.Running() || answers(s.Addr()) {
		t.Error("the server still runs after Close")
	}
	if _, err := os.Stat(s.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the server's folder is still there (%v)", err)
	}
}

const asVictim = "MYSQLSERVER_VICTIM"

// TestVictim is the body of a process that TestAServerDiesWithItsProcessAndSweepRemovesItsFiles kills.
func TestVictim(t *testing.T) {
	if os.Getenv(asVictim) == "" {
		return // alone this test has nothing to do
	}
	s := start(t, Options{})
	fmt.Printf("VICTIM %s %d %s\n", s.Addr(), s.running().Pid, s.dir)
	select {}
}

func TestAServerDiesWithItsProcessAndSweepRemovesItsFiles(t *testing.T) {
	if runtime.GOOS != "linux" {
		notrun.Because(t, "only Linux ends a process with its parent")
	}
	living := start(t, Options{})
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
		t.Fatalf("the process did not start a server: %v", scanErr)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	deadline := time.Now().Add(10 * time.Second)
	for answers(addr) {
		if time.Now().After(deadline) {
			if p, err := os.FindProcess(pid); err == nil {
				_ = p.Kill()
			}
			t.Fatalf("the server on %s outlived its process", addr)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("there is nothing for Sweep to do: %v", err)
	}
	must(t, Sweep())
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the killed process's folder is still there (%v)", err)
	}
	if _, err := os.Stat(living.dir); err != nil {
		t.Errorf("Sweep took the folder of a process that lives: %v", err)
	}
}
