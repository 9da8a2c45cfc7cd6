//go:build linux && root

package endtoend

import (
	"bytes"
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"drawbridge/internal/lockedbuffer"
	"drawbridge/internal/rdsca"
	"drawbridge/rehearsal/machine"
)

// laptop is an administrator's machine: a network of its own, and this machine's ssh with a configuration of its own.
// It has no agent, and asks nobody anything.
type laptop struct {
	net    *machine.Namespace
	folder string

	ports atomic.Uint32 // the last one that was given away
}

// keyPair is what ssh-keygen makes. Its private half stays on the laptop.
type keyPair struct {
	file   string // of the private half
	public string // "type base64"
}

// person is somebody who tries to log in.
type person struct {
	name string
	key  keyPair
}

// newLaptop plugs a laptop into the network of the instances.
func (w *world) newLaptop(t testing.TB) *laptop {
	t.Helper()
	n, err := w.fleet.Network.Host("laptop", "10.9.0.10/24")
	if err != nil {
		t.Fatal(err)
	}
	return &laptop{net: n, folder: t.TempDir()}
}

// newKey runs ssh-keygen. The key's file is called like what it is for.
func (l *laptop) newKey(t testing.TB, name string, options ...string) keyPair {
	t.Helper()
	folder, err := os.MkdirTemp(l.folder, "key")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, name)
	if len(options) == 0 {
		options = []string{"-t", "ed25519"}
	}
	args := append([]string{"-q", "-N", "", "-C", "", "-f", file}, options...)
	if out, err := exec.CommandContext(t.Context(), "ssh-keygen", args...).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	return keyPair{file: file, public: strings.TrimSpace(readFile(t, file+".pub"))}
}

// fingerprint is how sshd's log names a key.
func (k keyPair) fingerprint(t testing.TB) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-l", "-f", k.file+".pub").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))[1]
}

// trust makes `ssh jump` reach a machine and take it for the host that a line of known_hosts is about, as if that
// host's address were the machine's: the line stays as the stack's output has it.
func (l *laptop) trust(t testing.TB, address, knownHosts string) {
	t.Helper()
	alias, _, _ := strings.Cut(knownHosts, " ")
	l.write(t, "known_hosts", knownHosts+"\n")
	l.write(t, "config", fmt.Sprintf(`Host jump
	HostName %s
	HostKeyAlias %s
	CheckHostIP no
	StrictHostKeyChecking yes
	UserKnownHostsFile %s
	GlobalKnownHostsFile none
	UpdateHostKeys no
	BatchMode yes
	IdentityAgent none
	IdentitiesOnly yes
	ControlMaster no
	ControlPath none
	ExitOnForwardFailure yes
	ConnectTimeout 20
	ServerAliveInterval 10
	EscapeChar none
`, address, alias, filepath.Join(l.folder, "known_hosts")))
}

func (l *laptop) write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(l.folder, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// command prepares a program of the laptop.
func (l *laptop) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := l.net.Command(ctx, name, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + l.folder, "LANG=C.UTF-8", "TERM=dumb"}
	return cmd
}

// ssh prepares an ssh to the jump server; the host's name stands in args.
func (l *laptop) ssh(ctx context.Context, p person, args ...string) *exec.Cmd {
	options := []string{"-F", filepath.Join(l.folder, "config"), "-i", p.key.file, "-l", p.name}
	return l.command(ctx, "ssh", append(options, args...)...)
}

// try runs ssh to its end.
func (l *laptop) try(t testing.TB, p person, stdin string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := l.ssh(ctx, p, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err = cmd.Run()
	if ctx.Err() != nil {
		err = fmt.Errorf("ssh did not end: %w", ctx.Err())
	}
	return out.String(), errs.String(), err
}

// mustRun runs a command as a person on the jump server.
func (l *laptop) mustRun(t testing.TB, p person, stdin, command string) (stdout string) {
	t.Helper()
	out, stderr, err := l.try(t, p, stdin, "jump", command)
	if err != nil {
		t.Fatalf("%s: %s: %v\n%s%s", p.name, command, err, out, stderr)
	}
	return out
}

// letsIn fails unless a person can log in, as far as the database's greeting.
func (l *laptop) letsIn(t testing.TB, p person, target string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := l.ssh(ctx, p, "-W", target, "jump")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, err1 := cmd.StdinPipe() // open until the database has greeted
	stdout, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		return err
	}
	_, greeted := io.ReadFull(stdout, make([]byte, 5))
	_ = stdin.Close()
	_, _ = io.Copy(io.Discard, stdout)
	if err := cmd.Wait(); err != nil || greeted != nil {
		return fmt.Errorf("%w: %s", errors.Join(err, greeted), strings.TrimSpace(stderr.String()))
	}
	return nil
}

// mustLetIn fails the test unless a person can log in.
func (l *laptop) mustLetIn(t testing.TB, p person, target string) {
	t.Helper()
	if err := l.letsIn(t, p, target); err != nil {
		t.Errorf("%s cannot log in: %v", p.name, err)
	}
}

// mustRefuse fails the test if a person can log in, or cannot for another reason than that sshd takes no key.
func (l *laptop) mustRefuse(t testing.TB, p person, target string) {
	t.Helper()
	switch err := l.letsIn(t, p, target); {
	case err == nil:
		t.Errorf("%s can log in", p.name)
	case !refused(err.Error()):
		t.Errorf("%s cannot log in, but for another reason: %v", p.name, err)
	}
}

// refused reports whether ssh's words say that sshd took none of the ways to log in, and that keys were the only way.
func refused(stderr string) bool { return strings.Contains(stderr, "Permission denied (publickey).") }

// session is an ssh that stays.
type session struct {
	t      testing.TB
	stdin  io.Writer
	output *lockedbuffer.Buffer
	ended  chan struct{} // closed when ssh has ended
}

// open starts an ssh that lasts until the test ends or the jump server ends it.
func (l *laptop) open(t testing.TB, p person, args ...string) *session {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := l.ssh(ctx, p, args...)
	s := &session{t: t, output: &lockedbuffer.Buffer{}, ended: make(chan struct{})}
	var err error
	if s.stdin, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = s.output, s.output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait() // it ends as the test wants
		close(s.ended)
	}()
	t.Cleanup(func() { cancel(); <-s.ended })
	return s
}

// shell opens a shell on a terminal, and waits until it answers.
func (l *laptop) shell(t testing.TB, p person) *session {
	t.Helper()
	s := l.open(t, p, "-tt", "jump")
	s.say("echo $((40 + 2)), here is $(id --user --name)")
	s.mustHear("42, here is " + p.name)
	return s
}

// forward opens a port of the laptop to the database, and waits until it is there.
func (l *laptop) forward(t testing.TB, p person, target string) (s *session, port string) {
	t.Helper()
	port = fmt.Sprint(20000 + l.ports.Add(1))
	s = l.open(t, p, "-N", "-L", "127.0.0.1:"+port+":"+target, "jump")
	eventually(t, "the forward of "+p.name+" is there", func() error {
		if s.over() {
			return fmt.Errorf("ssh has ended: %s", s.output)
		}
		conn, err := l.net.Dial(t.Context(), "tcp", "127.0.0.1:"+port)
		if err == nil {
			err = conn.Close()
		}
		return err
	})
	return s, port
}

// say types a line.
func (s *session) say(line string) {
	s.t.Helper()
	if _, err := io.WriteString(s.stdin, line+"\n"); err != nil {
		s.t.Fatalf("the session has ended: %v\n%s", err, s.output)
	}
}

// mustHear waits until the session has written a text.
func (s *session) mustHear(text string) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("the session says %q", text), func() error {
		if strings.Contains(s.output.String(), text) {
			return nil
		}
		if s.over() {
			s.t.Fatalf("the session has ended: %s", s.output)
		}
		return fmt.Errorf("it says %q", s.output)
	})
}

// over reports whether ssh has ended.
func (s *session) over() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// mustEnd waits until the jump server has ended the session.
func (s *session) mustEnd(what string) (took time.Duration) {
	s.t.Helper()
	return eventually(s.t, what+" ends", func() error {
		if !s.over() {
			return fmt.Errorf("it goes on")
		}
		return nil
	})
}

// mustGoOn fails the test if the session has ended.
func (s *session) mustGoOn(what string) {
	s.t.Helper()
	if s.over() {
		s.t.Errorf("%s has ended: %s", what, s.output)
	}
}

// database connects the Go driver to a port of the laptop, as MySQL Workbench connects to its end of the tunnel: with
// TLS, and the certificate authority verified.
func (l *laptop) database(t testing.TB, w *world, port, user, password string) *sql.DB {
	t.Helper()
	c := mysql.NewConfig()
	c.Net, c.Addr = "tcp", "127.0.0.1:"+port
	c.User, c.Passwd, c.DBName = user, password, "monster_teams"
	roots, err := rdsca.PoolWith(w.server.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	c.TLS = &tls.Config{RootCAs: roots, ServerName: w.server.Host}
	c.Timeout = patience
	c.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		return l.net.Dial(ctx, network, address)
	}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { _ = db.Close() })
	return db
}
