package tunnel

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"drawbridge/host/settings"
	"drawbridge/internal/notrun"
)

// ask returns what ssh makes of the settings of one tunnel ("ssh -G"): lower-case keywords and their values.
func ask(t testing.TB, tunnels []settings.Tunnel, database settings.Database, name string) map[string]string {
	t.Helper()
	if _, err := exec.LookPath("ssh"); err != nil {
		notrun.Because(t, "there is no ssh")
	}
	text, err := onHost.sshConfig(tunnels, database)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ssh_config")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("ssh", "-G", "-F", file, "--", name).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, text)
	}
	values := map[string]string{}
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		values[key] = value
	}
	return values
}

func TestSshUnderstandsEverySetting(t *testing.T) {
	s := sample()
	other := s.Tunnel.Tunnels[0]
	other.Name, other.Host, other.Port, other.User, other.RemotePort = "other", "192.0.2.7", 2222, "somebody", 15241
	tunnels := append(s.Tunnel.Tunnels, other)
	for name, want := range map[string]map[string]string{
		"bi": {"hostname": "bi.example.com", "port": "22", "user": "tunnel15240", "hostkeyalias": "bi",
			"remoteforward": "[127.0.0.1]:15240 [db.example.com]:3306", "controlpath": "/run/drawbridge-tunnel/bi/control"},
		"other": {"hostname": "192.0.2.7", "port": "2222", "user": "somebody", "hostkeyalias": "other",
			"remoteforward": "[127.0.0.1]:15241 [db.example.com]:3306", "controlpath": "/run/drawbridge-tunnel/other/control"},
	} {
		got := ask(t, tunnels, s.Database, name)
		for key, value := range map[string]string{
			"exitonforwardfailure": "yes", "serveraliveinterval": "5", "serveralivecountmax": "2", "connecttimeout": "5",
			"batchmode": "yes", "identitiesonly": "yes", "identityfile": "${CREDENTIALS_DIRECTORY}/tunnel-key",
			"identityagent": "none", "userknownhostsfile": "/etc/drawbridge/tunnels/known_hosts",
			"globalknownhostsfile": "/dev/null", "stricthostkeychecking": "true", "updatehostkeys": "false",
			"hostkeyalgorithms": "ssh-ed25519", "controlmaster": "auto", "controlpersist": "no", "forwardagent": "no",
			"forwardx11": "no", "permitlocalcommand": "no", "requesttty": "false", "preferredauthentications": "publickey",
		} {
			want[key] = value
		}
		for key, value := range want {
			if got[key] != value {
				t.Errorf("%s: %s is %q, want %q", name, key, got[key], value)
			}
		}
	}
}

func TestAnRSAHostKeyIsNotTakenWithSHA1(t *testing.T) {
	s := sample()
	s.Tunnel.Tunnels[0].HostKey = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAQQC7p0yMPCRB3lVLWJ3X4aY9vSaOe2z2bJ1Ykb0kqY1cJcYB9d1H0oQx0hYtPzrMS0C1m2g1w4m3Jq5zq2mJm4cX"
	if got := ask(t, s.Tunnel.Tunnels, s.Database, "bi")["hostkeyalgorithms"]; got != "rsa-sha2-512,rsa-sha2-256" {
		t.Errorf("got %q", got)
	}
}

func TestValuesThatSshWouldReadDifferentlyAreRefused(t *testing.T) {
	for _, bad := range []string{"", "a b", "a\nProxyCommand reboot", "a\tb", `a"b`, `a\b`, "a'b", "%h", "${HOME}", "*", "!bi", "a,b", "?",
		"-oProxyCommand=x", "none", "é", "\x00"} {
		for field, spoil := range map[string]func(*settings.Settings){
			"name":          func(s *settings.Settings) { s.Tunnel.Tunnels[0].Name = bad },
			"host":          func(s *settings.Settings) { s.Tunnel.Tunnels[0].Host = bad },
			"user":          func(s *settings.Settings) { s.Tunnel.Tunnels[0].User = bad },
			"host key":      func(s *settings.Settings) { s.Tunnel.Tunnels[0].HostKey = bad },
			"database host": func(s *settings.Settings) { s.Database.Host = bad },
		} {
			s := sample()
			spoil(s)
			if field == "database host" && (bad == "" || bad[0] == '-' || bad == "none") {
				continue // the port follows, so it is not alone
			}
			if text, err := onHost.sshConfig(s.Tunnel.Tunnels, s.Database); err == nil || text != "" {
				t.Errorf("%s %q passes", field, bad)
			} else if strings.ContainsAny(err.Error(), "\n\x00") {
				t.Errorf("%s %q: the error has more than a line", field, bad)
			}
		}
	}
}

func FuzzWhatIsAcceptedComesOutOfSshAsItWentIn(f *testing.F) {
	for _, seed := range []string{"bi.example.com", "192.0.2.1", "tunnel15240", "a#b", "a=b", "a;b", "(x)", "~", "a@b", "[::1]", "a\"b", "-x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		s := sample()
		s.Tunnel.Tunnels[0].User = value
		if _, err := onHost.sshConfig(s.Tunnel.Tunnels, s.Database); err != nil {
			return
		}
		got := ask(t, s.Tunnel.Tunnels, s.Database, "bi")
		if got["user"] != value || got["proxycommand"] != "" || got["hostname"] != "bi.example.com" {
			t.Errorf("%q comes out as %q", value, got["user"])
		}
	})
}

func TestThePinnedKeyIsFoundUnderTheTunnelsName(t *testing.T) {
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		notrun.Because(t, "there is no ssh-keygen")
	}
	s := sample()
	s.Tunnel.Tunnels[0].HostKey += " somebody's comment"
	text, err := knownHosts(s.Tunnel.Tunnels)
	if err != nil || text != "bi "+sampleHostKey+"\n" {
		t.Fatalf("got %q, %v", text, err)
	}
	file := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("ssh-keygen", "-F", "bi", "-f", file).CombinedOutput(); err != nil {
		t.Errorf("ssh-keygen does not find it: %v\n%s", err, out)
	}
}
