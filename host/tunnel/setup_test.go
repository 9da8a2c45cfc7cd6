package tunnel

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"drawbridge/host/install"
	"drawbridge/host/install/installtest"
	"drawbridge/internal/notrun"
)

func debian(t *testing.T) *installtest.Recorder {
	h := installtest.New(t, install.Debian)
	h.Answer = func(command string) (string, error) {
		if strings.HasPrefix(command, "dpkg-query") {
			return "autossh installed\nca-certificates installed\nopenssh-client installed\n", nil
		}
		return "", nil
	}
	return h
}

func TestSetupStartsEveryTunnelWithoutWaitingForIt(t *testing.T) {
	h, s := debian(t), sample()
	if err := Setup(t.Context(), h.Host, s, aws.Config{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"systemd-sysusers /etc/sysusers.d/drawbridge-tunnel.conf",
		"ssh -G -F /etc/drawbridge/tunnels/ssh_config bi",
		"systemctl enable --quiet drawbridge-tunnel@bi.service",
		"systemctl restart --no-block drawbridge-tunnel@bi.service",
		"systemctl restart drawbridge-heartbeat.timer",
	} {
		if h.Ran(want) != 1 {
			t.Errorf("it does not run %q once, but\n%s", want, h.Commands())
		}
	}
	for _, path := range []string{"/etc/drawbridge/tunnels/ssh_config", "/etc/drawbridge/tunnels/known_hosts",
		"/etc/systemd/system/drawbridge-tunnel@.service", "/etc/systemd/system/drawbridge-tunnel-key.service",
		"/etc/systemd/system/drawbridge-heartbeat.service", "/etc/systemd/system/drawbridge-heartbeat.timer"} {
		if _, err := h.Read(path); err != nil {
			t.Error(err)
		}
	}
	again := h.Again()
	if err := Setup(t.Context(), again.Host, s, aws.Config{}); err != nil || again.Changed() || again.Ran("restart") > 0 {
		t.Errorf("a second time changes something: %v\n%s", err, again.Commands())
	}
}

func TestAChangedTunnelIsRestarted(t *testing.T) {
	h, s := debian(t), sample()
	if err := Setup(t.Context(), h.Host, s, aws.Config{}); err != nil {
		t.Fatal(err)
	}
	s.Tunnel.Tunnels[0].RemotePort++
	again := h.Again()
	if err := Setup(t.Context(), again.Host, s, aws.Config{}); err != nil ||
		again.Ran("systemctl restart --no-block drawbridge-tunnel@bi.service") != 1 || again.Ran("restart drawbridge-heartbeat") > 0 {
		t.Errorf("got %v, commands:\n%s", err, again.Commands())
	}
}

func TestTunnelsThatAreNoLongerInTheSettingsAreStopped(t *testing.T) {
	h := debian(t)
	answer := h.Answer
	h.Answer = func(command string) (string, error) {
		if strings.HasPrefix(command, "systemctl list-units") {
			return "drawbridge-tunnel@bi.service loaded active running x\ndrawbridge-tunnel@old.service loaded active running x\n", nil
		}
		return answer(command)
	}
	// One that is enabled but does not run, and somebody else's.
	h.File(t, "/etc/systemd/system/multi-user.target.wants/drawbridge-tunnel@older.service", "")
	h.File(t, "/etc/systemd/system/multi-user.target.wants/drawbridge-tunnel@old.service", "")
	h.File(t, "/etc/systemd/system/multi-user.target.wants/cron.service", "")
	if err := Setup(t.Context(), h.Host, sample(), aws.Config{}); err != nil {
		t.Fatal(err)
	}
	if h.Ran("systemctl disable --now --quiet drawbridge-tunnel@old.service") != 1 ||
		h.Ran("systemctl disable --now --quiet drawbridge-tunnel@older.service") != 1 || h.Ran("disable") != 2 {
		t.Errorf("commands:\n%s", h.Commands())
	}
}

func TestSettingsThatSshDoesNotTakeStartNothing(t *testing.T) {
	h := debian(t)
	answer := h.Answer
	h.Answer = func(command string) (string, error) {
		if strings.HasPrefix(command, "ssh -G") {
			return "", errors.New("ssh failed: Bad configuration option")
		}
		return answer(command)
	}
	if err := Setup(t.Context(), h.Host, sample(), aws.Config{}); err == nil || !strings.Contains(err.Error(), `"bi"`) ||
		h.Ran("restart") > 0 {
		t.Errorf("got %v, commands:\n%s", err, h.Commands())
	}
}

func TestTheUnitsAreHardened(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		notrun.Because(t, "there is no systemd-analyze")
	}
	for name, unit := range map[string]string{"drawbridge-tunnel@bi.service": tunnelUnit(20), keyUnit: keyService, heartbeatUnit: heartbeatService} {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(unit), 0o644); err != nil {
			t.Fatal(err)
		}
		// The threshold is in tenths: 2.0 of 10.
		out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", file).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

func TestTheUnitLimitsTheConnectionsOfAVendor(t *testing.T) {
	for connections, want := range map[int]string{20: "LimitNOFILE=40", 1000: "LimitNOFILE=1020"} {
		if unit := tunnelUnit(connections); !strings.Contains(unit, "\n"+want+"\n") || strings.Contains(unit, "@LIMIT@") {
			t.Errorf("%d connections: the unit lacks %s", connections, want)
		}
	}
}

func TestAutosshNeverGivesUpForGood(t *testing.T) {
	for _, line := range []string{"Environment=AUTOSSH_GATETIME=0 AUTOSSH_POLL=5 AUTOSSH_MAXSTART=1000", "Restart=always", "StartLimitIntervalSec=0",
		"LoadCredential=tunnel-key:/run/drawbridge/tunnel-key", "Requires=drawbridge-tunnel-key.service"} {
		if !strings.Contains(tunnelService, "\n"+line+"\n") {
			t.Errorf("the unit lacks the line %q", line)
		}
	}
}
