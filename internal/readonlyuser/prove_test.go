package readonlyuser

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-sql-driver/mysql"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/mysqltest"
)

// withoutTLS opens a pool as the user, in clear text.
func (f *fixture) withoutTLS() *sql.DB {
	f.Helper()
	config := mysql.NewConfig()
	config.User, config.Passwd, config.Net, config.Addr = f.user.Username, password, "tcp", f.server.Addr()
	connector, err := mysql.NewConnector(config)
	if err != nil {
		f.Fatal(err)
	}
	db := sql.OpenDB(connector)
	f.Cleanup(func() { _ = db.Close() })
	return db
}

func TestProveReadsWhatIsThere(t *testing.T) {
	server := mysqltest.Shared(t)
	for name, statements := range map[string][]string{
		"a table with rows":            nil,
		"an empty table":               {"DELETE FROM SCHEMA.monsters"},
		"an empty schema":              {"DROP TABLE SCHEMA.monsters"},
		"a view only":                  {"DROP TABLE SCHEMA.monsters", "CREATE VIEW SCHEMA.v AS SELECT 1"},
		"a view that is broken":        {"CREATE VIEW SCHEMA.a AS SELECT * FROM SCHEMA.monsters", "DROP TABLE SCHEMA.monsters"},
		"a generated column first":     {"CREATE TABLE SCHEMA.a (double_id INT AS (2 * id), id INT)"},
		"a generated column alone":     {"CREATE TABLE SCHEMA.a (one INT AS (1))"},
		"names with quotes in them":    {"DROP TABLE SCHEMA.monsters", "CREATE TABLE SCHEMA.`a``b'c\\d\"` (`x``y'` INT)"},
		"a column that must be filled": {"CREATE TABLE SCHEMA.a (id INT NOT NULL, b BLOB NOT NULL)"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, server)
			f.byHand(statements...)
			f.ensure(here, password, false)
			before := f.column("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = '" + f.user.Schemas[0] + "'")
			f.wantProof()
			f.byHand("GRANT ALL ON *.* TO @USER")
			faults := []string{"CREATE TEMPORARY TABLE"}
			if strings.Contains(name, "table") || strings.Contains(name, "column") || strings.Contains(name, "quotes") {
				faults = append(faults, "it INSERT", "it UPDATE", "it DELETE")
			}
			f.wantProof(faults...)
			if after := f.column("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = '" + f.user.Schemas[0] + "'"); after[0] != before[0] {
				t.Errorf("%s tables became %s", before, after)
			}
			if strings.HasPrefix(name, "a table") && f.column("SELECT name FROM " + f.user.Schemas[0] + ".monsters")[0] != "Sulley" {
				t.Error("the proof wrote")
			}
		})
	}
}

func TestProveWantsTheRightAccount(t *testing.T) {
	f := newFixture(t, mysqltest.Shared(t))
	f.ensure(here, password, false)
	f.byHand("CREATE USER '" + f.user.Username + "'@'127.0.0.1' IDENTIFIED BY '" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(password) + "'")
	f.wantProof("took it for another account, " + f.user.Username + "@127.0.0.1")

	err := Prove(t.Context(), f.server.MasterDB(t), f.user)
	if failed, ok := errors.AsType[*ProofError](err); !ok || !strings.Contains(failed.Error(), "another account, admin@%") {
		t.Errorf("Prove as the master gave %v", err)
	}
}

func TestProveIsNotFooledByAReadOnlyPool(t *testing.T) {
	f := newFixture(t, mysqltest.Shared(t))
	f.ensure(here, password, false)
	db, err := mysqldb.Open(mysqldb.Settings{Host: f.server.Host, Port: f.server.Port, CAFile: f.server.CAFile, Username: f.user.Username, Password: password}, mysqldb.ReadOnly())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := Prove(t.Context(), db, f.user); err != nil {
		t.Errorf("Prove: %v", err)
	}
	f.byHand("GRANT CREATE TEMPORARY TABLES ON *.* TO @USER")
	if err := Prove(t.Context(), db, f.user); err == nil || !strings.Contains(err.Error(), "let it CREATE TEMPORARY TABLE") {
		t.Errorf("Prove gave %v", err)
	}
}

func TestProveLeavesNoConnectionWithItsSettings(t *testing.T) {
	f := newFixture(t, mysqltest.Shared(t))
	f.ensure(here, password, false)
	db, err := f.login(password)
	if err != nil {
		t.Fatal(err)
	}
	if err := Prove(t.Context(), db, f.user); err != nil {
		t.Fatal(err)
	}
	var timeout int
	if err := db.QueryRow("SELECT @@SESSION.wait_timeout").Scan(&timeout); err != nil || timeout == 300 {
		t.Errorf("the pool's next connection has a wait_timeout of %d (%v)", timeout, err)
	}
}

func TestProveSaysWhenItCannotKnow(t *testing.T) {
	f := newFixture(t, mysqltest.Shared(t))
	f.ensure(here, password, false)
	db, err := f.login("wrong")
	if err == nil {
		t.Fatal("logged in with a wrong password")
	}
	err = Prove(t.Context(), db, f.user)
	if _, unfit := errors.AsType[*ProofError](err); unfit || mysqldb.Explain(err).Kind != mysqldb.AccessDenied {
		t.Errorf("a wrong password gave %v", err)
	}
}

func TestProofErrorIsBounded(t *testing.T) {
	many := make([]string, 50)
	for i := range many {
		many[i] = strings.Repeat("é", 60)
	}
	for name, faults := range map[string][]string{"many": many, "long": {strings.Repeat("é", 5000)}, "one": {"it may write"}} {
		text := (&ProofError{"reader", "%", faults}).Error()
		if len(text) > 700 || !utf8.ValidString(text) {
			t.Errorf("%s: %d bytes: %s", name, len(text), text)
		}
		if !strings.Contains(text, "`reader`@`%`") {
			t.Errorf("%s: no account in %s", name, text)
		}
		if name == "many" && !strings.HasSuffix(text, "; and 46 more") {
			t.Errorf("the rest is not counted: %s", text)
		}
	}
}

// What says nothing about privileges is no fault of the account, and may be tried again.
func TestProveTellsTroubleFromFaults(t *testing.T) {
	f := newFixture(t, mysqltest.Shared(t))
	for name, test := range map[string]struct {
		statement string
		cancelled bool
		fault     bool
	}{
		"a table that went away": {statement: "EXPLAIN DELETE FROM " + f.user.Schemas[0] + ".gone"},
		"time that ran out":      {statement: "DO SLEEP(1)", cancelled: true},
		"a statement that runs":  {statement: "DO 1", fault: true},
		"another refusal":        {statement: "EXPLAIN DELETE FROM", fault: true},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := f.root.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if test.cancelled {
				cancel()
			}
			p := &proof{ctx: ctx, conn: conn, user: f.user}
			err = p.refuses("x", test.statement)
			if (err == nil) != test.fault || (len(p.faults) == 1) != test.fault {
				t.Errorf("error %v, faults %q; want a fault: %v", err, p.faults, test.fault)
			}
		})
	}
}
