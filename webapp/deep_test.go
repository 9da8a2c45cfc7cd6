package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strconv"
	"testing"

	"drawbridge/internal/mysqltest"
)

// generated makes a table of 200,000 rows with a key of two columns, and sorted
// columns with an index.
func generated(t testing.TB, root *sql.DB) {
	t.Helper()
	root.SetMaxOpenConns(1)
	mustExec(t, root, "SET cte_max_recursion_depth = 200000",
		"CREATE TABLE large (id INT PRIMARY KEY, grp INT, name VARCHAR(40), price DECIMAL(10,2), seen DATETIME, plain INT, KEY (grp), KEY (name), KEY (price), KEY (seen))",
		`INSERT INTO large WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
			SELECT i, IF(i % 10 = 0, NULL, i % 1000), CONCAT('name ', i % 5000), i % 7777 / 100, '2024-01-01' + INTERVAL i % 90000 SECOND, i % 13 FROM n`,
		"CREATE TABLE pairs (a INT, b INT, note VARCHAR(10), PRIMARY KEY (a, b))", "INSERT INTO pairs SELECT id % 50, id, 'x' FROM large",
		"ANALYZE TABLE large, pairs")
}

// TestDeepPagesCostWhatTheFirstDoes compares what MySQL reads for the rows of a
// page far from the start with what it reads for those of the first, in both
// directions.
func TestDeepPagesCostWhatTheFirstDoes(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	generated(t, server.Open(t, "root", rootPassword(server), schema))
	db, err := openDatabase(settingsOf(server, schema, newReader(t, server, schema), readerPassword))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	a := newApp(db, slog.New(slog.DiscardHandler), "")
	for _, test := range []struct {
		table, sort string
		desc        bool
		at          string
	}{
		{"large", "", false, "150001"}, {"large", "", true, "50000"}, {"large", "grp", false, "777,150777"}, {"large", "grp", true, "222,150222"}, {"large", "grp", true, `\N,150000`},
		{"large", "name", false, "name 4444,154444"}, {"large", "price", true, "11.11,1111"}, {"large", "seen", false, "2024-01-01 20:00:00,72000"}, {"pairs", "", false, "44,150044"}, {"pairs", "", true, "44,150044"},
	} {
		for _, backwards := range []bool{false, true} {
			t.Run(fmt.Sprint(test, backwards), func(t *testing.T) {
				err := a.read(context.Background(), func(r reader) error {
					tables, err := r.named(test.table)
					if err != nil {
						return err
					}
					found := tables[test.table]
					s := selection{Sort: test.sort, Desc: test.desc, window: window{Page: 1, Size: 50}}
					cost := func(at string) (n int, err error) {
						s := s
						s.At = at
						q, err := r.resolve(found, s)
						if err != nil {
							return 0, err
						}
						query := rowsQuery{table: found, columns: q.Columns, terms: q.terms, size: 50, backwards: backwards}
						if at != "" {
							query.filters = append(query.filters, q.start.from(q.terms, backwards))
						}
						before, err := handlerReads(r)
						if err != nil {
							return 0, err
						}
						if _, err := r.rows(query, nil); err != nil {
							return 0, err
						}
						after, err := handlerReads(r)
						return after - before, err
					}
					first, err := cost("")
					if err != nil {
						return err
					}
					deep, err := cost(test.at)
					t.Logf("first %d, deep %d", first, deep)
					if deep > 2*first {
						t.Errorf("the deep page reads %d rows, the first %d", deep, first)
					}
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// handlerReads is how many rows the connection has asked for.
func handlerReads(r reader) (n int, err error) {
	err = r.each(func(rows *sql.Rows) error {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return err
		}
		one, err := strconv.Atoi(value)
		n += one
		return err
	}, "SHOW SESSION STATUS LIKE 'Handler\\_read%'")
	return n, err
}
