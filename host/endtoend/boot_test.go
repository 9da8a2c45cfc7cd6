//go:build linux && root

package endtoend

import (
	"encoding/json"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"drawbridge/rehearsal/instance"
	"drawbridge/rehearsal/waitcondition"
)

func readFile(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fingerprint is everything that setup leaves on a host: the files of the folders that it writes to, with their owners,
// modes and contents, and what systemd runs.
const fingerprint = `set -e
find /etc /opt /usr/local /var/lib/drawbridge -xdev -type f ! -name '*.log' ! -path /etc/ld.so.cache -printf '%M %u %g %p ' -exec sha256sum {} ';' | sort
systemctl list-unit-files --no-legend --state=enabled 'drawbridge*' 'apt-daily*' | sort
systemctl list-units --no-legend --plain --all 'drawbridge*' | awk '{print $1, $2}' | sort
nft list ruleset`

func TestTheTunnelHostSetsItselfUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "boot")
	if err := w.deploy(nil, "Network", "Database", "Tunnel"); err != nil {
		t.Fatalf("%v\n%s", err, w.log)
	}
	first := w.only("TunnelHost")

	t.Run("and cloud-init has nothing to say against its user data", func(t *testing.T) {
		var status struct {
			Status string
			Errors []any
		}
		if err := json.Unmarshal([]byte(on(t, first, "cloud-init status --wait --format json")), &status); err != nil {
			t.Fatal(err)
		}
		if status.Status != "done" || len(status.Errors) > 0 {
			t.Errorf("cloud-init says %+v", status)
		}
	})
	t.Run("and says so in an output of the stack, with what is missing", func(t *testing.T) {
		var setup map[string]string
		if err := json.Unmarshal([]byte(w.Outputs(tunnelStack)["TunnelSetup"]), &setup); err != nil {
			t.Fatal(err)
		}
		// Amazon's bucket cannot be reached from here.
		if text := setup[first.ID]; !strings.HasPrefix(text, "ready; the SSM Agent is not installed") {
			t.Errorf("the output is %q", setup)
		}
	})
	t.Run("and changes nothing when it is done again", func(t *testing.T) {
		before := on(t, first, fingerprint)
		again := on(t, first, "bash /var/lib/cloud/instance/user-data.txt")
		mustContain(t, again, "This host was set up already: nothing changed.")
		if after := on(t, first, fingerprint); after != before {
			t.Errorf("before:\n%s\nafter:\n%s", before, after)
		}
	})
	t.Run("and systemd has nothing to say against its units", func(t *testing.T) {
		if says := on(t, first, "systemd-analyze verify --man=no /etc/systemd/system/drawbridge-* 2>&1"); says != "" {
			t.Errorf("systemd-analyze verify says\n%s", says)
		}
		exposure(t, first, "drawbridge-tunnel@bi.service", 2.0)
	})
	t.Run("and installs Debian's patches when the window comes, and at no other time", func(t *testing.T) {
		timers := on(t, first, "systemctl list-timers --all --no-legend --no-pager")
		mustContain(t, timers, "drawbridge-patches.timer")
		for _, other := range []string{"apt-daily.timer", "apt-daily-upgrade.timer"} {
			if strings.Contains(timers, other) {
				t.Errorf("%s installs too", other)
			}
		}
		mustContain(t, on(t, first, "systemctl show --property TimersCalendar drawbridge-patches.timer"), "OnCalendar=Sun *-*-* 03:00:00 UTC")
		on(t, first, "systemctl start drawbridge-patches.service") // what the timer does
		mustContain(t, first.Journal(t.Context(), "drawbridge-patches.service"), "Installing patches ...", "No reboot is needed.")
	})
	t.Run("and a host that replaces it has the same", func(t *testing.T) {
		second, err := w.fleet.Again(t.Context(), first)
		if err != nil {
			t.Fatal(err)
		}
		awaitSetup(t, second)
		const what = "cat /etc/drawbridge/tunnels/* && sha256sum /run/drawbridge/tunnel-key /opt/drawbridge/drawbridge-host"
		if a, b := on(t, first, what), on(t, second, what); a != b {
			t.Errorf("the first has\n%s\nthe second\n%s", a, b)
		}
	})
	t.Run("or says what is missing when the network fails half-way, and goes on from there when it is back", func(t *testing.T) {
		handle := handleOf(t, w, first)
		known := len(handle.Signals())
		w.fleet.Apt.FailAfter(12) // the lists of packages and the first of them
		broken, err := w.fleet.Again(t.Context(), first)
		if err != nil {
			t.Fatal(err)
		}
		awaitSetup(t, broken)
		signals := handle.Signals()[known:]
		if len(signals) != 1 || signals[0].Status != "FAILURE" || signals[0].UniqueID != broken.ID {
			t.Fatalf("it signalled %+v", signals)
		}
		mustContain(t, signals[0].Reason, "Installing the AWS CLI failed: ")
		t.Logf("it says: %s", signals[0].Reason)

		w.fleet.Apt.Up()
		mustContain(t, on(t, broken, "bash /var/lib/cloud/instance/user-data.txt"), "This host is set up.")
		awaitTunnelTries(t, broken)
	})
}

// awaitSetup waits until the user data of a machine has ended.
func awaitSetup(t testing.TB, m *instance.Instance) {
	t.Helper()
	if out, err := m.Run(t.Context(), nil, "cloud-init", "status", "--wait"); err != nil && !strings.Contains(out, "status:") {
		t.Fatalf("cloud-init: %v\n%s", err, out)
	}
}

// awaitTunnelTries waits until the tunnel's unit runs: it may not be up, as there is no vendor.
func awaitTunnelTries(t testing.TB, m *instance.Instance) {
	t.Helper()
	eventually(t, "the tunnel's unit runs", func() error {
		_, err := m.Run(t.Context(), nil, "systemctl", "is-active", "drawbridge-tunnel@bi.service")
		return err
	})
}

// handleOf is the wait condition handle that an instance's user data signals to.
func handleOf(t testing.TB, w *world, i *instance.Instance) *waitcondition.Handle {
	t.Helper()
	url := regexp.MustCompile(`Request\("(http[^"]+)"`).FindStringSubmatch(i.UserData)
	if url == nil {
		t.Fatal("the user data signals nowhere")
	}
	handle, err := w.fleet.Signals.Handle(url[1])
	if err != nil {
		t.Fatal(err)
	}
	return handle
}

// exposure wants systemd to score a unit at most this high, of 10 (systemd-analyze(1), security).
func exposure(t testing.TB, m *instance.Instance, unit string, most float64) {
	t.Helper()
	out := on(t, m, "systemd-analyze security --no-pager "+unit+" | tail -n 1")
	score := regexp.MustCompile(`: ([0-9.]+) `).FindStringSubmatch(out)
	if score == nil {
		t.Fatalf("systemd-analyze says %q", out)
	}
	if got, err := strconv.ParseFloat(score[1], 64); err != nil || got > most {
		t.Errorf("%s scores %s, want %.1f or better", unit, score[1], most)
	} else {
		t.Logf("%s scores %.1f", unit, got)
	}
}

func TestAHostThatCannotSetItselfUpFailsTheDeploymentWithItsReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "fail")
	w.fleet.Apt.FailAfter(0)
	err := w.deploy(nil, "Network", "Database", "Tunnel")
	if err == nil {
		t.Fatal("the deployment went well")
	}
	mustContain(t, err.Error(), tunnelStack, "Setup", "Installing the AWS CLI failed: ")
	t.Log(err)
	if left := w.fleet.Instances(""); len(left) > 0 {
		t.Errorf("%d instances are left", len(left))
	}
}
