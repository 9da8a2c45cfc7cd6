package metadata

import (
	"errors"
	"strings"
	"testing"

	"drawbridge/host/install"
	"drawbridge/host/install/installtest"
)

func withNftables(command string) (string, error) {
	if strings.HasPrefix(command, "dpkg-query") {
		return "nftables installed\n", nil
	}
	return "", nil
}

func TestTheGuardIsStartedOnceAndLeftAlone(t *testing.T) {
	h := installtest.New(t, install.Debian)
	h.Answer = withNftables
	if err := Setup(t.Context(), h.Host); err != nil {
		t.Fatal(err)
	}
	if h.Ran("systemctl enable --quiet drawbridge-metadata-guard.service") != 1 ||
		h.Ran("systemctl restart drawbridge-metadata-guard.service") != 1 {
		t.Errorf("commands:\n%s", h.Commands())
	}
	again := h.Again()
	if err := Setup(t.Context(), again.Host); err != nil || again.Changed() || again.Ran("restart") != 0 {
		t.Errorf("a second time changes something: %v\n%s", err, again.Commands())
	}
}

func TestRulesThatWereFlushedAreLoadedAgain(t *testing.T) {
	h := installtest.New(t, install.Debian)
	h.Answer = withNftables
	if err := Setup(t.Context(), h.Host); err != nil {
		t.Fatal(err)
	}
	again := h.Again()
	again.Answer = func(command string) (string, error) {
		if strings.HasPrefix(command, "nft list") {
			return "", errors.New("no such table")
		}
		return withNftables(command)
	}
	if err := Setup(t.Context(), again.Host); err != nil || again.Ran("systemctl restart drawbridge-metadata-guard.service") != 1 {
		t.Errorf("got %v, commands:\n%s", err, again.Commands())
	}
}

func TestAGuardThatDoesNotStartFailsSetup(t *testing.T) {
	h := installtest.New(t, install.Debian)
	h.Answer = func(command string) (string, error) {
		if strings.HasPrefix(command, "systemctl restart") {
			return "", errors.New("the kernel has no nf_tables")
		}
		return withNftables(command)
	}
	if err := Setup(t.Context(), h.Host); err == nil || !strings.Contains(err.Error(), "nf_tables") {
		t.Errorf("got the error %v", err)
	}
}

func TestTheGuardComesBeforeTheNetworkAndLogins(t *testing.T) {
	for _, line := range []string{"DefaultDependencies=no", "RequiredBy=sshd.service ssh.service", "WantedBy=sysinit.target"} {
		if !strings.Contains(unit, "\n"+line+"\n") {
			t.Errorf("the unit lacks the line %q", line)
		}
	}
	before := ""
	for line := range strings.Lines(unit) {
		if after, ok := strings.CutPrefix(line, "Before="); ok {
			before = after
		}
	}
	for _, name := range []string{"network-pre.target", "sshd.service", "ssh.service"} {
		if !strings.Contains(before, name) {
			t.Errorf("the unit does not come before %s", name)
		}
	}
}
