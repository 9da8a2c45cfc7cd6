package bastion

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"golang.org/x/crypto/ssh"

	"drawbridge/host/bastion/sshd"
	"drawbridge/host/install"
	"drawbridge/host/settings"
)

// privateKey is a private key in OpenSSH's format.
func privateKey(t *testing.T, key any) string {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(key, "comment")
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block))
}

func newEd25519(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// secret is a Secrets Manager with one secret.
type secret struct {
	text *string
	err  error
}

func (s secret) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	if s.err != nil {
		return nil, s.err
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: s.text}, nil
}

// machine plays an Amazon Linux on which Setup runs. Its sshd prints what the files below Root say.
type machine struct {
	t      *testing.T
	setup  setup
	root   string
	steps  []string          // commands, and "update"
	broken map[string]string // steps that begin so fail with that
	rpms   map[string]bool

	also    string // what sshd -T prints before everything else
	alsoFor string // and before that for the member of TunnelGroup
	cmdline string // with what sshd starts
	kex     string // what `ssh -Q kex` prints
	members map[string]string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	key := privateKey(t, newEd25519(t))
	m := &machine{t: t, root: t.TempDir(), broken: map[string]string{}, rpms: map[string]bool{"ec2-instance-connect": true},
		cmdline: "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups\x00",
		members: map[string]string{sshd.ShellGroup: "malia,kim", sshd.TunnelGroup: "sam"}}
	m.write("/etc/os-release", "NAME=\"Amazon Linux\"\nID=\"amzn\"\n")
	m.write("/etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\n")
	m.setup = setup{
		host: &install.Host{Root: m.root, Run: m.run, Say: t.Logf},
		settings: &settings.Settings{Region: "eu-west-1", Database: settings.Database{Host: "db.example.com", Port: "3306"},
			Bastion: &settings.Bastion{HostKeySecretARN: "arn:key"}},
		secrets: secret{text: &key},
		update: func(context.Context) error {
			return m.step("update")
		},
	}
	return m
}

func (m *machine) path(path string) string { return filepath.Join(m.root, path) }

func (m *machine) write(path, text string) {
	m.t.Helper()
	if err := os.MkdirAll(filepath.Dir(m.path(path)), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(m.path(path), []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) read(path string) string {
	text, err := os.ReadFile(m.path(path))
	if err != nil {
		return ""
	}
	return string(text)
}

func (m *machine) step(step string) error {
	m.steps = append(m.steps, step)
	for start, message := range m.broken {
		if strings.HasPrefix(step, start) {
			return errors.New(message)
		}
	}
	return nil
}

func (m *machine) run(_ context.Context, name string, args ...string) (string, error) {
	step := strings.Join(append([]string{name}, args...), " ")
	if err := m.step(step); err != nil {
		return "", err
	}
	switch {
	case strings.HasPrefix(step, "rpm --query "):
		if !m.rpms[args[1]] {
			return "", errors.New("rpm failed: package is not installed")
		}
	case name == "dnf":
		m.rpms[args[len(args)-1]] = !strings.Contains(step, " remove ")
	case strings.HasPrefix(step, "systemctl show "):
		return "4711\n", nil
	case step == "systemctl restart sshd.service":
		m.write("/proc/4711/cmdline", m.cmdline)
	case strings.HasPrefix(step, "getent group "):
		return args[1] + ":x:991:" + m.members[args[1]] + "\n", nil
	case name == "/usr/sbin/sshd":
		return m.effective(args)
	case step == "ssh -Q kex":
		return m.kex, nil
	case name == "visudo":
		if m.read("/run/drawbridge/sudoers") != sudoers {
			m.t.Error("visudo does not see the rule")
		}
	}
	return "", nil
}

// effective prints what sshd reads from the file and those that it includes, a Match only for members of the group.
func (m *machine) effective(args []string) (string, error) {
	var read func(path string) string
	read = func(path string) (all string) {
		files, err := filepath.Glob(m.path(path))
		if err != nil {
			m.t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				m.t.Fatal(err)
			}
			global, match, _ := strings.Cut(string(text), "\nMatch Group "+sshd.TunnelGroup+"\n")
			if len(args) == 5 && strings.HasPrefix(args[4], "user="+m.members[sshd.TunnelGroup]+",") {
				global += match
			}
			for line := range strings.Lines(global) {
				keyword, value, _ := strings.Cut(strings.TrimSpace(line), " ")
				switch {
				case keyword == "Include":
					all += read(value)
				case keyword != "" && keyword != "#":
					all += strings.ToLower(keyword) + " " + value + "\n"
				}
			}
		}
		return all
	}
	seen, out := map[string]bool{}, ""
	also := m.also
	if len(args) == 5 && strings.HasPrefix(args[4], "user="+m.members[sshd.TunnelGroup]+",") {
		also = m.alsoFor + also
	}
	for line := range strings.Lines(also + read(args[2])) {
		if keyword, _, _ := strings.Cut(line, " "); !seen[keyword] { // the first one wins
			seen[keyword] = true
			out += line
		}
	}
	if len(seen) == 0 {
		return "", fmt.Errorf("sshd: no configuration")
	}
	return out, nil
}
