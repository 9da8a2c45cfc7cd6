package readonlyuser

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"

	"drawbridge/internal/mysqldb"
)

// Prove asks the server, over a connection that db has logged in as u, whether the account can read each of u's schemas
// and can do nothing else. It reads the account's grants and lets nothing pass but SELECT on those schemas, not even a
// role, whose privileges may change at any time. Then it sees what the server really allows: it reads a row, and tries
// to write in ways that would change nothing if they were not refused.
//
// MaxConnections does not matter. An account that is not fit is a [*ProofError] with everything that is wrong. Any other error, such as a connection
// that breaks, says that there is no proof either way. The connection that was used is closed.
func Prove(ctx context.Context, db *sql.DB, u User) error {
	if err := u.validateGrants(); err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("log in as %s: %w", u.account(), explain(err))
	}
	defer discard(conn)
	p := &proof{ctx: ctx, conn: conn, user: u}
	if err := p.run(); err != nil {
		return fmt.Errorf("prove what %s may do: %w", u.account(), explain(err))
	}
	if len(p.faults) > 0 {
		return &ProofError{Username: u.Username, Host: u.account().host, Faults: p.faults}
	}
	return nil
}

// proof is one run of Prove. Its methods return errors only for what keeps them from finding out.
type proof struct {
	ctx     context.Context
	conn    *sql.Conn
	user    User
	dialect dialect
	faults  []string
}

func (p *proof) fault(format string, args ...any) {
	p.faults = append(p.faults, fmt.Sprintf(format, args...))
}

func (p *proof) run() (err error) {
	if p.dialect, err = prepare(p.ctx, p.conn); err != nil {
		return err
	}
	var current, name, cipher string
	if err := p.conn.QueryRowContext(p.ctx, "SELECT CURRENT_USER()").Scan(&current); err != nil {
		return err
	}
	if want := p.user.Username + "@" + p.user.account().host; current != want {
		p.fault("the server took it for another account, %s", shorten(current, 200))
		return nil // whatever follows would be about that one
	}
	if err := p.conn.QueryRowContext(p.ctx, "SHOW SESSION STATUS LIKE 'Ssl_cipher'").Scan(&name, &cipher); err != nil {
		return err
	}
	if cipher == "" {
		p.fault("its connection is not encrypted")
	}
	if err := p.grants(); err != nil {
		return err
	}
	visible, err := p.schemas()
	if err != nil {
		return err
	}
	for _, schema := range p.user.Schemas {
		if !slices.Contains(visible, schema) {
			p.fault("the schema %q does not exist, or it may not read it", schema)
			continue
		}
		if err := p.schema(schema); err != nil {
			return err
		}
	}
	return nil
}

// grants compares what the account was granted, itself or through roles, with what it should have.
func (p *proof) grants() error {
	have, err := readStrings(p.ctx, p.conn, "SHOW GRANTS")
	if err != nil {
		return err
	}
	expected := p.dialect.expected(p.user)
	for _, line := range have {
		if !slices.Contains(expected, line) {
			p.fault("it has a grant too many: %s", shorten(line, 200))
		}
	}
	for _, schema := range p.user.Schemas {
		if line := grantLine(p.dialect.selectGrant(schema), p.user.account()); !slices.Contains(have, line) {
			p.fault("it lacks SELECT on the schema %q alone", schema)
		}
	}
	// SHOW GRANTS names the account's own roles and mandatory ones, but not the roles that those hold.
	roles, err := readStrings(p.ctx, p.conn, "SELECT DISTINCT "+
		"CONCAT('`', REPLACE(ROLE_NAME, '`', '``'), '`@`', REPLACE(ROLE_HOST, '`', '``'), '`') "+
		"FROM information_schema.APPLICABLE_ROLES ORDER BY 1")
	if err != nil {
		return err
	}
	for _, role := range roles {
		if !slices.ContainsFunc(have, func(line string) bool { return strings.Contains(line, role) }) {
			p.fault("it may take on the role %s", shorten(role, 200))
		}
	}
	return nil
}

// schemas returns the schemas that the account can see, which is where it may do anything at all. That shows what
// SHOW GRANTS does not: a grant to the anonymous account is everybody's.
func (p *proof) schemas() (visible []string, err error) {
	visible, err = readStrings(p.ctx, p.conn, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA ORDER BY SCHEMA_NAME")
	if err != nil {
		return nil, err
	}
	var others []string
	for _, schema := range visible {
		everybodys := schema == "information_schema" || schema == "performance_schema"
		if !everybodys && !slices.Contains(p.user.Schemas, schema) {
			others = append(others, schema)
		}
	}
	const named = 5
	if more := len(others) - named; more > 0 {
		p.fault("it can see other schemas: %q and %d more", others[:named], more)
	} else if len(others) > 0 {
		p.fault("it can see other schemas: %q", others)
	}
	return visible, nil
}

// schema sees that the account can read a schema that exists, and cannot write to it.
func (p *proof) schema(schema string) error {
	quoted := mysqldb.QuoteIdentifier(schema)
	var table, column string
	err := p.conn.QueryRowContext(p.ctx, `SELECT t.TABLE_NAME, c.COLUMN_NAME FROM information_schema.TABLES AS t
		JOIN information_schema.COLUMNS AS c ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME
		WHERE t.TABLE_SCHEMA = ? AND t.TABLE_TYPE = 'BASE TABLE' AND c.GENERATION_EXPRESSION = ''
		ORDER BY t.TABLE_NAME, c.ORDINAL_POSITION LIMIT 1`, schema).Scan(&table, &column)
	switch {
	case errors.Is(err, sql.ErrNoRows): // an empty schema
	case err != nil:
		return err
	default:
		table, column = quoted+"."+mysqldb.QuoteIdentifier(table), mysqldb.QuoteIdentifier(column)
		if err := p.reads(table); err != nil {
			return err
		}
		// EXPLAIN asks for the privileges of the statement, and does not run it.
		for _, write := range []string{
			fmt.Sprintf("INSERT INTO %s () VALUES ()", table),
			fmt.Sprintf("UPDATE %s SET %s = %s", table, column, column),
			fmt.Sprintf("DELETE FROM %s", table),
		} {
			if err := p.refuses(write, "EXPLAIN "+write); err != nil {
				return err
			}
		}
	}
	// A temporary table ends with this connection.
	create := fmt.Sprintf("CREATE TEMPORARY TABLE %s.drawbridge_proof (id INT)", quoted)
	return p.refuses(create, create)
}

// reads wants a table to be readable, and does not care whether there is a row.
func (p *proof) reads(table string) error {
	_, err := readStrings(p.ctx, p.conn, "SELECT 1 FROM "+table+" LIMIT 1")
	if denied(err) {
		p.fault("it cannot read %s", shorten(table, 200))
		return nil
	}
	return err
}

// refuses wants the server to refuse a statement because the account lacks the privilege.
func (p *proof) refuses(what, statement string) error {
	rows, err := p.conn.QueryContext(p.ctx, statement)
	if err == nil {
		err = rows.Close()
	}
	switch {
	case denied(err):
	case err == nil:
		p.fault("the server would let it %s", shorten(what, 200))
	case passing(err):
		return err
	default:
		p.fault("the server did not refuse %s for want of a privilege (%v)", shorten(what, 200), err)
	}
	return nil
}

// denied reports whether err says that the user lacks a privilege ("Server Error Message Reference").
func denied(err error) bool {
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && slices.Contains([]uint16{
		1044, // to a schema
		1142, // to a table
		1143, // to a column
		1227, // to the server
	}, refused.Number)
}

// passing reports whether err says nothing about privileges: the connection broke, time ran out, somebody held a lock,
// or the table went away.
func passing(err error) bool {
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok {
		return true
	}
	kind := explain(err).Kind
	return kind == mysqldb.Unreachable || kind == mysqldb.Full || kind == mysqldb.TimedOut || slices.Contains([]uint16{
		1146, // no such table
		1205, // lock wait timeout
		1213, // deadlock
	}, refused.Number)
}

// readStrings returns the first column, of text, of all rows.
func readStrings(ctx context.Context, conn *sql.Conn, query string) ([]string, error) {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what failed
	var values []string
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, rows.Err()
}
