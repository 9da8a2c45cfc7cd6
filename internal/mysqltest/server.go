package mysqltest

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"drawbridge/internal/child"
)

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 30 * time.Second
)

// Server is a running MySQL server of the tests' own.
type Server struct {
	Host   string // a loopback address, which the server's certificate names
	Port   int
	CAFile string // PEM: the certificate authority that signed the server's certificate

	binary   binary
	dir      string // holds data, certificates and log
	certs    certificates
	accounts accounts
	process  *child.Process // nil while stopped
}

// String leaves the passwords out.
func (s *Server) String() string { return "MySQL on " + s.Addr() }

// Addr returns host:port.
func (s *Server) Addr() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// Version returns what the server's program says of its version, one line.
func (s *Server) Version() string { return s.binary.version }

// Master returns the login of the user who may do what RDS's master user may:
// create schemas and users and grant on them, but not write to the schemas
// mysql and sys.
func (s *Server) Master() (user, password string) { return masterUser, s.accounts.masterPassword }

// RootLogin returns the login of the user who may do everything.
func (s *Server) RootLogin() (user, password string) { return rootUser, s.accounts.rootPassword }

// Root opens a pool of connections as the user who may do everything. It is
// closed when t ends.
func (s *Server) Root(t testing.TB) *sql.DB {
	t.Helper()
	return s.Open(t, rootUser, s.accounts.rootPassword, "")
}

// MasterDB opens a pool of connections as the [Server.Master] user. It is
// closed when t ends.
func (s *Server) MasterDB(t testing.TB) *sql.DB {
	t.Helper()
	return s.Open(t, masterUser, s.accounts.masterPassword, "")
}

// Open opens a pool of connections as any user, over TLS, with schema as the
// default one unless it is empty. Logging in is left to the first statement.
// The pool is closed when t ends.
func (s *Server) Open(t testing.TB, user, password, schema string) *sql.DB {
	t.Helper()
	db, err := s.open(user, password, schema)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func (s *Server) open(user, password, schema string) (*sql.DB, error) {
	config := mysql.NewConfig()
	config.User, config.Passwd, config.DBName = user, password, schema
	config.Net, config.Addr = "tcp", s.Addr()
	config.ParseTime = true
	config.TLS = &tls.Config{RootCAs: s.certs.pool, ServerName: s.Host, MinVersion: tls.VersionTLS12}
	// What the driver would log is also returned, and a killed server is
	// nothing to log.
	config.Logger = log.New(io.Discard, "", 0)
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// start starts a server on a data folder of its own.
func start() (*Server, error) {
	b, err := findBinary()
	if err != nil {
		return nil, err
	}
	initial, err := template(b)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "drawbridge-mysql-")
	if err != nil {
		return nil, err
	}
	s := &Server{Host: "127.0.0.1", binary: b, dir: dir, accounts: newAccounts()}
	if err := s.setUp(initial); err != nil {
		s.discard()
		return nil, fmt.Errorf("starting a MySQL server for the test: %w", err)
	}
	return s, nil
}

func (s *Server) setUp(initial string) (err error) {
	if err := copyDir(initial, filepath.Join(s.dir, "data")); err != nil {
		return err
	}
	if s.certs, err = newCertificates(s.dir); err != nil {
		return err
	}
	s.CAFile = s.certs.caFile
	users := filepath.Join(s.dir, "users.sql")
	if err := os.WriteFile(users, []byte(s.accounts.setupSQL()), 0o600); err != nil {
		return err
	}
	// Nothing reserves a port between looking and using it.
	for range 10 {
		if s.Port, err = freePort(); err != nil {
			return err
		}
		if err = s.run("--init-file=" + users); !errors.Is(err, errPortTaken) {
			break
		}
	}
	if err != nil {
		return err
	}
	return os.Remove(users)
}

// given are the ports of this process's servers, also of those that are away.
var given sync.Map

// freePort returns a loopback port that nobody listens on, and that stays free
// while a restarting server is away: it is below the range from which systems
// pick the ports of outgoing connections, and other test binaries, which run at
// the same time, pick theirs elsewhere.
func freePort() (int, error) {
	const lowest, binaries, each = 15_000, 150, 100
	first := lowest + os.Getpid()%binaries*each
	var err error
	for range 10 * each {
		port := first + rand.IntN(each)
		if _, taken := given.LoadOrStore(port, true); taken {
			continue
		}
		var l net.Listener
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return port, l.Close()
		}
		given.Delete(port)
	}
	return 0, fmt.Errorf("no port from %d to %d is free: %w", first, first+each-1, err)
}

var errPortTaken = errors.New("another process took the port")

// run starts the server's program and waits until root can log in.
func (s *Server) run(extra ...string) error {
	logFile := filepath.Join(s.dir, "error.log")
	if err := os.Remove(logFile); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	args := append([]string{"--no-defaults"}, initialiseArgs()...)
	args = append(args,
		"--datadir="+filepath.Join(s.dir, "data"),
		"--bind-address="+s.Host,
		"--port="+strconv.Itoa(s.Port),
		// Relative to the data folder: a socket's whole path may be too long.
		"--socket=mysqld.sock",
		"--pid-file=mysqld.pid",
		"--log-error="+logFile,
		"--ssl-cert="+s.certs.certFile,
		"--ssl-key="+s.certs.keyFile,
		"--require-secure-transport=ON",
		"--innodb-buffer-pool-size=32M",
		"--innodb-log-buffer-size=1M",
		"--table-open-cache=256",
		"--max-connections=100",
	)
	process, err := child.Start(exec.Command(s.binary.path, append(args, extra...)...))
	if err != nil {
		return err
	}
	s.process = process
	if err := s.waitReady(); err != nil {
		s.kill()
		text, _ := os.ReadFile(logFile)
		if strings.Contains(string(text), "Do you already have another server running on port") {
			return errPortTaken
		}
		return fmt.Errorf("%w: %s", err, lastErrors(string(text)))
	}
	return nil
}

// waitReady waits until root can log in.
func (s *Server) waitReady() error {
	db, err := s.open(rootUser, s.accounts.rootPassword, "")
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing was written
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.process.Exited:
			return errors.New("the server ended before it was ready")
		case <-ctx.Done():
			return fmt.Errorf("the server was not ready within %v (%w)", startTimeout, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Stop shuts the server down as an administrator would, and waits until it has
// ended. Port and data stay the server's own: [Server.Restart] brings it back.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if s.process == nil {
		return
	}
	s.Resume(t)
	// The server may close the connection before it has answered.
	_, shutdownErr := s.Root(t).Exec("SHUTDOWN")
	select {
	case <-s.process.Exited:
		s.process = nil
	case <-time.After(stopTimeout):
		s.kill()
		t.Fatalf("%v did not shut down within %v and was killed (SHUTDOWN said: %v)", s, stopTimeout, shutdownErr)
	}
}

// Kill ends the server at once, as a crash would. [Server.Restart] brings it
// back.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	s.kill()
}

func (s *Server) kill() {
	if s.process == nil {
		return
	}
	_ = s.process.Kill() // it may have ended by itself
	<-s.process.Exited
	s.process = nil
}

// Restart starts the server again on the same port and data, after stopping it
// if it runs, and returns when it is ready.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop(t)
	if err := s.run(); err != nil {
		t.Fatalf("restarting %v: %v", s, err)
	}
}

// Pause freezes the server: connections to it hang until [Server.Resume]. It
// needs a Unix system.
func (s *Server) Pause(t testing.TB) {
	t.Helper()
	if s.process == nil {
		t.Fatalf("%v is stopped and cannot be paused", s)
	}
	if err := pause(s.process.Process); err != nil {
		t.Fatalf("pausing %v: %v", s, err)
	}
}

// Resume ends what [Server.Pause] began; a server that runs is left alone.
func (s *Server) Resume(t testing.TB) {
	t.Helper()
	if s.process == nil {
		t.Fatalf("%v is stopped and cannot be resumed", s)
	}
	if err := resume(s.process.Process); err != nil {
		t.Fatalf("resuming %v: %v", s, err)
	}
}

// discard ends the server and removes its files.
func (s *Server) discard() {
	s.kill()
	given.Delete(s.Port)
	_ = os.RemoveAll(s.dir)
}
