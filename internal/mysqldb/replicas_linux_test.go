package mysqldb

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"drawbridge/internal/mysqlserver"
	"drawbridge/internal/mysqltest"
	"drawbridge/internal/relay"
)

// The addresses of a database and its replicas. Linux has all of 127.0.0.0/8 without being told.
const primary, first, second = "127.0.0.1", "127.0.0.2", "127.0.0.3"

// servers are a database and two replicas, on the same port, with the user reader.
type servers struct {
	*mysqltest.Server
	replicas map[string]*mysqltest.Server
	settings Settings
}

func startServers(t *testing.T) *servers {
	t.Helper()
	s := &servers{replicas: map[string]*mysqltest.Server{}, Server: mysqltest.StartWith(t, mysqlserver.Options{})}
	authorities := read(t, s.CAFile)
	for _, address := range []string{first, second} {
		r := mysqltest.StartWith(t, mysqlserver.Options{Address: address, Port: s.Port})
		s.replicas[address] = r
		authorities = append(authorities, read(t, r.CAFile)...)
	}
	for _, server := range []*mysqltest.Server{s.Server, s.replicas[first], s.replicas[second]} {
		if _, err := server.Root(t).Exec("CREATE USER reader IDENTIFIED BY '" + readerPassword + "' REQUIRE SSL"); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, authorities, 0o600); err != nil {
		t.Fatal(err)
	}
	s.settings = Settings{Host: primary, ReplicaHosts: []string{first, second}, Port: s.Port, Username: "reader", Password: readerPassword, CAFile: file}
	return s
}

const readerPassword = "Reader-1"

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// where says which servers n new connections of a pool went to, sorted.
func where(t *testing.T, db *sql.DB, n int) (addresses []string) {
	t.Helper()
	ctx := timeLimited(t)
	for range n {
		conn, err := db.Conn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var address string
		if err := conn.QueryRowContext(ctx, "SELECT @@bind_address").Scan(&address); err != nil {
			t.Fatal(err)
		}
		addresses = append(addresses, address)
		defer conn.Close()
	}
	slices.Sort(addresses)
	return addresses
}

func wantServers(t *testing.T, db *sql.DB, want ...string) {
	t.Helper()
	if got := where(t, db, len(want)); !slices.Equal(got, want) {
		t.Errorf("connections went to %q, want %q", got, want)
	}
}

func TestConnectionsAreSpreadOverTheReplicas(t *testing.T) {
	s := startServers(t)
	t.Run("in turn, and none goes to the database itself", func(t *testing.T) {
		wantServers(t, open(t, s.settings), first, first, second, second)
	})
	t.Run("and have a number and a server each, which can be asked alone", func(t *testing.T) {
		connector, err := NewConnector(s.settings, Numbered())
		if err != nil {
			t.Fatal(err)
		}
		db := sql.OpenDB(connector)
		defer db.Close()
		for range 4 {
			conn, err := db.Conn(timeLimited(t))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			id, host, err := ConnectionID(conn)
			if err != nil {
				t.Fatal(err)
			}
			same := sql.OpenDB(At(connector, host))
			defer same.Close()
			wantServers(t, same, host)
			if _, err := same.Exec(fmt.Sprintf("KILL %d", id)); err != nil {
				t.Error(err)
			}
			if err := conn.PingContext(timeLimited(t)); err == nil {
				t.Errorf("the connection %d to %s lives on", id, host)
			}
		}
		itself := sql.OpenDB(At(connector, ""))
		defer itself.Close()
		wantServers(t, itself, primary)
	})
	t.Run("or go to the others where one does not know the user yet", func(t *testing.T) {
		root := s.replicas[first].Root(t)
		if _, err := root.Exec("ALTER USER reader IDENTIFIED BY 'another'"); err != nil {
			t.Fatal(err)
		}
		wantServers(t, open(t, s.settings), second, second, second)
		if _, err := root.Exec("ALTER USER reader IDENTIFIED BY '" + readerPassword + "'"); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("but not where the certificate is another host's", func(t *testing.T) {
		const other = "127.0.0.4"
		listener, err := net.Listen("tcp", net.JoinHostPort(other, strconv.Itoa(s.Port)))
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		go relay.Serve(t.Context(), listener, func(ctx context.Context) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", s.replicas[first].Addr())
		})
		settings := s.settings
		settings.ReplicaHosts = []string{other}
		wantServers(t, open(t, settings), primary)
		_, err = At(mustConnector(t, settings), other).Connect(timeLimited(t))
		wantKind(t, err, Unverified, other, readerPassword)
	})
	t.Run("or go to the others where one answers nothing", func(t *testing.T) {
		s.replicas[second].Pause(t)
		defer s.replicas[second].Resume(t)
		wantServers(t, open(t, s.settings), first, first, first)
	})
	t.Run("or to the database itself where none runs, and back when they do again", func(t *testing.T) {
		for _, r := range s.replicas {
			r.Kill(t)
		}
		connector := mustConnector(t, s.settings)
		db := sql.OpenDB(connector)
		defer db.Close()
		db.SetMaxIdleConns(-1)
		wantServers(t, db, primary, primary)
		s.replicas[first].Restart(t)
		wantServers(t, db, primary) // it is not asked yet
		for _, r := range connector.replicas {
			r.away.Store(0)
		}
		wantServers(t, db, first, first)
	})
	t.Run("or to the database itself in half of the caller's time, where they answer nothing", func(t *testing.T) {
		for _, n := range []int{1, 2, 10} {
			stuck := stuckReplicas(t, s, n)
			connector := stuck.connector
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			conn, err := connector.Connect(ctx)
			cancel()
			if err == nil {
				conn.Close()
			} else {
				t.Errorf("with %d replicas: %v", n, err)
			}
			away := 0
			for _, r := range connector.replicas {
				if r.away.Load() != 0 {
					away++
				}
			}
			stuck.close()
			if away < min(n, 3) {
				t.Errorf("%d of %d replicas are called away", away, n)
			}
		}
	})
	t.Run("or at once, to whom has no time for a replica", func(t *testing.T) {
		stuck := stuckReplicas(t, s, 1)
		defer stuck.close()
		ctx, cancel := context.WithTimeout(t.Context(), shortestAttempt)
		defer cancel()
		if conn, err := stuck.connector.Connect(ctx); err == nil { // it may take longer on a busy machine
			conn.Close()
		}
		if n, away := stuck.asked.Load(), stuck.connector.replicas[0].away.Load(); n != 0 || away != 0 {
			t.Errorf("the replica was asked %d times, and is left alone until %d", n, away)
		}
	})
	t.Run("and one alone finds out whether a replica is back", func(t *testing.T) {
		stuck := stuckReplicas(t, s, 1)
		defer stuck.close()
		replica, before := stuck.connector.replicas[0], time.Now().Add(-time.Second).UnixNano()
		replica.away.Store(before)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(200*time.Millisecond, cancel)
		if _, err := stuck.connector.Connect(ctx); err == nil || replica.away.Load() != before {
			t.Errorf("who hung up was told %v, and the replica is left alone until %d", err, replica.away.Load())
		}
		stuck.asked.Store(0)
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				conn, err := stuck.connector.Connect(timeLimited(t))
				if err != nil {
					t.Error(err)
					return
				}
				conn.Close()
			})
		}
		callers.Wait()
		if n := stuck.asked.Load(); n != 1 {
			t.Errorf("%d callers have waited for the replica", n)
		}
	})
	t.Run("and say what is wrong with the database where nobody takes one", func(t *testing.T) {
		s.replicas[first].Kill(t)
		s.Kill(t)
		err := open(t, s.settings).PingContext(timeLimited(t))
		wantKind(t, err, Unreachable, s.Addr(), readerPassword)
	})
	t.Run("and nobody goes on who was called off", func(t *testing.T) {
		connector := mustConnector(t, s.settings)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := connector.Connect(ctx); err == nil {
			t.Error("it connected")
		}
		for _, r := range connector.replicas {
			if r.away.Load() != 0 {
				t.Errorf("%s is called away", r.host)
			}
		}
	})
}

// stuck is a database whose replicas take connections and say nothing.
type stuck struct {
	connector *connector
	asked     atomic.Int32 // how many connections they have taken
	listeners []net.Listener
}

func (st *stuck) close() {
	for _, l := range st.listeners {
		l.Close()
	}
}

func stuckReplicas(t *testing.T, s *servers, n int) *stuck {
	t.Helper()
	st := &stuck{}
	settings := s.settings
	settings.ReplicaHosts = nil
	for i := range n {
		host := fmt.Sprintf("127.0.1.%d", i+1)
		listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(s.Port)))
		if err != nil {
			t.Fatal(err)
		}
		st.listeners = append(st.listeners, listener)
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				st.asked.Add(1)
				defer conn.Close()
			}
		}()
		settings.ReplicaHosts = append(settings.ReplicaHosts, host)
	}
	st.connector = mustConnector(t, settings)
	return st
}

func mustConnector(t *testing.T, s Settings) *connector {
	t.Helper()
	c, err := NewConnector(s)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*connector)
}
