package mysqldb

import (
	"testing"

	"drawbridge/internal/mysqltest"
)

func TestConnectionID(t *testing.T) {
	server := mysqltest.Shared(t)
	ctx := timeLimited(t)
	db := open(t, masterSettings(server), Numbered())
	seen := map[uint64]bool{}
	for range 2 {
		conn, err := db.Conn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		got, host, err := ConnectionID(conn)
		if err != nil {
			t.Fatal(err)
		}
		var want uint64
		if err := conn.QueryRowContext(ctx, "SELECT CONNECTION_ID()").Scan(&want); err != nil || got != want || host != "" || seen[got] {
			t.Errorf("it is %d, want %d (%v)", got, want, err)
		}
		seen[got] = true
	}

	t.Run("only where it was asked for", func(t *testing.T) {
		conn, err := open(t, masterSettings(server)).Conn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if id, _, err := ConnectionID(conn); err == nil {
			t.Errorf("it is %d", id)
		}
	})
}
