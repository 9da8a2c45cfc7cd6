//go:build linux && root

package endtoend

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// fault is something that goes wrong with one of the tunnels, and is over when f returns.
type fault struct {
	name string
	f    func(t *testing.T, broken, other *end)
}

// faults breaks the tunnels in turn, and measures how long after the fault the vendor reads again.
func (s *tunnels) faults(t *testing.T) {
	var table strings.Builder
	broken, other := s.bi, s.backup
	for _, fault := range []fault{
		{"sshd at the vendor is killed with its sessions and starts again", s.killSSHD},
		{"ssh is killed", s.killSSH},
		{"autossh is killed", s.killAutossh},
		{"the vendor's port refuses for 15 s", s.portRefuses},
		{"the vendor's cable is out for 20 s", s.vendorAway},
		{"the vendor holds the port for 20 s for a session that is gone", s.stalePort},
		{"the database restarts", s.restartDatabase},
	} {
		t.Run(fault.name, func(t *testing.T) {
			s.settled(t, broken)
			s.up(t, other)
			before := s.host.sshPID(t, other.tunnel)
			fault.f(t, broken, other)
			took, err := recovery(t.Context(), broken.db, 2*patience)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&table, "\n%6.1f s  %s", took.Seconds(), fault.name)
			if now := s.host.sshPID(t, other.tunnel); now == "" || now != before {
				t.Errorf("the other tunnel's ssh was %q and is %q", before, now)
			}
			if err := query(t.Context(), other.db); err != nil {
				t.Errorf("the other tunnel: %v", err)
			}
		})
		broken, other = other, broken
	}
	t.Logf("from the fault's end until a query goes through at the vendor's end:%s", &table)
}

func (s *tunnels) killSSHD(t *testing.T, broken, _ *end) {
	broken.stopSSHD(t)
	broken.startSSHD(t)
}

func (s *tunnels) killSSH(t *testing.T, broken, _ *end) {
	on(t, s.host.Instance, "kill -KILL "+s.host.sshPID(t, broken.tunnel))
}

// The unit starts autossh anew; until then the ssh that the old one had started may still carry queries.
func (s *tunnels) killAutossh(t *testing.T, broken, _ *end) {
	autossh, ssh := s.host.autosshPID(t, broken.tunnel), s.host.sshPID(t, broken.tunnel)
	on(t, s.host.Instance, "kill -KILL "+autossh+"; while [[ -e /proc/"+ssh+" ]]; do sleep 0.01; done")
}

func (s *tunnels) portRefuses(t *testing.T, broken, other *end) {
	broken.stopSSHD(t)
	over := time.After(15 * time.Second)
	s.host.mustFail(t, broken.tunnel, "The vendor answers", "connection refused", "port 22 is closed")
	if err := query(t.Context(), other.db); err != nil {
		t.Errorf("the other tunnel: %v", err)
	}
	s.beats(t, map[string]float64{broken.tunnel: 0, other.tunnel: 1})
	<-over
	broken.startSSHD(t)
}

func (s *tunnels) vendorAway(t *testing.T, broken, _ *end) { pull(t, 20*time.Second, broken.Namespace) }

// The vendor's end of a session is stopped, as if it had not noticed that the tunnel's is gone, until it is ended as the
// vendor's ClientAlive would.
func (s *tunnels) stalePort(t *testing.T, broken, other *end) {
	before, stale := s.journal(t, broken, ""), broken.sessions(t, broken.account)
	broken.run(t, "kill -STOP "+stale)
	s.killSSH(t, broken, other)
	over := time.After(20 * time.Second)
	s.says(t, broken, before, "remote port forwarding failed for listen port "+broken.port)
	eventually(t, "tunnel-test says that the port is taken", func() error {
		if said, _ := s.host.test(t, broken.tunnel); !strings.Contains(said, "another connection has it") {
			return errors.New(said)
		}
		return nil
	})
	s.beats(t, map[string]float64{broken.tunnel: 0, other.tunnel: 1})
	<-over
	broken.run(t, "kill -KILL "+stale)
}

// Both tunnels stay up meanwhile.
func (s *tunnels) restartDatabase(t *testing.T, broken, _ *end) {
	before := s.host.sshPID(t, broken.tunnel)
	s.server.Restart(t)
	if err := query(t.Context(), broken.db); err != nil {
		t.Errorf("the first query after the restart: %v", err)
	}
	if now := s.host.sshPID(t, broken.tunnel); now == "" || now != before {
		t.Errorf("the tunnel's ssh was %q and is %q", before, now)
	}
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
