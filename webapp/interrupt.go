package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"

	"drawbridge/internal/mysqldb"
)

const (
	// killTimeout bounds one attempt to end a statement.
	killTimeout = time.Second
	// killAgain is how long a statement that was ended may go on before MySQL is
	// told again: the first time, it may not have begun.
	killAgain = 100 * time.Millisecond
)

// database is the pool that the app reads through, and a connection of its own to
// each server for ending statements, so that nobody can hold up both.
type database struct {
	*sql.DB
	killers map[string]*sql.DB // by the server, as mysqldb.ConnectionID names it
}

// Close closes all connections.
func (d *database) Close() error {
	err := d.DB.Close()
	for _, killer := range d.killers {
		err = errors.Join(err, killer.Close())
	}
	return err
}

// interruptible runs f, which uses conn. While ctx is done, MySQL is told to end
// what runs on the connection. To close the connection instead would leave MySQL
// at work on it: so it counts as used until MySQL is done, and nobody makes MySQL
// work on more at once than the pool allows.
//
// Nothing is ended any more when interruptible returns: the connection's next user
// has nothing to fear.
func (d *database) interruptible(ctx context.Context, conn *sql.Conn, f func() error) error {
	id, host, err := mysqldb.ConnectionID(conn)
	if err != nil {
		return err
	}
	done, killed := make(chan struct{}), make(chan struct{})
	certain := true
	unused := context.AfterFunc(ctx, func() {
		defer close(killed)
		certain = killUntil(done, d.killers[host], id)
	})
	defer func() {
		close(done)
		if unused() {
			return
		}
		<-killed
		if !certain {
			// MySQL may yet do it: that must not hit anybody else.
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
	}()
	return f()
}

// killUntil ends what runs on a connection, again and again until done. It returns
// whether MySQL has answered each time, and so nothing is on its way any more.
func killUntil(done <-chan struct{}, killer *sql.DB, id uint64) (certain bool) {
	certain = true
	again := time.NewTicker(killAgain)
	defer again.Stop()
	for {
		certain = kill(killer, id) && certain
		select {
		case <-done:
			return certain
		case <-again.C:
		}
	}
}

// kill ends what runs on a connection. It returns whether MySQL has answered, or
// was not asked.
func kill(killer *sql.DB, id uint64) (certain bool) {
	ctx, cancel := context.WithTimeout(context.Background(), killTimeout)
	defer cancel()
	// Everyone may end the work of their own connections.
	_, err := killer.ExecContext(ctx, fmt.Sprintf("KILL QUERY %d", id))
	_, answered := errors.AsType[*mysql.MySQLError](err)
	_, notConnected := errors.AsType[*mysqldb.Error](err)
	return err == nil || answered || notConnected
}
