package mysqlserver

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"

	"drawbridge/internal/child"
	"drawbridge/internal/leftover"
)

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 30 * time.Second
)

// Server is a MySQL server of this process's own. Its methods can be called from several goroutines.
type Server struct {
	Host   string // the address on which it listens, which its certificate names
	Port   int
	CAFile string // PEM, for every user: the certificate authority that signed the server's certificate

	options  Options
	binary   binary
	dir      string // holds data, certificates and logs
	certs    certificates
	accounts accounts
	picked   bool // the port is one of the given

	lifecycle sync.Mutex // held while it is started or shut down
	process   atomic.Pointer[child.Process]
}

// Start starts a server on a data folder of its own. It is ready for connections when Start returns; ctx bounds that
// wait alone. Where this machine has no suitable server the error is a [MissingError].
func Start(ctx context.Context, o Options) (*Server, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	b, err := findBinary(o.Tools)
	if err != nil {
		return nil, err
	}
	initial, err := template(b)
	if err != nil {
		return nil, err
	}
	if err := Sweep(); err != nil {
		return nil, err
	}
	dir, err := leftover.Folder(folderName)
	if err != nil {
		return nil, err
	}
	s := &Server{Host: o.Address, Port: o.Port, options: o, binary: b, dir: dir, accounts: newAccounts(o.MasterUsername)}
	if err := s.setUp(ctx, initial); err != nil {
		return nil, errors.Join(fmt.Errorf("starting a MySQL server: %w", err), s.Close())
	}
	return s, nil
}

// String leaves the passwords out.
func (s *Server) String() string { return "MySQL on " + s.Addr() }

// Addr returns host:port.
func (s *Server) Addr() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// Version returns what the server's program says of its version, one line.
func (s *Server) Version() string { return s.binary.version }

// Master returns the login of the user who may do what RDS's master user may:
// create schemas and users and grant on them, but not write to the schemas
// mysql and sys. The password is the first one: nobody tells the Server that it
// was changed.
func (s *Server) Master() (user, password string) {
	return s.accounts.masterUser, s.accounts.masterPassword
}

// RootLogin returns the login of the user who may do everything.
func (s *Server) RootLogin() (user, password string) { return rootUser, s.accounts.rootPassword }

// Open opens a pool of connections as any user, over TLS, with schema as the
// default one unless it is empty. Logging in is left to the first statement.
func (s *Server) Open(user, password, schema string) (*sql.DB, error) {
	config := mysql.NewConfig()
	config.User, config.Passwd, config.DBName = user, password, schema
	config.Net, config.Addr, config.DialFunc = "tcp", s.Addr(), s.options.Dial
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

func (s *Server) setUp(ctx context.Context, initial string) (err error) {
	// Clients that run as other users reach the CAFile in it, and nothing else.
	if err := os.Chmod(s.dir, 0o711); err != nil {
		return err
	}
	if err := copyDir(initial, filepath.Join(s.dir, "data")); err != nil {
		return err
	}
	if s.certs, err = newCertificates(s.dir, append([]string{s.Host}, s.options.Names...)); err != nil {
		return err
	}
	s.CAFile = s.certs.caFile
	users := filepath.Join(s.dir, "users.sql")
	if err := os.WriteFile(users, []byte(s.accounts.setupSQL(s.rootHost())), 0o600); err != nil {
		return err
	}
	if err := s.runOnPort(ctx, "--init-file="+users); err != nil {
		return err
	}
	if err := os.Remove(users); err != nil {
		return err
	}
	root, err := s.Open(rootUser, s.accounts.rootPassword, "")
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // nothing was written
	return knows(ctx, root, s.options.Settings)
}

// rootHost is where root logs in from, in MySQL's words.
func (s *Server) rootHost() string {
	if address, err := netip.ParseAddr(s.Host); err == nil && !address.IsLoopback() {
		return s.Host
	}
	return localhost
}

// runOnPort runs the server on its port, or on a free one.
func (s *Server) runOnPort(ctx context.Context, extra ...string) (err error) {
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	if s.Port != 0 {
		return s.run(ctx, extra...)
	}
	s.picked = true
	// Nothing reserves a port between looking and using it.
	for range 10 {
		if s.Port, err = freePort(s.Host); err != nil {
			return err
		}
		if err = s.run(ctx, extra...); !errors.Is(err, errPortTaken) {
			break
		}
	}
	return err
}

// args are the arguments of the server's program.
func (s *Server) args() []string {
	args := append([]string{"--no-defaults"}, initialiseArgs()...)
	args = append(args,
		"--datadir="+filepath.Join(s.dir, "data"),
		"--bind-address="+s.Host,
		"--port="+strconv.Itoa(s.Port),
		// Relative to the data folder: a socket's whole path may be too long.
		"--socket=mysqld.sock",
		"--pid-file=mysqld.pid",
		"--log-error="+s.logFile(),
		"--ssl-cert="+s.certs.certFile,
		"--ssl-key="+s.certs.keyFile,
		"--innodb-buffer-pool-size=32M",
		"--innodb-log-buffer-size=1M",
		"--table-open-cache=256",
		"--max-connections=100",
	)
	if s.rootHost() != localhost {
		// In a namespace nobody answers what the name of a client is.
		args = append(args, "--skip-name-resolve")
	}
	// The last word counts.
	return append(args, settingArgs(s.options.Settings)...)
}

func (s *Server) logFile() string { return filepath.Join(s.dir, "error.log") }

// run starts the server's program and waits until root can log in.
func (s *Server) run(ctx context.Context, extra ...string) error {
	if err := os.Remove(s.logFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	// What is wrong with an argument is said here, before there is a log.
	stderr, err := os.OpenFile(filepath.Join(s.dir, "stderr.log"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer stderr.Close() //nolint:errcheck // the server has its own handle
	cmd := s.options.Command(s.binary.path, append(s.args(), extra...)...)
	cmd.Stderr = stderr
	process, err := child.Start(cmd)
	if err != nil {
		return err
	}
	s.process.Store(process)
	err = s.waitReady(ctx, process)
	text := s.logs()
	if refusal := refusedSetting(s.options.Settings, text); refusal != nil {
		err = refusal
	} else if err != nil && s.picked && strings.Contains(text, "Do you already have another server running on port") {
		err = errPortTaken
	} else if said := lastErrors(text); err != nil && said != "" {
		err = fmt.Errorf("%w: %s", err, said)
	}
	if err != nil {
		s.Kill()
	}
	return err
}

// logs returns all that the server said since it was started.
func (s *Server) logs() string {
	early, _ := os.ReadFile(filepath.Join(s.dir, "stderr.log"))
	log, _ := os.ReadFile(s.logFile())
	return string(early) + string(log)
}

// waitReady waits until root can log in.
func (s *Server) waitReady(ctx context.Context, process *child.Process) error {
	db, err := s.Open(rootUser, s.accounts.rootPassword, "")
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing was written
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("the server was not ready within %v", startTimeout))
	defer cancel()
	// Whoever else may listen on the port need not answer.
	ctx, ended := context.WithCancelCause(ctx)
	defer ended(nil)
	go func() {
		select {
		case <-process.Exited:
			ended(errors.New("the server ended before it was ready"))
		case <-ctx.Done():
		}
	}()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// running returns the server's process, or nil when it has ended.
func (s *Server) running() *child.Process {
	process := s.process.Load()
	if process == nil {
		return nil
	}
	select {
	case <-process.Exited:
		return nil
	default:
		return process
	}
}

// Running says whether the server runs; a paused one does.
func (s *Server) Running() bool { return s.running() != nil }

// Stop shuts the server down as an administrator would, and waits until it has
// ended. Port and data stay the server's own: [Server.Restart] brings it back.
// One that does not shut down while ctx lives, or within half a minute, is
// killed, which is an error.
func (s *Server) Stop(ctx context.Context) error {
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	return s.stop(ctx)
}

func (s *Server) stop(ctx context.Context) error {
	process := s.running()
	if process == nil {
		return nil
	}
	_ = resume(process.Process) // it may have ended by itself
	root, err := s.Open(rootUser, s.accounts.rootPassword, "")
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // nothing was written
	ctx, cancel := context.WithTimeoutCause(ctx, stopTimeout, fmt.Errorf("not within %v", stopTimeout))
	defer cancel()
	// The server may close the connection before it has answered.
	_, shutdownErr := root.ExecContext(ctx, "SHUTDOWN")
	select {
	case <-process.Exited:
		return nil
	case <-ctx.Done():
		s.Kill()
		return fmt.Errorf("%v did not shut down (%w) and was killed (SHUTDOWN said: %v)", s, context.Cause(ctx), shutdownErr)
	}
}

// Kill ends the server at once, as a crash would. [Server.Restart] brings it
// back.
func (s *Server) Kill() {
	if process := s.running(); process != nil {
		_ = process.Kill() // it may have ended by itself
		<-process.Exited
	}
}

// Restart starts the server again on the same port and data, after stopping it
// if it runs, and returns when it is ready.
func (s *Server) Restart(ctx context.Context) error {
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	if err := s.stop(ctx); err != nil {
		return err
	}
	if err := s.run(ctx); err != nil {
		return fmt.Errorf("restarting %v: %w", s, err)
	}
	return nil
}

// Pause freezes the server: connections to it hang until [Server.Resume]. It
// needs a Unix system.
func (s *Server) Pause() error {
	process := s.running()
	if process == nil {
		return fmt.Errorf("%v is stopped and cannot be paused", s)
	}
	if err := pause(process.Process); err != nil {
		return fmt.Errorf("pausing %v: %w", s, err)
	}
	return nil
}

// Resume ends what [Server.Pause] began; a server that runs is left alone.
func (s *Server) Resume() error {
	process := s.running()
	if process == nil {
		return fmt.Errorf("%v is stopped and cannot be resumed", s)
	}
	if err := resume(process.Process); err != nil {
		return fmt.Errorf("resuming %v: %w", s, err)
	}
	return nil
}

// Close ends the server and removes its files.
func (s *Server) Close() error {
	s.Kill()
	if s.picked {
		given.Delete(s.Port)
	}
	return os.RemoveAll(s.dir)
}
