package mysqldb

import (
	"context"
	"database/sql/driver"
	"slices"
)

const (
	// maxPrepared is how many statements a connection keeps prepared.
	maxPrepared = 32
	// maxKept is how many bytes one that is kept has at most: MySQL keeps it too, in many times as many.
	maxKept = 4096
)

// Prepared makes each connection keep the statements with parameters that it used
// last. One that is asked again then costs MySQL one message instead of three.
func Prepared() Option {
	return func(c *connector) { c.prepared = true }
}

// preparing is a connection that keeps the statements that it used last.
type preparing struct {
	driverConn
	// kept are these statements, the last used first.
	kept []prepared
}

type prepared struct {
	query string
	driver.Stmt
}

func keepPrepared(conn driver.Conn) (driver.Conn, error) {
	c, err := whole(conn)
	if err != nil {
		return nil, err
	}
	return &preparing{driverConn: c}, nil
}

// QueryContext implements driver.QueryerContext.
func (c *preparing) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if len(args) == 0 || len(query) > maxKept {
		return c.driverConn.QueryContext(ctx, query, args)
	}
	stmt, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
}

func (c *preparing) prepare(ctx context.Context, query string) (driver.Stmt, error) {
	if i := slices.IndexFunc(c.kept, func(p prepared) bool { return p.query == query }); i >= 0 {
		found := c.kept[i]
		copy(c.kept[1:], c.kept[:i])
		c.kept[0] = found
		return found.Stmt, nil
	}
	stmt, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if last := len(c.kept) - 1; last+1 == maxPrepared {
		_ = c.kept[last].Close() // a connection that breaks here shows at its next use
		c.kept = c.kept[:last]
	}
	c.kept = slices.Insert(c.kept, 0, prepared{query, stmt})
	return stmt, nil
}
