package readonlyuser

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/mysqlserver"
	"drawbridge/internal/mysqltest"
)

// replication is a database and a read replica of it, as RDS sets them up: by GTIDs, over TLS, and the replica takes no writes
// but the database's. Linux has all of 127.0.0.0/8 without being told.
type replication struct {
	source, replica         *mysqltest.Server
	sourceRoot, replicaRoot *sql.DB
}

func newReplication(t *testing.T) *replication {
	t.Helper()
	settings := func(id string) map[string]string {
		return map[string]string{"log_bin": "binlog", "server_id": id, "gtid_mode": "ON", "enforce_gtid_consistency": "ON", "require_secure_transport": "1"}
	}
	r := &replication{source: mysqltest.StartWith(t, mysqlserver.Options{Settings: settings("1")})}
	r.replica = mysqltest.StartWith(t, mysqlserver.Options{Address: "127.0.0.2", Port: r.source.Port, Settings: settings("2")})
	r.sourceRoot, r.replicaRoot = r.source.Root(t), r.replica.Root(t)
	// What both have from the start is not to be replicated.
	run(t, r.sourceRoot, "CREATE USER replication IDENTIFIED BY 'Replication-1' REQUIRE SSL", "GRANT REPLICATION SLAVE ON *.* TO replication", "RESET BINARY LOGS AND GTIDS")
	run(t, r.replicaRoot, "RESET BINARY LOGS AND GTIDS",
		fmt.Sprintf("CHANGE REPLICATION SOURCE TO SOURCE_HOST = '%s', SOURCE_PORT = %d, SOURCE_USER = 'replication', SOURCE_PASSWORD = 'Replication-1', SOURCE_SSL = 1, SOURCE_AUTO_POSITION = 1",
			r.source.Host, r.source.Port),
		"START REPLICA", "SET GLOBAL read_only = ON")
	return r
}

func run(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// catchUp waits until the replica has all that the database has.
func (r *replication) catchUp(t *testing.T) {
	t.Helper()
	var done string
	if err := r.sourceRoot.QueryRow("SELECT @@gtid_executed").Scan(&done); err != nil {
		t.Fatal(err)
	}
	var late bool
	if err := r.replicaRoot.QueryRow("SELECT WAIT_FOR_EXECUTED_GTID_SET(?, 30)", done).Scan(&late); err != nil || late {
		t.Fatalf("the replica does not catch up (%v)", err)
	}
}

func TestReadOnlyUsersReplicate(t *testing.T) {
	r := newReplication(t)
	f := newFixture(t, r.source)
	f.ensure(here, password, false)
	r.catchUp(t)

	t.Run("with what they may, and may not", func(t *testing.T) {
		there := *f
		there.T, there.server, there.root = t, r.replica, r.replicaRoot
		there.wantLogin(password, true)
		// A replica refuses every write: that the account would be refused too shows only without that.
		run(t, r.replicaRoot, "SET GLOBAL read_only = OFF")
		there.wantProof()
		run(t, r.replicaRoot, "SET GLOBAL read_only = ON")
	})

	// An app that reads from the replica, and from the database where that does not let it in.
	authorities, err := os.ReadFile(r.source.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	more, err := os.ReadFile(r.replica.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	caFile := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, append(authorities, more...), 0o600); err != nil {
		t.Fatal(err)
	}
	readsFrom := func(t *testing.T, password string) (address string) {
		t.Helper()
		db, err := mysqldb.Open(mysqldb.Settings{
			Host: r.source.Host, ReplicaHosts: []string{r.replica.Host}, Port: r.source.Port, Username: f.user.Username, Password: password, CAFile: caFile,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if err := db.QueryRowContext(t.Context(), "SELECT @@bind_address").Scan(&address); err != nil {
			t.Fatal(err)
		}
		return address
	}
	t.Run("with a password that was rotated: the one before is valid on both, and the new one on the replica when it has caught up", func(t *testing.T) {
		const next = "second-Passw0rd"
		run(t, r.replicaRoot, "STOP REPLICA SQL_THREAD")
		if err := f.session(func(s *Session) error { return s.Rotate(t.Context(), f.user.Username, password, next) }); err != nil {
			t.Fatal(err)
		}
		if old, new := readsFrom(t, password), readsFrom(t, next); old != r.replica.Host || new != r.source.Host {
			t.Errorf("behind: the old password reads from %s, the new one from %s", old, new)
		}
		run(t, r.replicaRoot, "START REPLICA SQL_THREAD")
		r.catchUp(t)
		if old, new := readsFrom(t, password), readsFrom(t, next); old != r.replica.Host || new != r.replica.Host {
			t.Errorf("caught up: the old password reads from %s, the new one from %s", old, new)
		}
	})
}
