//go:build linux && root

package endtoend

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// fault is something that goes wrong, and is over when f returns.
type fault struct {
	name string
	f    func(t *testing.T)
}

// faults breaks the tunnel "bi" in many ways, and measures how long after the fault the vendor reads again.
func (s *tunnels) faults(t *testing.T) {
	var table strings.Builder
	for _, fault := range []fault{
		{"the vendor's sshd is killed with its sessions and starts again", func(t *testing.T) {
			s.bi.stopSSHD(t)
			s.bi.startSSHD(t)
		}},
		{"ssh is killed", func(t *testing.T) {
			on(t, s.host.Instance, "kill -KILL "+s.host.sshPID(t, "bi"))
		}},
		{"autossh is killed", s.killAutossh},
		{"the database restarts", s.restartDatabase},
		{"the vendor's port refuses for 15 s", s.portRefuses},
		{"the vendor's cable is out for 20 s", func(t *testing.T) {
			pull(t, 20*time.Second, s.bi.namespace)
		}},
		{"the vendor holds the port for a session that is gone, for 20 s", s.stalePort},
	} {
		t.Run(fault.name, func(t *testing.T) {
			s.up(t)
			other := s.host.sshPID(t, "backup")
			fault.f(t)
			took, err := recovery(t.Context(), s.biDB, 2*patience)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&table, "\n%6.1f s  %s", took.Seconds(), fault.name)
			if now := s.host.sshPID(t, "backup"); now == "" || now != other {
				t.Errorf("the other tunnel's ssh was %q and is %q", other, now)
			}
		})
	}
	t.Logf("from the fault's end until a query goes through at the vendor's end:%s", &table)
}

// autossh's unit starts it anew; until then the ssh that it has started may still carry queries.
func (s *tunnels) killAutossh(t *testing.T) {
	before := s.host.autosshPID(t, "bi")
	on(t, s.host.Instance, "kill -KILL "+before)
	eventually(t, "ssh ends with autossh", func() error {
		if now := s.host.autosshPID(t, "bi"); now == before {
			return errors.New("systemd has not noticed yet")
		}
		if left := on(t, s.host.Instance, "pgrep -P "+before+" || true"); left != "" {
			return errors.New("it still runs")
		}
		return nil
	})
}

// The tunnel itself stays up meanwhile.
func (s *tunnels) restartDatabase(t *testing.T) {
	before := s.host.sshPID(t, "bi")
	s.server.Restart(t)
	if err := query(t.Context(), s.biDB); err != nil {
		t.Errorf("the first query after the restart: %v", err)
	}
	if now := s.host.sshPID(t, "bi"); now == "" || now != before {
		t.Errorf("the tunnel's ssh was %q and is %q", before, now)
	}
}

func (s *tunnels) portRefuses(t *testing.T) {
	s.bi.stopSSHD(t)
	over := time.After(15 * time.Second)
	s.host.mustFail(t, "bi", "The vendor answers", "connection refused", "port 22 is closed")
	if err := query(t.Context(), s.backupDB); err != nil {
		t.Errorf("the other tunnel: %v", err)
	}
	if values := s.host.beat(t); values["bi"] != 0 || values["backup"] != 1 {
		t.Errorf("the host reports %v", values)
	}
	<-over
	s.bi.startSSHD(t)
}

// The vendor's end of a session is stopped, as if it had not noticed that the tunnel's is gone, until it is ended as the
// vendor's ClientAlive would.
func (s *tunnels) stalePort(t *testing.T) {
	stale := s.bi.sessions(t, biAccount)
	s.bi.run(t, "kill -STOP "+stale)
	on(t, s.host.Instance, "kill -KILL "+s.host.sshPID(t, "bi"))
	over := time.After(20 * time.Second)
	eventually(t, "tunnel-test says that the port is taken", func() error {
		if said, _ := s.host.test(t, "bi"); !strings.Contains(said, "another connection has it") {
			return errors.New(said)
		}
		return nil
	})
	if values := s.host.beat(t); values["bi"] != 0 || values["backup"] != 1 {
		t.Errorf("the host reports %v", values)
	}
	<-over
	s.bi.run(t, "kill -KILL "+stale)
}

// cable is what [machine.Namespace] has.
type cable interface{ SetLink(up bool) error }

// pull pulls a cable for a while.
func pull(t *testing.T, long time.Duration, c cable) {
	t.Helper()
	if err := c.SetLink(false); err != nil {
		t.Fatal(err)
	}
	select {
	case <-time.After(long):
	case <-t.Context().Done():
	}
	if err := c.SetLink(true); err != nil {
		t.Fatal(err)
	}
}

// outage pulls the host's cable for a minute, while a second tunnel runs beside as the original write-up started it: the
// flags are its, and so are autossh's own defaults.
func (s *tunnels) outage(t *testing.T) {
	s.up(t)
	public, private := newKey(t)
	s.bi.admit(t, originalAccount, public, originalPort)
	const key, known = "/run/original/key", "/root/.ssh/known_hosts"
	for path, content := range map[string]string{key: private, known: s.bi.namespace.Address.String() + " " + s.bi.hostKey + "\n"} {
		if _, err := s.host.Run(t.Context(), strings.NewReader(content), "install", "-D", "--mode", "0600", "/dev/stdin", path); err != nil {
			t.Fatal(err)
		}
	}
	on(t, s.host.Instance, fmt.Sprintf("autossh -M 0 -f -N -R %s:%s %s@%s -g -i %s "+
		"-o ServerAliveInterval=10 -o ServerAliveCountMax=3 -o ExitOnForwardFailure=yes",
		originalPort, s.server.Addr(), originalAccount, s.bi.namespace.Address, key))
	originalDB := s.bi.open(t, s.login, originalPort)
	eventually(t, "the vendor reads through the original's tunnel", func() error { return query(t.Context(), originalDB) })
	t.Cleanup(func() { on(t, s.host.Instance, "kill $(pgrep -f '^[^ ]*autossh .*"+originalAccount+"')") })

	pull(t, time.Minute, s.host.Namespace)
	var ours, original time.Duration
	var both errgroup.Group
	both.Go(func() (err error) {
		ours, err = recovery(t.Context(), s.biDB, 3*patience)
		return err
	})
	both.Go(func() (err error) {
		original, err = recovery(t.Context(), originalDB, 3*patience)
		return err
	})
	if err := both.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("after 60 s without a network the vendor reads %.1f s later; %.1f s later with the original's flags: %.1f times as long",
		ours.Seconds(), original.Seconds(), original.Seconds()/ours.Seconds())
	if ours >= original {
		t.Error("the original's flags are as fast")
	}
}
