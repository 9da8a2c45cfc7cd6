package sampledata

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// State is what a schema holds, as far as the sample data goes.
type State int

const (
	// Absent: there is no such schema, or the user may not see it.
	Absent State = iota
	// Empty: the schema has no tables and no views.
	Empty
	// Unfinished: every table is the sample's, and loading was interrupted.
	Unfinished
	// Ours: every table is the sample's.
	Ours
	// Foreign: at least one table or view is somebody else's.
	Foreign
)

// String says the state in the words of a sentence about the schema.
func (s State) String() string {
	switch s {
	case Absent:
		return "is absent"
	case Empty:
		return "is empty"
	case Unfinished:
		return "holds sample data whose loading was interrupted"
	case Ours:
		return "holds the sample data"
	case Foreign:
		return "holds tables that are not the sample data's"
	}
	return fmt.Sprintf("is in the unknown state %d", int(s))
}

const (
	// loading is the comment of a table that Load made, until every row is in.
	loading = "Drawbridge sample data (loading)"
	// loaded begins its comment from then on.
	loaded = "Drawbridge sample data: "
)

// queryer is a pool of connections or one of them.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Inspect reports what the schema holds. Tables are told by their comments.
// The user of db must see all of the schema's tables, as an administrator does.
func Inspect(ctx context.Context, db *sql.DB, schema string) (State, error) {
	state, _, err := inspect(ctx, db, schema)
	if err != nil {
		return state, fmt.Errorf("looking for sample data in the schema %s: %w", schema, err)
	}
	return state, nil
}

// inspect also returns the names of the schema's tables and views.
func inspect(ctx context.Context, db queryer, schema string) (State, []string, error) {
	var schemas int
	err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = ?", schema).Scan(&schemas)
	if err != nil || schemas == 0 {
		return Absent, nil, err
	}
	rows, err := db.QueryContext(ctx,
		"SELECT table_name, table_comment FROM information_schema.tables WHERE table_schema = ?", schema)
	if err != nil {
		return Absent, nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err is asked
	var names []string
	var foreign, unfinished bool
	for rows.Next() {
		var name, comment string
		if err := rows.Scan(&name, &comment); err != nil {
			return Absent, nil, err
		}
		names = append(names, name)
		// A view has the comment VIEW.
		foreign = foreign || comment != loading && !strings.HasPrefix(comment, loaded)
		unfinished = unfinished || comment == loading
	}
	switch {
	case rows.Err() != nil:
		return Absent, nil, rows.Err()
	case len(names) == 0:
		return Empty, nil, nil
	case foreign:
		return Foreign, names, nil
	case unfinished:
		return Unfinished, names, nil
	}
	return Ours, names, nil
}
