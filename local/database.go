package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"

	"drawbridge/internal/embeddedmysql"
	"drawbridge/internal/mysqldb"
	"drawbridge/internal/sampledata"
)

const (
	schema = sampledata.Schema

	// readOnlyUser is the account that the web app connects as. It is made anew at every start.
	readOnlyUser = "drawbridge_local"
)

// database is the server that the web app reads, and what has to be undone on it at the end.
type database struct {
	// settings are what the web app connects with.
	settings mysqldb.Settings

	embedded    bool
	prepareWith func(context.Context) (string, error) // nil: by SQL alone
	admin       *sql.DB
	undo        []func() error // run last to first
}

// openDatabase connects to the server of MYSQL_DSN, or prepares a real one where this machine has it, or starts the embedded
// one.
func openDatabase(ctx context.Context, getenv func(string) string, temporary string) (*database, error) {
	if dsn := getenv("MYSQL_DSN"); dsn != "" {
		return connect(ctx, dsn, getenv("DRAWBRIDGE_DB_CA_FILE"))
	}
	if mysqlHere() != "" {
		return openDeployment(temporary)
	}
	server, err := embeddedmysql.Start()
	if err != nil {
		return nil, err
	}
	d := &database{embedded: true, undo: []func() error{server.Close}}
	d.settings = mysqldb.Settings{Host: server.Host, Port: server.Port, CAFile: filepath.Join(temporary, "ca.pem")}
	admin := d.settings
	admin.Username, admin.Password = server.RootLogin()
	if err = os.WriteFile(d.settings.CAFile, server.CA, 0o600); err == nil {
		d.admin, err = mysqldb.Open(admin)
	}
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	d.undo = append(d.undo, d.admin.Close)
	return d, nil
}

// connect uses a server that somebody else runs. Of the DSN it takes user, password, host and port: the connection is
// made as the web app's is, with TLS that is verified. The DSN holds a password: no error may repeat it.
func connect(ctx context.Context, dsn, caFile string) (*database, error) {
	const form = "give user:password@tcp(host:port)/, with an account that may create users and schemas"
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, errors.New("MYSQL_DSN is not a data source name: " + form)
	}
	host, portText, err := net.SplitHostPort(c.Addr)
	port, portErr := strconv.Atoi(portText)
	if c.Net != "tcp" || err != nil || portErr != nil {
		return nil, errors.New("MYSQL_DSN names no TCP address, which the web app needs: " + form)
	}
	d := &database{settings: mysqldb.Settings{Host: host, Port: port, CAFile: caFile}}
	admin := d.settings
	admin.Username, admin.Password = c.User, c.Passwd
	if d.admin, err = mysqldb.Open(admin); err != nil {
		return nil, err
	}
	d.undo = append(d.undo, d.admin.Close)
	if err := d.claim(ctx); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// claim keeps other runs off the server for as long as this one lasts: they would replace its user and drop its schema.
// The lock is the connection's, so that a run that is killed lets go of it.
func (d *database) claim(ctx context.Context) error {
	connection, err := d.admin.Conn(ctx)
	if err != nil {
		explained := mysqldb.Explain(err)
		if explained.Kind == mysqldb.Unverified {
			return fmt.Errorf("the MySQL server of MYSQL_DSN: %w; DRAWBRIDGE_DB_CA_FILE names the PEM file of the authority that signed it", explained)
		}
		return fmt.Errorf("the MySQL server of MYSQL_DSN: %w", explained)
	}
	d.undo = append(d.undo, connection.Close)
	var got sql.Null[int]
	if err := connection.QueryRowContext(ctx, "SELECT GET_LOCK('drawbridge_local', 0)").Scan(&got); err != nil {
		return fmt.Errorf("the MySQL server of MYSQL_DSN: %w", mysqldb.Explain(err))
	}
	if got.V != 1 {
		return errors.New("another make local uses the MySQL server of MYSQL_DSN: stop it first, or name another server")
	}
	_, err = connection.ExecContext(ctx, "SET SESSION wait_timeout = 31536000")
	return err
}

func (d *database) address() string {
	return "MySQL at " + net.JoinHostPort(d.settings.Host, strconv.Itoa(d.settings.Port))
}

// prepare loads the sample data, unless it is there already, and creates the read-only user. It touches no schema that
// holds anything else.
func (d *database) prepare(ctx context.Context) (string, error) {
	if d.prepareWith != nil {
		return d.prepareWith(ctx)
	}
	state, err := sampledata.Inspect(ctx, d.admin, schema)
	if err != nil {
		return "", err
	}
	note := "the sample data was there already, and will stay"
	switch state {
	case sampledata.Foreign, sampledata.Empty:
		return "", fmt.Errorf("the server's schema %s %s: use another server, or drop or rename that schema", schema, state)
	case sampledata.Absent:
		if _, err := d.admin.ExecContext(ctx, "CREATE DATABASE "+mysqldb.QuoteIdentifier(schema)); err != nil {
			return "", fmt.Errorf("create the schema %s: %w", schema, mysqldb.Explain(err))
		}
		d.undo = append(d.undo, d.dropSchema)
		fallthrough
	case sampledata.Unfinished:
		result, err := sampledata.Load(ctx, d.admin, schema)
		if err != nil {
			return "", fmt.Errorf("load the sample data: %w", err)
		}
		note = fmt.Sprintf("%d rows in %d tables", result.Rows, result.Tables)
	}

	d.settings.Database = schema
	d.settings.Username, d.settings.Password = readOnlyUser, rand.Text()
	account := "'" + readOnlyUser + "'@'%'"
	d.undo = append(d.undo, func() error { return d.exec("DROP USER IF EXISTS " + account) })
	for _, statement := range []string{
		"DROP USER IF EXISTS " + account, // of a run that was killed
		"CREATE USER " + account + " IDENTIFIED BY '" + d.settings.Password + "' REQUIRE SSL",
		"GRANT SELECT ON " + d.grantedSchema() + ".* TO " + account,
	} {
		if _, err := d.admin.ExecContext(ctx, statement); err != nil {
			return "", fmt.Errorf("create the read-only user %s: %w", readOnlyUser, mysqldb.Explain(err))
		}
	}
	return note, nil
}

// dropSchema drops the schema that prepare made, unless somebody has put something of their own into it.
func (d *database) dropSchema() error {
	ctx, cancel := context.WithTimeout(context.Background(), undoTimeout)
	defer cancel()
	state, err := sampledata.Inspect(ctx, d.admin, schema)
	if err == nil && state == sampledata.Foreign {
		fmt.Printf("The schema %s now %s: it stays.\n", schema, state)
		return nil
	}
	if err != nil {
		return err
	}
	return d.exec("DROP DATABASE IF EXISTS " + mysqldb.QuoteIdentifier(schema))
}

// grantedSchema is the schema as GRANT wants it, where _ is a wildcard unless it is escaped (MySQL Reference Manual,
// "GRANT Statement").
func (d *database) grantedSchema() string {
	if d.embedded {
		return mysqldb.QuoteIdentifier(schema) // which takes the escape for a part of the name
	}
	return mysqldb.QuoteSchemaPattern(schema)
}

const undoTimeout = 10 * time.Second

func (d *database) exec(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), undoTimeout)
	defer cancel()
	_, err := d.admin.ExecContext(ctx, statement)
	return err
}

// close undoes what was done, as far as it can be.
func (d *database) close() error {
	var failed error
	for _, undo := range slices.Backward(d.undo) {
		if err := undo(); err != nil && failed == nil {
			failed = fmt.Errorf("clean up on %s: %w; the user %s or the schema %s may still be there", d.address(), mysqldb.Explain(err), readOnlyUser, schema)
		}
	}
	d.undo = nil
	return failed
}
