//go:build linux && root

package machine

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"context"

	"drawbridge/internal/leftover"
)

func TestAMachine(t *testing.T) {
	root := rootOf(t, "bastion")
	network := newNetwork(t)
	const probe = `#!/bin/sh
set -eu
[ "$(id -u)" -ge 61184 ] # systemd's range for dynamic users
echo "credential $(cat "$CREDENTIALS_DIRECTORY/key")"
touch "$RUNTIME_DIRECTORY/mine" /tmp/private
! touch /etc/not-mine 2>/dev/null
! touch /var/not-mine 2>/dev/null
! mkdir "$RUNTIME_DIRECTORY/filtered" 2>/dev/null
echo "variable $PROBE_VARIABLE"
echo "host $(hostname)"
echo all done
`
	m := boot(t, Options{
		Name: "everything", Hostname: "jump", Root: root, Namespace: host(t, network, "everything", "10.0.0.10/24"),
		Hosts:       map[string]string{"database.example.com": "10.0.2.30"},
		Environment: map[string]string{"PROBE_VARIABLE": `a "quoted" 100%n \ $value`},
		Files: map[string]File{
			"/usr/local/bin/probe": {Content: probe, Mode: 0o755},
			"/root/secret":         {Content: "hunter2", Mode: 0o600},
			"/opt/new/folder/file": {Content: "in a new folder"},
			"/etc/systemd/system/probe.service": {Content: `[Service]
Type=oneshot
DynamicUser=yes
LoadCredential=key:/root/secret
RuntimeDirectory=probe
PrivateTmp=yes
ProtectSystem=strict
SystemCallFilter=@system-service
SystemCallFilter=~mkdir mkdirat
SystemCallErrorNumber=EPERM
ExecStart=/usr/local/bin/probe
`},
		},
	})

	t.Run("is in order when it has booted", func(t *testing.T) {
		if got := must(t, m, "systemctl", "is-system-running", "--wait"); got != "running" {
			t.Errorf("%s: %s", got, must(t, m, "systemctl", "--failed", "--no-legend"))
		}
		if got := must(t, m, "systemd-detect-virt", "--container"); got != "container-other" {
			t.Errorf("systemd thinks that it runs on %q, and would set up this machine's devices", got)
		}
		for _, unit := range []string{"ssh.service", "systemd-logind.service", "dbus.service"} {
			must(t, m, "systemctl", "is-active", unit)
		}
	})
	t.Run("runs a hardened unit as a user of its own, with a credential and the environment", func(t *testing.T) {
		_, err := m.Run(t.Context(), nil, "systemctl", "start", "probe.service")
		journal := m.Journal(t.Context(), "probe.service")
		if err != nil {
			t.Fatalf("%v\n%s", err, journal)
		}
		for _, want := range []string{"credential hunter2", `variable a "quoted" 100%n \ $value`, "host jump", "all done"} {
			if !strings.Contains(journal, want) {
				t.Errorf("the journal lacks %q:\n%s", want, journal)
			}
		}
		if got := must(t, m, "ls", "/tmp"); strings.Contains(got, "private\n") {
			t.Errorf("the unit's /tmp is not its own: %s", got)
		}
	})
	t.Run("keeps the mode of files and of the folders around them", func(t *testing.T) {
		for path, want := range map[string]string{
			"/root/secret": "600 root:root", "/root": "700 root:root", "/tmp": "1777 root:root", "/": "755 root:root",
			"/usr/local/bin/probe": "755 root:root", "/opt/new/folder/file": "644 root:root", "/opt/new/folder": "755 root:root",
		} {
			if got := must(t, m, "stat", "-c", "%a %U:%G", path); got != want {
				t.Errorf("%s: %s, want %s", path, got, want)
			}
		}
	})
	t.Run("finds hosts by name", func(t *testing.T) {
		for name, want := range map[string]string{"database.example.com": "10.0.2.30", "jump": "10.0.0.10"} {
			if got := must(t, m, "getent", "ahostsv4", name); !strings.HasPrefix(got, want+" ") {
				t.Errorf("%s: %q", name, got)
			}
		}
		if _, err := m.Run(t.Context(), nil, "getent", "hosts", "elsewhere.example.com"); err == nil {
			t.Error("it finds a name that nobody gave it")
		}
	})
	t.Run("gives a program its input and its environment", func(t *testing.T) {
		out, err := m.Run(t.Context(), strings.NewReader("in"), "sh", "-c", `cat; echo " $PROBE_VARIABLE"`)
		if want := "in a \"quoted\" 100%n \\ $value\n"; out != want || err != nil {
			t.Errorf("%q, %v", out, err)
		}
	})
	t.Run("says what a program that fails said last, and its status", func(t *testing.T) {
		out, err := m.Run(t.Context(), nil, "sh", "-c", "echo data; echo what is wrong >&2; exit 7")
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 7 || out != "data\n" || err.Error() != "sh on everything: exit status 7: what is wrong" {
			t.Errorf("%q, %v", out, err)
		}
		if _, err := m.Run(t.Context(), nil, "no-such-program"); err == nil || !strings.Contains(err.Error(), "no-such-program") {
			t.Errorf("%v", err)
		}
	})
	t.Run("ends a program whose context ends", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := m.Run(ctx, nil, "sleep", "1234"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		eventually(t, "the program is gone", func() bool {
			_, err := m.Run(t.Context(), nil, "pgrep", "--full", "^sleep 1234")
			return err != nil
		})
	})
	t.Run("shows its files at a path", func(t *testing.T) {
		if text, err := os.ReadFile(m.Path("/etc/hostname")); string(text) != "jump\n" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
	})
	t.Run("cannot change this machine's clock and kernel settings", func(t *testing.T) {
		for _, script := range []string{"date --set=2001-01-01", "echo 1 >/proc/sys/vm/swappiness", "touch /sys/kernel/mm/x"} {
			if _, err := m.Run(t.Context(), nil, "systemd-run", "--quiet", "--pipe", "--wait", "sh", "-c", script); err == nil {
				t.Errorf("it can: %s", script)
			}
		}
	})
	t.Run("leaves its root as it was", func(t *testing.T) {
		must(t, m, "sh", "-c", "echo changed >/etc/issue; rm /etc/debian_version")
		if text, err := os.ReadFile(filepath.Join(root, "etc/issue")); string(text) == "changed\n" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
		if _, err := os.Stat(filepath.Join(root, "etc/debian_version")); err != nil {
			t.Error(err)
		}
	})
	t.Run("filters with nftables what leaves it, by user", func(t *testing.T) {
		listener, err := network.Router().Listen("tcp", MetadataAddress+":80")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close() //nolint:errcheck // the test is over
		connect := func(user string) error {
			_, err := m.Run(t.Context(), nil, "setpriv", "--reuid", user, "--clear-groups", "python3", "-c",
				"import socket; socket.create_connection(('"+MetadataAddress+"', 80), 5)")
			return err
		}
		if err := errors.Join(connect("0"), connect("65534")); err != nil {
			t.Fatal(err)
		}
		rules := "table inet guard { chain output { type filter hook output priority 0; ip daddr " + MetadataAddress +
			" meta skuid != 0 reject; }; }\n"
		if _, err := m.Run(t.Context(), strings.NewReader(rules), "nft", "-f", "-"); err != nil {
			t.Fatal(err)
		}
		if err := connect("0"); err != nil {
			t.Errorf("root: %v", err)
		}
		if err := connect("65534"); err == nil || !strings.Contains(err.Error(), "ConnectionRefusedError") {
			t.Errorf("nobody: %v", err)
		}
	})
}

func TestAMachineThatRebootsKeepsItsDiskAndLosesRun(t *testing.T) {
	m := boot(t, Options{Name: "again", Root: rootOf(t, "tunnel"), Namespace: host(t, newNetwork(t), "again", "10.0.0.10/24"),
		Files: map[string]File{"/etc/first": {Content: "first"}}})
	id := must(t, m, "cat", "/etc/machine-id")
	for _, restart := range []struct {
		by string
		do func() error
	}{
		{"this process", func() error { return m.Reboot(t.Context()) }},
		{"itself", func() error {
			must(t, m, "systemd-run", "sh", "-c", "sleep 1; systemctl reboot")
			return m.AwaitReboot(t.Context())
		}},
	} {
		t.Run("by "+restart.by, func(t *testing.T) {
			must(t, m, "sh", "-c", "echo kept >/var/lib/kept; echo lost >/run/lost; echo lost >/tmp/lost; rm -f /etc/first")
			pid := m.pid
			if err := restart.do(); err != nil {
				t.Fatal(err)
			}
			if m.pid == pid {
				t.Error("it has not restarted")
			}
			if got := must(t, m, "cat", "/var/lib/kept"); got != "kept" {
				t.Errorf("%q", got)
			}
			for _, path := range []string{"/run/lost", "/tmp/lost", "/etc/first"} {
				if _, err := m.Run(t.Context(), nil, "test", "-e", path); err == nil {
					t.Errorf("%s is there again", path)
				}
			}
			if got := must(t, m, "cat", "/etc/machine-id"); got != id || len(id) != 32 {
				t.Errorf("the machine's ID was %q and is %q", id, got)
			}
			if got := must(t, m, "systemctl", "is-system-running", "--wait"); got != "running" {
				t.Error(got)
			}
		})
	}
}

func TestUserDataRunsAtTheFirstBootAlone(t *testing.T) {
	m := boot(t, Options{Name: "cloud", Root: rootOf(t, "tunnel"), Namespace: host(t, newNetwork(t), "cloud", "10.0.0.10/24"),
		Environment: map[string]string{"AWS_ENDPOINT_URL": "http://" + RouterAddress + ":4566"},
		UserData:    "#!/bin/bash\necho \"ran as $(id -un) on $(hostname) for $AWS_ENDPOINT_URL\" >>/var/log/ran\n"})
	const want = "ran as root on cloud for http://" + RouterAddress + ":4566"
	for _, when := range []string{"the first boot", "the second"} {
		must(t, m, "cloud-init", "status", "--wait")
		if got := must(t, m, "cat", "/var/log/ran"); got != want {
			t.Errorf("after %s: %q", when, got)
		}
		if got := must(t, m, "systemctl", "is-system-running", "--wait"); got != "running" {
			t.Errorf("after %s: %s", when, got)
		}
		if when == "the first boot" {
			if err := m.Reboot(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	network := newNetwork(t)
	m := boot(t, Options{Name: "closed", Root: rootOf(t, "tunnel"), Namespace: host(t, network, "closed", "10.0.0.10/24")})
	sleep := m.Command(t.Context(), "sleep", "600")
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	part := filepath.Base(m.folder)
	if found := traces(t, part); len(found) < 5 {
		t.Fatalf("the test sees too little of a machine: %q", found)
	}
	for range 2 { // twice does no harm
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
	_ = sleep.Wait() // killed
	if found := traces(t, part); len(found) > 0 {
		t.Errorf("the machine left %q", found)
	}

	daemon := network.hosts[0].Command(t.Context(), "sh", "-c", "setsid sleep 600 & setsid sleep 600 &")
	if err := daemon.Run(); err != nil {
		t.Fatal(err)
	}
	part = network.hosts[0].name
	if out, err := exec.Command("ip", "netns", "pids", part).Output(); err != nil || strings.Count(string(out), "\n") != 2 {
		t.Fatalf("%q, %v", out, err)
	}
	inode := namespaceInode(t, network.hosts[0].path())
	for range 2 {
		if err := network.Close(); err != nil {
			t.Error(err)
		}
	}
	if found := append(traces(t, part), traces(t, network.router.name)...); len(found) > 0 {
		t.Errorf("the network left %q", found)
	}
	if pids := inNamespace(t, inode); len(pids) > 0 {
		t.Errorf("the network left processes %q", pids)
	}
}

func TestWhatCannotBootSaysWhyAndLeavesNothing(t *testing.T) {
	root := rootOf(t, "tunnel")
	network := newNetwork(t)
	namespace := host(t, network, "bad", "10.0.0.10/24")
	before := traces(t, leftover.Prefix+"bad-") // the namespace
	empty := t.TempDir()
	half := t.TempDir() // looks like a root, and has nothing to run
	if err := os.MkdirAll(filepath.Join(half, "lib/systemd"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(half, "lib/systemd/systemd"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		options Options
		want    string
	}{
		"no name":               {Options{Root: root, Namespace: namespace}, "is not the name of a host"},
		"a name with a slash":   {Options{Name: "a/b", Root: root, Namespace: namespace}, "is not the name of a host"},
		"no namespace":          {Options{Name: "bad", Root: root}, "needs a namespace"},
		"no root":               {Options{Name: "bad", Root: empty, Namespace: namespace}, "no root file system with systemd"},
		"a root without tools":  {Options{Name: "bad", Root: half, Namespace: namespace}, "could not be started from"},
		"a file without a path": {Options{Name: "bad", Root: root, Namespace: namespace, Files: map[string]File{"etc/x": {}}}, "absolute path"},
		"a file above the root": {Options{Name: "bad", Root: root, Namespace: namespace, Files: map[string]File{"/../x": {}}}, "absolute path"},
		"a line break in the environment": {Options{Name: "bad", Root: root, Namespace: namespace,
			Environment: map[string]string{"A": "b\nDefaultTimeoutStartSec=1"}}, "cannot be given to services"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := Boot(t.Context(), tc.options)
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error lacks %q or is longer than a line: %v", tc.want, err)
			}
			if err == nil {
				_ = m.Close()
			}
			if found := traces(t, leftover.Prefix+"bad-"); !slices.Equal(found, before) {
				t.Errorf("it left %q", found)
			}
		})
	}
	t.Run("a unit that never ends, within the time given", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		_, err := Boot(ctx, Options{Name: "bad", Root: root, Namespace: namespace, Files: map[string]File{
			"/etc/systemd/system/stuck.service":                  {Content: "[Service]\nType=oneshot\nExecStart=sleep infinity\n"},
			"/etc/systemd/system/multi-user.target.d/stuck.conf": {Content: "[Unit]\nRequires=stuck.service\nAfter=stuck.service\n"},
		}})
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "stuck.service") {
			t.Error(err)
		}
		if found := traces(t, leftover.Prefix+"bad-"); !slices.Equal(found, before) {
			t.Errorf("it left %q", found)
		}
	})
}
