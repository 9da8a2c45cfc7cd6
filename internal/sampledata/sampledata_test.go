package sampledata

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"drawbridge/internal/embeddedmysql"
	"drawbridge/internal/mysqldb"
	"drawbridge/internal/mysqltest"
)

// embedded starts the embedded server and returns a pool of connections to it
// and an empty schema.
func embedded(t *testing.T) (db *sql.DB, schema string) {
	t.Helper()
	s, err := embeddedmysql.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, s.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	user, password := s.RootLogin()
	db, err = mysqldb.Open(mysqldb.Settings{Host: s.Host, Port: s.Port, Username: user, Password: password, CAFile: ca})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	schema = "test_embedded"
	if _, err := db.Exec("CREATE DATABASE " + schema); err != nil {
		t.Fatal(err)
	}
	return db, schema
}

// engines are the servers that the sample data must load into.
var engines = map[string]func(t *testing.T) (*sql.DB, string){
	"MySQL, as RDS's master user": func(t *testing.T) (*sql.DB, string) {
		s := mysqltest.Shared(t)
		user, password := s.Master()
		return s.Open(t, user, password, ""), s.NewSchema(t)
	},
	"go-mysql-server": embedded,
}

func TestLoad(t *testing.T) {
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			db, schema := engine(t)
			wantState(t, db, schema, Empty)

			began := time.Now()
			result, err := Load(ctx, db, schema)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%+v in %v", result, time.Since(began))
			wantState(t, db, schema, Ours)
			want := Result{Tables: len(tables())}
			for _, tab := range tables() {
				want.Rows += len(tab.rows)
			}
			if result != want {
				t.Errorf("result %+v, want %+v", result, want)
			}

			for _, tab := range tables() {
				t.Run(tab.name+" holds every row as generated", func(t *testing.T) { compareRows(t, db, schema, tab) })
			}

			t.Run("a second load is refused and changes nothing", func(t *testing.T) {
				if result, err := Load(ctx, db, schema); !errors.Is(err, ErrNotEmpty) || result != (Result{}) {
					t.Errorf("result %+v, error %v, want ErrNotEmpty", result, err)
				}
				wantState(t, db, schema, Ours)
				compareRows(t, db, schema, tables()[0])
			})

			t.Run("the tables refer to each other", func(t *testing.T) {
				_, err := db.Exec("INSERT INTO " + schema + ".appearances VALUES (999999, 999999, 1, 90, 0, 0, NULL, NULL, false, NULL)")
				var refused *mysql.MySQLError
				if !errors.As(err, &refused) || refused.Number != 1452 {
					t.Errorf("an appearance in a game that is not there: error %v, want number 1452", err)
				}
			})

			t.Run("it can be paged, filtered and charted", func(t *testing.T) {
				for question, query := range map[string]string{
					"a page":             "SELECT id FROM %[1]s.monsters ORDER BY name, id LIMIT 50 OFFSET 100",
					"text of any script": "SELECT id FROM %[1]s.teams WHERE name LIKE '%%도깨비%%'",
					"a number by a date": "SELECT YEAR(starts_at), AVG(attendance) FROM %[1]s.games GROUP BY YEAR(starts_at)",
					"a category by sums": "SELECT t.habitat, SUM(g.ticket_revenue) FROM %[1]s.games g JOIN %[1]s.teams t ON t.id = g.home_team_id GROUP BY t.habitat",
					"NULLs":              "SELECT id FROM %[1]s.monsters WHERE team_id IS NULL",
					"a field of JSON":    "SELECT name FROM %[1]s.teams WHERE JSON_EXTRACT(colours, '$.stripes') = true",
				} {
					rows, err := db.Query(fmt.Sprintf(query, schema))
					if err != nil {
						t.Errorf("%s: %v", question, err)
						continue
					}
					found := rows.Next()
					if err := rows.Close(); err != nil || !found {
						t.Errorf("%s finds nothing (%v)", question, err)
					}
				}
			})
		})
	}
}

// compareRows reads a whole table and compares it with what was generated, as
// text, in the order of its first two columns.
func compareRows(t *testing.T, db *sql.DB, schema string, tab table) {
	t.Helper()
	rows, err := db.Query("SELECT " + strings.Join(tab.columns, ", ") + " FROM " + schema + "." + tab.name + " ORDER BY 1, 2")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err is asked
	want := map[string]bool{}
	for _, row := range tab.rows {
		want[rowText(row)] = true
	}
	count := 0
	for rows.Next() {
		values := make([]any, len(tab.columns))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			values[i] = *v.(*any)
		}
		if text := rowText(values); !want[text] {
			t.Errorf("%s holds a row that was not generated: %s", tab.name, text)
			return
		}
		count++
	}
	if err := rows.Err(); err != nil || count != len(tab.rows) || len(want) != count {
		t.Errorf("%s holds %d rows (%v), want %d, all different", tab.name, count, err, len(tab.rows))
	}
}

// rowText writes a row the same whether it comes from the generator or from a
// server. JSON is compared by what it says.
func rowText(row []any) string {
	var b strings.Builder
	for _, v := range row {
		text := ""
		switch v := v.(type) {
		case nil:
			text = "NULL"
		case []byte:
			text = string(v)
		case time.Time:
			text = v.Format(time.DateTime)
		case bool:
			text = map[bool]string{true: "1", false: "0"}[v]
		default:
			text = fmt.Sprint(v)
		}
		// go-mysql-server writes a TIME with its microseconds.
		text = strings.TrimSuffix(text, ".000000")
		// A date is midnight once it has been parsed.
		text = strings.TrimSuffix(text, " 00:00:00")
		if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
			var said any
			if json.Unmarshal([]byte(text), &said) == nil {
				text = jsonText(said)
			}
		}
		fmt.Fprintf(&b, "%q ", text)
	}
	return b.String()
}

func TestLoadAfterAnInterruption(t *testing.T) {
	interruptions := map[string]func(t *testing.T, db *sql.DB, schema string){
		"before the first row": func(t *testing.T, db *sql.DB, schema string) {
			for _, tab := range tables() {
				mustExec(t, db, tab.create(schema))
			}
		},
		"after the first table": func(t *testing.T, db *sql.DB, schema string) {
			mustExec(t, db, tables()[0].create(schema))
		},
		"while the tables were marked as loaded": func(t *testing.T, db *sql.DB, schema string) {
			if _, err := Load(context.Background(), db, schema); err != nil {
				t.Fatal(err)
			}
			mustExec(t, db, "ALTER TABLE "+schema+".teams COMMENT = '"+loading+"'")
		},
	}
	for engineName, engine := range engines {
		for name, interrupt := range interruptions {
			t.Run(engineName+" "+name, func(t *testing.T) {
				db, schema := engine(t)
				interrupt(t, db, schema)
				wantState(t, db, schema, Unfinished)
				if _, err := Load(context.Background(), db, schema); err != nil {
					t.Fatal(err)
				}
				wantState(t, db, schema, Ours)
				for _, tab := range tables() {
					compareRows(t, db, schema, tab)
				}
			})
		}
	}
}

func TestLoadLeavesOtherTablesAlone(t *testing.T) {
	mine := "CREATE TABLE %s.mine (id INT PRIMARY KEY)"
	tests := map[string][]string{
		"a table without a comment":              {mine},
		"a table with a comment":                 {mine + " COMMENT = 'payroll'"},
		"a table with a similar comment":         {mine + " COMMENT = 'Drawbridge sample database'"},
		"a table named like one of the sample's": {"CREATE TABLE %s.teams (id INT PRIMARY KEY)"},
		"a view":                                 {"CREATE VIEW %s.mine AS SELECT 1 AS one"},
		"one table beside an interrupted load":   {tables()[0].create("%s"), mine},
	}
	for engineName, engine := range engines {
		for name, statements := range tests {
			t.Run(engineName+" "+name, func(t *testing.T) {
				db, schema := engine(t)
				// go-mysql-server makes a view in the default schema only.
				conn, err := db.Conn(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				for _, statement := range append([]string{"USE %s"}, statements...) {
					if _, err := conn.ExecContext(context.Background(), strings.ReplaceAll(statement, "%s", schema)); err != nil {
						t.Fatalf("%s: %v", statement, err)
					}
				}
				if err := conn.Close(); err != nil {
					t.Fatal(err)
				}
				before := tableNames(t, db, schema)
				wantState(t, db, schema, Foreign)
				if _, err := Load(context.Background(), db, schema); !errors.Is(err, ErrNotEmpty) {
					t.Errorf("error %v, want ErrNotEmpty", err)
				}
				if after := tableNames(t, db, schema); after != before {
					t.Errorf("tables %s before, %s after", before, after)
				}
			})
		}
	}
}

func TestLoadIntoNoSchema(t *testing.T) {
	for engineName, engine := range engines {
		t.Run(engineName, func(t *testing.T) {
			db, _ := engine(t)
			wantState(t, db, "no_such_schema", Absent)
			_, err := Load(context.Background(), db, "no_such_schema")
			if !errors.Is(err, ErrNoSchema) || !strings.Contains(err.Error(), "no_such_schema") {
				t.Errorf("error %v, want ErrNoSchema with the schema's name", err)
			}
		})
	}
}

func TestLoadIntoAnOddlyNamedSchema(t *testing.T) {
	s := mysqltest.Shared(t)
	const odd = "o`dd; DROP -- 'næme"
	mustExec(t, s.Root(t), "CREATE DATABASE `o``dd; DROP -- 'næme`")
	t.Cleanup(func() { mustExec(t, s.Root(t), "DROP DATABASE `o``dd; DROP -- 'næme`") })
	db := s.MasterDB(t)
	if _, err := Load(context.Background(), db, odd); err != nil {
		t.Fatal(err)
	}
	wantState(t, db, odd, Ours)
}

func TestTwoLoadsTakeTurns(t *testing.T) {
	for engineName, engine := range engines {
		t.Run(engineName, func(t *testing.T) {
			db, schema := engine(t)
			errs := make([]error, 2)
			var group sync.WaitGroup
			for i := range errs {
				group.Go(func() { _, errs[i] = Load(context.Background(), db, schema) })
			}
			group.Wait()
			if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), ErrNotEmpty) {
				t.Errorf("errors %v and %v, want one load and one ErrNotEmpty", errs[0], errs[1])
			}
			for _, tab := range tables() {
				compareRows(t, db, schema, tab)
			}
		})
	}
}

func TestLoadThatIsCancelledCanBeRepeated(t *testing.T) {
	s := mysqltest.Shared(t)
	user, password := s.Master()
	db, schema := s.Open(t, user, password, ""), s.NewSchema(t)
	// Too short to finish and long enough to begin, wherever it strikes.
	for _, after := range []time.Duration{0, 20 * time.Millisecond, 60 * time.Millisecond, 120 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(context.Background(), after)
		_, err := Load(ctx, db, schema)
		cancel()
		if err == nil || errors.Is(err, ErrNotEmpty) {
			break // this machine was quick enough
		}
	}
	if state, err := Inspect(context.Background(), db, schema); err != nil || state == Foreign || state == Absent {
		t.Fatalf("after cancelled loads the schema %v (%v)", state, err)
	} else if state != Ours {
		if _, err := Load(context.Background(), db, schema); err != nil {
			t.Fatal(err)
		}
	}
	for _, tab := range tables() {
		compareRows(t, db, schema, tab)
	}
}

func mustExec(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func wantState(t *testing.T, db *sql.DB, schema string, want State) {
	t.Helper()
	got, err := Inspect(context.Background(), db, schema)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Fatalf("the schema %v, want that it %v", got, want)
	}
}

func tableNames(t *testing.T, db *sql.DB, schema string) string {
	t.Helper()
	_, names, err := inspect(context.Background(), db, schema)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return fmt.Sprintf("%q", names)
}
