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

func TestTheRulesAreLoadedWithoutARestartOfTheGuard(t *testing.T) {
	h := installtest.New(t, install.Debian)
	h.Answer = withNftables
	if err := Setup(t.Context(), h.Host); err != nil {
		t.Fatal(err)
	}
	again := h.Again()
	again.File(t, rulesFile, "older rules")
	if err := Setup(t.Context(), again.Host); err != nil || again.Ran("restart") != 0 || again.Ran("nft --file /etc/drawbridge/metadata.nft") != 1 {
		t.Errorf("got %v, commands:\n%s", err, again.Commands())
	}
}

func TestAGuardThatDoesNotStartFailsSetup(t *testing.T) {
	for _, command := range []string{"systemctl restart drawbridge-metadata-guard.service", "nft --file"} {
		h := installtest.New(t, install.Debian)
		h.Answer = func(ran string) (string, error) {
			if strings.HasPrefix(ran, command) {
				return "", errors.New("the kernel has no nf_tables")
			}
			return withNftables(ran)
		}
		if err := Setup(t.Context(), h.Host); err == nil || !strings.Contains(err.Error(), "nf_tables") {
			t.Errorf("%s: got the error %v", command, err)
		}
	}
}

func TestTheGuardStaysWhenItIsStoppedAndComesBackWhenItIsFlushed(t *testing.T) {
	h := installtest.New(t, install.Debian)
	h.Answer = withNftables
	if err := Setup(t.Context(), h.Host); err != nil || h.Ran("systemctl enable --quiet drawbridge-metadata-refresh.timer") != 1 {
		t.Errorf("got %v, commands:\n%s", err, h.Commands())
	}
	if strings.Contains(unit, "\nExecStop") {
		t.Error("a restart that fails would leave the metadata service open")
	}
	if load := "\nExecStart=/usr/sbin/nft --file " + rulesFile + "\n"; !strings.Contains(unit, load) || !strings.Contains(refreshService, load) {
		t.Error("a unit does not load the rules")
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
