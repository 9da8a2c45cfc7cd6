package readonlyuser

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"
)

const (
	// lockQuery is the lock's name, the same for every version of Drawbridge: MySQL's advisory locks are the whole
	// server's ("Locking Functions"), and every account may take any whose name it knows. This one is known to those who
	// may read mysql.user: a reader cannot keep its own account from being changed.
	lockQuery = "SELECT CONCAT('drawbridge.', LEFT(SHA2(authentication_string, 256), 40)) FROM mysql.user " +
		"WHERE CONCAT(User, '@', Host) = CURRENT_USER()"

	// lockWait bounds one wait for the lock, after which its holder is looked at again. It is shorter than the time
	// that mysqldb allows the server to be silent.
	lockWait = 5 * time.Second

	// closeTimeout bounds giving the lock back.
	closeTimeout = 5 * time.Second
)

// setUpSession makes quoting and SHOW GRANTS mean the same on every server, whatever its defaults.
//
// The server ends a connection that is silent for wait_timeout seconds: a holder that vanished without a word keeps the
// lock no longer. A table that somebody has locked is an error after lock_wait_timeout seconds, by default a year. And
// what mysqldb.ReadOnly turns on would refuse a write that nothing else refuses.
const setUpSession = "SET NAMES utf8mb4, sql_mode = 'STRICT_ALL_TABLES', sql_quote_show_create = ON, " +
	"wait_timeout = 300, lock_wait_timeout = 20, transaction_read_only = OFF"

// Session is the right to change accounts on one server, which one holder has at a time: a connection that holds the
// server's lock. When it breaks, the right is gone and every method fails. It is not safe for use by several
// goroutines.
type Session struct {
	conn     *sql.Conn
	dialect  dialect
	lockName string
}

// Begin waits until this caller may change accounts on the server of db, which is logged in as the master user. When
// ctx ends while another holds the lock, the error is a [*LockedError].
func Begin(ctx context.Context, db *sql.DB) (*Session, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("log in as the master user: %w", explain(err))
	}
	s := &Session{conn: conn}
	if s.dialect, err = prepare(ctx, conn); err == nil {
		if err = conn.QueryRowContext(ctx, lockQuery).Scan(&s.lockName); err != nil {
			err = fmt.Errorf("look up the name of the lock: %w", explain(err))
		} else {
			err = s.lock(ctx)
		}
	}
	if err != nil {
		discard(conn)
		return nil, err
	}
	return s, nil
}

// Close gives the right back; closing again does nothing. An error means that the connection had broken: the server
// lets go of the lock when it notices.
func (s *Session) Close() error {
	if s.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	// Released by name too, because a closed connection's locks go only when the server sees it end.
	_, err := s.conn.ExecContext(ctx, "DO RELEASE_LOCK(?)", s.lockName)
	discard(s.conn)
	s.conn = nil
	if err != nil {
		return fmt.Errorf("give back the lock: %w", explain(err))
	}
	return nil
}

// lock waits for the lock until ctx ends.
func (s *Session) lock(ctx context.Context) error {
	var locked *LockedError
	for wait := time.Duration(0); ; wait = lockWait {
		var got sql.Null[int]
		err := s.conn.QueryRowContext(ctx, "SELECT GET_LOCK(?, ?)", s.lockName, wait/time.Second).Scan(&got)
		switch {
		case err != nil && ctx.Err() != nil && locked != nil:
			locked.cause = ctx.Err()
			return locked
		case err != nil:
			return fmt.Errorf("wait for the lock: %w", explain(err))
		case got.V == 1:
			return nil
		}
		// A holder that cannot be seen, or has just let go, leaves its fields empty.
		locked = &LockedError{}
		var id sql.Null[uint64]
		var username sql.Null[string]
		if s.conn.QueryRowContext(ctx, `SELECT held.id, p.USER FROM (SELECT IS_USED_LOCK(?) AS id) AS held
			LEFT JOIN information_schema.PROCESSLIST AS p ON p.ID = held.id`, s.lockName).Scan(&id, &username) == nil {
			locked.Connection, locked.Username = id.V, username.V
		}
	}
}

// prepare sets a connection up and looks at what its server makes of grants.
func prepare(ctx context.Context, conn *sql.Conn) (dialect, error) {
	if _, err := conn.ExecContext(ctx, setUpSession); err != nil {
		return dialect{}, fmt.Errorf("set up a connection: %w", explain(err))
	}
	var d dialect
	if err := conn.QueryRowContext(ctx, "SELECT @@GLOBAL.partial_revokes").Scan(&d.partialRevokes); err != nil {
		return dialect{}, fmt.Errorf("read the server's setting partial_revokes: %w", explain(err))
	}
	return d, nil
}

// discard closes a connection for good: one that may hold the lock, or has other settings than the pool's, must not be
// used again.
func discard(conn *sql.Conn) {
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
}

var errClosed = errors.New("the session with the MySQL server is closed: begin another")

// exec runs a statement that holds no password; doing is what it is for, in half a sentence.
func (s *Session) exec(ctx context.Context, doing, statement string) error {
	return s.execThrough(ctx, doing, statement, func(err error) error { return err })
}

// execWithPassword is exec for a statement that holds a password.
func (s *Session) execWithPassword(ctx context.Context, doing, statement string) error {
	return s.execThrough(ctx, doing, statement, withheld)
}

func (s *Session) execThrough(ctx context.Context, doing, statement string, filter func(error) error) error {
	if s.conn == nil {
		return errClosed
	}
	if _, err := s.conn.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", doing, explain(filter(err)))
	}
	return nil
}
