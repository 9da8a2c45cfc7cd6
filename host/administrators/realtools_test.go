//go:build linux && root

package administrators

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"drawbridge/host/install"
	"drawbridge/internal/notrun"
)

// realTools makes the machine use the shadow tools and the kill of this machine. They work on the files below the machine's
// folder (useradd(8), --prefix; gpasswd has no such option and stays played).
func (m *machine) realTools() {
	for _, tool := range []string{"useradd", "usermod"} {
		if _, err := exec.LookPath(tool); err != nil {
			notrun.Because(m.t, "%s is not on this machine", tool)
		}
	}
	m.write("/etc/login.defs", "UID_MIN 1000\nUID_MAX 60000\nUSERGROUPS_ENAB yes\nCREATE_MAIL_SPOOL no\nSUB_UID_COUNT 0\nSUB_GID_COUNT 0\n")
	m.write("/etc/gshadow", "root:*::\nwheel:!::ec2-user\nadm:*::ec2-user\nec2-user:!::\ndrawbridge-keys:!*::\ndrawbridge-shell:!*::\ndrawbridge-tunnel:!*::\n")
	m.real = func(name string, args ...string) (bool, error) {
		if name != "useradd" && name != "usermod" {
			return false, nil
		}
		out, err := exec.Command(name, append([]string{"--prefix", m.host.Root}, args...)...).CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%s %q: %w: %s", name, args, err, out)
		}
		return true, err
	}
}

func TestTheRealToolsDoWhatIsAskedOfThem(t *testing.T) {
	m := newMachine(t)
	m.realTools()
	m.store.values["malia"] = administrator("malia", "shell", key(1), key(2))
	m.store.values["sam"] = administrator("sam", "tunnel", key(3))
	m.store.values["a-"] = administrator("a-", "tunnel", key(4))
	m.store.values["b"+strings.Repeat("-9", 15)] = administrator("b"+strings.Repeat("-9", 15), "tunnel", key(5))
	m.mustSync()
	for name, value := range m.store.values {
		want := formOf(tunnelOnly)
		if strings.Contains(value, "shell") {
			want = formOf(shell)
		}
		m.wants(name, want)
	}
	m.lacks("/home/sam")
	m.settled()
	uid := m.account("malia").uid

	m.store.values["sam"] = administrator("sam", "shell", key(3))
	delete(m.store.values, "malia")
	m.mustSync()
	m.wants("malia", disabled)
	m.wants("sam", formOf(shell))
	m.settled()

	m.store.values["kim"] = administrator("kim", "shell", key(6))
	m.store.values["malia"] = administrator("malia", "tunnel", key(1))
	m.mustSync()
	m.wants("malia", formOf(tunnelOnly))
	if m.account("malia").uid != uid || m.account("kim").uid == uid {
		t.Errorf("malia had the number %d and has %d now, kim %d", uid, m.account("malia").uid, m.account("kim").uid)
	}
	m.settled()
	for _, file := range []string{"passwd", "shadow", "group", "gshadow"} {
		if left, _ := filepath.Glob(m.host.Path("/etc/" + file + ".lock")); len(left) > 0 {
			t.Errorf("%q is left", left)
		}
	}
}

func TestRealProcessesAreFoundAndEnded(t *testing.T) {
	const uid = 54321 // nobody's
	for _, tool := range []string{"setpriv", "pkill"} {
		if _, err := exec.LookPath(tool); err != nil {
			notrun.Because(t, "%s is not on this machine", tool)
		}
	}
	m := newMachine(t)
	h := *m.host
	h.Root = "/"
	started := func(args ...string) *exec.Cmd {
		cmd := exec.Command("setpriv", append(args, "--clear-groups", "sleep", "60")...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _, _ = cmd.Process.Wait() })
		return cmd
	}
	started("--reuid=54321", "--regid=54321")
	started("--ruid=54321", "--regid=54321") // what sudo looks like to the kernel: root for somebody
	other := started("--reuid=54322", "--regid=54321")
	for {
		uids, err := running(&h)
		if err != nil {
			t.Fatal(err)
		}
		if uids[uid] && uids[54322] {
			break
		}
	}
	var ran []string
	h.Run = func(_ context.Context, name string, args ...string) (string, error) {
		ran = append(ran, name)
		if name == "loginctl" {
			return "", fmt.Errorf("loginctl failed: no system bus")
		}
		return "", exec.Command(name, args...).Run()
	}
	if err := endSessions(t.Context(), &h, account{name: "kim", uid: uid}, install.Pause); err != nil {
		t.Fatal(err)
	}
	uids, err := running(&h)
	if err != nil || uids[uid] || !uids[54322] {
		t.Errorf("runs: %v, another: %v, error %v", uids[uid], uids[54322], err)
	}
	if !slices.Contains(ran, "loginctl") || other.ProcessState != nil {
		t.Errorf("it ran %q", ran)
	}
}
