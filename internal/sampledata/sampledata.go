// Package sampledata makes the schema monster_teams: a league of monsters,
// small enough to load in a moment and varied enough to page, filter and
// chart. It is generated, the same every time.
package sampledata

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"drawbridge/internal/mysqldb"
)

// Schema is the name of the schema that the sample data is meant for.
const Schema = "monster_teams"

// Errors that [Load] wraps, for callers to tell apart.
var (
	ErrNoSchema = errors.New("there is no such schema, or this user may not see it")
	ErrNotEmpty = errors.New("the schema is not empty")
	ErrBusy     = errors.New("the sample data is being loaded there by someone else")
)

// Result says what [Load] made.
type Result struct {
	Tables int
	Rows   int // in all tables together
}

// Load creates the sample's tables in the schema, which must exist and hold no
// table or view, and fills them. The error is [ErrNotEmpty] where it holds any,
// the sample data included. Tables that an interrupted Load left are dropped
// and made anew; no other table is ever dropped. Two calls at the same time
// take turns.
func Load(ctx context.Context, db *sql.DB, schema string) (Result, error) {
	result, err := load(ctx, db, schema)
	if err != nil {
		return Result{}, fmt.Errorf("loading the sample data into the schema %s: %w", schema, err)
	}
	return result, nil
}

func load(ctx context.Context, db *sql.DB, schema string) (result Result, err error) {
	// The lock belongs to one connection.
	conn, err := db.Conn(ctx)
	if err != nil {
		return result, err
	}
	defer conn.Close() //nolint:errcheck // it goes back to its pool
	unlock, err := lock(ctx, conn, schema)
	if err != nil {
		return result, err
	}
	defer unlock()

	state, leftovers, err := inspect(ctx, conn, schema)
	if err != nil {
		return result, err
	}
	switch state {
	case Absent:
		return result, ErrNoSchema
	case Ours, Foreign:
		return result, fmt.Errorf("%w: it %v", ErrNotEmpty, state)
	}

	all := tables()
	quoted := func(table string) string {
		return mysqldb.QuoteIdentifier(schema) + "." + mysqldb.QuoteIdentifier(table)
	}
	if state == Unfinished {
		// All of them carry our comment. Those that refer to others go first.
		slices.SortFunc(leftovers, func(a, b string) int { return indexOf(all, b) - indexOf(all, a) })
		for _, name := range leftovers {
			if _, err := conn.ExecContext(ctx, "DROP TABLE "+quoted(name)); err != nil {
				return result, fmt.Errorf("dropping what an interrupted load left: %w", err)
			}
		}
	}
	// Creating tables cannot be part of a transaction. Until all rows are in,
	// the tables' comments say so.
	for _, t := range all {
		if _, err := conn.ExecContext(ctx, t.create(schema)); err != nil {
			return result, fmt.Errorf("creating the table %s: %w", t.name, err)
		}
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return result, err
	}
	defer tx.Rollback() //nolint:errcheck // without effect after Commit
	for _, t := range all {
		if err := t.insert(ctx, tx, quoted(t.name)); err != nil {
			return result, fmt.Errorf("filling the table %s: %w", t.name, err)
		}
		result.Tables++
		result.Rows += len(t.rows)
	}
	if err := tx.Commit(); err != nil {
		return result, err
	}
	for _, t := range all {
		if _, err := conn.ExecContext(ctx, "ALTER TABLE "+quoted(t.name)+" COMMENT = '"+loaded+t.about+"'"); err != nil {
			return result, fmt.Errorf("marking the table %s as loaded: %w", t.name, err)
		}
	}
	return result, nil
}

// indexOf returns the place of the table called name, or len(all).
func indexOf(all []table, name string) int {
	if i := slices.IndexFunc(all, func(t table) bool { return t.name == name }); i >= 0 {
		return i
	}
	return len(all)
}

// create returns the statement that creates t in the schema. References name
// it too: no connection need have it as its default.
func (t table) create(schema string) string {
	quotedSchema := mysqldb.QuoteIdentifier(schema)
	return fmt.Sprintf("CREATE TABLE %s.%s (%s\n) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci COMMENT = '%s'",
		quotedSchema, mysqldb.QuoteIdentifier(t.name),
		strings.ReplaceAll(t.define, "REFERENCES ", "REFERENCES "+quotedSchema+"."), loading)
}

// rowsAtOnce bounds the placeholders of one INSERT, of which MySQL takes
// 65,535.
const rowsAtOnce = 250

// insert fills t, many rows to a statement.
func (t table) insert(ctx context.Context, tx *sql.Tx, quoted string) error {
	one := "(?" + strings.Repeat(",?", len(t.columns)-1) + ")"
	for rows := range slices.Chunk(t.rows, rowsAtOnce) {
		statement := "INSERT INTO " + quoted + " (" + strings.Join(t.columns, ", ") + ") VALUES " +
			one + strings.Repeat(","+one, len(rows)-1)
		if _, err := tx.ExecContext(ctx, statement, slices.Concat(rows...)...); err != nil {
			return err
		}
	}
	return nil
}

// lockWait is how long a Load waits for another one, which takes seconds.
const lockWait = 30 * time.Second

// lock takes the lock on loading into the schema for the connection: a second
// Load that came upon the tables of a running one would take them for leftovers.
func lock(ctx context.Context, conn *sql.Conn, schema string) (unlock func(), err error) {
	// A lock's name is at most 64 characters long, which a schema's may be too.
	sum := sha256.Sum256([]byte(schema))
	name := "drawbridge-sampledata-" + hex.EncodeToString(sum[:8])
	var taken sql.NullInt64
	if err := conn.QueryRowContext(ctx, "SELECT GET_LOCK(?, ?)", name, int(lockWait.Seconds())).Scan(&taken); err != nil {
		return nil, err
	}
	if taken.Int64 != 1 {
		return nil, fmt.Errorf("%w: waited %v", ErrBusy, lockWait)
	}
	return func() {
		// Also when ctx is done. A connection that keeps the lock must not go
		// back to the pool.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if _, err := conn.ExecContext(ctx, "DO RELEASE_LOCK(?)", name); err != nil {
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
	}, nil
}
