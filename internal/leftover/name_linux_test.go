package leftover

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestANameSaysWhoseItIs(t *testing.T) {
	me, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one", "with-hyphens-1-2-3", strings.Repeat("a", 63)} {
		full, err := Name(name)
		if err != nil {
			t.Fatal(err)
		}
		if o, ours := Of(full); !ours || o != me || !strings.HasPrefix(full, Prefix+name+"-") {
			t.Errorf("%s: %v, %v", full, o, ours)
		}
	}
	for _, name := range []string{"", "one", "drawbridge", "drawbridge-dev", "drawbridge-dev-1-2", "drawbridge-dev-x-2-3",
		"drawbridge-dev-0-2-3", "drawbridge-dev--1-2-3", "other-dev-1-2-3"} {
		if o, ours := Of(name); ours && o.PID <= 0 || ours && !strings.HasPrefix(name, "drawbridge-dev--") {
			t.Errorf("%q was taken for a name of ours, by %v", name, o)
		}
	}
}

func TestAProcessIsGoneWhenItHasEndedOrItsNumberIsAnothers(t *testing.T) {
	me, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	if me.Gone() {
		t.Error("this process is gone")
	}
	if !(Owner{me.PID, me.Start - 1}).Gone() {
		t.Error("an earlier process with this one's number is not gone")
	}
	cmd := exec.Command("sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	start, alive := StartTime(cmd.Process.Pid)
	other := Owner{cmd.Process.Pid, start}
	if !alive || other.Gone() || start < me.Start {
		t.Errorf("a process that runs: %v, %v", other, alive)
	}
	if err := cmd.Process.Signal(os.Kill); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if !other.Gone() {
		t.Error("a process that was killed is not gone")
	}
}
