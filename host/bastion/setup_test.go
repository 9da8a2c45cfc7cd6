package bastion

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	"golang.org/x/crypto/ssh"

	"drawbridge/host/bastion/sshd"
	"drawbridge/host/install"
	"drawbridge/host/mysqlsession"
	"drawbridge/host/settings"
	"drawbridge/internal/loopbacktls"
	"drawbridge/internal/rdsca"
)

// at is where the first step that begins so stands.
func (m *machine) at(start string) int {
	m.t.Helper()
	i := slices.IndexFunc(m.steps, func(step string) bool { return strings.HasPrefix(step, start) })
	if i < 0 {
		m.t.Errorf("%q was not done, but %q", start, m.steps)
	}
	return i
}

func (m *machine) mustSetup() {
	m.t.Helper()
	m.steps = nil
	if err := m.setup.run(context.Background()); err != nil {
		m.t.Fatal(err)
	}
}

func TestSetup(t *testing.T) {
	t.Run("lets sshd change only when everything that it will ask for is there", func(t *testing.T) {
		m := newMachine(t)
		m.mustSetup()
		order := []string{"dnf --assumeyes --quiet install mariadb105", "dnf -y remove ec2-instance-connect", "systemd-sysusers /etc/sysusers.d/drawbridge.conf",
			"visudo --check", "update", "runuser --user drawbridge-keys -- /opt/drawbridge/drawbridge-host authorized-keys drawbridge-keys",
			"/usr/sbin/sshd -T -f /run/drawbridge/sshd_config", "/usr/sbin/sshd -T -f /etc/ssh/sshd_config", "systemctl daemon-reload",
			"systemctl restart sshd.service", "systemctl show", "systemctl enable --quiet drawbridge-administrators.timer"}
		for i := range order[1:] {
			if m.at(order[i]) >= m.at(order[i+1]) {
				t.Errorf("%q comes before %q", order[i+1], order[i])
			}
		}
		for _, account := range []string{"malia", "sam"} {
			for _, file := range []string{"/run/drawbridge/sshd_config", "/etc/ssh/sshd_config"} {
				m.at("/usr/sbin/sshd -T -f " + file + " -C user=" + account + ",")
			}
		}
	})
	t.Run("writes its files with the modes that they need", func(t *testing.T) {
		m := newMachine(t)
		m.mustSetup()
		for file, mode := range map[string]fs.FileMode{
			sshd.HostKeyFile: 0o600, sshd.ConfigFile: 0o600, sudoersPath: 0o440, mysqlsession.CAFile: 0o644,
			"/usr/local/bin/drawbridge-mysql": 0o755, "/etc/sysusers.d/drawbridge.conf": 0o644,
			"/etc/systemd/system/drawbridge-administrators.service": 0o644, "/etc/systemd/system/drawbridge-administrators.timer": 0o644,
		} {
			if info, err := os.Stat(m.path(file)); err != nil || info.Mode() != mode {
				t.Errorf("%s: %v, error %v, want %v", file, info, err, mode)
			}
		}
		if left, _ := os.ReadDir(m.path("/run/drawbridge")); len(left) > 0 {
			t.Errorf("%v is left", left)
		}
		if key, err := ssh.ParsePrivateKey([]byte(m.read(sshd.HostKeyFile))); err != nil || key.PublicKey().Type() != ssh.KeyAlgoED25519 {
			t.Errorf("the host key cannot be read: %v", err)
		}
	})
	t.Run("can be done again, and changes nothing", func(t *testing.T) {
		m := newMachine(t)
		m.mustSetup()
		before := m.files()
		m.mustSetup()
		if after := m.files(); after != before {
			t.Errorf("the files changed:\n%s\n%s", before, after)
		}
		for _, step := range m.steps {
			if strings.HasPrefix(step, "dnf") || strings.HasPrefix(step, "systemctl restart drawbridge") {
				t.Errorf("it ran %q again", step)
			}
		}
		m.at("systemctl restart sshd.service")
	})
	t.Run("installs nothing on Debian", func(t *testing.T) {
		m := newMachine(t)
		m.write("/etc/os-release", "ID=debian\n")
		m.mustSetup()
		for _, step := range m.steps {
			if strings.HasPrefix(step, "dnf") || strings.HasPrefix(step, "rpm") || strings.HasPrefix(step, "apt") {
				t.Errorf("it ran %q", step)
			}
		}
	})
	t.Run("checks nobody where nobody is listed", func(t *testing.T) {
		m := newMachine(t)
		m.members = nil
		m.mustSetup()
		for _, step := range m.steps {
			if strings.Contains(step, "user=") {
				t.Errorf("it ran %q", step)
			}
		}
	})
}

// files are the names, times and modes of all files.
func (m *machine) files() (all string) {
	_ = filepath.WalkDir(m.root, func(path string, d fs.DirEntry, err error) error {
		if info, err2 := d.Info(); err == nil && err2 == nil && !d.IsDir() && !strings.Contains(path, "/proc/") {
			all += path + " " + info.ModTime().String() + " " + info.Mode().String() + "\n"
		}
		return nil
	})
	return all
}

func TestASetupThatFailsSaysWhyAndLeavesSSHDAlone(t *testing.T) {
	ecdsaKey := privateKey(t, func() any {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}())
	pkcs8, err := x509.MarshalPKCS8PrivateKey(newEd25519(t))
	if err != nil {
		t.Fatal(err)
	}
	encrypted, err := ssh.MarshalPrivateKeyWithPassphrase(newEd25519(t), "", []byte("hunter2"))
	if err != nil {
		t.Fatal(err)
	}
	const noKey = "the secret arn:key holds no Ed25519 private key"
	for name, test := range map[string]struct {
		spoil func(m *machine)
		want  string
	}{
		"a database without a port": {func(m *machine) { m.setup.settings.Database.Port = "" }, "the database's port"},
		"a host key that is missing": {func(m *machine) {
			m.setup.secrets = secret{err: &smithy.GenericAPIError{Code: "ResourceNotFoundException"}}
		}, "ResourceNotFoundException"},
		"no way to the host key":     {func(m *machine) { m.setup.secrets = secret{err: errors.New("no route to host")} }, "check this host's way"},
		"a host key of bytes":        {func(m *machine) { m.setup.secrets = secret{} }, noKey},
		"a host key that is none":    {func(m *machine) { m.setup.secrets = secret{text: aws.String("hunter2")} }, noKey},
		"a host key of another type": {func(m *machine) { m.setup.secrets = secret{text: &ecdsaKey} }, noKey},
		"a host key in another format": {func(m *machine) {
			m.setup.secrets = secret{text: aws.String(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})))}
		}, noKey},
		"a host key with a passphrase": {func(m *machine) { m.setup.secrets = secret{text: aws.String(string(pem.EncodeToMemory(encrypted)))} }, noKey},
		"a CA file that is missing":    {func(m *machine) { m.setup.caFile = "/nowhere/ca.pem" }, "/nowhere/ca.pem"},
		"another Linux":                {func(m *machine) { m.write("/etc/os-release", "ID=arch\n") }, "arch"},
		"a package that is missing":    {func(m *machine) { m.broken["dnf --assumeyes"] = "dnf failed: No match for argument" }, "mariadb105"},
		"ec2-instance-connect stays":   {func(m *machine) { m.broken["dnf -y remove"] = "dnf failed: protected" }, "ec2-instance-connect, which would let others in"},
		"no groups":                    {func(m *machine) { m.broken["systemd-sysusers"] = "systemd-sysusers failed: read-only" }, "the groups of the administrators"},
		"sudo refuses the rule":        {func(m *machine) { m.broken["visudo"] = "visudo failed: syntax error" }, "syntax error"},
		"no answer of Parameter Store": {func(m *machine) { m.broken["update"] = "AccessDeniedException" }, "AccessDeniedException"},
		"no answer to sshd":            {func(m *machine) { m.broken["runuser"] = "permission denied" }, "sshd would get no answer"},
		"sshd refuses the file":        {func(m *machine) { m.broken["/usr/sbin/sshd"] = "Bad configuration option: X" }, "Bad configuration option: X"},
		"a host key with a note before it": {func(m *machine) {
			m.setup.secrets = secret{text: aws.String("note: hunter2\n" + *m.setup.secrets.(secret).text)}
		}, noKey},
		"a Match elsewhere gives those with the tunnel more": {func(m *machine) { m.alsoFor = "forcecommand none\n" }, `ForceCommand is "none"`},
		"sshd would do otherwise":                            {func(m *machine) { m.also = "permitrootlogin yes\n" }, `PermitRootLogin is "yes"`},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			test.spoil(m)
			err := m.setup.run(context.Background())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v", err)
			}
			if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %q", err)
			}
			for _, step := range m.steps {
				if strings.HasPrefix(step, "systemctl") && !strings.Contains(step, " mask ") {
					t.Errorf("it ran %q", step)
				}
			}
			if m.read(sshd.ConfigFile) != "" {
				t.Error("sshd's configuration was changed")
			}
			if name == "sudo refuses the rule" && m.read(sudoersPath) != "" {
				t.Error("sudo's configuration was changed")
			}
		})
	}
	for name, test := range map[string]struct {
		spoil func(m *machine)
		want  string
	}{
		"when a file that is read before ours says otherwise": {func(m *machine) { m.write("/etc/ssh/sshd_config.d/00-aaa.conf", "PermitRootLogin yes\n") }, "would not follow"},
		"when sshd does not start":                            {func(m *machine) { m.broken["systemctl restart sshd"] = "Job failed" }, "sshd does not start"},
		"when sshd starts with options that beat it": {func(m *machine) {
			m.cmdline = "sshd: /usr/sbin/sshd -D -o AuthorizedKeysCommand=/x [listener] 0 of 10-100 startups\x00"
		}, "-o AuthorizedKeysCommand=/x"},
	} {
		t.Run("and fails "+name, func(t *testing.T) {
			m := newMachine(t)
			test.spoil(m)
			if err := m.setup.run(context.Background()); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v", err)
			}
		})
	}
	t.Run("but not for a line's end that differs", func(t *testing.T) {
		m := newMachine(t)
		text := *m.setup.secrets.(secret).text
		for _, other := range []string{strings.TrimSpace(text), strings.ReplaceAll(text, "\n", "\r\n"), "\n" + text + "\n\n"} {
			m.setup.secrets = secret{text: &other}
			m.mustSetup()
			if m.read(sshd.HostKeyFile) != text {
				t.Errorf("the host key is %d bytes long, not %d", len(m.read(sshd.HostKeyFile)), len(text))
			}
		}
	})
}

func TestSetupIsForTheJumpServer(t *testing.T) {
	h := &install.Host{Root: t.TempDir(), Run: func(context.Context, string, ...string) (string, error) {
		t.Error("it ran something")
		return "", nil
	}}
	if err := Setup(context.Background(), h, &settings.Settings{}, aws.Config{}); err == nil {
		t.Error("no error")
	}
}

func TestTheAuthoritiesOfRDSAreWritten(t *testing.T) {
	text, err := databaseCAs("")
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(text)) || !pool.Equal(rdsca.Pool()) {
		t.Error("they are not RDS's")
	}

	identity, err := loopbacktls.New()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := identity.Write(dir); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "ca.pem")
	text, err = databaseCAs(file)
	if err != nil {
		t.Fatal(err)
	}
	want, err := rdsca.PoolWith(file)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(text)) || !pool.Equal(want) {
		t.Error("the one more is missing")
	}
}

func TestSetupMakesSSHDReadTheFolderOfOurFile(t *testing.T) {
	for name, text := range map[string]string{
		"where it is not read at all":  "# sshd's configuration\nPort 22\n",
		"where it is read too late":    "Port 22\nInclude /etc/ssh/sshd_config.d/*.conf\n",
		"where another folder is read": "Include /etc/ssh/other/*.conf\n",
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.write("/etc/ssh/sshd_config", text)
			m.mustSetup()
			want := "Include /etc/ssh/sshd_config.d/*.conf\n\n" + text
			if got := m.read("/etc/ssh/sshd_config"); got != want {
				t.Errorf("it is\n%s", got)
			}
			m.mustSetup()
			if got := m.read("/etc/ssh/sshd_config"); got != want {
				t.Errorf("after a second run it is\n%s", got)
			}
		})
	}
}

func TestSetupOffersThePostQuantumKeyExchangeWhereOpenSSHHasIt(t *testing.T) {
	for known, want := range map[string]bool{"curve25519-sha256\n" + sshd.PostQuantumKex + "\n": true, "curve25519-sha256\n": false} {
		m := newMachine(t)
		m.kex = known
		m.mustSetup()
		if got := strings.Contains(m.read(sshd.ConfigFile), sshd.PostQuantumKex); got != want {
			t.Errorf("ssh knows %q: it is offered: %v", known, got)
		}
	}
}
