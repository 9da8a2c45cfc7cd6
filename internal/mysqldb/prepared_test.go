package mysqldb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"drawbridge/internal/mysqltest"
)

// preparedBy is how many statements the connection has told MySQL to prepare, and
// how many of them it keeps.
func preparedBy(t *testing.T, ctx context.Context, conn *sql.Conn) (prepared, kept int) {
	t.Helper()
	var name string
	for variable, n := range map[string]*int{"Com_stmt_prepare": &prepared, "Com_stmt_close": &kept} {
		if err := conn.QueryRowContext(ctx, "SHOW SESSION STATUS LIKE '"+variable+"'").Scan(&name, n); err != nil {
			t.Fatal(err)
		}
	}
	return prepared, prepared - kept
}

func TestPreparedStatementsAreKept(t *testing.T) {
	server := mysqltest.Shared(t)
	ctx := timeLimited(t)
	conn, err := open(t, masterSettings(server), Numbered(), Prepared()).Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ask := func(query string, arg int) {
		t.Helper()
		var got int
		if err := conn.QueryRowContext(ctx, query, arg).Scan(&got); err != nil || got != arg {
			t.Fatalf("%s answers %d, want %d (%v)", query, got, arg, err)
		}
	}
	for i := range 100 {
		ask("SELECT 0 + ?", i)
	}
	if prepared, kept := preparedBy(t, ctx, conn); prepared != 1 || kept != 1 {
		t.Errorf("one statement was prepared %d times, and %d are kept", prepared, kept)
	}

	t.Run("so many and no more", func(t *testing.T) {
		for i := range 3 * maxPrepared {
			ask(fmt.Sprintf("SELECT %d - %d + ?", i, i), i)
			ask("SELECT 0 + ?", i) // which is used all the time, and so stays
		}
		if prepared, kept := preparedBy(t, ctx, conn); prepared != 3*maxPrepared+1 || kept != maxPrepared {
			t.Errorf("%d were prepared, want %d, and %d are kept, want %d", prepared, 3*maxPrepared+1, kept, maxPrepared)
		}
	})
	t.Run("not a long one", func(t *testing.T) {
		before, kept := preparedBy(t, ctx, conn)
		long := "SELECT /* " + strings.Repeat("x", maxKept) + " */ 0 + ?"
		ask(long, 3)
		ask(long, 4)
		if prepared, still := preparedBy(t, ctx, conn); prepared != before+2 || still != kept {
			t.Errorf("it was prepared %d times, and %d statements are kept, want %d", prepared-before, still, kept)
		}
	})
	t.Run("not one that MySQL refuses", func(t *testing.T) {
		for range 2 {
			if err := conn.QueryRowContext(ctx, "SELECT absent + ?", 1).Scan(new(int)); Explain(err).Kind != Other {
				t.Errorf("it answers %v", err)
			}
		}
		ask("SELECT 0 + ?", 7)
	})
	t.Run("of a table that changes", func(t *testing.T) {
		schema := server.NewSchema(t)
		root := server.Root(t)
		for _, change := range []string{"CREATE TABLE %s (a INT)", "ALTER TABLE %s MODIFY a VARCHAR(9)", "ALTER TABLE %s ADD b INT FIRST", "DROP TABLE %s", "CREATE TABLE %s (a INT)"} {
			if _, err := root.Exec(fmt.Sprintf(change, "`"+schema+"`.t")); err != nil {
				t.Fatal(err)
			}
			var n int
			err := conn.QueryRowContext(ctx, "SELECT COUNT(a) FROM `"+schema+"`.t WHERE a = ?", 1).Scan(&n)
			if (err != nil) != (change == "DROP TABLE %s") {
				t.Errorf("after %s: %v", change, err)
			}
		}
	})
}
