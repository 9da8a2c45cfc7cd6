package main

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"drawbridge/internal/mysqlserver"
	"drawbridge/internal/mysqltest"
)

// TestReplicas has two servers with the same tables on the same port, of which the second is a replica's stand-in. Linux has
// all of 127.0.0.0/8 without being told.
func TestReplicas(t *testing.T) {
	itself := mysqltest.StartWith(t, mysqlserver.Options{})
	replica := mysqltest.StartWith(t, mysqlserver.Options{Address: "127.0.0.2", Port: itself.Port})
	var authorities []byte
	var user, schema string
	for _, server := range []*mysqltest.Server{itself, replica} {
		authority, err := os.ReadFile(server.CAFile)
		if err != nil {
			t.Fatal(err)
		}
		authorities = append(authorities, authority...)
		if schema == "" {
			schema = server.NewSchema(t)
		} else {
			mustExec(t, server.Root(t), "CREATE DATABASE "+schema)
		}
		user = newReader(t, server, schema)
		mustExec(t, server.Root(t), "CREATE TABLE "+schema+".t (a INT PRIMARY KEY)",
			"CREATE VIEW "+schema+".endless AS SELECT SUM(SLEEP(1)) AS s FROM information_schema.COLUMNS")
	}
	settings := settingsOf(itself, schema, user, readerPassword)
	settings.ReplicaHosts = []string{replica.Host}
	settings.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(settings.CAFile, authorities, 0o600); err != nil {
		t.Fatal(err)
	}
	site := newSiteWith(t, settings)

	t.Run("are what pages are read from", func(t *testing.T) {
		mustExec(t, replica.Root(t), "INSERT INTO "+schema+".t VALUES (4711)")
		if page := site.get(t, "/tables/t", 200); !strings.Contains(page.body, "4711") {
			t.Error("the page is not the replica's")
		}
	})
	t.Run("do not take the site down when they answer nothing", func(t *testing.T) {
		settings := settings
		settings.ReplicaHosts = nil
		for _, host := range []string{"127.0.0.3", "127.0.0.4", "127.0.0.5"} {
			listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(itself.Port))) // nobody accepts
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			settings.ReplicaHosts = append(settings.ReplicaHosts, host)
		}
		newSiteWith(t, settings).get(t, "/readyz", 200)
		newSiteWith(t, settings).get(t, "/tables/t", 200)
	})
	t.Run("are told when a visitor hangs up", func(t *testing.T) {
		root := replica.Root(t)
		start := time.Now()
		site.hangUp(t, "/tables/endless", 500*time.Millisecond)
		waitUntil(t, "the replica has stopped", func() bool { return working(t, root, user, "endless") == 0 })
		if took := time.Since(start); took > statementTimeout-time.Second {
			t.Errorf("it went on for %v, to the end of its time", took)
		}
		site.get(t, "/readyz", 200)
	})
	t.Run("are missed by nobody while the database answers", func(t *testing.T) {
		replica.Kill(t)
		if page := site.get(t, "/tables/t", 200); strings.Contains(page.body, "4711") {
			t.Error("the page is still the replica's")
		}
		site.get(t, "/readyz", 200)
	})
}
