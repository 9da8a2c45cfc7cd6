//go:build linux && root

package endtoend

import (
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	// usualAccount is where tunnels with the usual flags log in, beside ours.
	usualAccount = "tunnel15241"
	usuals       = 4
)

// outage loses every packet between the host and the vendors for a minute, while tunnels run beside as most instructions
// write-up started them: the flags are its, and so are autossh's own defaults. When each of these notices and tries again
// depends on when it was started, so that there are several.
func (s *tunnels) outage(t *testing.T) {
	databases := s.startUsual(t)
	s.settled(t, s.bi, s.backup)
	s.losePackets(t, time.Minute)

	took, err := recoveries(t.Context(), 5*patience, append(databases, s.bi.db, s.backup.db)...)
	if err != nil {
		t.Fatal(err)
	}
	usual, ours := took[:usuals], took[usuals:]
	t.Logf("after 60 s without a network the vendors read again\n%6.1f s later on average (%s)\n"+
		"%6.1f s later with the usual flags (%s), %.1f times as long",
		mean(ours), seconds(ours), mean(usual), seconds(usual), mean(usual)/mean(ours))
	if mean(ours) >= mean(usual) {
		t.Error("the usual flags are as fast")
	}
}

// losePackets makes the router forward nothing for a while, without a word, as it is when a network fails far from here:
// an instance's own link never goes down.
func (s *tunnels) losePackets(t *testing.T, long time.Duration) {
	t.Helper()
	forward := func(on string) {
		sysctl := s.fleet.Network.Router().Command(t.Context(), "sysctl", "--write", "net.ipv4.ip_forward="+on)
		if out, err := sysctl.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	forward("0")
	select {
	case <-time.After(long):
	case <-t.Context().Done():
	}
	forward("1")
}

// startUsual starts tunnels by the line that most instructions have from a shell, and opens the database through them.
func (s *tunnels) startUsual(t *testing.T) (databases []*sql.DB) {
	t.Helper()
	const key, known = "/run/usual/key", "/root/.ssh/known_hosts"
	public, private := newKey(t)
	write(t, s.host.Machine, key, private, "0600")
	write(t, s.host.Machine, known, s.bi.Namespace.Address.String()+" "+s.bi.HostKey+"\n", "0600")
	s.bi.admit(t, usualAccount, public, "*")
	for i := range usuals {
		port := strconv.Itoa(15251 + i)
		on(t, s.host.Instance, fmt.Sprintf("autossh -M 0 -f -N -R %s:%s %s@%s -g -i %s "+
			"-o ServerAliveInterval=10 -o ServerAliveCountMax=3 -o ExitOnForwardFailure=yes",
			port, s.server.Addr(), usualAccount, s.bi.Namespace.Address, key))
		db := s.bi.open(t, s.login, port)
		eventually(t, "the vendor reads through a tunnel with the usual flags", func() error { return query(t.Context(), db) })
		databases = append(databases, db)
		time.Sleep(10 * time.Second / usuals) // so that their keep-alives, 10 s apart, spread evenly
	}
	return databases
}

func mean(all []time.Duration) (seconds float64) {
	for _, one := range all {
		seconds += one.Seconds() / float64(len(all))
	}
	return seconds
}

func seconds(all []time.Duration) string {
	var text []string
	for _, one := range all {
		text = append(text, fmt.Sprintf("%.1f", one.Seconds()))
	}
	return strings.Join(text, ", ")
}
