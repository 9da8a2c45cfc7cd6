package main

import (
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"slices"
	"sync/atomic"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/rdsca"
)

// connection is what the server says of the connection that it serves.
type connection struct {
	Database, User, Version string
	// Distribution is the server's own word for its build; empty when it does not
	// tell.
	Distribution string
	// TLSVersion and Cipher are empty when the server does not tell.
	TLSVersion, Cipher string
}

func (r reader) connection() (connection, error) {
	var c connection
	var database, distribution sql.NullString
	if err := r.one([]any{&database, &c.User, &c.Version, &distribution}, "SELECT DATABASE(), CURRENT_USER(), VERSION(), @@version_comment"); err != nil {
		return c, err
	}
	if database.String == "" {
		return c, mysqldb.ErrNoDatabase
	}
	c.Database, c.Distribution = database.String, distribution.String
	err := r.each(func(rows *sql.Rows) error {
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
	if e := mysqldb.Explain(err); e != nil && e.Kind == mysqldb.Other {
		return c, nil // A server that does not know SHOW STATUS is read all the same.
	}
	return c, err
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
