package administrators

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"drawbridge/host/bastion/sshd"
)

// settled fails unless another run has nothing to do.
func (m *machine) settled() {
	m.t.Helper()
	m.mustSync()
	if len(m.ran) > 0 || len(m.said) > 0 {
		m.t.Errorf("another run ran %q and said %q", m.ran, m.said)
	}
}

// wants fails unless the account has the form.
func (m *machine) wants(name string, f form) {
	m.t.Helper()
	if a := m.account(name); !a.ours() || !a.has(f) {
		m.t.Errorf("%s is %+v, want %+v", name, a, f)
	}
}

func (m *machine) saidWith(part string) bool {
	return slices.ContainsFunc(m.said, func(s string) bool { return strings.Contains(s, part) })
}

func TestUpdate(t *testing.T) {
	start := func(t *testing.T) *machine {
		t.Helper()
		m := newMachine(t)
		m.store.values["malia"] = administrator("malia", "shell", key(1), key(2))
		m.store.values["sam"] = administrator("sam", "tunnel", key(3))
		m.mustSync()
		m.process(501, m.account("malia").uid)
		m.process(502, m.account("sam").uid)
		m.process(1, 0)
		return m
	}

	t.Run("gives each person an account, and a home folder to those with a shell", func(t *testing.T) {
		m := start(t)
		m.wants("malia", formOf(shell))
		m.wants("sam", formOf(tunnelOnly))
		m.folder("/home/malia")
		m.lacks("/home/sam")
		m.settled()
	})
	t.Run("reads all pages", func(t *testing.T) {
		m := newMachine(t)
		for n := range 25 {
			name := fmt.Sprintf("person-%d", n)
			m.store.values[name] = administrator(name, "shell", key(byte(n)))
		}
		m.mustSync()
		if m.store.calls != 3 {
			t.Errorf("%d calls, want 3", m.store.calls)
		}
		for name := range m.store.values {
			m.wants(name, formOf(shell))
			if m.keys(name) == "" {
				t.Errorf("%s has no key", name)
			}
		}
	})
	t.Run("changes nothing when Parameter Store does not give a whole answer", func(t *testing.T) {
		for _, fail := range []error{errors.New("no route to host"), &smithy.GenericAPIError{Code: "AccessDeniedException"},
			&smithy.GenericAPIError{Code: "ThrottlingException"}} {
			m := newMachine(t)
			for n := range 12 {
				name := fmt.Sprintf("person-%02d", n)
				m.store.values[name] = administrator(name, "shell", key(byte(n)))
			}
			m.mustSync()
			before := m.read(CacheFile)
			m.store.fail = fail // after the first page
			delete(m.store.values, "person-00")
			m.now = m.now.Add(time.Minute)
			err := m.sync()
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "nothing was changed") {
				t.Errorf("error %v", err)
			}
			if len(m.ran) > 0 || m.read(CacheFile) != before {
				t.Errorf("it ran %q", m.ran)
			}
		}
	})
	t.Run("disables who is not listed any more, ends their sessions and keeps the account", func(t *testing.T) {
		m := start(t)
		uid := m.account("malia").uid
		delete(m.store.values, "malia")
		m.mustSync()
		m.wants("malia", disabled)
		if m.account("malia").uid != uid {
			t.Error("the account has another number")
		}
		if m.keys("malia") != "" || !slices.Equal(m.alive(), []string{"1", "502"}) {
			t.Errorf("keys %q, processes %q", m.keys("malia"), m.alive())
		}
		m.settled()

		t.Run("and lets the same person back in", func(t *testing.T) {
			m.store.values["malia"] = administrator("malia", "shell", key(1))
			m.mustSync()
			m.wants("malia", formOf(shell))
			if m.account("malia").uid != uid {
				t.Error("the account has another number")
			}
			m.settled()
		})
	})
	t.Run("ends a session that a removed person began while the run was under way", func(t *testing.T) {
		m := start(t)
		delete(m.store.values, "malia")
		m.mustSync()
		m.process(601, m.account("malia").uid)
		m.mustSync()
		if slices.Contains(m.alive(), "601") {
			t.Error("the session goes on")
		}
	})
	t.Run("takes everybody's access when nobody is listed", func(t *testing.T) {
		m := start(t)
		m.store.values = nil
		m.mustSync()
		m.wants("malia", disabled)
		m.wants("sam", disabled)
		if !slices.Equal(m.alive(), []string{"1"}) {
			t.Errorf("processes %q", m.alive())
		}
	})

	sessions := map[string]struct {
		value string
		ends  bool
	}{
		"a key that is added leaves sessions alone":      {administrator("malia", "shell", key(1), key(2), key(4)), false},
		"keys in another order leave sessions alone":     {administrator("malia", "shell", key(2), key(1)), false},
		"a key that is removed ends sessions":            {administrator("malia", "shell", key(2)), true},
		"a key that is replaced ends sessions":           {administrator("malia", "shell", key(1), key(5)), true},
		"access that is lowered ends sessions":           {administrator("malia", "tunnel", key(1), key(2)), true},
		"a parameter that is broken ends sessions":       {"{", true},
		"a parameter that is not text ends its sessions": {"", true},
	}
	for name, test := range sessions {
		t.Run(name, func(t *testing.T) {
			m := start(t)
			m.store.values["malia"] = test.value
			m.mustSync()
			if ended := !slices.Contains(m.alive(), "501"); ended != test.ends {
				t.Errorf("ended: %v", ended)
			}
			if !slices.Contains(m.alive(), "502") || !slices.Contains(m.alive(), "1") {
				t.Errorf("another's session ended: %q", m.alive())
			}
			m.process(501, m.account("malia").uid)
			m.settledSessions(test.ends && test.value != "{" && test.value != "")
		})
	}
	t.Run("access that is raised leaves sessions alone, and gives a home", func(t *testing.T) {
		m := start(t)
		m.store.values["sam"] = administrator("sam", "shell", key(3))
		m.mustSync()
		m.wants("sam", formOf(shell))
		m.folder("/home/sam")
		if !slices.Contains(m.alive(), "502") {
			t.Error("the session ended")
		}
	})
	t.Run("waits for log-ins that are under way before it ends sessions", func(t *testing.T) {
		m := start(t)
		m.store.values["malia"] = administrator("malia", "shell", key(2))
		m.mustSync()
		if len(m.pauses) == 0 || m.pauses[0] != settle {
			t.Errorf("it paused %v", m.pauses)
		}
	})
	t.Run("says when a session does not end, and tries again", func(t *testing.T) {
		m := start(t)
		m.store.values["malia"] = administrator("malia", "shell", key(2))
		m.immune[m.account("malia").uid] = true
		for range 2 {
			if err := m.sync(); err == nil || !strings.Contains(err.Error(), "the sessions of malia could not be ended") {
				t.Fatalf("error %v", err)
			}
		}
		delete(m.immune, m.account("malia").uid)
		m.mustSync()
		if slices.Contains(m.alive(), "501") {
			t.Error("the session goes on")
		}
		m.settled()
	})
	t.Run("kills again what starts anew", func(t *testing.T) {
		m := start(t)
		uid := m.account("malia").uid
		delete(m.store.values, "malia")
		m.immune[uid] = true
		kills := 0
		m.before = func(name string) {
			if name == "pkill" {
				if kills++; kills > 4 {
					delete(m.immune, uid)
				}
			}
		}
		m.mustSync()
		if slices.Contains(m.alive(), "501") {
			t.Error("the session goes on")
		}
	})
	t.Run("does not take the dead for sessions", func(t *testing.T) {
		m := start(t)
		m.write("/proc/501/status", strings.Replace(m.read("/proc/501/status"), "S (sleeping)", "Z (zombie)", 1))
		delete(m.store.values, "malia")
		m.mustSync()
		for _, command := range m.ran {
			if strings.HasPrefix(command, "pkill") {
				t.Errorf("it ran %s", command)
			}
		}
	})
	t.Run("ends the sessions of all whose rights nobody remembers", func(t *testing.T) {
		for name, spoil := range map[string]func(m *machine){
			"the cache is gone": func(m *machine) {
				_ = os.Remove(m.host.Path(CacheFile))
				_ = os.Remove(m.host.Path(keptFile))
			},
			"the cache is damaged": func(m *machine) { m.write(CacheFile, "{") },
		} {
			m := start(t)
			spoil(m)
			m.mustSync()
			if !slices.Equal(m.alive(), []string{"1"}) {
				t.Errorf("%s: processes %q", name, m.alive())
			}
			m.settled()
		}
	})
	t.Run("puts an account right that somebody has changed", func(t *testing.T) {
		for name, change := range map[string]func(m *machine){
			"another shell": func(m *machine) { m.write("/etc/passwd", field(m.read("/etc/passwd"), "sam", 6, "/bin/bash")) },
			"a password":    func(m *machine) { m.write("/etc/shadow", field(m.read("/etc/shadow"), "sam", 1, "$y$j9T$x")) },
			"an end":        func(m *machine) { m.write("/etc/shadow", field(m.read("/etc/shadow"), "sam", 7, "1")) },
			"another group": func(m *machine) { m.write("/etc/group", field(m.read("/etc/group"), "wheel", 3, "ec2-user,sam")) },
			"both our groups": func(m *machine) {
				m.write("/etc/group", field(m.read("/etc/group"), "drawbridge-shell", 3, "malia,sam"))
			},
			"none of our's": func(m *machine) { m.write("/etc/group", field(m.read("/etc/group"), "drawbridge-tunnel", 3, "")) },
		} {
			t.Run(name, func(t *testing.T) {
				m := start(t)
				change(m)
				m.mustSync()
				m.wants("sam", formOf(tunnelOnly))
				m.wants("malia", formOf(shell))
				m.settled()
			})
		}
	})
}

// settledSessions does another run and fails when it ends sessions of people who may have them.
func (m *machine) settledSessions(mayStay bool) {
	m.t.Helper()
	m.mustSync()
	if mayStay && !slices.Contains(m.alive(), "501") {
		m.t.Error("a session that began after the change was ended too")
	}
}

func TestUpdateRefuses(t *testing.T) {
	refused := map[string]struct {
		name    string
		prepare func(m *machine)
		want    string
	}{
		"the name of a system account":            {"ec2-user", func(*machine) {}, "account or group of the system"},
		"the name of root":                        {"root", func(*machine) {}, "account or group of the system"},
		"the name of our own system user":         {"drawbridge-keys", func(*machine) {}, "account or group of the system"},
		"the name of a group":                     {"wheel", func(*machine) {}, "account or group of the system"},
		"the name of our own group":               {"drawbridge-shell", func(*machine) {}, "account or group of the system"},
		"the name that Session Manager will want": {"ssm-user", func(*machine) {}, "account or group of the system"},
		"the name of somebody else's account": {"daemon3", func(m *machine) {
			m.write("/etc/passwd", m.read("/etc/passwd")+"daemon3:x:1005:1005::/home/daemon3:/bin/sh\n")
		}, "an account of that name"},
		"the name of somebody else's group": {"builders", func(m *machine) { m.write("/etc/group", m.read("/etc/group")+"builders:x:1006:\n") }, "a group of that name"},
		"a name whose home is there":        {"kim", func(m *machine) { m.mkdir("/home/kim") }, "/home/kim is on the jump server"},
		"a name whose home is a link":       {"kim", func(m *machine) { link(m, "/etc", "/home/kim") }, "/home/kim is on the jump server"},
		"a name whose home leads nowhere":   {"kim", func(m *machine) { link(m, "/nowhere", "/home/kim") }, "/home/kim is on the jump server"},
		"a name with a marked system user": {"daemon2", func(m *machine) {
			m.write("/etc/passwd", m.read("/etc/passwd")+"daemon2:x:2:2:"+mark+":/home/daemon2:/bin/sh\n")
		}, "an account of that name"},
		"a name with a marked home elsewhere": {"kim", func(m *machine) {
			m.write("/etc/passwd", m.read("/etc/passwd")+"kim:x:1005:1005:"+mark+":/root:/bin/sh\n")
		}, "an account of that name"},
		"a value that is wrong": {"kim", func(m *machine) { m.store.values["kim"] = "{" }, "gives nobody access"},
		"a value that is encrypted": {"kim", func(m *machine) {
			m.store.types = map[string]types.ParameterType{"kim": types.ParameterTypeSecureString}
		}, "not of the type String"},
	}
	for name, test := range refused {
		t.Run(name+", and lets the others in", func(t *testing.T) {
			m := newMachine(t)
			m.store.values[test.name] = administrator(test.name, "shell", key(1))
			m.store.values["malia"] = administrator("malia", "shell", key(2))
			test.prepare(m)
			passwd := m.read("/etc/passwd")
			m.mustSync()
			if !m.saidWith(test.want) {
				t.Errorf("it said %q, which lacks %q", m.said, test.want)
			}
			if m.keys(test.name) != "" {
				t.Error("the person has a key")
			}
			if !strings.HasPrefix(m.read("/etc/passwd"), passwd) || strings.Count(m.read("/etc/passwd"), "\n") != strings.Count(passwd, "\n")+1 {
				t.Errorf("/etc/passwd is\n%s", m.read("/etc/passwd"))
			}
			m.wants("malia", formOf(shell))
			if m.keys("malia") == "" {
				t.Error("malia has no key")
			}
			m.settled() // and says nothing a second time
		})
	}
	t.Run("a home that has become a link since", func(t *testing.T) {
		m := newMachine(t)
		m.store.values["kim"] = administrator("kim", "shell", key(1))
		m.mustSync()
		if err := os.Remove(m.host.Path("/home/kim")); err != nil {
			t.Fatal(err)
		}
		link(m, "/etc", "/home/kim")
		m.mustSync()
		m.wants("kim", disabled)
		if m.keys("kim") != "" || !m.saidWith("is not a folder") {
			t.Errorf("keys %q, said %q", m.keys("kim"), m.said)
		}
	})
	t.Run("strangers in our groups", func(t *testing.T) {
		m := newMachine(t)
		m.write("/etc/group", field(field(m.read("/etc/group"), sshd.ShellGroup, 3, "ec2-user,ghost"), sshd.TunnelGroup, 3, "root"))
		passwd := m.read("/etc/passwd")
		m.process(700, 1000)
		m.mustSync()
		for _, group := range []string{sshd.ShellGroup, sshd.TunnelGroup} {
			if s, _ := readSystem(m.host); len(s.groups[group]) > 0 {
				t.Errorf("%s still has %q", group, s.groups[group])
			}
		}
		if m.read("/etc/passwd") != passwd || !slices.Equal(m.account("ec2-user").groups, []string{"adm", "wheel"}) || len(m.alive()) != 1 {
			t.Error("their accounts were touched")
		}
	})
	t.Run("nobody because of a key that two people have, but says so", func(t *testing.T) {
		m := newMachine(t)
		m.store.values["kim"] = administrator("kim", "shell", key(1), key(1))
		m.store.values["lee"] = administrator("lee", "tunnel", key(1))
		m.mustSync()
		if m.keys("kim") == "" || m.keys("lee") == "" || !m.saidWith("kim and lee have the same key") {
			t.Errorf("said %q", m.said)
		}
	})
}

func link(m *machine, to, from string) {
	if err := os.Symlink(to, m.host.Path(from)); err != nil {
		m.t.Fatal(err)
	}
}
