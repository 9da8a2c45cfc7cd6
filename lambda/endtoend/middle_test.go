package endtoend

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"drawbridge/rehearsal"
	"drawbridge/rehearsal/resources"
)

// brake stops the function at a chosen place in the middle of its work, by locks that a connection of the test's holds.
type brake struct {
	p    *play
	root *sql.DB
	conn *sql.Conn
	on   hold
}

// hold is a lock, with what MySQL says of a connection that waits for it.
type hold struct{ take, state string }

var (
	// itsTurn is what the function takes first: who has it may change accounts.
	itsTurn = hold{"DO GET_LOCK((SELECT CONCAT('drawbridge.', LEFT(SHA2(authentication_string, 256), 40)) FROM mysql.user WHERE User = 'admin'), 60)", "User lock"}
	// accountChanges keeps everybody from changing an account.
	accountChanges = hold{"LOCK INSTANCE FOR BACKUP", "Waiting for backup lock"}
)

// sampleTables keeps everybody from reading the sample data, and so the function from proving what it made.
func (p *play) sampleTables() hold {
	p.t.Helper()
	root := p.server.Root(p.t)
	defer root.Close() //nolint:errcheck // only read
	tables := column(p.t, root, "SELECT CONCAT('monster_teams.', TABLE_NAME, ' WRITE') FROM information_schema.TABLES "+
		"WHERE TABLE_SCHEMA = 'monster_teams' AND TABLE_TYPE = 'BASE TABLE'")
	return hold{"LOCK TABLES " + strings.Join(tables, ", "), "Waiting for table metadata lock"}
}

// newBrake takes a lock. It is let go when the server goes, or with release.
func newBrake(p *play, on hold) *brake {
	p.t.Helper()
	b := &brake{p: p, root: p.server.Root(p.t), on: on}
	var err error
	if b.conn, err = b.root.Conn(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	if _, err := b.conn.ExecContext(p.t.Context(), on.take); err != nil {
		p.t.Fatal(err)
	}
	return b
}

// at waits until the function waits for the lock with a statement that begins so; other statements are let through.
func (b *brake) at(statement string) {
	b.p.t.Helper()
	b.p.eventually("the function is at "+statement, func() bool {
		now := b.waiting()
		if now != "" && !strings.HasPrefix(now, statement) {
			b.letOneThrough()
		}
		return strings.HasPrefix(now, statement) && now != ""
	})
}

// waiting is the statement that waits for the lock, or "".
func (b *brake) waiting() string {
	b.p.t.Helper()
	statements := column(b.p.t, b.root, "SELECT INFO FROM information_schema.PROCESSLIST WHERE STATE = ?", b.on.state)
	if len(statements) == 0 {
		return ""
	}
	return statements[0]
}

// letOneThrough lets the change of an account that waits be made, and none after it. The change has a lock that FLUSH
// TABLES WITH READ LOCK waits for, and the next change waits for that in turn.
func (b *brake) letOneThrough() {
	b.p.t.Helper()
	ctx := b.p.t.Context()
	do := func(conn *sql.Conn, statement string) {
		b.p.t.Helper()
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			b.p.t.Fatal(err)
		}
	}
	gate, err := b.root.Conn(ctx)
	if err != nil {
		b.p.t.Fatal(err)
	}
	defer gate.Close() //nolint:errcheck // it has let go
	var id int
	if err := gate.QueryRowContext(ctx, "SELECT CONNECTION_ID()").Scan(&id); err != nil {
		b.p.t.Fatal(err)
	}
	closed := make(chan error, 1)
	go func() {
		_, err := gate.ExecContext(ctx, "FLUSH TABLES WITH READ LOCK")
		closed <- err
	}()
	b.p.eventually("the next change is kept back", func() bool {
		return len(column(b.p.t, b.root, "SELECT STATE FROM information_schema.PROCESSLIST WHERE ID = ? AND STATE = 'Waiting for global read lock'", id)) > 0
	})
	do(b.conn, "UNLOCK INSTANCE")
	if err := <-closed; err != nil {
		b.p.t.Fatal(err)
	}
	do(b.conn, b.on.take)
	do(gate, "UNLOCK TABLES")
}

// release lets the lock go; it may be gone with the server.
func (b *brake) release() {
	_, _ = b.conn.ExecContext(context.Background(), "UNLOCK TABLES")
	_, _ = b.conn.ExecContext(context.Background(), "UNLOCK INSTANCE")
	_, _ = b.conn.ExecContext(context.Background(), "DO RELEASE_ALL_LOCKS()")
	_ = b.conn.Close()
	_ = b.root.Close()
}

// line is the network between the function and MySQL.
type line struct {
	to string

	mu    sync.Mutex
	mute  bool // what the server says gets lost
	conns map[net.Conn]bool
}

// withLine puts a line between the function and the database.
func withLine(t testing.TB, l *line) func(*rehearsal.Options) {
	return func(o *rehearsal.Options) {
		database := o.Database.(*resources.MySQL)
		l.to, l.conns = fmt.Sprintf("%s:%d", database.Endpoint.Address, database.Endpoint.Port), map[net.Conn]bool{}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = listener.Close(); l.cut() })
		database.Endpoint.Port = listener.Addr().(*net.TCPAddr).Port
		go func() {
			for {
				client, err := listener.Accept()
				if err != nil {
					return
				}
				server, err := net.Dial("tcp", l.to)
				if err != nil {
					_ = client.Close()
					continue
				}
				l.mu.Lock()
				l.conns[client], l.conns[server] = true, true
				l.mu.Unlock()
				go func() { _, _ = io.Copy(server, client); _, _ = client.Close(), server.Close() }()
				go func() { _, _ = io.Copy(muted{client, l}, server); _, _ = client.Close(), server.Close() }()
			}
		}()
	}
}

// muted drops what is written while the line is mute.
type muted struct {
	net.Conn
	line *line
}

func (m muted) Write(text []byte) (int, error) {
	m.line.mu.Lock()
	mute := m.line.mute
	m.line.mu.Unlock()
	if mute {
		return len(text), nil
	}
	return m.Conn.Write(text)
}

// silence loses what the server says, until cut.
func (l *line) silence() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mute = true
}

// cut breaks every connection; new ones work.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mute = false
	for conn := range l.conns {
		_ = conn.Close()
	}
	clear(l.conns)
}
