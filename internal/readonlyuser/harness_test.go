package readonlyuser

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/mysqltest"
)

var (
	here      = Owner{Stack: "arn:aws:cloudformation:eu-west-1:111122223333:stack/drawbridge-dev-Database/1", Resource: "BiUser"}
	elsewhere = Owner{Stack: "arn:aws:cloudformation:eu-west-1:111122223333:stack/drawbridge-dev-Database/2", Resource: "BiUser"}
	neighbour = Owner{Stack: here.Stack, Resource: "WebAppUser"}
)

const password = "first-Passw0rd-Zq'\\\"%"

var usernames atomic.Int64

// fixture is a user that may read one schema with a table and a row in it.
type fixture struct {
	*testing.T
	server *mysqltest.Server
	root   *sql.DB
	user   User
}

func newFixture(t *testing.T, server *mysqltest.Server) *fixture {
	t.Helper()
	f := &fixture{T: t, server: server, root: server.Root(t)}
	schema := f.schema()
	f.user = User{Username: fmt.Sprintf("reader%d", usernames.Add(1)), Host: "127.0.0.0/8", Schemas: []string{schema}, MaxConnections: 20}
	t.Cleanup(func() {
		for _, host := range f.hosts() {
			f.byHand("DROP USER " + account{f.user.Username, host}.String())
		}
	})
	return f
}

// schema makes a schema with a table and a row in it, and another one that differs in one character.
func (f *fixture) schema() string {
	f.Helper()
	schema := f.server.NewSchema(f)
	lookalike := strings.Replace(schema, "_", "X", 1)
	for _, name := range []string{schema, lookalike} {
		f.byHand("CREATE DATABASE IF NOT EXISTS "+name, "CREATE TABLE "+name+".monsters (id INT PRIMARY KEY, name TEXT)", "INSERT INTO "+name+".monsters VALUES (1, 'Sulley')")
	}
	f.Cleanup(func() { f.byHand("DROP DATABASE " + lookalike) })
	return schema
}

// byHand runs statements as somebody who may do everything. In them @USER is the account, SCHEMA the first schema.
func (f *fixture) byHand(statements ...string) {
	f.Helper()
	for _, statement := range statements {
		if strings.Contains(statement, "SCHEMA") {
			statement = strings.ReplaceAll(statement, "SCHEMA", f.user.Schemas[0])
		}
		statement = strings.ReplaceAll(statement, "@USER", f.user.account().String())
		if _, err := f.root.Exec(statement); err != nil {
			f.Fatalf("%s: %v", statement, err)
		}
	}
}

func (f *fixture) begin() *Session {
	f.Helper()
	s, err := Begin(f.Context(), f.server.MasterDB(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := s.Close(); err != nil {
			f.Error(err)
		}
	})
	return s
}

// session runs work under the lock.
func (f *fixture) session(work func(s *Session) error) error {
	f.Helper()
	s, err := Begin(f.Context(), f.server.MasterDB(f))
	if err != nil {
		f.Fatal(err)
	}
	return errors.Join(work(s), s.Close())
}

// ensure runs Ensure twice; the second time nothing may be left to do.
func (f *fixture) ensure(o Owner, password string, passwordWorks bool) (created bool) {
	f.Helper()
	err := f.session(func(s *Session) (err error) {
		created, err = s.Ensure(f.Context(), f.user, o, password, passwordWorks)
		return err
	})
	if err != nil {
		f.Fatalf("Ensure: %v", err)
	}
	before := f.state()
	err = f.session(func(s *Session) error {
		again, err := s.Ensure(f.Context(), f.user, o, password, true)
		if again {
			f.Error("a second Ensure says that it made the account")
		}
		return err
	})
	if err != nil {
		f.Fatalf("a second Ensure: %v", err)
	}
	if after := f.state(); !slices.Equal(before, after) {
		f.Errorf("a second Ensure changed\n%s\ninto\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	return created
}

func (f *fixture) hosts() []string {
	return f.column("SELECT Host FROM mysql.user WHERE User = '" + f.user.Username + "' ORDER BY Host")
}

// state is all that the server keeps of the accounts of the user's name.
func (f *fixture) state() (lines []string) {
	f.Helper()
	for _, host := range f.hosts() {
		name := account{f.user.Username, host}.String()
		lines = append(lines, f.column("SHOW CREATE USER "+name)...)
		lines = append(lines, f.column("SHOW GRANTS FOR "+name)...)
		lines = append(lines, f.column(fmt.Sprintf("SELECT CONCAT_WS(' ', Host, User_attributes) FROM mysql.user WHERE User = '%s' AND Host = '%s'", f.user.Username, host))...)
	}
	return lines
}

func (f *fixture) column(query string) []string {
	f.Helper()
	conn, err := f.root.Conn(context.Background())
	if err != nil {
		f.Fatal(err)
	}
	defer conn.Close()
	values, err := readStrings(context.Background(), conn, query)
	if err != nil {
		f.Fatalf("%s: %v", query, err)
	}
	return values
}

// login opens a pool as the user, as the Lambda does, or says why not.
func (f *fixture) login(password string) (*sql.DB, error) {
	f.Helper()
	db, err := mysqldb.Open(mysqldb.Settings{Host: f.server.Host, Port: f.server.Port, CAFile: f.server.CAFile, Username: f.user.Username, Password: password})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = db.Close() })
	ctx, cancel := context.WithTimeout(f.Context(), 20*time.Second)
	defer cancel()
	return db, db.PingContext(ctx)
}

func (f *fixture) wantLogin(password string, works bool) {
	f.Helper()
	db, err := f.login(password)
	_ = db.Close()
	if works && err != nil {
		f.Errorf("a log-in that should work fails: %v", err)
	}
	if !works && (err == nil || mysqldb.Explain(err).Kind != mysqldb.AccessDenied) {
		f.Errorf("a log-in that should be refused gave %v", err)
	}
}

// prove logs in and proves.
func (f *fixture) prove() error {
	f.Helper()
	db, err := f.login(password)
	if err != nil {
		f.Fatalf("log in to prove: %v", err)
	}
	defer db.Close() //nolint:errcheck // nothing was written
	return Prove(f.Context(), db, f.user)
}

// wantProof wants Prove to pass, or to name each of the faults.
func (f *fixture) wantProof(faults ...string) {
	f.Helper()
	err := f.prove()
	if len(faults) == 0 {
		if err != nil {
			f.Errorf("Prove: %v", err)
		}
		return
	}
	failed, ok := errors.AsType[*ProofError](err)
	if !ok {
		f.Fatalf("Prove gave %v, want a *ProofError with %q", err, faults)
	}
	for _, fault := range faults {
		fault = strings.ReplaceAll(fault, "SCHEMA", f.user.Schemas[0])
		if !slices.ContainsFunc(failed.Faults, func(have string) bool { return strings.Contains(have, fault) }) {
			f.Errorf("Prove does not name %q, only %q", fault, failed.Faults)
		}
	}
}

// number is MySQL's number of an error, 0 when it is not MySQL's.
func number(err error) uint16 {
	if refused, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return refused.Number
	}
	return 0
}
