package main

import (
	"database/sql"
	"slices"
	"strings"
)

// keyPart is a column of a key, or its first cut characters or bytes.
type keyPart struct {
	column string
	cut    uint64
}

// keys finds for each of the tables the columns that tell its rows apart: the
// primary key, or else the unique key of the fewest columns, none of which can
// be NULL.
func (r reader) keys(tables ...string) (map[string][]keyPart, error) {
	return recall(r, func() (map[string][]keyPart, error) { return r.askKeys(tables) }, append([]string{"keys"}, tables...)...)
}

func (r reader) askKeys(tables []string) (map[string][]keyPart, error) {
	type index struct {
		name  string
		parts []keyPart
		null  bool
	}
	found := map[string][]index{}
	err := r.each(func(rows *sql.Rows) error {
		var table, name string
		var column, nullable sql.NullString
		var cut sql.Null[uint64]
		if err := rows.Scan(&table, &name, &column, &cut, &nullable); err != nil {
			return err
		}
		list := found[table]
		if len(list) == 0 || list[len(list)-1].name != name {
			list = append(list, index{name: name})
		}
		last := &list[len(list)-1]
		last.parts = append(last.parts, keyPart{column.String, cut.V})
		// A part that is an expression has no column.
		last.null = last.null || nullable.String == "YES" || !column.Valid
		found[table] = list
		return nil
	}, selectHint+"TABLE_NAME, INDEX_NAME, COLUMN_NAME, SUB_PART, NULLABLE FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND NON_UNIQUE = 0 AND TABLE_NAME IN (?"+
		strings.Repeat(", ?", len(tables)-1)+") ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX", anys(tables)...)
	keys := map[string][]keyPart{}
	for table, list := range found {
		list = slices.DeleteFunc(list, func(i index) bool { return i.null })
		slices.SortStableFunc(list, func(a, b index) int {
			if (a.name == "PRIMARY") != (b.name == "PRIMARY") {
				if a.name == "PRIMARY" {
					return -1
				}
				return 1
			}
			return len(a.parts) - len(b.parts)
		})
		if len(list) > 0 {
			keys[table] = list[0].parts
		}
	}
	return keys, err
}

func anys(texts []string) []any {
	all := make([]any, len(texts))
	for i, text := range texts {
		all[i] = text
	}
	return all
}

// foreignKey says that columns of a table hold the values of others in a row
// that must exist.
type foreignKey struct {
	Table, To         string
	Columns, ToColumn []string
}

// maxReferences is how many foreign keys are looked at in each direction.
const maxReferences = 50

// references are the foreign keys of a table, and referrers those that refer to
// it, both within the database. More says that there are others beyond
// maxReferences.
func (r reader) references(table string) (list []foreignKey, more bool, err error) {
	return r.foreignKeys("TABLE_NAME", table)
}

func (r reader) referrers(table string) (list []foreignKey, more bool, err error) {
	return r.foreignKeys("REFERENCED_TABLE_NAME", table)
}

func (r reader) foreignKeys(side, table string) (list []foreignKey, more bool, err error) {
	list, err = recall(r, func() ([]foreignKey, error) { return r.askForeignKeys(side, table) }, "foreign keys", side, table)
	return list[:min(len(list), maxReferences)], len(list) > maxReferences, err
}

func (r reader) askForeignKeys(side, table string) ([]foreignKey, error) {
	var list []foreignKey
	last := ""
	err := r.each(func(rows *sql.Rows) error {
		var name, from, column, to, toColumn string
		if err := rows.Scan(&name, &from, &column, &to, &toColumn); err != nil {
			return err
		}
		// MySQL may compare names without regard to case.
		if side == "TABLE_NAME" && from != table || side != "TABLE_NAME" && to != table {
			return nil
		}
		if key := from + "\x00" + name; key != last || len(list) == 0 {
			list, last = append(list, foreignKey{Table: from, To: to}), key
		}
		k := &list[len(list)-1]
		k.Columns, k.ToColumn = append(k.Columns, column), append(k.ToColumn, toColumn)
		return nil
	}, selectHint+"CONSTRAINT_NAME, TABLE_NAME, COLUMN_NAME, REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE"+
		" WHERE TABLE_SCHEMA = DATABASE() AND REFERENCED_TABLE_SCHEMA = DATABASE() AND "+side+" = ? ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION", table)
	return list, err
}
