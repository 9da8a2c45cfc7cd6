package settings_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"drawbridge/host/settings"
)

const (
	head   = `{"environment":"dev","region":"eu-west-1","patchWindow":"Sun *-*-* 03:00:00","database":{"host":"db.example.com","port":"3306"},`
	jump   = `"bastion":{"administratorsPath":"/drawbridge/dev/administrators","hostKeySecretArn":"arn:h","masterSecretArn":"arn:m"}`
	vendor = `"tunnel":{"keySecretArn":"arn:k","metricNamespace":"Drawbridge","maxConnections":20,"tunnels":[{"name":"bi","host":"bi.example.com",` +
		`"port":22,"user":"tunnel15240","remotePort":15240,"hostKey":"ssh-ed25519 AAAA"}]}`
)

func read(t *testing.T, text string) (*settings.Settings, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "host.json")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return settings.Read(file)
}

func TestTheJumpServersSettingsAreRead(t *testing.T) {
	s, err := read(t, head+jump+"}\n")
	if err != nil {
		t.Fatal(err)
	}
	if s.Tunnel != nil || s.Bastion.MasterSecretARN != "arn:m" || s.Database.Port != "3306" || s.Region != "eu-west-1" {
		t.Errorf("got %+v", s)
	}
}

func TestTheTunnelHostsSettingsAreRead(t *testing.T) {
	s, err := read(t, head+vendor+"}")
	if err != nil {
		t.Fatal(err)
	}
	want := settings.Tunnel{Name: "bi", Host: "bi.example.com", Port: 22, User: "tunnel15240", RemotePort: 15240,
		HostKey: "ssh-ed25519 AAAA"}
	if s.Bastion != nil || len(s.Tunnel.Tunnels) != 1 || s.Tunnel.Tunnels[0] != want {
		t.Errorf("got %+v", s.Tunnel)
	}
}

func TestWrongSettingsAreRefusedWithWhatIsWrong(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"not JSON":                     {"nonsense", "invalid character"},
		"empty":                        {"", "EOF"},
		"neither host":                 {strings.TrimSuffix(head, ",") + "}", `either "bastion" or "tunnel"`},
		"both hosts":                   {head + jump + "," + vendor + "}", `either "bastion" or "tunnel"`},
		"a key that nobody knows":      {head + `"colour":"red",` + jump + "}", "colour"},
		"something after the object":   {head + jump + "} {}", "something follows"},
		"no region":                    {strings.Replace(head, "eu-west-1", "", 1) + jump + "}", `"region" is missing`},
		"no window":                    {strings.Replace(head, "Sun *-*-* 03:00:00", "", 1) + jump + "}", `"patchWindow" is missing`},
		"no database":                  {strings.Replace(head, "db.example.com", "", 1) + jump + "}", `"database.host" is missing`},
		"a database port in words":     {strings.Replace(head, "3306", "mysql", 1) + jump + "}", `"database.port" is "mysql"`},
		"no master secret":             {head + strings.Replace(jump, "arn:m", "", 1) + "}", `"bastion.masterSecretArn" is missing`},
		"no key secret":                {head + strings.Replace(vendor, "arn:k", "", 1) + "}", `"tunnel.keySecretArn" is missing`},
		"a tunnel without a host key":  {head + strings.Replace(vendor, "ssh-ed25519 AAAA", "", 1) + "}", `"tunnel.tunnels[0].hostKey" is missing`},
		"no limit of connections":      {head + strings.Replace(vendor, `"maxConnections":20,`, "", 1) + "}", `"tunnel.maxConnections" is 0`},
		"a tunnel without a port":      {head + strings.Replace(vendor, `"port":22,`, "", 1) + "}", `"tunnel.tunnels[0].port" is 0`},
		"a remote port that is no one": {head + strings.Replace(vendor, "15240,", "152400,", 1) + "}", `"tunnel.tunnels[0].remotePort" is 152400`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := read(t, tc.text)
			if err == nil || s != nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "host.json") {
				t.Errorf("got %+v and the error %v, want one with %q and the file's name", s, err, tc.want)
			}
		})
	}
}

func TestAMissingFileIsNamed(t *testing.T) {
	_, err := settings.Read(filepath.Join(t.TempDir(), "absent.json"))
	if err == nil || !strings.Contains(err.Error(), "absent.json") {
		t.Errorf("got the error %v", err)
	}
}
