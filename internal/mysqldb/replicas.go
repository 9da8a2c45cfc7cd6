package mysqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync/atomic"
	"time"
)

const (
	// replicasTimeout bounds all attempts of one caller to connect to replicas. A caller with less time than twice this gives
	// them half of it: the database itself is to have the rest.
	replicasTimeout = 2 * time.Second
	// shortestAttempt is how long a replica is given at least: less would say nothing about it.
	shortestAttempt = 250 * time.Millisecond
	// awayPause is how long a replica that did not take a connection is left alone.
	awayPause = 30 * time.Second
)

// replica is a server with the same data.
type replica struct {
	host string
	away atomic.Int64 // until when it is left alone, in nanoseconds since 1970; 0 when it is well
}

// take says whether the caller may try r, and what away was before. When a pause ends, one caller alone may: the others leave
// r alone for another, unless that one finds it well.
func (r *replica) take() (before int64, ok bool) {
	before = r.away.Load()
	if before == 0 {
		return 0, true
	}
	now := time.Now()
	return before, now.UnixNano() >= before && r.away.CompareAndSwap(before, now.Add(awayPause).UnixNano())
}

// spread connects to the replicas in turn, and to the database itself when none of them takes the connection in time. Whatever
// their reason is: one that lags behind may not know a user, a password or a schema yet.
func (c *connector) spread(ctx context.Context, value *Secret) (driver.Conn, error) {
	total := replicasTimeout
	if end, ok := ctx.Deadline(); ok {
		total = min(total, time.Until(end)/2)
	}
	end := time.Now().Add(total)
	start, n := c.next.Add(1), uint64(len(c.replicas))
	for i := range n {
		left := time.Until(end)
		if left < shortestAttempt || ctx.Err() != nil {
			break
		}
		r := c.replicas[(start+i)%n]
		before, ok := r.take()
		if !ok {
			continue
		}
		attempt, cancel := context.WithTimeout(ctx, max(left/time.Duration(n-i), shortestAttempt))
		conn, err := c.connectTo(attempt, r.host, value)
		cancel()
		switch {
		case err == nil:
			r.away.Store(0)
			return conn, nil
		case errors.Is(ctx.Err(), context.Canceled): // which says nothing about the replica
			r.away.Store(before)
			return nil, err
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
