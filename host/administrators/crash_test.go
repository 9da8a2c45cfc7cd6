package administrators

import (
	"context"
	"drawbridge/host/install"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"drawbridge/host/bastion/sshd"
)

// crash does a run that ends before the nth command, or before the nth time the file was written. It reports whether it
// came that far.
func (m *machine) crash(n int) (crashed bool) {
	m.t.Helper()
	commands := 0
	m.before = func(string) {
		if commands++; commands > n {
			panic("crash")
		}
	}
	defer func() {
		m.before = nil
		if r := recover(); r != nil {
			if r != "crash" {
				panic(r)
			}
			crashed = true
		}
	}()
	m.mustSync()
	return false
}

// allowed is what a person's account and keys together let them do: the lesser of both.
func (m *machine) allowed(name string) access {
	m.t.Helper()
	lines := m.keys(name)
	a := m.account(name)
	switch {
	case lines == "" || a.expires != "" || len(a.groups) == 0:
		return ""
	case strings.Contains(lines, ",pty ") && slices.Equal(a.groups, []string{sshd.ShellGroup}):
		return shell
	}
	return tunnelOnly
}

func TestARunThatIsCutShortAnywhereLetsNobodyInHalfWayAndTheNextOneFinishes(t *testing.T) {
	for n := range 40 {
		m := newMachine(t)
		m.store.values["leaves"] = administrator("leaves", "shell", key(1))
		m.store.values["lowered"] = administrator("lowered", "shell", key(2))
		m.store.values["raised"] = administrator("raised", "tunnel", key(3))
		m.store.values["rekeyed"] = administrator("rekeyed", "shell", key(4), key(5))
		m.mustSync()
		for i, name := range []string{"leaves", "lowered", "raised", "rekeyed"} {
			m.process(500+i, m.account(name).uid)
		}
		m.store.values["lowered"] = administrator("lowered", "tunnel", key(2))
		m.store.values["raised"] = administrator("raised", "shell", key(3))
		m.store.values["rekeyed"] = administrator("rekeyed", "shell", key(5))
		m.store.values["joins"] = administrator("joins", "tunnel", key(6))
		delete(m.store.values, "leaves")

		crashed := m.crash(n)
		if m.allowed("leaves") != "" || strings.Contains(m.keys("rekeyed"), key(4)) {
			t.Errorf("cut short before command %d: what was taken away is still there", n+1)
		}
		if got := m.allowed("lowered"); got == shell {
			t.Errorf("cut short before command %d: lowered may have a shell", n+1)
		}
		if got := m.allowed("joins"); got != "" && got != tunnelOnly {
			t.Errorf("cut short before command %d: joins may %q", n+1, got)
		}
		if m.allowed("raised") == "" || m.allowed("rekeyed") == "" {
			t.Errorf("cut short before command %d: somebody is locked out", n+1)
		}

		m.mustSync()
		for name, want := range map[string]access{"leaves": "", "lowered": tunnelOnly, "raised": shell, "rekeyed": shell, "joins": tunnelOnly} {
			if got := m.allowed(name); got != want {
				t.Errorf("cut short before command %d: %s may %q in the end, not %q", n+1, name, got, want)
			}
		}
		if !slices.Equal(m.alive(), []string{"502"}) {
			t.Errorf("cut short before command %d: processes %q, want that of raised alone", n+1, m.alive())
		}
		m.folder("/home/raised")
		m.settled()
		if !crashed {
			if n < 8 {
				t.Errorf("a run has only %d commands", n)
			}
			return
		}
	}
	t.Error("a run does not end")
}

func TestACommandThatFailsDoesNotHoldUpTheOthers(t *testing.T) {
	failed := errors.New("useradd failed (exit status 1): cannot lock /etc/passwd; try again later")
	for name, broken := range map[string]string{
		"an account cannot be made":     "useradd kim",
		"an account cannot be disabled": "usermod malia",
		"a home cannot be made":         "mkhomedir_helper 0077",
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.store.values["malia"] = administrator("malia", "shell", key(1))
			m.mustSync()
			m.process(501, m.account("malia").uid)
			delete(m.store.values, "malia")
			m.store.values["kim"] = administrator("kim", "shell", key(2))
			m.store.values["lee"] = administrator("lee", "shell", key(3))
			m.broken[broken] = failed
			if err := m.sync(); !errors.Is(err, failed) {
				t.Fatalf("error %v", err)
			}
			if m.allowed("malia") != "" || m.allowed("lee") != shell || len(m.alive()) > 0 {
				t.Errorf("malia may %q, lee %q, processes %q", m.allowed("malia"), m.allowed("lee"), m.alive())
			}
			delete(m.broken, broken)
			m.mustSync()
			m.wants("kim", formOf(shell))
			m.wants("malia", disabled)
			m.folder("/home/kim")
			m.settled()
		})
	}
}

func TestACacheThatCannotBeWrittenTakesAccessButGivesNone(t *testing.T) {
	m := newMachine(t)
	m.store.values["malia"] = administrator("malia", "shell", key(1))
	m.mustSync()
	delete(m.store.values, "malia")
	m.store.values["kim"] = administrator("kim", "shell", key(2))
	if err := os.Remove(m.host.Path(CacheFile)); err != nil {
		t.Fatal(err)
	}
	m.mkdir(CacheFile + "/in/the/way")
	if err := m.sync(); err == nil {
		t.Fatal("no error")
	}
	m.wants("malia", disabled)
	if a := m.account("kim"); a.name != "" {
		t.Errorf("kim is %+v", a)
	}
}

func TestAccountsThatCannotBeReadAreNotChanged(t *testing.T) {
	for _, file := range []string{"/etc/passwd", "/etc/shadow", "/etc/group"} {
		m := newMachine(t)
		m.store.values["malia"] = administrator("malia", "shell", key(1))
		if err := os.Remove(m.host.Path(file)); err != nil {
			t.Fatal(err)
		}
		if err := m.sync(); err == nil || !strings.Contains(err.Error(), file) || len(m.ran) > 0 {
			t.Errorf("without %s it ran %q, error %v", file, m.ran, err)
		}
		m.lacks(CacheFile)
	}
}

func TestRunsFollowOneAnother(t *testing.T) {
	m := newMachine(t)
	m.store.values["malia"] = administrator("malia", "shell", key(1))
	var both sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		both.Go(func() {
			r := &run{host: m.host, path: path, client: m.store, now: func() time.Time { return m.now }, pause: install.Pause}
			errs[i] = r.update(context.Background())
		})
	}
	both.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(fmt.Sprint(m.ran), "useradd"); n != 1 {
		t.Errorf("useradd ran %d times", n)
	}
	m.settled()
}

func TestARunDoesNotWaitForAnotherOneForEver(t *testing.T) {
	m := newMachine(t)
	unlock, err := lock(context.Background(), m.host)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := lock(ctx, m.host); err == nil || !strings.Contains(err.Error(), lockFile) {
		t.Errorf("error %v", err)
	}
}

func TestTheCacheCanBeReachedWhateverTheUmask(t *testing.T) {
	for _, folder := range []string{"/run/drawbridge", "/var/lib/drawbridge"} {
		m := newMachine(t)
		m.mkdir(folder)
		if err := os.Chmod(m.host.Path(folder), 0o700); err != nil {
			t.Fatal(err)
		}
		m.mustSync()
		info, err := os.Stat(m.host.Path(folder))
		if err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("mode %v, error %v", info.Mode(), err)
		}
	}
}

func TestAFullDiskKeepsNobodyIn(t *testing.T) {
	m := newMachine(t)
	m.store.values["malia"] = administrator("malia", "shell", key(1))
	m.store.values["kim"] = administrator("kim", "shell", key(2))
	m.mustSync()
	delete(m.store.values, "malia")
	if err := os.Remove(m.host.Path(keptFile)); err != nil {
		t.Fatal(err)
	}
	m.mkdir(keptFile + "/in/the/way") // memory can still be written
	m.mustSync()
	if m.keys("malia") != "" || m.keys("kim") == "" {
		t.Errorf("malia has the keys %q, kim %q", m.keys("malia"), m.keys("kim"))
	}
	if !m.saidWith("would not outlive a reboot") {
		t.Errorf("it said %q", m.said)
	}
}

func TestAfterARebootTheCopyOfTheCacheIsBelieved(t *testing.T) {
	m := newMachine(t)
	m.store.values["malia"] = administrator("malia", "shell", key(1))
	m.mustSync()
	want := m.keys("malia")
	if err := os.RemoveAll(m.host.Path("/run/drawbridge")); err != nil {
		t.Fatal(err)
	}
	if got := m.keys("malia"); got != want || got == "" {
		t.Errorf("malia has the keys %q, want %q", got, want)
	}
	m.mustSync()
	m.settled()
}
