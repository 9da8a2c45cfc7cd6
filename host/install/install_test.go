package install

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// recorder is a host below a folder of its own, whose commands are only written down.
type recorder struct {
	*Host
	commands []string
	answer   func(command string) (string, error)
}

func record(t *testing.T) *recorder {
	r := &recorder{answer: func(string) (string, error) { return "", nil }}
	r.Host = &Host{Root: t.TempDir(), Say: t.Logf}
	r.Run = func(_ context.Context, name string, args ...string) (string, error) {
		command := strings.Join(append([]string{name}, args...), " ")
		r.commands = append(r.commands, command)
		return r.answer(command)
	}
	return r
}

func (r *recorder) ran(part string) int {
	n := 0
	for _, command := range r.commands {
		if strings.Contains(command, part) {
			n++
		}
	}
	return n
}

func (r *recorder) runs(t *testing.T, id string) {
	t.Helper()
	if _, err := r.Write(File{Path: "/etc/os-release", Content: "PRETTY_NAME=\"x\"\nID=" + id + "\nVERSION_ID=1\n", Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
}

func TestAFileIsWrittenWithItsModeAndOnlyOnce(t *testing.T) {
	h := record(t)
	file := File{Path: "/etc/drawbridge/deep/secret", Content: "text\n", Mode: 0o640}
	for i, want := range []bool{true, false} {
		if changed, err := h.Write(file); err != nil || changed != want {
			t.Fatalf("time %d: changed = %v, %v", i, changed, err)
		}
	}
	path := h.Path(file.Path)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("folder: %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAFileIsPutRightAgain(t *testing.T) {
	tests := map[string]func(path string) error{
		"other content": func(path string) error { return os.WriteFile(path, []byte("other"), 0o600) },
		"other mode":    func(path string) error { return os.Chmod(path, 0o644) },
		"a link": func(path string) error {
			return errors.Join(os.Rename(path, path+".real"), os.Symlink(path+".real", path))
		},
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			h := record(t)
			file := File{Path: "/f", Content: "text", Mode: 0o600}
			if _, err := h.Write(file); err != nil {
				t.Fatal(err)
			}
			if err := spoil(h.Path("/f")); err != nil {
				t.Fatal(err)
			}
			changed, err := h.Write(file)
			if err != nil || !changed {
				t.Fatalf("changed = %v, %v", changed, err)
			}
			info, err := os.Lstat(h.Path("/f"))
			if err != nil || info.Mode() != 0o600 {
				t.Errorf("it is %v, %v", info.Mode(), err)
			}
			if content, _ := h.Read("/f"); string(content) != "text" {
				t.Errorf("it holds %q", content)
			}
		})
	}
}

func TestAFileThatCannotBeWrittenIsNamedAndLeavesNothing(t *testing.T) {
	h := record(t)
	if err := os.MkdirAll(h.Path("/etc/f/x"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := h.Write(File{Path: "/etc/f", Content: "text", Mode: 0o644})
	if err == nil || !strings.Contains(err.Error(), "/etc/f") {
		t.Fatalf("got the error %v", err)
	}
	if entries, _ := os.ReadDir(h.Path("/etc")); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestARemovedFileIsGoneAndAMissingOneIsNoError(t *testing.T) {
	h := record(t)
	if _, err := h.Write(File{Path: "/f", Mode: 0o600}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false} {
		if changed, err := h.Remove("/f"); err != nil || changed != want {
			t.Errorf("time %d: changed = %v, %v", i, changed, err)
		}
	}
	if _, err := h.Read("/f"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got the error %v", err)
	}
}

func TestAFailedProgramIsQuotedOnOneLine(t *testing.T) {
	out, err := run(t.Context(), "sh", "-c", "echo data; printf 'one\\ntwo\\n\\n  three  \\nfour\\n\\n' >&2; exit 7")
	if out != "data\n" || err == nil || ExitCode(err) != 7 {
		t.Fatalf("got %q, %v with the exit code %d", out, err, ExitCode(err))
	}
	if want := "sh failed (exit status 7): two; three; four"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestAProgramThatSaysItOnStdoutIsQuotedToo(t *testing.T) {
	_, err := run(t.Context(), "sh", "-c", "echo reason; exit 1")
	if err == nil || !strings.Contains(err.Error(), "reason") {
		t.Errorf("got the error %v", err)
	}
}

func TestWhatIsQuotedIsShort(t *testing.T) {
	_, err := run(t.Context(), "sh", "-c", "head -c 100000 /dev/zero | tr '\\0' 'ä' >&2; exit 1")
	if err == nil || len(err.Error()) > 300 || strings.ContainsAny(err.Error(), "\r\n") {
		t.Errorf("got an error of %d bytes", len(err.Error()))
	}
}

func TestAProgramThatIsNotThereHasNoExitCode(t *testing.T) {
	_, err := run(t.Context(), "drawbridge-no-such-program")
	if !errors.Is(err, exec.ErrNotFound) || ExitCode(err) != -1 || ExitCode(nil) != 0 {
		t.Errorf("got %v with the exit code %d", err, ExitCode(err))
	}
}

func TestAProgramIsAskedToStopWhenTheTimeIsUp(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	out, err := run(ctx, "sh", "-c", "trap 'echo asked; exit 0' TERM; while :; do sleep 0.05; done")
	if !errors.Is(err, context.DeadlineExceeded) || out != "asked\n" {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestTheDistributionIsRead(t *testing.T) {
	for id, want := range map[string]Distribution{"debian": Debian, `"amzn"`: AmazonLinux} {
		h := record(t)
		h.runs(t, id)
		if got, err := h.Distribution(); got != want || err != nil {
			t.Errorf("%s: got %q, %v", id, got, err)
		}
	}
	for _, id := range []string{"arch", ""} {
		h := record(t)
		h.runs(t, id)
		if got, err := h.Distribution(); err == nil {
			t.Errorf("%q passes as %q", id, got)
		}
	}
}

func TestOnlyMissingPackagesOfDebianAreInstalled(t *testing.T) {
	h := record(t)
	h.runs(t, "debian")
	installed := "nftables installed\ngpgv config-files\n"
	h.answer = func(command string) (string, error) {
		switch {
		case strings.HasPrefix(command, "dpkg-query"):
			return installed, errors.New("no packages found matching autossh")
		case strings.HasPrefix(command, "apt-get") && strings.Contains(command, " install "):
			installed += "autossh installed\ngpgv installed\n"
		}
		return "", nil
	}
	for range 2 {
		if err := h.Packages(t.Context(), "nftables", "autossh", "gpgv"); err != nil {
			t.Fatal(err)
		}
	}
	if h.ran("install --no-install-recommends autossh gpgv") != 1 || h.ran(" update") != 1 || h.ran("DPkg::Lock::Timeout") != 2 {
		t.Errorf("commands:\n%s", strings.Join(h.commands, "\n"))
	}
}

func TestOnlyMissingPackagesOfAmazonLinuxAreInstalled(t *testing.T) {
	h := record(t)
	h.runs(t, "amzn")
	done := false
	h.answer = func(command string) (string, error) {
		if strings.HasPrefix(command, "dnf") {
			done = true
		}
		if command == "rpm --query nftables" && !done {
			return "package nftables is not installed", errors.New("exit status 1")
		}
		return "", nil
	}
	if err := h.Packages(t.Context(), "bash", "nftables"); err != nil {
		t.Fatal(err)
	}
	if h.ran("dnf --assumeyes --quiet install nftables") != 1 || h.ran("apt") != 0 {
		t.Errorf("commands:\n%s", strings.Join(h.commands, "\n"))
	}
}

func TestPackagesThatCannotBeFetchedAreNamedWithTheWayOut(t *testing.T) {
	h := record(t)
	h.runs(t, "debian")
	fail := true
	h.answer = func(command string) (string, error) {
		if strings.HasSuffix(command, " update") && fail {
			return "", errors.New("apt-get failed: Temporary failure resolving 'debian.example.org'")
		}
		if strings.HasPrefix(command, "dpkg-query") && !fail {
			return "autossh installed\n", nil
		}
		return "", nil
	}
	err := h.Packages(t.Context(), "autossh")
	if err == nil {
		t.Fatal("it passes")
	}
	for _, part := range []string{"autossh", "drawbridge-host setup", "Temporary failure resolving"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error lacks %q: %v", part, err)
		}
	}
	if h.ran(" update") != packageTries || h.ran(" install ") != 0 {
		t.Errorf("commands:\n%s", strings.Join(h.commands, "\n"))
	}
	fail = false
	if err := h.Packages(t.Context(), "autossh"); err != nil {
		t.Errorf("it does not recover: %v", err)
	}
}

func TestAPackageManagerThatLiesIsNotBelieved(t *testing.T) {
	h := record(t)
	h.runs(t, "debian")
	if err := h.Packages(t.Context(), "autossh"); err == nil {
		t.Error("it passes")
	}
}

func TestUnitsAreStartedAndRestartedOnlyWhereTheyChanged(t *testing.T) {
	h := record(t)
	units := []Unit{
		{Name: "a.timer", Content: "a", Start: []string{"a.timer"}},
		{Name: "b@.service", Content: "b", Start: []string{"b@x.service", "b@y.service"}, NoWait: true},
		{Name: "c.service", Content: "c"},
	}
	steps := []struct {
		change  func()
		changed bool
		want    string
	}{
		{func() {}, true, "systemctl daemon-reload\nsystemctl enable --quiet a.timer\nsystemctl restart a.timer\n" +
			"systemctl enable --quiet b@x.service b@y.service\nsystemctl restart --no-block b@x.service b@y.service"},
		{func() {}, false, "systemctl daemon-reload\nsystemctl enable --quiet a.timer\nsystemctl start a.timer\n" +
			"systemctl enable --quiet b@x.service b@y.service\nsystemctl start --no-block b@x.service b@y.service"},
		{func() { units[0].Content = "A" }, true, "systemctl daemon-reload\nsystemctl enable --quiet a.timer\nsystemctl restart a.timer\n" +
			"systemctl enable --quiet b@x.service b@y.service\nsystemctl start --no-block b@x.service b@y.service"},
		{func() { units[1].Restart = true }, false, "systemctl daemon-reload\nsystemctl enable --quiet a.timer\nsystemctl start a.timer\n" +
			"systemctl enable --quiet b@x.service b@y.service\nsystemctl restart --no-block b@x.service b@y.service"},
	}
	for i, step := range steps {
		step.change()
		h.commands = nil
		h.changed = false
		err := h.Units(t.Context(), units...)
		if changed, got := h.Changed(), strings.Join(h.commands, "\n"); err != nil || changed != step.changed || got != step.want {
			t.Errorf("step %d: changed = %v, %v, commands:\n%s", i, h.Changed(), err, got)
		}
	}
	if content, err := h.Read("/etc/systemd/system/c.service"); err != nil || string(content) != "c" {
		t.Errorf("c.service holds %q, %v", content, err)
	}
}

func TestAUnitThatDoesNotStartDoesNotKeepTheOthersFromIt(t *testing.T) {
	h := record(t)
	h.answer = func(command string) (string, error) {
		if command == "systemctl restart a.service" {
			return "", errors.New("a.service failed")
		}
		return "", nil
	}
	err := h.Units(t.Context(), Unit{Name: "a.service", Start: []string{"a.service"}}, Unit{Name: "b.service", Start: []string{"b.service"}})
	if err == nil || !strings.Contains(err.Error(), "a.service") || h.ran("restart b.service") != 1 {
		t.Errorf("got %v, commands:\n%s", err, strings.Join(h.commands, "\n"))
	}
}

func TestChangedTellsWhetherAnythingWasDone(t *testing.T) {
	h := record(t)
	file := File{Path: "/f", Content: "x", Mode: 0o600}
	if h.Changed() {
		t.Error("a new host has changed")
	}
	if _, err := h.Write(file); err != nil || !h.Changed() {
		t.Errorf("a written file is no change, %v", err)
	}
	again := &Host{Root: h.Root, Run: h.Run, Say: h.Say}
	if _, err := again.Write(file); err != nil || again.Changed() {
		t.Errorf("a file that is there is a change, %v", err)
	}
}
