package main

import (
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/rdsca"
	"drawbridge/internal/readonlyuser"
)

// connection is what the server says of the connection that it serves.
type connection struct {
	Database, User, Version string
	// Distribution is the server's own word for its build; empty when it does not
	// tell.
	Distribution string
	// TLSVersion and Cipher are empty when the server does not tell.
	TLSVersion, Cipher string
	// Writable is whether the session would take writes; the server does not tell
	// when it is NULL.
	Writable sql.NullBool
	// Rights are what the account may do, whatever the session refuses; not valid
	// when the server does not tell.
	Rights sql.Null[readonlyuser.Rights]
}

// connection asks the server. One that is not quite MySQL, and refuses some of
// the questions, is read all the same.
func (r reader) connection() (connection, error) {
	var c connection
	var database sql.NullString
	if err := r.one([]any{&database, &c.User, &c.Version}, "SELECT DATABASE(), CURRENT_USER(), VERSION()"); err != nil {
		return c, err
	}
	if database.String == "" {
		return c, mysqldb.ErrNoDatabase
	}
	c.Database = database.String
	for _, ask := range []func(*connection) error{r.session, r.encryption, r.rights} {
		if err := ask(&c); err != nil && !untold(err) {
			return c, err
		}
	}
	return c, nil
}

// untold says that the server is there but does not answer such a question.
func untold(err error) bool {
	kind := mysqldb.Explain(err).Kind
	return kind == mysqldb.Other || kind == mysqldb.Forbidden
}

func (r reader) session(c *connection) error {
	var distribution sql.NullString
	var readOnly sql.NullBool
	err := r.one([]any{&distribution, &readOnly}, "SELECT @@version_comment, @@session.transaction_read_only")
	c.Distribution, c.Writable = distribution.String, sql.NullBool{Bool: !readOnly.Bool, Valid: readOnly.Valid}
	return err
}

func (r reader) encryption(c *connection) error {
	return r.each(func(rows *sql.Rows) error {
		var name, value string
		err := rows.Scan(&name, &value)
		switch name {
		case "Ssl_version":
			c.TLSVersion = value
		case "Ssl_cipher":
			c.Cipher = value
		}
		return err
	}, "SHOW SESSION STATUS LIKE 'Ssl\\_%'")
}

// rights are what the account was granted, itself and through roles.
func (r reader) rights(c *connection) error {
	lines, err := r.texts("SHOW GRANTS")
	if err != nil {
		return err
	}
	rights := readonlyuser.Judge(lines)
	if len(rights.Roles) > 0 {
		// The names are quoted as the server itself quoted them.
		if lines, err = r.texts("SHOW GRANTS FOR CURRENT_USER() USING " + strings.Join(rights.Roles, ", ")); err != nil {
			return err
		}
		rights = readonlyuser.Judge(lines)
	}
	c.Rights = sql.Null[readonlyuser.Rights]{V: rights, Valid: true}
	return nil
}

// texts are the first column of all rows.
func (r reader) texts(query string) (all []string, err error) {
	err = r.each(func(rows *sql.Rows) error {
		var text string
		err := rows.Scan(&text)
		all = append(all, text)
		return err
	}, query)
	return all, err
}

// maxPrivileges is how many privileges too many the overview names.
const maxPrivileges = 8

// Excess names the privileges that do more than read.
func (c connection) Excess() string {
	names := c.Rights.V.Beyond
	if more := len(names) - maxPrivileges; more > 1 {
		return strings.Join(names[:maxPrivileges], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}

// Held names the privileges that only read.
func (c connection) Held() string { return strings.Join(c.Rights.V.Reading, " and ") }

// RoleCount is the roles in words, or "".
func (c connection) RoleCount() string {
	switch n := len(c.Rights.V.Roles); n {
	case 0:
		return ""
	case 1:
		return "its role"
	default:
		return fmt.Sprintf("its %d roles", n)
	}
}

// Proven says that both the session and the account are known to only read.
func (c connection) Proven() bool {
	return c.Writable.Valid && !c.Writable.Bool && c.Rights.Valid && c.Rights.V.OnlyRead()
}

// authority is who signed for the server at the last connection that was made.
type authority struct {
	last atomic.Pointer[x509.Certificate]
}

// watch makes a pool remember it here.
func (a *authority) watch() mysqldb.Option {
	return mysqldb.WithHandshakes(func(state tls.ConnectionState) {
		if chains := state.VerifiedChains; len(chains) > 0 {
			a.last.Store(chains[0][len(chains[0])-1])
		}
	})
}

// Name is the name in the authority's certificate, or "" before the first
// connection.
func (a *authority) Name() string {
	c := a.last.Load()
	if c == nil {
		return ""
	}
	return printable(shorten(c.Subject.CommonName, maxName))
}

// OfRDS says that it is one of Amazon RDS's, not one of the additional file's.
func (a *authority) OfRDS() bool {
	c := a.last.Load()
	return c != nil && slices.ContainsFunc(rdsca.Certificates(), c.Equal)
}
