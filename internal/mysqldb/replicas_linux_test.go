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
	"testing"

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

func mustConnector(t *testing.T, s Settings) *connector {
	t.Helper()
	c, err := NewConnector(s)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*connector)
}
