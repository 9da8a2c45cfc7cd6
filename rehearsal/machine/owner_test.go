//go:build linux

package machine

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestANameSaysWhoseItIs(t *testing.T) {
	me, err := self()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one", "with-hyphens-1-2-3", strings.Repeat("a", 63)} {
		full, err := newName(name)
		if err != nil {
			t.Fatal(err)
		}
		if o, ours := ownerOf(full); !ours || o != me || !strings.HasPrefix(full, prefix+name+"-") {
			t.Errorf("%s: %v, %v", full, o, ours)
		}
	}
	for _, name := range []string{"", "one", "drawbridge", "drawbridge-dev", "drawbridge-dev-1-2", "drawbridge-dev-x-2-3",
		"drawbridge-dev-0-2-3", "drawbridge-dev--1-2-3", "other-dev-1-2-3"} {
		if o, ours := ownerOf(name); ours && o.pid <= 0 || ours && !strings.HasPrefix(name, "drawbridge-dev--") {
			t.Errorf("%q was taken for a name of ours, by %v", name, o)
		}
	}
}

func TestAProcessIsGoneWhenItHasEndedOrItsNumberIsAnothers(t *testing.T) {
	me, err := self()
	if err != nil {
		t.Fatal(err)
	}
	if me.gone() {
		t.Error("this process is gone")
	}
	if !(owner{me.pid, me.start - 1}).gone() {
		t.Error("an earlier process with this one's number is not gone")
	}
	cmd := exec.Command("sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	start, alive := startTime(cmd.Process.Pid)
	other := owner{cmd.Process.Pid, start}
	if !alive || other.gone() || start < me.start {
		t.Errorf("a process that runs: %v, %v", other, alive)
	}
	if err := cmd.Process.Signal(os.Kill); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if !other.gone() {
		t.Error("a process that was killed is not gone")
	}
}

func TestCgroup2IsFoundInEitherLayout(t *testing.T) {
	for line, want := range map[string]string{
		"35 25 0:30 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate": "/sys/fs/cgroup",
		"36 25 0:31 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw":                                 "/sys/fs/cgroup/unified",
		"36 25 0:31 / /sys/fs/cgroup ro,relatime - cgroup2 cgroup2 rw":                                         "", // cannot be used
		"34 25 0:29 / /sys/fs/cgroup/systemd rw,relatime shared:9 - cgroup cgroup rw,name=systemd":             "",
		"22 1 254:0 / / rw,relatime - ext4 /dev/cgroup2 rw":                                                    "",
		"": "", "-": "", " - cgroup2": "",
	} {
		if got, ok := cgroup2Mount(line); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q, %v", line, got, ok)
		}
	}
}
