package main

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"drawbridge/internal/mysqldb"
)

const (
	// maxTables is how many tables the overview lists.
	maxTables = 1000
	// countLimit is how far rows are counted to show an exact number; larger
	// tables show MySQL's estimate.
	countLimit = 10_000
	// countBudget is the time for counting on the overview. When it is used up
	// the rest of the tables show estimates.
	countBudget = time.Second
)

// table is a table or view of the database.
type table struct {
	Name    string
	View    bool
	Comment string
	Columns uint64
	Rows    rowCount
}

// rowCount is a number of rows, which may be an estimate.
type rowCount struct {
	N uint64
	// Exact says that N was counted.
	Exact bool
	// Known is false for a view that was not counted: MySQL estimates none.
	Known bool
	// MoreThan says that there are more rows than N, and no better estimate.
	MoreThan bool
}

// column is a column of a table, in words of information_schema.COLUMNS.
type column struct {
	Name string
	// Type is the whole type, for example "int unsigned" or "enum('a','b')".
	Type string
	// DataType is the type's name alone, in lower case.
	DataType string
	Comment  string
	// Nullable says that values may be NULL.
	Nullable bool
	// Length is how many characters or bytes a text or binary value may have.
	Length uint64
	// Key says that the column is part of the key that tells rows apart.
	Key bool
}

// tables lists the database's tables and views by name, at most maxTables.
func (r reader) tables() (list []table, more bool, err error) {
	database, err := r.database()
	if err != nil {
		return nil, false, err
	}
	err = r.each(func(rows *sql.Rows) error {
		t, err := scanTable(rows)
		list = append(list, t)
		return err
	}, tableQuery+" ORDER BY TABLE_NAME LIMIT ?", database, maxTables+1)
	if err != nil {
		return nil, false, err
	}
	if len(list) > maxTables {
		list, more = list[:maxTables], true
	}

	columns := map[string]uint64{}
	err = r.each(func(rows *sql.Rows) error {
		var name string
		var n uint64
		if err := rows.Scan(&name, &n); err != nil {
			return err
		}
		columns[name] = n
		return nil
	}, selectHint+"TABLE_NAME, COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? GROUP BY TABLE_NAME", database)
	for i := range list {
		list[i].Columns = columns[list[i].Name]
	}
	return list, more, err
}

var tableQuery = selectHint + "TABLE_NAME, TABLE_TYPE, TABLE_ROWS, TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?"

func scanTable(rows *sql.Rows) (table, error) {
	var (
		t        table
		kind     string
		estimate sql.Null[uint64]
		comment  sql.NullString
	)
	if err := rows.Scan(&t.Name, &kind, &estimate, &comment); err != nil {
		return table{}, err
	}
	t.View = strings.HasSuffix(kind, "VIEW")
	t.Rows = rowCount{N: estimate.V, Known: estimate.Valid && !t.View}
	// For a view MySQL writes "VIEW" where a comment would be.
	if !t.View {
		t.Comment = comment.String
	}
	return t, nil
}

// database is the name of the schema that the connection is in.
func (r reader) database() (string, error) {
	var name sql.NullString
	if err := r.one([]any{&name}, "SELECT DATABASE()"); err != nil {
		return "", err
	}
	if !name.Valid || name.String == "" {
		return "", mysqldb.ErrNoDatabase
	}
	return name.String, nil
}

// named finds the tables and views that have exactly one of the names.
func (r reader) named(names ...string) (map[string]table, error) {
	database, err := r.database()
	if err != nil {
		return nil, err
	}
	args := []any{database}
	for _, name := range names {
		if possibleName(name) {
			args = append(args, name)
		}
	}
	found := map[string]table{}
	if len(args) == 1 {
		return found, nil
	}
	// MySQL may compare names without regard to case or trailing spaces, so what
	// it found is compared again.
	err = r.each(func(rows *sql.Rows) error {
		t, err := scanTable(rows)
		if slices.Contains(names, t.Name) {
			found[t.Name] = t
		}
		return err
	}, tableQuery+" AND TABLE_NAME IN (?"+strings.Repeat(", ?", len(args)-2)+")", args...)
	return found, err
}

// columns lists the columns of a table in their order, and those that tell its
// rows apart; none where nothing does.
func (r reader) columns(name string) (list []column, key []term, err error) {
	err = r.each(func(rows *sql.Rows) error {
		var c column
		var nullable string
		var length sql.Null[uint64]
		err := rows.Scan(&c.Name, &c.Type, &c.DataType, &c.Comment, &nullable, &length)
		c.DataType, c.Nullable, c.Length = strings.ToLower(c.DataType), nullable != "NO", length.V
		list = append(list, c)
		return err
	}, selectHint+"COLUMN_NAME, COLUMN_TYPE, DATA_TYPE, COLUMN_COMMENT, IS_NULLABLE, CHARACTER_MAXIMUM_LENGTH FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION", name)
	if err != nil {
		return nil, nil, err
	}
	keys, err := r.keys(name)
	for _, part := range keys[name] {
		i := slices.IndexFunc(list, func(c column) bool { return c.Name == part.column })
		if i < 0 || list[i].Nullable {
			// The user may not read it, so the others do not tell rows apart.
			key = nil
			break
		}
		key = append(key, term{column: list[i], cut: part.cut})
	}
	for _, t := range key {
		list[slices.IndexFunc(list, func(c column) bool { return c.Name == t.Name })].Key = true
	}
	return list, key, err
}

// count counts the rows of t that filters keep, up to countLimit. Beyond that
// MySQL's estimate stands, which is of all rows.
func (r reader) count(t table, filters []condition, limit time.Duration) (rowCount, error) {
	n, err := r.countSome(t, filters, limit, countLimit)
	switch {
	case err != nil:
		return t.Rows, err
	case n <= countLimit:
		return rowCount{N: n, Exact: true, Known: true}, nil
	case len(filters) == 0 && t.Rows.Known && t.Rows.N > countLimit:
		return t.Rows, nil
	}
	// There is no estimate, or one from before the table grew.
	return rowCount{N: countLimit, MoreThan: true, Known: true}, nil
}

// countSome counts the rows of t that filters keep, up to one more than most,
// for so long.
func (r reader) countSome(t table, filters []condition, limit time.Duration, most int) (n uint64, err error) {
	where, args := whereOf(filters)
	err = r.one([]any{&n}, hinted(limit)+fmt.Sprintf("COUNT(*) FROM (SELECT 1 FROM %s%s LIMIT %d) AS bounded", mysqldb.QuoteIdentifier(t.Name), where, most+1), args...)
	return n, err
}

// countAll counts every row of t that filters keep, however long that takes
// within the time limits.
func (r reader) countAll(t table, filters []condition) (n uint64, err error) {
	where, args := whereOf(filters)
	err = r.one([]any{&n}, hinted(statementTimeout)+"COUNT(*) FROM "+mysqldb.QuoteIdentifier(t.Name)+where, args...)
	return n, err
}

// countEach replaces the estimates of tables by counts where that is quick.
// Views are left out, because counting one may be any amount of work.
func (r reader) countEach(tables []table) error {
	stop := time.Now().Add(countBudget)
	for i, t := range tables {
		if t.View {
			continue
		}
		if time.Now().After(stop) {
			return nil
		}
		count, err := r.count(t, nil, statementTimeout)
		if err != nil {
			if kind := mysqldb.Explain(err).Kind; kind == mysqldb.Other || kind == mysqldb.Forbidden {
				continue
			}
			return err
		}
		tables[i].Rows = count
	}
	return nil
}

// connection is what the server says of the connection that it serves.
type connection struct {
	Database, User, Version string
	// TLSVersion and Cipher are empty when the server does not tell.
	TLSVersion, Cipher string
}

func (r reader) connection() (connection, error) {
	var c connection
	if err := r.one([]any{&c.Database, &c.User, &c.Version}, "SELECT DATABASE(), CURRENT_USER(), VERSION()"); err != nil {
		return c, err
	}
	err := r.each(func(rows *sql.Rows) error {
		var name, value string
		err := rows.Scan(&name, &value)
		switch name {
		case "Ssl_version":
			c.TLSVersion = value
		case "Ssl_cipher":
			c.Cipher = value
		}
		return err
	}, "SHOW SESSION STATUS LIKE 'Ssl\\_%'")
	if e := mysqldb.Explain(err); e != nil && e.Kind == mysqldb.Other {
		return c, nil // A server that does not know SHOW STATUS is read all the same.
	}
	return c, err
}
