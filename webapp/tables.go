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
)

// table is a table or view of the database.
type table struct {
	Name    string
	View    bool
	Comment string
	Rows    rowCount
	// Size is MySQL's estimate of the bytes that the data and the indexes take;
	// not known for a view, which has none of its own.
	Size sql.Null[uint64]
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

// tables lists the database's tables and views by name, at most maxTables. They
// are those whose names contain a text, in either case; all when it is empty.
func (r reader) tables(database, containing string) (list []table, more bool, err error) {
	where, args := nameFilter(containing)
	err = r.each(func(rows *sql.Rows) error {
		t, err := scanTable(rows)
		list = append(list, t)
		return err
	}, tableQuery+where+" ORDER BY TABLE_NAME LIMIT ?", append(append([]any{database}, args...), maxTables+1)...)
	if len(list) > maxTables {
		list, more = list[:maxTables], true
	}
	return list, more, err
}

// nameFilter is the condition that a table's name contains a text.
func nameFilter(text string) (and string, args []any) {
	if text == "" {
		return "", nil
	}
	return " AND LOWER(TABLE_NAME) LIKE LOWER(?) ESCAPE '|'", []any{"%" + likeEscapes.Replace(text) + "%"}
}

var tableQuery = selectHint + "TABLE_NAME, TABLE_TYPE, TABLE_ROWS, TABLE_COMMENT, DATA_LENGTH + INDEX_LENGTH FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?"

func scanTable(rows *sql.Rows) (table, error) {
	var (
		t        table
		kind     string
		estimate sql.Null[uint64]
		comment  sql.NullString
		size     sql.Null[uint64]
	)
	if err := rows.Scan(&t.Name, &kind, &estimate, &comment, &size); err != nil {
		return table{}, err
	}
	t.View = strings.HasSuffix(kind, "VIEW")
	t.Rows = rowCount{N: estimate.V, Known: estimate.Valid && !t.View}
	// For a view MySQL writes "VIEW" where a comment would be.
	if !t.View {
		t.Comment, t.Size = comment.String, size
	}
	return t, nil
}

// database is the name of the schema that the connection is in.
func (r reader) database() (string, error) {
	return recall(r, func() (string, error) {
		var name sql.NullString
		if err := r.one([]any{&name}, "SELECT DATABASE()"); err != nil {
			return "", err
		}
		if !name.Valid || name.String == "" {
			return "", mysqldb.ErrNoDatabase
		}
		return name.String, nil
	}, "database")
}

// named finds the tables and views that have exactly one of the names.
func (r reader) named(names ...string) (map[string]table, error) {
	return recall(r, func() (map[string]table, error) { return r.askNamed(names) }, append([]string{"named"}, names...)...)
}

func (r reader) askNamed(names []string) (map[string]table, error) {
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
func (r reader) columns(name string) ([]column, []term, error) {
	type answer struct {
		list []column
		key  []term
	}
	a, err := recall(r, func() (a answer, err error) {
		a.list, a.key, err = r.askColumns(name)
		return a, err
	}, "columns", name)
	return a.list, a.key, err
}

func (r reader) askColumns(name string) (list []column, key []term, err error) {
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
	if err != nil {
		return t.Rows, err
	}
	if len(filters) > 0 {
		t.Rows = rowCount{}
	}
	return t.counted(n), nil
}

// counted is what is known of the number of t's rows after n were counted, where
// counting ended beyond countLimit.
func (t table) counted(n uint64) rowCount {
	switch {
	case n <= countLimit:
		return rowCount{N: n, Exact: true, Known: true}
	case t.Rows.Known && t.Rows.N > countLimit:
		return t.Rows
	}
	// There is no estimate, or one from before the table grew.
	return rowCount{N: countLimit, MoreThan: true, Known: true}
}

// countSome counts the rows of t that filters keep, up to one more than most,
// for so long.
func (r reader) countSome(t table, filters []condition, limit time.Duration, most int) (n uint64, err error) {
	where, args := whereOf(filters)
	err = r.one([]any{&n}, hinted(limit)+fmt.Sprintf("COUNT(*) FROM (SELECT 1 FROM %s%s LIMIT %d) AS bounded", mysqldb.QuoteIdentifier(t.Name), where, most+1), args...)
	return n, err
}
