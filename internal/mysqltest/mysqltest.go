// Package mysqltest gives tests a real MySQL server, set up by [mysqlserver]
// like a database on RDS, with TLS required. Where the machine has none, the
// test says NOT RUN.
package mysqltest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"drawbridge/internal/mysqlserver"
	"drawbridge/internal/notrun"
)

// Start starts a MySQL server for t alone and stops it when t ends. It is
// ready for connections when Start returns. A test that stops, kills or
// restarts its server uses this one; the others share one, which is faster.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := start()
	give(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

// StartWith is [Start] with other options than those of the shared server.
func StartWith(t testing.TB, o mysqlserver.Options) *Server {
	t.Helper()
	s, err := mysqlserver.Start(context.Background(), o)
	give(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return &Server{s}
}

// shared is the server of this test binary, started by the first test that
// asks for it.
var shared struct {
	sync.Mutex
	inMain bool
	server *Server
	err    error
}

// Shared returns the server that all tests of this test binary share. The
// package's TestMain must be [Main], which stops it. A test makes schemas with
// [Server.NewSchema], drops the users that it makes, and leaves the server's
// settings alone.
func Shared(t testing.TB) *Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.inMain {
		t.Fatal("mysqltest.Shared needs a TestMain that calls mysqltest.Main, which stops the server")
	}
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = start()
	}
	give(t, shared.err)
	return shared.server
}

// Main is the body of a TestMain: it runs the tests, stops the shared server,
// removes its files, and exits with the tests' result.
func Main(m *testing.M) {
	shared.Lock()
	shared.inMain = true
	shared.Unlock()
	code := m.Run()
	shared.Lock()
	if shared.server != nil {
		if err := shared.server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "mysqltest:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// give ends t when err says that there is no server for it.
func give(t testing.TB, err error) {
	t.Helper()
	var missing *mysqlserver.MissingError
	if errors.As(err, &missing) {
		notrun.Because(t, "%v", missing)
	}
	must(t, err)
}

const dropTimeout = 30 * time.Second

var schemas atomic.Int64

// NewSchema creates an empty schema, which is dropped when t ends, and returns
// its name. The name holds an underscore, MySQL's one-character wildcard in
// grants, so that a grant which forgets to escape it is wrong here too.
func (s *Server) NewSchema(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", schemas.Add(1))
	root := s.Root(t)
	if _, err := root.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatalf("creating the schema %s: %v", name, err)
	}
	t.Cleanup(func() {
		if !s.Running() {
			return // stopped by the test; its data goes with it
		}
		// A transaction that the test left open would hold the drop up.
		ctx, cancel := context.WithTimeout(context.Background(), dropTimeout)
		defer cancel()
		if _, err := root.ExecContext(ctx, "DROP DATABASE IF EXISTS "+name); err != nil {
			t.Errorf("dropping the schema %s: %v", name, err)
		}
	})
	return name
}
