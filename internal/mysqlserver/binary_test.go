package mysqlserver

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func answers(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func TestIsMySQL84(t *testing.T) {
	tests := map[string]struct {
		says string
		want bool
	}{
		"8.4 from MySQL":         {"/usr/sbin/mysqld  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)", true},
		"9.x from Debian":        {"mysqld  Ver 9.7.4-2 for Linux on x86_64 ((Debian))", true},
		"10.0, should it come":   {"mysqld  Ver 10.0.0 for Linux on x86_64 (MySQL Community Server - GPL)", true},
		"8.4 from Percona":       {"mysqld  Ver 8.4.0-1 for Linux on x86_64 (Percona Server (GPL), Release 1)", true},
		"8.0":                    {"mysqld  Ver 8.0.36-0ubuntu0.22.04.1 for Linux on x86_64 ((Ubuntu))", false},
		"5.7":                    {"mysqld  Ver 5.7.44 for Linux on x86_64 (MySQL Community Server (GPL))", false},
		"MariaDB, newer numbers": {"mysqld  Ver 10.11.11-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)", false},
		"something else":         {"usage: mysqld FILE", false},
		"nothing":                {"", false},
		"a number too large":     {"mysqld  Ver 99999999999999999999.1", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := isMySQL84(tc.says); got != tc.want {
				t.Errorf("isMySQL84(%q) = %v, want %v", tc.says, got, tc.want)
			}
		})
	}
}

func TestLastErrors(t *testing.T) {
	tests := map[string]struct{ log, want string }{
		"the last three errors": {
			"1 [ERROR] a\n2 [Warning] b\n3 [ERROR] c\n4 [ERROR] d\n5 [ERROR] e\n6 [System] f\n", "c | d | e"},
		"the last line when there are none": {"1 [System] a\n2 [System] b\n", "2 [System] b"},
		"without the server's numbers":      {"2026 0 [ERROR] [MY-010119] [Server] Aborting\n", "Aborting"},
		"nothing of nothing":                {"", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := lastErrors(tc.log); got != tc.want {
				t.Errorf("lastErrors = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestTemplate(t *testing.T) {
	found, err := findBinary("")
	give(t, err)
	// A folder with spaces and with what a glob would expand.
	found.tools = filepath.Join(t.TempDir(), "a b [c] *")
	// What a run that was killed half-way leaves.
	first, err := template(found)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(first, first+".partial-123"); err != nil {
		t.Fatal(err)
	}

	again, err := template(found)
	if err != nil {
		t.Fatal(err)
	}
	if again != first {
		t.Errorf("the same server and settings have the templates %s and %s", first, again)
	}
	if _, err := os.Stat(filepath.Join(again, "mysql.ibd")); err != nil {
		t.Errorf("the template is not an initialised data folder: %v", err)
	}
	if _, err := os.Stat(filepath.Join(again, "auto.cnf")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("copies of the template would share one identity (%v)", err)
	}
	entries, err := os.ReadDir(filepath.Dir(again))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.Contains(e.Name(), "partial") {
			t.Errorf("%s is left over", e.Name())
		}
	}

	t.Run("an unusable server is an error in one sentence", func(t *testing.T) {
		broken := binary{path: filepath.Join(t.TempDir(), "mysqld"), version: "broken", tools: found.tools}
		if err := os.WriteFile(broken.path, []byte("#!/bin/sh\necho 'x [ERROR] no disk' >&2\nexit 1\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		_, err := template(broken)
		if err == nil || !strings.Contains(err.Error(), "no disk") {
			t.Errorf("error %v, want one that holds the server's own", err)
		}
	})
}
