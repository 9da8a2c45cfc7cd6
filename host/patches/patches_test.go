package patches

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"drawbridge/host/install"
	"drawbridge/host/install/installtest"
	"drawbridge/host/settings"
	"drawbridge/internal/notrun"
)

var window = &settings.Settings{PatchWindow: "Sun *-*-* 03:00:00"}

func TestTheTimerStartsInTheWindowInUTCAndNeverLater(t *testing.T) {
	h := installtest.New(t, install.AmazonLinux)
	if err := Setup(t.Context(), h.Host, window); err != nil {
		t.Fatal(err)
	}
	timer, err := h.Read("/etc/systemd/system/drawbridge-patches.timer")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"OnCalendar=Sun *-*-* 03:00:00 UTC", "RandomizedDelaySec=15min", "Persistent=false"} {
		if !strings.Contains("\n"+string(timer), "\n"+line+"\n") {
			t.Errorf("the timer lacks the line %q:\n%s", line, timer)
		}
	}
	if h.Ran("systemctl restart drawbridge-patches.timer") != 1 || h.Ran("drawbridge-patches.service") != 0 || h.Ran("apt") != 0 {
		t.Errorf("commands:\n%s", h.Commands())
	}
}

func TestSystemdUnderstandsTheWindow(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		notrun.Because(t, "there is no systemd-analyze")
	}
	h := installtest.New(t, install.AmazonLinux)
	h.Run = install.New().Run
	for _, bad := range []string{"Sunday at three", "Sun *-*-* 25:00:00"} {
		err := Setup(t.Context(), h.Host, &settings.Settings{PatchWindow: bad})
		if err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%q: got the error %v", bad, err)
		}
	}
	out, err := h.Run(t.Context(), "systemd-analyze", "calendar", window.PatchWindow+" UTC")
	if err != nil || !strings.Contains(out, "Sun *-*-* 03:00:00 UTC") {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestAWindowCannotAddToTheTimer(t *testing.T) {
	for _, bad := range []string{"", " ", "Sun\nOnBootSec=1", "Sun\\", "%i"} {
		h := installtest.New(t, install.Debian)
		if err := Setup(t.Context(), h.Host, &settings.Settings{PatchWindow: bad}); err == nil || h.Commands() != "" {
			t.Errorf("%q passes", bad)
		}
	}
}

func TestDebiansOwnTimersAreTurnedOff(t *testing.T) {
	h := installtest.New(t, install.Debian)
	h.Answer = func(command string) (string, error) {
		if strings.HasPrefix(command, "dpkg-query") {
			return "unattended-upgrades installed\n", nil
		}
		return "", nil
	}
	if err := Setup(t.Context(), h.Host, window); err != nil {
		t.Fatal(err)
	}
	if h.Ran("systemctl disable --now --quiet apt-daily.timer apt-daily-upgrade.timer") != 1 {
		t.Errorf("commands:\n%s", h.Commands())
	}
	again := h.Again()
	if err := Setup(t.Context(), again.Host, window); err != nil || again.Changed() || again.Ran("restart") > 0 {
		t.Errorf("a second time changes something: %v\n%s", err, again.Commands())
	}
}

func TestPatchesAreInstalledAndTheHostRebootsOnlyWhenAsked(t *testing.T) {
	const (
		upgrade = "dnf --assumeyes --quiet upgrade --releasever=latest"
		ask     = "dnf --quiet needs-restarting --reboothint"
		reboot  = "systemctl reboot"
		restart = "systemctl try-restart drawbridge-tunnel@*"
	)
	failure := errors.New("no network")
	tests := map[string]struct {
		id      install.Distribution
		flag    bool
		answers map[string]error
		says    string   // what the question is answered with
		want    []string // the ends of the commands
		fails   bool
	}{
		"Amazon Linux, nothing to reboot for": {id: install.AmazonLinux, want: []string{upgrade, ask}},
		"Amazon Linux, a new kernel": {id: install.AmazonLinux, answers: map[string]error{ask: installtest.Exit(1)},
			says: "Reboot is required to fully utilize these updates.\n", want: []string{upgrade, ask, reboot}},
		"Amazon Linux, a kernel of the window before, and no network": {id: install.AmazonLinux,
			answers: map[string]error{upgrade: failure, ask: installtest.Exit(1)}, says: "Reboot is required.\n",
			want: []string{upgrade, ask, reboot}, fails: true},
		"Amazon Linux, the question is not known": {id: install.AmazonLinux, answers: map[string]error{ask: installtest.Exit(1)},
			want: []string{upgrade, ask}, fails: true},
		"Amazon Linux, the question fails": {id: install.AmazonLinux, answers: map[string]error{ask: installtest.Exit(3)},
			want: []string{upgrade, ask}, fails: true},
		"Amazon Linux, no network":      {id: install.AmazonLinux, answers: map[string]error{upgrade: failure}, want: []string{upgrade, ask}, fails: true},
		"Debian, nothing to reboot for": {id: install.Debian, want: []string{" update", "unattended-upgrade", restart}},
		"Debian, a new kernel":          {id: install.Debian, flag: true, want: []string{" update", "unattended-upgrade", restart, reboot}},
		"Debian, no lists": {id: install.Debian, flag: true, answers: map[string]error{" update": failure},
			want: []string{" update"}, fails: true},
		"Debian, the upgrade fails": {id: install.Debian, flag: true, answers: map[string]error{"unattended-upgrade": failure},
			want: []string{" update", "unattended-upgrade", restart, reboot}, fails: true},
		"the reboot fails": {id: install.Debian, flag: true, answers: map[string]error{reboot: failure},
			want: []string{" update", "unattended-upgrade", restart, reboot}, fails: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			h := installtest.New(t, tc.id)
			if tc.flag {
				h.File(t, "/run/reboot-required", "")
			}
			h.Answer = func(command string) (string, error) {
				for end, err := range tc.answers {
					if strings.HasSuffix(command, end) {
						return tc.says, err
					}
				}
				return "", nil
			}
			if err := Install(t.Context(), h.Host); (err != nil) != tc.fails {
				t.Errorf("got the error %v", err)
			}
			commands := strings.Split(h.Commands(), "\n")
			if len(commands) != len(tc.want) {
				t.Fatalf("commands:\n%s\nwant those that end with %q", h.Commands(), tc.want)
			}
			for i, end := range tc.want {
				if !strings.HasSuffix(commands[i], end) {
					t.Errorf("command %d is %q, want one that ends with %q", i, commands[i], end)
				}
			}
		})
	}
}

func TestAnotherLinuxIsRefused(t *testing.T) {
	h := installtest.New(t, "arch")
	if err := errors.Join(Setup(t.Context(), h.Host, window), Install(t.Context(), h.Host)); err == nil ||
		strings.Count(err.Error(), "arch") != 2 {
		t.Errorf("got the error %v", err)
	}
}
