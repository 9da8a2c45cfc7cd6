package mysqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// Numbered makes [ConnectionID] know the number of each connection. It costs a
// statement when one is made.
func Numbered() Option {
	return func(c *connector) { c.numbered = true }
}

// ConnectionID is the number that MySQL gave the connection, for KILL QUERY, and the server that did: a host of
// Settings.ReplicaHosts, or "" for Settings.Host. It takes no statement. The connection is of a pool that was opened with
// [Numbered].
func ConnectionID(conn *sql.Conn) (id uint64, host string, err error) {
	err = conn.Raw(func(c any) error {
		n, ok := c.(numbered)
		if !ok {
			return errors.New("the number of this connection was not asked for")
		}
		id, host = n.id, n.host
		return nil
	})
	return id, host, err
}

// driverConn is what database/sql uses of the driver's connections.
type driverConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// numbered is a connection with its number, and the server's name.
type numbered struct {
	driverConn
	id   uint64
	host string
}

// whole is conn with all that database/sql uses of it. It is closed if that fails.
func whole(conn driver.Conn) (driverConn, error) {
	c, ok := conn.(driverConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver's connections have become different: %T", conn), conn.Close())
	}
	return c, nil
}

// number asks for the number of a new connection, and closes it if that fails.
func number(ctx context.Context, conn driver.Conn, host string) (driver.Conn, error) {
	c, err := whole(conn)
	if err != nil {
		return nil, err
	}
	id, err := askNumber(ctx, c)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return numbered{c, id, host}, nil
}

func askNumber(ctx context.Context, c driverConn) (uint64, error) {
	rows, err := c.QueryContext(ctx, "SELECT CONNECTION_ID()", nil)
	if err != nil {
		return 0, err
	}
	defer rows.Close() //nolint:errcheck // its one row was read, or that failed
	row := make([]driver.Value, 1)
	if err := rows.Next(row); err != nil {
		return 0, err
	}
	var id sql.Null[uint64]
	if err := id.Scan(row[0]); err != nil {
		return 0, err
	}
	if err := rows.Next(row); !errors.Is(err, io.EOF) { // or the connection would still wait for the end
		return 0, fmt.Errorf("more than one number: %w", err)
	}
	return id.V, nil
}
