package resources

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"drawbridge/internal/mysqldb"
)

// MySQL plays RDS instances with one MySQL server that runs already and has the master user's account.
type MySQL struct {
	Endpoint Endpoint

	// Admin is a pool of connections as a user who may set the master user's password.
	Admin *sql.DB
}

// create gives the master user the instance's password, and makes its first schema, as RDS does.
func (m *MySQL) create(ctx context.Context, i DBInstance) error {
	if err := m.setPassword(ctx, i); err != nil {
		return err
	}
	if i.DBName == "" {
		return nil
	}
	if _, err := m.Admin.ExecContext(ctx, "CREATE DATABASE IF NOT EXISTS "+mysqldb.QuoteIdentifier(i.DBName)); err != nil {
		return fmt.Errorf("creating the schema %s: %w", i.DBName, err)
	}
	return nil
}

func (m *MySQL) setPassword(ctx context.Context, i DBInstance) error {
	var host string
	if err := m.Admin.QueryRowContext(ctx, "SELECT Host FROM mysql.user WHERE User = ?", i.MasterUsername).Scan(&host); err != nil {
		return fmt.Errorf("the server has no account of the master user %s: %w", i.MasterUsername, err)
	}
	password, err := mysqldb.QuoteLiteral(i.MasterPassword)
	if err != nil {
		return err
	}
	_, err = m.Admin.ExecContext(ctx, "ALTER USER "+mysqldb.QuoteIdentifier(i.MasterUsername)+"@"+mysqldb.QuoteIdentifier(host)+" IDENTIFIED BY "+password)
	if err != nil {
		// The server's own words may quote the statement.
		return errors.New("the server refused the master user's new password")
	}
	return nil
}

// Create implements [Database].
func (m *MySQL) Create(ctx context.Context, i DBInstance) (Endpoint, error) {
	return m.Endpoint, m.create(ctx, i)
}

// Modify implements [Database].
func (m *MySQL) Modify(ctx context.Context, _, after DBInstance) error {
	return m.setPassword(ctx, after)
}

// Delete implements [Database]. The server stays as it is, as it is its starter's to stop.
func (m *MySQL) Delete(context.Context, DBInstance) error { return nil }
