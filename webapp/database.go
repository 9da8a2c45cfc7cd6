package main

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
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
	// maxConnections is how many connections the pool has at most (the config
	// reckons with one more for each instance: connectionsOfInstance), and
	// maxIdleConnections how many of them it keeps unused. One more, to each server, ends statements.
	maxConnections     = 9
	maxIdleConnections = 5
	// fullPause is how long after MySQL refused one more connection it is asked again.
	fullPause = 100 * time.Millisecond
)

// openDatabase opens the pool that the app reads through. It stays within what
// a small database allows (a db.t4g.micro takes about 60 connections), and
// renews connections so that a changed password or address shows soon, and a
// replica that comes back has its share.
func openDatabase(s mysqldb.Settings, more ...mysqldb.Option) (*database, error) {
	connector, err := mysqldb.NewConnector(s, append(more, mysqldb.ReadOnly(), mysqldb.Numbered(), mysqldb.Prepared())...)
	if err != nil {
		return nil, err
	}
	pool := func(connector driver.Connector, most, unused int) *sql.DB {
		db := sql.OpenDB(connector)
		db.SetMaxOpenConns(most)
		db.SetMaxIdleConns(unused)
		db.SetConnMaxLifetime(5 * time.Minute)
		db.SetConnMaxIdleTime(time.Minute)
		return db
	}
	d := &database{DB: pool(connector, maxConnections, maxIdleConnections), killers: map[string]*sql.DB{}}
	for _, host := range slices.Concat(s.ReplicaHosts, []string{""}) {
		d.killers[host] = pool(mysqldb.At(connector, host), 1, 1)
	}
	return d, nil
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

// reader reads the database over one connection, on which MySQL itself refuses to
// write.
type reader struct {
	// ctx bounds the work, and visitor is done when nobody waits for it any more.
	ctx, visitor context.Context

	conn *sql.Conn
	// answered says that MySQL has answered on the connection.
	answered *bool
	memory   *memory
	// limited counts the statements that MySQL ended because of the time limit.
	limited prometheus.Counter
}

// read runs f within pageTimeout. It ends when ctx does, which is when the visitor
// hangs up. There is no transaction around f: each of its statements shows one
// moment, and most pages need one statement alone.
func (a *app) read(ctx context.Context, f func(reader) error) error {
	err := a.readWithin(ctx, pageTimeout, f)
	if gone := ctx.Err(); gone != nil {
		return gone // and what f made of it does not count
	}
	return err
}

// readWithin is read with a time limit. It calls f again when that failed because a
// table is not what it was a moment ago.
func (a *app) readWithin(ctx context.Context, limit time.Duration, f func(reader) error) error {
	memory := &memory{catalog: &a.catalog}
	err := a.readOnce(ctx, limit, memory, f)
	if !memory.outdated(err) {
		return err
	}
	again := a.readOnce(ctx, limit, nil, f)
	// Whoever asks for what there is not, must not make the app forget what there is.
	if again == nil || again.Error() != err.Error() {
		a.catalog.forget()
	}
	return again
}

// readOnce calls f again, over another connection, when the first statement finds
// out that the connection is dead.
func (a *app) readOnce(visitor context.Context, limit time.Duration, memory *memory, f func(reader) error) error {
	ctx, done := context.WithTimeout(context.WithoutCancel(visitor), limit)
	defer done()
	var failed error
	attempt := func() error {
		conn, err := a.db.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close() //nolint:errcheck // it goes back to the pool, or was closed
		answered := false
		failed = a.db.interruptible(visitor, conn, func() error {
			return f(reader{ctx, visitor, conn, &answered, memory, a.metrics.limited.WithLabelValues(timeLimit)})
		})
		if answered {
			return nil
		}
		return failed
	}
	err := onLiveConnection(attempt)
	// At the server's limit, the connections that the app has must do, if it has any.
	for stop := time.Now().Add(busyWait); full(err) && a.db.Stats().OpenConnections > 0 && visitor.Err() == nil && time.Now().Before(stop); {
		time.Sleep(fullPause)
		err = onLiveConnection(attempt)
	}
	return cmp.Or(err, failed)
}

// full says that the server has no connection left.
func full(err error) bool { return err != nil && mysqldb.Explain(err).Kind == mysqldb.Full }

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

// within is r for work that may take less time.
func (r reader) within(limit time.Duration) (reader, context.CancelFunc) {
	var done context.CancelFunc
	r.ctx, done = context.WithTimeout(r.ctx, limit)
	return r, done
}

// each runs query and calls scan for each of its rows.
func (r reader) each(scan func(*sql.Rows) error, query string, args ...any) error {
	if err := r.visitor.Err(); err != nil {
		return err
	}
	rows, err := r.conn.QueryContext(r.ctx, query, args...)
	if err != nil {
		return r.judged(err)
	}
	defer rows.Close()
	*r.answered = true
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return r.judged(rows.Err())
}

// one runs a query that gives exactly one row. It is sql.ErrNoRows when there
// is none.
func (r reader) one(dest []any, query string, args ...any) error {
	if err := r.visitor.Err(); err != nil {
		return err
	}
	rows, err := r.conn.QueryContext(r.ctx, query, args...)
	if err != nil {
		return r.judged(err)
	}
	defer rows.Close()
	*r.answered = true
	if !rows.Next() {
		return cmp.Or(r.judged(rows.Err()), sql.ErrNoRows)
	}
	if err := rows.Scan(dest...); err != nil {
		return err
	}
	return r.judged(rows.Close())
}

// judged is what an error of MySQL's comes to. One that says that MySQL gave up is
// counted, unless nobody waits for the answer: then MySQL was told to.
func (r reader) judged(err error) error {
	if err == nil {
		return nil
	}
	if gone := r.visitor.Err(); gone != nil {
		return gone
	}
	if tooLong(err) {
		r.limited.Inc()
	}
	return err
}
