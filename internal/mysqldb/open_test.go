package mysqldb

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"drawbridge/internal/mysqltest"
)

// masterSettings are the settings with which s's master user connects.
func masterSettings(s *mysqltest.Server) Settings {
	user, password := s.Master()
	return Settings{Host: s.Host, Port: s.Port, Username: user, Password: password, CAFile: s.CAFile}
}

// open opens a pool for the test.
func open(t *testing.T, s Settings, options ...Option) *sql.DB {
	t.Helper()
	db, err := Open(s, options...)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// timeLimited is a context for one step of a test.
func timeLimited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// wantKind fails unless err is an *Error of that kind whose sentence holds
// part, and no password.
func wantKind(t *testing.T, err error, kind Kind, part string, secrets ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one of kind %q", kind)
	}
	e := Explain(err)
	if e.Kind != kind {
		t.Errorf("kind %q, want %q: %v", e.Kind, kind, err)
	}
	if !strings.Contains(e.Error(), part) {
		t.Errorf("the sentence %q should hold %q", e.Error(), part)
	}
	if strings.ContainsAny(e.Error(), "\n\t") {
		t.Errorf("not one line: %q", e.Error())
	}
	for _, secret := range secrets {
		if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), secret) {
			t.Errorf("the error holds a password: %v", err)
		}
	}
}

func TestOpenConnects(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	settings := masterSettings(server)
	settings.Database = schema
	db := open(t, settings)
	ctx := timeLimited(t)

	t.Run("over TLS 1.2 or newer", func(t *testing.T) {
		var name, version string
		if err := db.QueryRowContext(ctx, "SHOW SESSION STATUS LIKE 'Ssl_version'").Scan(&name, &version); err != nil {
			t.Fatal(err)
		}
		if version != "TLSv1.2" && version != "TLSv1.3" {
			t.Errorf("the server sees %q", version)
		}
	})
	t.Run("in the database that was named", func(t *testing.T) {
		var got string
		if err := db.QueryRowContext(ctx, "SELECT DATABASE()").Scan(&got); err != nil || got != schema {
			t.Errorf("got %q (%v), want %q", got, err, schema)
		}
	})
	t.Run("in UTC and utf8mb4", func(t *testing.T) {
		var zone, client, results string
		if err := db.QueryRowContext(ctx, "SELECT @@time_zone, @@character_set_client, @@character_set_results").Scan(&zone, &client, &results); err != nil {
			t.Fatal(err)
		}
		if zone != "+00:00" || client != "utf8mb4" || results != "utf8mb4" {
			t.Errorf("zone %q, characters %q and %q", zone, client, results)
		}
	})
	t.Run("with dates as time.Time", func(t *testing.T) {
		var got time.Time
		if err := db.QueryRowContext(ctx, "SELECT CAST('2024-02-29 12:34:56' AS DATETIME)").Scan(&got); err != nil {
			t.Fatal(err)
		}
		if want := time.Date(2024, 2, 29, 12, 34, 56, 0, time.UTC); !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("got %v, want %v", got, want)
		}
	})
	t.Run("one statement at a time", func(t *testing.T) {
		if _, err := db.ExecContext(ctx, "DO 1; DO 2"); err == nil {
			t.Error("two statements in one were accepted")
		}
	})
	t.Run("without LOAD DATA LOCAL", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "data.txt")
		if err := os.WriteFile(file, []byte("1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(ctx, "CREATE TABLE loaded (id INT)"); err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(ctx, "LOAD DATA LOCAL INFILE '"+file+"' INTO TABLE loaded"); err == nil {
			t.Error("a local file was sent to the server")
		}
	})
}

func TestOpenRefusesServersItCannotTrust(t *testing.T) {
	server := mysqltest.Shared(t)
	_, password := server.Master()

	t.Run("signed by another authority", func(t *testing.T) {
		settings := masterSettings(server)
		settings.CAFile = otherAuthority(t)
		wantKind(t, open(t, settings).PingContext(timeLimited(t)), Unverified, "not trusted", password)
	})
	t.Run("signed by none of RDS's authorities", func(t *testing.T) {
		settings := masterSettings(server)
		settings.CAFile = ""
		wantKind(t, open(t, settings).PingContext(timeLimited(t)), Unverified, "DRAWBRIDGE_DB_CA_FILE", password)
	})
	t.Run("certified for another name", func(t *testing.T) {
		// The same machine by a name which the certificate does not hold.
		settings := masterSettings(server)
		settings.Host = "127.0.0.2"
		proxyTo(t, settings.Host, &settings.Port, server.Addr())
		wantKind(t, open(t, settings).PingContext(timeLimited(t)), Unverified, `not for the name "127.0.0.2"`, password)
	})
	t.Run("without TLS", func(t *testing.T) {
		received := make(chan []byte, 1)
		settings := masterSettings(server)
		settings.Port = plainServer(t, received)
		wantKind(t, open(t, settings).PingContext(timeLimited(t)), Unverified, "does not offer TLS", password)
		if sent := <-received; len(sent) != 0 {
			t.Errorf("%d bytes were sent in plain text: %q", len(sent), sent)
		}
	})
}

func TestConnectionErrorsAreSentences(t *testing.T) {
	server := mysqltest.Shared(t)
	_, password := server.Master()
	root := server.Root(t)
	schema := server.NewSchema(t)
	if _, err := root.Exec("CREATE USER narrow IDENTIFIED BY 'narrow-Secret1'"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = root.Exec("DROP USER narrow") })

	for name, test := range map[string]struct {
		change func(*testing.T, *Settings)
		kind   Kind
		part   string
	}{
		"nothing listens":  {func(t *testing.T, s *Settings) { s.Port = closedPort(t) }, Unreachable, "connection refused"},
		"no such host":     {func(t *testing.T, s *Settings) { s.Host = "no-such-host.invalid" }, Unreachable, "no-such-host.invalid:"},
		"wrong password":   {func(t *testing.T, s *Settings) { s.Password = "wrong-" + password }, AccessDenied, "refused the user name or password"},
		"unknown user":     {func(t *testing.T, s *Settings) { s.Username = "nobody" }, AccessDenied, "refused the user name or password"},
		"unknown database": {func(t *testing.T, s *Settings) { s.Database = "absent" }, UnknownDatabase, "RDS_DB_NAME"},
		"database not granted": {func(t *testing.T, s *Settings) {
			s.Username, s.Password, s.Database = "narrow", "narrow-Secret1", schema
		}, AccessDenied, "does not let the user into the database"},
	} {
		t.Run(name, func(t *testing.T) {
			settings := masterSettings(server)
			test.change(t, &settings)
			wantKind(t, open(t, settings).PingContext(timeLimited(t)), test.kind, test.part, settings.Password, password)
		})
	}

	t.Run("the server hangs up", func(t *testing.T) {
		settings := masterSettings(server)
		settings.Port = listen(t, func(c net.Conn) {})
		wantKind(t, open(t, settings).PingContext(timeLimited(t)), Unreachable, "cannot be reached", password)
	})
	t.Run("the server says nothing", func(t *testing.T) {
		settings := masterSettings(server)
		settings.Port = listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		wantKind(t, open(t, settings).PingContext(ctx), Unreachable, "no answer in time", password)
	})
	t.Run("a statement that takes too long", func(t *testing.T) {
		db := open(t, masterSettings(server))
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err := db.ExecContext(ctx, "DO SLEEP(20)")
		wantKind(t, err, TimedOut, "did not answer in time", password)
	})
	t.Run("a statement that MySQL stops", func(t *testing.T) {
		db := open(t, masterSettings(server))
		err := db.QueryRowContext(timeLimited(t), "SELECT /*+ MAX_EXECUTION_TIME(50) */ COUNT(*) FROM information_schema.COLUMNS a, information_schema.COLUMNS b, information_schema.COLUMNS c").Scan(new(int))
		wantKind(t, err, TimedOut, "did not finish in time", password)
	})
	t.Run("a table that is not granted", func(t *testing.T) {
		settings := masterSettings(server)
		settings.Username, settings.Password = "narrow", "narrow-Secret1"
		_, err := open(t, settings).ExecContext(timeLimited(t), "DELETE FROM mysql.user")
		wantKind(t, err, Forbidden, "does not allow that", settings.Password)
	})
	t.Run("a statement that is wrong", func(t *testing.T) {
		_, err := open(t, masterSettings(server)).ExecContext(timeLimited(t), "SELEKT 1")
		wantKind(t, err, Other, "error 1064", password)
	})
}

func TestOpenRefusesSettingsWithoutAHost(t *testing.T) {
	if _, err := Open(Settings{Username: "u", Password: "p"}); err == nil {
		t.Error("accepted")
	}
}

func TestConnectionsSurviveARestart(t *testing.T) {
	server := mysqltest.Start(t)
	db := open(t, masterSettings(server))
	if err := db.PingContext(timeLimited(t)); err != nil {
		t.Fatal(err)
	}
	server.Stop(t)
	wantKind(t, db.PingContext(timeLimited(t)), Unreachable, "connection refused")
	server.Restart(t)
	if err := db.PingContext(timeLimited(t)); err != nil {
		t.Errorf("after the restart: %v", err)
	}
}

// otherAuthority writes the PEM file of a certificate authority that signed
// nothing here.
func otherAuthority(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "Somebody else"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "other.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// listen serves each connection to a loopback port with serve, and closes it
// then.
func listen(t *testing.T, serve func(net.Conn)) (port int) {
	t.Helper()
	return listenOn(t, "127.0.0.1", serve)
}

func listenOn(t *testing.T, host string, serve func(net.Conn)) (port int) {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

// proxyTo sets port to one on host that leads to the address to.
func proxyTo(t *testing.T, host string, port *int, to string) {
	t.Helper()
	*port = listenOn(t, host, func(c net.Conn) {
		upstream, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		defer upstream.Close()
		go func() { _, _ = io.Copy(upstream, c) }()
		_, _ = io.Copy(c, upstream)
	})
}

// plainServer greets like a MySQL server that has no TLS, and passes on what a
// client sends after that.
func plainServer(t *testing.T, received chan<- []byte) (port int) {
	t.Helper()
	return listen(t, func(c net.Conn) {
		const protocol41, secureConnection, pluginAuth = 0x0200, 0x8000, 0x00080000
		capabilities := uint32(protocol41 | secureConnection | pluginAuth)
		greeting := append([]byte{10}, "8.4.0\x00"...)
		greeting = append(greeting, 1, 0, 0, 0)
		greeting = append(greeting, "12345678\x00"...)
		greeting = append(greeting, byte(capabilities), byte(capabilities>>8), 45, 2, 0, byte(capabilities>>16), byte(capabilities>>24), 21)
		greeting = append(greeting, make([]byte, 10)...)
		greeting = append(greeting, "123456789012\x00caching_sha2_password\x00"...)
		_, _ = c.Write(append([]byte{byte(len(greeting)), 0, 0, 0}, greeting...))
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		sent, _ := io.ReadAll(c)
		received <- sent
	})
}

// closedPort is a loopback port on which nobody listens.
func closedPort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
