package main

import (
	"context"
	"database/sql"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/mysqltest"
)

// working is how many statements of user MySQL works on whose text holds part.
func working(t *testing.T, root *sql.DB, user, part string) (n int) {
	t.Helper()
	if err := root.QueryRow("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = ? AND INFO LIKE ?", user, "%"+part+"%").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestHangingUpEndsAPage(t *testing.T) {
	server := mysqltest.Shared(t)
	site, user := slowSite(t, server)
	root := server.Root(t)
	for _, path := range []string{"/tables/endless", "/tables/endless?page=last", "/tables/endless?facet=id", "/tables/endless.csv"} {
		t.Run(path, func(t *testing.T) {
			ctx, hangUp := context.WithCancel(t.Context())
			defer hangUp()
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, site.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				if response, err := http.DefaultTransport.RoundTrip(request); err == nil {
					response.Body.Close()
				}
			}()
			waitUntil(t, "MySQL works on it", func() bool { return working(t, root, user, "endless") > 0 })
			start := time.Now()
			hangUp()
			<-ended
			waitUntil(t, "MySQL has stopped", func() bool { return working(t, root, user, "endless") == 0 })
			took := time.Since(start)
			t.Logf("MySQL stopped after %v", took)
			if took > statementTimeout/2 {
				t.Errorf("MySQL stopped after %v", took)
			}
		})
	}
}

func TestACrowdThatHangsUpTakesNothingAway(t *testing.T) {
	server := mysqltest.Shared(t)
	site, user := slowSite(t, server)
	root := server.Root(t)
	var crowd sync.WaitGroup
	for range 100 {
		crowd.Go(func() { site.hangUp(t, "/tables/endless", time.Duration(50+rand.IntN(150))*time.Millisecond) })
	}
	crowd.Wait()
	start := time.Now()
	site.get(t, "/tables/t", 200)
	site.get(t, "/tables/t.csv", 200)
	site.get(t, "/", 200)
	t.Logf("the next visitor waited %v", time.Since(start))
	if took := time.Since(start); took > statementTimeout/2 {
		t.Errorf("the next visitor waited %v", took)
	}
	waitUntil(t, "MySQL has stopped", func() bool { return working(t, root, user, "endless") == 0 })
	var n int
	if err := root.QueryRow("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = ?", user).Scan(&n); err != nil || n > maxConnections+1 {
		t.Errorf("%d connections, want at most %d (%v)", n, maxConnections+1, err)
	}
}

// TestNobodyElseIsInterrupted has visitors hang up at every moment, and sees
// whether whoever uses the connection next is cut short, which SLEEP tells.
func TestNobodyElseIsInterrupted(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	db, err := openDatabase(settingsOf(server, schema, newReader(t, server, schema), readerPassword))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	sleep := func(conn *sql.Conn, seconds string) (cutShort bool) {
		var result int
		return conn.QueryRowContext(t.Context(), "SELECT SLEEP("+seconds+")").Scan(&result) != nil || result != 0
	}
	interrupted := 0
	for range 300 {
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		visitor, hangUp := context.WithCancel(t.Context())
		// The statement takes 5 ms.
		time.AfterFunc(time.Duration(rand.IntN(8000))*time.Microsecond, hangUp)
		if err := db.interruptible(visitor, conn, func() error {
			if sleep(conn, "0.005") {
				interrupted++
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()

		next, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if sleep(next, "0.002") {
			t.Fatal("the next user was interrupted")
		}
		_ = next.Close()
	}
	t.Logf("%d of 300 were interrupted", interrupted)
	if interrupted == 0 {
		t.Error("nobody was interrupted at all")
	}
	if open := db.Stats().MaxLifetimeClosed + db.Stats().MaxIdleClosed; open > 0 {
		t.Errorf("%d connections were closed", open)
	}
}

// TestAnInterruptionThatMayStillCome has MySQL hear of an interruption never or
// later.
func TestAnInterruptionThatMayStillCome(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	settings := settingsOf(server, schema, newReader(t, server, schema), readerPassword)
	db, err := openDatabase(settings)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var deaf atomic.Bool
	settings.Port = deafProxy(t, server, &deaf)
	through, err := mysqldb.Open(settings)
	if err != nil {
		t.Fatal(err)
	}
	_ = db.killers[""].Close()
	db.killers[""] = through
	if err := through.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	deaf.Store(true)

	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	visitor, hangUp := context.WithCancel(t.Context())
	if err := db.interruptible(visitor, conn, func() error {
		hangUp()
		var slept int
		return conn.QueryRowContext(t.Context(), "SELECT SLEEP(0.2)").Scan(&slept)
	}); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err == nil {
		t.Error("the connection was kept")
	}
	if n := db.Stats().OpenConnections; n != 0 {
		t.Errorf("%d connections are open", n)
	}
}

// deafProxy leads to a server, which hears nothing more once deaf is set.
func deafProxy(t *testing.T, server *mysqltest.Server, deaf *atomic.Bool) (port int) {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(server.Host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				upstream, err := net.Dial("tcp", server.Addr())
				if err != nil {
					return
				}
				defer upstream.Close()
				go func() { _, _ = io.Copy(c, upstream) }()
				buffer := make([]byte, 64<<10)
				for {
					n, err := c.Read(buffer)
					if err != nil {
						return
					}
					if !deaf.Load() {
						_, _ = upstream.Write(buffer[:n])
					}
				}
			}()
		}
	}()
	_, text, _ := net.SplitHostPort(listener.Addr().String())
	port, _ = strconv.Atoi(text)
	return port
}
