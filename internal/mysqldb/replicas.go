package mysqldb

import (
	"context"
	"database/sql/driver"
	"sync/atomic"
	"time"
)

const (
	// replicaTimeout bounds one attempt to connect to a replica: whoever waits is to have time left for the next server.
	replicaTimeout = 2 * time.Second
	// awayPause is how long a replica that did not take a connection is left alone.
	awayPause = 30 * time.Second
)

// replica is a server with the same data.
type replica struct {
	host string
	away atomic.Int64 // until when it is left alone, in nanoseconds since 1970
}

// spread connects to the replicas in turn, and to the database itself when none of them takes the connection. Whatever their
// reason is: one that lags behind may not know a user, a password or a schema yet.
func (c *connector) spread(ctx context.Context, value *Secret) (driver.Conn, error) {
	start := c.next.Add(1)
	for i := range uint64(len(c.replicas)) {
		r := c.replicas[(start+i)%uint64(len(c.replicas))]
		if time.Now().UnixNano() < r.away.Load() {
			continue
		}
		attempt, cancel := context.WithTimeout(ctx, replicaTimeout)
		conn, err := c.connectTo(attempt, r.host, value)
		cancel()
		if err == nil || ctx.Err() != nil {
			return conn, err
		}
		r.away.Store(time.Now().Add(awayPause).UnixNano())
	}
	return c.connectTo(ctx, "", value)
}

// At is c for one of its servers alone: a host of Settings.ReplicaHosts, or "" for Settings.Host. c is of [NewConnector].
func At(c driver.Connector, host string) driver.Connector { return at{c.(*connector), host} }

type at struct {
	*connector
	host string
}

// Connect implements driver.Connector.
func (a at) Connect(ctx context.Context) (driver.Conn, error) {
	return a.logIn(ctx, func(ctx context.Context, value *Secret) (driver.Conn, error) {
		return a.connectTo(ctx, a.host, value)
	})
}
