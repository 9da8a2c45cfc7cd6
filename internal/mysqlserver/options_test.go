package mysqlserver

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"drawbridge/internal/notrun"
)

func TestOptionsThatMakeNoSense(t *testing.T) {
	tests := map[string]struct {
		options Options
		want    string
	}{
		"a host name":                   {Options{Address: "localhost"}, "give an IP address"},
		"an address of a zone":          {Options{Address: "fe80::1%eth0"}, "give an IP address"},
		"a port that is none":           {Options{Port: 65536}, "port 65536"},
		"a free port of a real address": {Options{Address: "10.0.0.10"}, "give the MySQL server on 10.0.0.10 a port"},
		"a master user with a quote":    {Options{MasterUsername: "a'b"}, "cannot be a master user"},
		"one that is too long":          {Options{MasterUsername: strings.Repeat("a", 17)}, "cannot be a master user"},
		"one that exists":               {Options{MasterUsername: "root"}, "cannot be a master user"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := Start(t.Context(), tc.options); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
}

func TestAMachineWithoutMySQL(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("MYSQLD", "")
	var missing *MissingError
	if _, err := Start(t.Context(), Options{Tools: t.TempDir()}); !errors.As(err, &missing) || !strings.Contains(err.Error(), "scripts/mysql.sh fetch") {
		t.Errorf("%v", err)
	}
	t.Setenv("MYSQLD", "/bin/false")
	if _, err := Start(t.Context(), Options{Tools: t.TempDir()}); !errors.As(err, &missing) || !strings.Contains(err.Error(), "$MYSQLD") {
		t.Errorf("%v", err)
	}
}

func TestAServerUnderFurtherNamesThroughAnotherProgramAndDialler(t *testing.T) {
	var dialled atomic.Int64
	var started string
	s := start(t, Options{
		Names: []string{"db.example.com", "10.0.0.10"},
		Command: func(name string, args ...string) *exec.Cmd {
			started = name
			return exec.Command("env", append([]string{"--", name}, args...)...)
		},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled.Add(1)
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	})
	before := dialled.Load()
	mustExec(t, openMaster(t, s), "SELECT 1")
	if dialled.Load() != before+1 || filepath.Base(started) != "mysqld" {
		t.Errorf("%d connections were dialled, and the program is %q", dialled.Load()-before, started)
	}
	text, err := os.ReadFile(filepath.Join(s.dir, "server-cert.pem"))
	must(t, err)
	block, _ := pem.Decode(text)
	cert, err := x509.ParseCertificate(block.Bytes)
	must(t, err)
	for _, name := range []string{"db.example.com", "10.0.0.10", "127.0.0.1", "localhost"} {
		if err := cert.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
}

func TestAServerOnAnotherLoopbackAddress(t *testing.T) {
	if runtime.GOOS != "linux" {
		notrun.Because(t, "127.0.0.2 is an address of Linux's loopback alone")
	}
	s := start(t, Options{Address: "127.0.0.2"})
	if s.Host != "127.0.0.2" || answers("127.0.0.1:"+strconv.Itoa(s.Port)) {
		t.Errorf("it listens on %s, or on 127.0.0.1 as well", s.Host)
	}
	mustExec(t, openMaster(t, s), "SELECT 1")
}

func TestAPortThatIsTaken(t *testing.T) {
	if _, err := findBinary(""); err != nil {
		give(t, err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close() //nolint:errcheck // the test is over
	_, err = Start(t.Context(), Options{Port: l.Addr().(*net.TCPAddr).Port})
	if err == nil || !strings.Contains(err.Error(), "already in use") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
}

func TestACallerThatIsTiredOfWaiting(t *testing.T) {
	if _, err := findBinary(""); err != nil {
		give(t, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Start(ctx, Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}
