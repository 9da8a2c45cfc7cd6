package webapp

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"drawbridge/internal/mysqldb"
)

// statementsWanted asks for what the pages ask MySQL, instead of a comparison.
var statementsWanted = flag.Bool("statements", false, "print what each page of the web app asks MySQL and how long each statement takes, and measure nothing else")

// repetitions is how often each of them is run to say how long it takes.
const repetitions = 50

// statementReport lists what each kind of page asks MySQL, in its order, and the mean time until each is answered, when
// nobody else asks for anything.
func statementReport(b *testing.B, w *world, s *site) string {
	b.Helper()
	db := w.open(b)
	connection, err := db.Conn(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer connection.Close() //nolint:errcheck // it goes back to its pool
	var text strings.Builder
	for _, kind := range kinds {
		s.get(b, s.paths[kind])
		all := w.statements(b, func() { s.get(b, s.paths[kind]) })
		fmt.Fprintf(&text, "\n%s: %d round trips\n", kind, roundTrips(all))
		for _, one := range all {
			if one.kind != "Query" && one.kind != "Execute" {
				fmt.Fprintf(&text, "             %-10s\n", one.kind)
				continue
			}
			fmt.Fprintf(&text, "%9.3f ms %-10s %s\n", timeOf(b, connection, one.text).Seconds()*1000, one.kind, strings.Join(strings.Fields(one.text), " "))
		}
	}
	return text.String()
}

// timeOf is the mean time that MySQL takes to answer the statement, as text and with all of its rows.
func timeOf(b *testing.B, connection *sql.Conn, statement string) time.Duration {
	b.Helper()
	started := time.Now()
	for range repetitions {
		if err := drain(b.Context(), connection, statement); err != nil {
			b.Fatalf("%s: %v", statement, err)
		}
	}
	return time.Since(started) / repetitions
}

func drain(ctx context.Context, connection *sql.Conn, statement string) error {
	rows, err := connection.QueryContext(ctx, statement)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // Err says it
	for rows.Next() {
	}
	return rows.Err()
}

// open opens a pool of connections as the reader, with what the web app's connections have.
func (w *world) open(b *testing.B) *sql.DB {
	b.Helper()
	db, err := mysqldb.Open(mysqldb.Settings{
		Host: w.mysql.Host, Port: w.mysql.Port, Database: schema, Username: reader, Password: readerPassword, CAFile: w.mysql.CAFile,
	}, mysqldb.ReadOnly())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	return db
}
