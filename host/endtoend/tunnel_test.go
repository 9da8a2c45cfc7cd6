//go:build linux && root

package endtoend

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// end is a tunnel with its end at a vendor.
type end struct {
	*vendor
	tunnel, account, port string
	db                    *sql.DB // the database, opened at the vendor's end
}

// tunnels is an environment whose host keeps three tunnels: "bi" and "backup", each to a vendor of its own, and "lost",
// whose vendor's name nobody knows.
type tunnels struct {
	*world
	host       *tunnelHost
	bi, backup *end
	publicKey  string // as a person pastes it into the vendor's form
	login      login
	journals   string // what the host's journal held before it was rebooted: it is kept in memory
}

// TestTheTunnels is one story: a boot takes most of a minute, so that its parts share the host and the vendors.
func TestTheTunnels(t *testing.T) {
	w := newWorld(t, "tunnels")
	s := &tunnels{
		world: w,
		bi: &end{vendor: newVendor(w, "vendor", "10.9.0.10/24", "tunnel15240", usualAccount),
			tunnel: "bi", account: "tunnel15240", port: "15240"},
		backup: &end{vendor: newVendor(w, "vendor2", "10.9.1.10/24", "tunnel15242"),
			tunnel: "backup", account: "tunnel15242", port: "15242"},
	}
	if err := s.deploy(s.configure, "Network", "Database", "Tunnel"); err != nil {
		for _, i := range s.fleet.Instances("") {
			t.Log(setupLog(t, i))
		}
		t.Fatalf("deploying with vendors who do not know the key yet: %v\n%s", err, s.log)
	}
	s.host = &tunnelHost{Instance: s.only("TunnelHost"), w: w}
	s.publicKey = s.Outputs(tunnelStack)["TunnelPublicKey"]
	s.login = s.biLogin(t)
	t.Cleanup(func() {
		if t.Failed() {
			for _, e := range []*end{s.bi, s.backup} {
				t.Log(s.host.Journal(context.WithoutCancel(t.Context()), unit(e.tunnel)))
			}
		}
	})
	for _, e := range []*end{s.bi, s.backup} {
		e.db = e.open(t, s.login, e.port)
	}

	t.Run("before the vendor knows the key", s.beforeTheKey)
	t.Run("the tunnel comes up by itself when the vendor adds the key after the deployment", s.theKeyComesLater)
	t.Run("the vendor reads rows as the read-only user over verified TLS, and cannot write", s.reads)
	t.Run("the vendor's port is on its loopback alone", s.onLoopback)
	t.Run("tunnel-test says that all is well", s.allIsWell)
	t.Run("the heartbeat is 1 for tunnels that are up and 0 for others, as the alarms watch it", s.heartbeat)
	t.Run("users other than root do not reach the metadata service", s.metadata)
	t.Run("one tunnel recovers by itself, and the other does not notice", s.faults)
	t.Run("a minute without a network is over sooner than with the usual flags", s.outage)
	t.Run("a vendor with another host key is refused until the right one is back", s.wrongHostKey)
	t.Run("the tunnels come back after a reboot", s.reboot)
	t.Run("the private key is in memory alone", s.privateKey)
	t.Run("the heartbeat also comes by itself", s.timer)
}

// configure gives the environment its tunnels.
func (s *tunnels) configure(dev config) {
	tunnel := func(name, host, account, port, hostKey string) any {
		number, _ := strconv.Atoi(port)
		return map[string]any{"name": name, "vendor": "generic", "host": host, "port": 22, "user": account,
			"remotePort": number, "hostKey": hostKey}
	}
	list := []any{tunnel("lost", "nowhere.example.com", "tunnel", "15243", s.bi.HostKey)}
	for _, e := range []*end{s.bi, s.backup} {
		list = append(list, tunnel(e.tunnel, e.Namespace.Address.String(), e.account, e.port, e.HostKey))
	}
	dev["tunnels"] = list
}

// up waits until tunnels carry queries.
func (s *tunnels) up(t *testing.T, ends ...*end) {
	t.Helper()
	for _, e := range ends {
		eventually(t, "the tunnel "+e.tunnel+" is up", func() error { return query(t.Context(), e.db) })
	}
}

// settled waits until tunnels have been up for so long that autossh no longer counts what was before as tries that failed.
func (s *tunnels) settled(t *testing.T, ends ...*end) {
	t.Helper()
	s.up(t, ends...)
	for _, e := range ends {
		eventually(t, "the tunnel "+e.tunnel+" has been up for a while", func() error { return s.host.settled(t, e.tunnel) })
	}
}

// journal is what the unit of a tunnel has said since it had said before.
func (s *tunnels) journal(t *testing.T, e *end, before string) string {
	t.Helper()
	return strings.TrimPrefix(s.host.Journal(t.Context(), unit(e.tunnel)), before)
}

// says waits until the unit of a tunnel has said something since it had said before.
func (s *tunnels) says(t *testing.T, e *end, before, text string) {
	t.Helper()
	eventually(t, "ssh says "+text, func() error {
		if !strings.Contains(s.journal(t, e, before), text) {
			return errors.New("it has not said so")
		}
		return nil
	})
}

func (s *tunnels) beforeTheKey(t *testing.T) {
	t.Run("its unit tries on", func(t *testing.T) {
		s.says(t, s.bi, "", "Permission denied (publickey)")
		if state := on(t, s.host.Instance, "systemctl show --property ActiveState --value "+unit("bi")); state != "active\n" {
			t.Errorf("the unit is %q", state)
		}
	})
	t.Run("tunnel-test says to paste the key", func(t *testing.T) {
		// sshd (PerSourcePenalties in sshd_config(5)) drops an address for a while after log-ins that failed.
		eventually(t, "the log-in is refused", func() error {
			said, code := s.host.test(t, "bi")
			switch {
			case code != 1:
				t.Fatalf("tunnel-test ends with %d, want 1:\n%s", code, said)
			case !strings.Contains(said, "FAILED  It lets this host log in: ") || !strings.Contains(said, "Paste the public key"):
				return errors.New(said)
			}
			mustContain(t, said, "ok      The vendor answers", "ok      Its host key is the pinned one",
				"ok      The database answers: MySQL ", "TunnelPublicKey", s.bi.account)
			return nil
		})
	})
	t.Run("tunnel-test says when the vendor's name is unknown", func(t *testing.T) {
		s.host.mustFail(t, "lost", "The vendor answers", "nowhere.example.com", `the tunnel's "host" in the config`)
	})
}

func (s *tunnels) theKeyComesLater(t *testing.T) {
	// The two ways to say where the account may listen.
	s.bi.admit(t, s.bi.account, s.publicKey, s.bi.port)
	s.backup.admit(t, s.backup.account, s.publicKey, "127.0.0.1:"+s.backup.port)
	took, err := recoveries(t.Context(), 2*patience, s.bi.db, s.backup.db)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the vendors read %s s after the key was added", seconds(took))
}

func (s *tunnels) reads(t *testing.T) {
	var user, cipher string
	if err := s.bi.db.QueryRow("SELECT CURRENT_USER()").Scan(&user); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(user, s.login.Username+"@") {
		t.Errorf("the vendor is %s, want %s", user, s.login.Username)
	}
	if err := s.bi.db.QueryRow("SHOW SESSION STATUS LIKE 'Ssl_cipher'").Scan(new(string), &cipher); err != nil || cipher == "" {
		t.Errorf("the session has the cipher %q (%v)", cipher, err)
	}
	if err := query(t.Context(), s.bi.db); err != nil {
		t.Error(err)
	}
	for _, write := range []string{
		"INSERT INTO teams SELECT * FROM teams LIMIT 1", "DELETE FROM teams", "CREATE TABLE mine (id INT)", "DROP TABLE teams",
	} {
		_, err := s.bi.db.Exec(write)
		// ER_TABLEACCESS_DENIED_ERROR in MySQL's error reference.
		if refused := new(mysql.MySQLError); !errors.As(err, &refused) || refused.Number != 1142 {
			t.Errorf("%s: %v, want MySQL's error 1142", write, err)
		}
	}
}

func (s *tunnels) onLoopback(t *testing.T) {
	var addresses []string
	for _, line := range strings.Split(strings.TrimSpace(s.bi.run(t, "ss -Hltn sport = :"+s.bi.port)), "\n") {
		addresses = append(addresses, strings.Fields(line)[3])
	}
	if len(addresses) != 1 || addresses[0] != "127.0.0.1:"+s.bi.port {
		t.Errorf("the tunnel listens on %q", addresses)
	}
	conn, err := s.backup.Namespace.Dial(t.Context(), "tcp", net.JoinHostPort(s.bi.Namespace.Address.String(), s.bi.port))
	if err == nil {
		_ = conn.Close()
		t.Error("another machine reaches the tunnel's port at the vendor")
	}
}

func (s *tunnels) allIsWell(t *testing.T) {
	for _, tunnel := range []string{"bi", "backup"} {
		before := s.host.sshPID(t, tunnel)
		said, code := s.host.test(t, tunnel)
		if code != 0 || strings.Count(said, "ok      ") != 6 || strings.Contains(said, "FAILED") {
			t.Errorf("it ends with %d:\n%s", code, said)
		}
		if after := s.host.sshPID(t, tunnel); before == "" || after != before {
			t.Errorf("the tunnel's ssh was %q and is %q", before, after)
		}
	}
}

func (s *tunnels) wrongHostKey(t *testing.T) {
	s.up(t, s.bi, s.backup)
	right := s.bi.run(t, "cat /etc/ssh/ssh_host_ed25519_key")
	_, wrong := newKey(t)
	before := s.journal(t, s.bi, "")
	s.bi.setHostKey(t, wrong)
	s.says(t, s.bi, before, "Host key verification failed")
	if err := query(t.Context(), s.bi.db); err == nil {
		t.Error("the vendor reads all the same")
	}
	eventually(t, "tunnel-test names both keys", func() error {
		said, code := s.host.test(t, "bi")
		switch {
		case code != 1:
			t.Fatalf("tunnel-test ends with %d, want 1:\n%s", code, said)
		case !strings.Contains(said, "FAILED  Its host key is the pinned one: the server has the key SHA256:"):
			return errors.New(said) // the vendor drops connections for a while after those that failed
		}
		mustContain(t, said, "pinned is SHA256:", `"hostKey" in the config`)
		return nil
	})
	s.beats(t, map[string]float64{"bi": 0, "backup": 1})
	s.bi.setHostKey(t, right)
	took, err := recovery(t.Context(), s.bi.db, 2*patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the vendor reads %.1f s after the right host key is back", took.Seconds())
}

func (s *tunnels) reboot(t *testing.T) {
	s.up(t, s.bi, s.backup)
	s.journals = journal(t, s.host)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if err := s.host.Reboot(ctx); err != nil {
		t.Fatal(err)
	}
	took, err := recovery(t.Context(), s.bi.db, 2*patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the vendor reads %.1f s after the host has booted", took.Seconds())
	s.up(t, s.bi, s.backup)
	s.beats(t, map[string]float64{"bi": 1, "backup": 1})
}
