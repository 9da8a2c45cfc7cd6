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
	"strconv"
	"strings"
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

	embedded bool
	admin    *sql.DB
	undo     []func() error // run last to first
}

// openDatabase starts the embedded server, or connects to the one of MYSQL_DSN.
func openDatabase(ctx context.Context, getenv func(string) string, temporary string) (*database, error) {
	if dsn := getenv("MYSQL_DSN"); dsn != "" {
		return connect(ctx, dsn, getenv("DRAWBRIDGE_DB_CA_FILE"))
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

// connect uses a server that somebody else runs. The DSN holds a password: no error may repeat it.
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
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, errors.New("MYSQL_DSN cannot be used: " + form)
	}
	d := &database{admin: sql.OpenDB(connector), settings: mysqldb.Settings{Host: host, Port: port, CAFile: caFile}}
	d.undo = append(d.undo, d.admin.Close)
	if err := d.admin.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("the MySQL server of MYSQL_DSN: %w", mysqldb.Explain(err)), d.close())
	}
	return d, nil
}

func (d *database) address() string {
	return "MySQL at " + net.JoinHostPort(d.settings.Host, strconv.Itoa(d.settings.Port))
}

// prepare loads the sample data, unless it is there already, and creates the read-only user. It touches no schema that
// holds anything else.
func (d *database) prepare(ctx context.Context) (string, error) {
	state, err := sampledata.Inspect(ctx, d.admin, schema)
	if err != nil {
		return "", err
	}
	note := "the sample data was there already"
	switch state {
	case sampledata.Foreign:
		return "", fmt.Errorf("the server's schema %s holds tables that are not the sample data: use another server, or drop or rename that schema", schema)
	case sampledata.Absent:
		if _, err := d.admin.ExecContext(ctx, "CREATE DATABASE "+mysqldb.QuoteIdentifier(schema)); err != nil {
			return "", fmt.Errorf("create the schema %s: %w", schema, mysqldb.Explain(err))
		}
		d.undo = append(d.undo, func() error { return d.exec("DROP DATABASE IF EXISTS " + mysqldb.QuoteIdentifier(schema)) })
		fallthrough
	case sampledata.Empty, sampledata.Unfinished:
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
	return note, d.checkLogin(ctx)
}

// checkLogin connects as the web app will, to say now what would otherwise be a page without data.
func (d *database) checkLogin(ctx context.Context) error {
	db, err := mysqldb.Open(d.settings)
	if err != nil {
		return err
	}
	defer db.Close()
	err = db.PingContext(ctx)
	if explained := mysqldb.Explain(err); explained != nil && explained.Kind == mysqldb.Unverified {
		return fmt.Errorf("%w; the web app verifies the server: put the PEM file of the authority that signed its certificate into DRAWBRIDGE_DB_CA_FILE", explained)
	} else if explained != nil {
		return explained
	}
	return nil
}

// grantedSchema is the schema as GRANT wants it, where _ is a wildcard unless it is escaped (MySQL Reference Manual,
// "GRANT Statement").
func (d *database) grantedSchema() string {
	if d.embedded {
		return mysqldb.QuoteIdentifier(schema) // which takes the escape for a part of the name
	}
	return mysqldb.QuoteIdentifier(strings.ReplaceAll(schema, "_", `\_`))
}

func (d *database) exec(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err := d.admin.ExecContext(ctx, statement)
	return err
}

// close undoes what was done. A server that is gone by now has nothing left to undo.
func (d *database) close() error {
	for len(d.undo) > 0 {
		last := d.undo[len(d.undo)-1]
		d.undo = d.undo[:len(d.undo)-1]
		if err := last(); err != nil {
			if explained := mysqldb.Explain(err); explained.Kind != mysqldb.Unreachable {
				return fmt.Errorf("clean up on %s: %w", d.address(), explained)
			}
		}
	}
	return nil
}
