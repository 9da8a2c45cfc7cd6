package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"drawbridge/internal/mysqldb"
)

const (
	// pageTimeout bounds all the database work for one page.
	pageTimeout = 5 * time.Second
	// statementTimeout is what each statement tells MySQL to give itself. It is
	// shorter than pageTimeout: when the app hangs up first, MySQL goes on
	// working for nobody.
	statementTimeout = 4 * time.Second
	// maxConnections is how many connections the pool has at most, and
	// maxIdleConnections how many of them it keeps unused.
	maxConnections     = 10
	maxIdleConnections = 5
)

// openDatabase opens the pool that the app reads through. It stays within what
// a small database allows (a db.t4g.micro takes about 60 connections), and
// renews connections so that a changed password or address shows soon.
func openDatabase(s mysqldb.Settings, more ...mysqldb.Option) (*sql.DB, error) {
	db, err := mysqldb.Open(s, append(more, mysqldb.ReadOnly())...)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(maxConnections)
	db.SetMaxIdleConns(maxIdleConnections)
	db.SetConnMaxLifetime(5 * time.Minute)
	db.SetConnMaxIdleTime(time.Minute)
	return db, nil
}

// selectHint starts every SELECT that may take long: MySQL stops it by itself
// after statementTimeout ("Optimizer Hints" in the MySQL reference manual).
var selectHint = fmt.Sprintf("SELECT /*+ MAX_EXECUTION_TIME(%d) */ ", statementTimeout.Milliseconds())

// hinted starts a SELECT on a table that MySQL stops after limit. Texts are sorted
// by all of their characters that count: MySQL 8.4 itself would take only their
// first 1024 bytes (max_sort_length), of which one character may need 36, and
// then rows would be in another order than the one that pages go on from. Longer
// sort keys need a larger buffer.
func hinted(limit time.Duration) string {
	return fmt.Sprintf("SELECT /*+ MAX_EXECUTION_TIME(%d) SET_VAR(max_sort_length = 65536) SET_VAR(sort_buffer_size = 2097152) */ ", limit.Milliseconds())
}

// reader reads the database inside one read-only transaction.
type reader struct {
	ctx    context.Context
	tx     *sql.Tx
	memory *memory
	// limited counts the statements that MySQL ended because of the time limit.
	limited prometheus.Counter
}

// read runs f in one transaction, which shows all of a page's data as of one
// moment, and within pageTimeout. MySQL itself refuses to write in it.
//
// It goes on when the visitor hangs up, because MySQL would too: a connection
// counts as used until MySQL is done with it, and so nobody makes it work on
// more at once than the pool allows.
func (a *app) read(ctx context.Context, f func(reader) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pageTimeout)
	defer cancel()
	return a.readWithin(ctx, f)
}

// readWithin is read with the time limit of ctx. It calls f again when that
// failed because a table is not what it was a moment ago.
func (a *app) readWithin(ctx context.Context, f func(reader) error) error {
	memory := &memory{catalog: &a.catalog}
	err := a.readOnce(ctx, memory, f)
	if memory.outdated(err) {
		a.catalog.forget()
		return a.readOnce(ctx, nil, f)
	}
	return err
}

func (a *app) readOnce(ctx context.Context, memory *memory, f func(reader) error) error {
	var tx *sql.Tx
	err := onLiveConnection(func() (err error) {
		// The connection is read-only already; the embedded server of make local
		// knows this way only.
		tx, err = a.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
		return err
	})
	if err != nil {
		return err
	}
	// There is nothing to commit.
	defer tx.Rollback() //nolint:errcheck // a connection that breaks here is thrown away by database/sql
	return f(reader{ctx, tx, memory, a.metrics.limited.WithLabelValues(timeLimit)})
}

// onLiveConnection calls first, which is the first use of a connection from the
// pool, again when that connection turns out to be dead. A database that went
// away may leave every unused connection so, and each is found out by its use.
// An attempt to connect that failed is not repeated.
func onLiveConnection(first func() error) error {
	for range maxIdleConnections {
		err := first()
		if _, connecting := errors.AsType[*mysqldb.Error](err); err == nil || connecting || mysqldb.Explain(err).Kind != mysqldb.Unreachable {
			return err
		}
	}
	return first()
}

// each runs query and calls scan for each of its rows.
func (r reader) each(scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := r.tx.QueryContext(r.ctx, query, args...)
	if err != nil {
		return r.counted(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return r.counted(rows.Err())
}

// one runs a query that gives exactly one row. It is sql.ErrNoRows when there
// is none.
func (r reader) one(dest []any, query string, args ...any) error {
	return r.counted(r.tx.QueryRowContext(r.ctx, query, args...).Scan(dest...))
}

// counted counts err if it says that MySQL gave up, and returns it.
func (r reader) counted(err error) error {
	if tooLong(err) {
		r.limited.Inc()
	}
	return err
}
