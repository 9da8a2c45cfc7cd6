package webapp

import (
	"database/sql"
	"slices"
	"sync"
	"testing"
	"time"
)

// driver runs the query in a loop, over as many connections as there are requests at a time, and reads its rows into
// values of the kind that the web app reads them into. That is the least that an answer with these rows can cost.
func driver(b *testing.B, w *world, query string, length time.Duration) measurement {
	b.Helper()
	db := w.open(b)
	defer db.Close() //nolint:errcheck // nothing was written
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)

	var (
		mu    sync.Mutex
		took  []time.Duration
		ready sync.WaitGroup
		begin = make(chan struct{})
		ended sync.WaitGroup
		stop  time.Time
	)
	for range connections {
		connection, err := db.Conn(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		defer connection.Close() //nolint:errcheck // it goes back to its pool
		prepared, err := connection.PrepareContext(b.Context(), query)
		if err != nil {
			b.Fatal(err)
		}
		ready.Add(1)
		ended.Go(func() {
			ready.Done()
			<-begin
			var own []time.Duration
			for started := time.Now(); started.Before(stop); {
				if err := readRows(prepared); err != nil {
					b.Error(err)
					return
				}
				now := time.Now()
				own = append(own, now.Sub(started))
				started = now
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, own...)
		})
	}
	ready.Wait()
	started := time.Now()
	stop = started.Add(length)
	close(begin)
	ended.Wait()
	if b.Failed() {
		b.FailNow()
	}
	slices.Sort(took)
	return measurement{
		rate: float64(len(took)) / time.Since(started).Seconds(),
		p50:  percentile(took, 50), p99: percentile(took, 99),
	}
}

func readRows(prepared *sql.Stmt) error {
	rows, err := prepared.Query()
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // Err says it
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values := make([]any, len(columns))
	dest := make([]any, len(columns))
	for i := range values {
		dest[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
	}
	return rows.Err()
}
