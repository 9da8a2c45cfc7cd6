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
	encryption
	// Writable is whether the session would take writes; the server does not tell
	// when it is NULL.
	Writable sql.NullBool
	// Rights are what the account may do, whatever the session refuses; not valid
	// when the server does not tell.
	Rights sql.Null[readonlyuser.Rights]
}

// encryption is what the server says of TLS; empty where it does not tell.
type encryption struct{ TLSVersion, Cipher string }

// connection asks the server. One that is not quite MySQL, and refuses some of
// the questions, is read all the same.
func (r reader) connection() (connection, error) {
	var c connection
	var database, distribution sql.NullString
	var readOnly sql.NullBool
	err := r.one([]any{&database, &c.User, &c.Version, &distribution, &readOnly}, "SELECT DATABASE(), CURRENT_USER(), VERSION(), @@version_comment, @@session.transaction_read_only")
	if err != nil {
		return c, err
	}
	if database.String == "" {
		return c, mysqldb.ErrNoDatabase
	}
	c.Database, c.Distribution, c.Writable = database.String, distribution.String, sql.NullBool{Bool: !readOnly.Bool, Valid: readOnly.Valid}
	if c.encryption, err = recall(r, r.askEncryption, "encryption"); err != nil && !untold(err) {
		return c, err
	}
	if c.Rights, err = recall(r, r.askRights, "rights"); err != nil && !untold(err) {
		return c, err
	}
	return c, nil
}

// untold says that the server is there but does not answer such a question.
func untold(err error) bool {
	kind := mysqldb.Explain(err).Kind
	return kind == mysqldb.Other || kind == mysqldb.Forbidden
}

func (r reader) askEncryption() (e encryption, err error) {
	err = r.each(func(rows *sql.Rows) error {
		var name, value string
		err := rows.Scan(&name, &value)
		switch name {
		case "Ssl_version":
			e.TLSVersion = value
		case "Ssl_cipher":
			e.Cipher = value
		}
		return err
	}, "SHOW SESSION STATUS LIKE 'Ssl\\_%'")
	return e, err
}

// askRights are what the account was granted, itself and through roles.
func (r reader) askRights() (rights sql.Null[readonlyuser.Rights], err error) {
	lines, err := r.texts("SHOW GRANTS")
	if err != nil {
		return rights, err
	}
	rights.V = readonlyuser.Judge(lines)
	if len(rights.V.Roles) > 0 {
		// The names are quoted as the server itself quoted them.
		if lines, err = r.texts("SHOW GRANTS FOR CURRENT_USER() USING " + strings.Join(rights.V.Roles, ", ")); err != nil {
			return rights, err
		}
		rights.V = readonlyuser.Judge(lines)
	}
	rights.Valid = true
	return rights, nil
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
