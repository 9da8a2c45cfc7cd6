// Package settings is what a host is told about itself: the file host.json, which the template writes into the
// instance's user data. It holds no secrets, only their ARNs.
package settings

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"drawbridge/internal/strictjson"
)

// Where things lie on a host.
const (
	// File is the settings' own.
	File = "/etc/drawbridge/host.json"

	// Program is this project's program on the host.
	Program = "/opt/drawbridge/drawbridge-host"
)

// Settings are those of one host. Exactly one of Bastion and Tunnel is there.
type Settings struct {
	Environment string `json:"environment"` // such as "dev"
	Region      string `json:"region"`

	// PatchWindow is when patches are installed, as systemd's OnCalendar takes it, in UTC: "Sun *-*-* 03:00:00".
	PatchWindow string `json:"patchWindow"`

	Database Database `json:"database"`

	Bastion *Bastion    `json:"bastion,omitempty"`
	Tunnel  *TunnelHost `json:"tunnel,omitempty"`
}

// Database is where MySQL listens.
type Database struct {
	Host string `json:"host"`
	Port string `json:"port"` // digits: CloudFormation gives it as text
}

// Bastion is what the jump server needs to know.
type Bastion struct {
	// AdministratorsPath is the Systems Manager path below which one parameter per administrator lies, without a slash
	// at its end.
	AdministratorsPath string `json:"administratorsPath"`

	// HostKeySecretARN is the secret with sshd's host key, an ed25519 private key in OpenSSH's format.
	HostKeySecretARN string `json:"hostKeySecretArn"`

	// HostKeyGeneration is the key's number. The host does not use it: another number is another user data, and so a host
	// that starts with the new key.
	HostKeyGeneration int `json:"hostKeyGeneration"`

	// MasterSecretARN is the secret of the database's master user, with RDS's JSON keys.
	MasterSecretARN string `json:"masterSecretArn"`
}

// TunnelHost is what the host of the reverse SSH tunnels needs to know.
type TunnelHost struct {
	// KeySecretARN is the secret with the private key that the tunnels log in with, in OpenSSH's format.
	KeySecretARN string `json:"keySecretArn"`

	// KeyGeneration is the key's number; see Bastion.HostKeyGeneration.
	KeyGeneration int `json:"keyGeneration"`

	// MetricNamespace is CloudWatch's for the metric TunnelUp.
	MetricNamespace string `json:"metricNamespace"`

	// MaxConnections is how many connections to the database each tunnel lets through.
	MaxConnections int `json:"maxConnections"`

	Tunnels []Tunnel `json:"tunnels"`
}

// Tunnel is one reverse SSH tunnel. Its values have been checked when the template was made.
type Tunnel struct {
	Name       string `json:"name"` // lower-case letters, digits and hyphens
	Host       string `json:"host"`
	Port       int    `json:"port"`
	User       string `json:"user"`
	RemotePort int    `json:"remotePort"` // on the vendor's loopback
	HostKey    string `json:"hostKey"`    // "type base64"
}

// Read reads the settings of this host from a file.
func Read(file string) (*Settings, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the host's settings cannot be read: %w", err)
	}
	s, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("the host's settings in %s are wrong: %w", file, err)
	}
	return s, nil
}

func parse(text []byte) (*Settings, error) {
	s := &Settings{}
	if err := strictjson.Decode(text, s); err != nil {
		return nil, err
	}
	if (s.Bastion == nil) == (s.Tunnel == nil) {
		return nil, errors.New(`they must hold either "bastion" or "tunnel"`)
	}
	if err := s.complete(); err != nil {
		return nil, err
	}
	return s, nil
}

// complete names the first value that is missing. A template that lost one must fail at the start, not in the middle.
func (s *Settings) complete() error {
	type value struct{ name, value string }
	values := []value{
		{"environment", s.Environment}, {"region", s.Region}, {"patchWindow", s.PatchWindow},
		{"database.host", s.Database.Host}, {"database.port", s.Database.Port},
	}
	if b := s.Bastion; b != nil {
		values = append(values, value{"bastion.administratorsPath", b.AdministratorsPath},
			value{"bastion.hostKeySecretArn", b.HostKeySecretARN}, value{"bastion.masterSecretArn", b.MasterSecretARN})
	}
	if t := s.Tunnel; t != nil {
		values = append(values, value{"tunnel.keySecretArn", t.KeySecretARN}, value{"tunnel.metricNamespace", t.MetricNamespace})
		if t.MaxConnections < 1 {
			return fmt.Errorf(`"tunnel.maxConnections" is %d, but must be at least 1`, t.MaxConnections)
		}
		for i, t := range t.Tunnels {
			at := fmt.Sprintf("tunnel.tunnels[%d].", i)
			values = append(values, value{at + "name", t.Name}, value{at + "host", t.Host}, value{at + "user", t.User},
				value{at + "hostKey", t.HostKey})
			if t.Port < 1 || t.Port > 65535 {
				return fmt.Errorf("%q is %d, but must be a port", at+"port", t.Port)
			}
			if t.RemotePort < 1 || t.RemotePort > 65535 {
				return fmt.Errorf("%q is %d, but must be a port", at+"remotePort", t.RemotePort)
			}
		}
	}
	for _, v := range values {
		if v.value == "" {
			return fmt.Errorf("%q is missing", v.name)
		}
	}
	if port, err := strconv.ParseUint(s.Database.Port, 10, 16); err != nil || port == 0 {
		return fmt.Errorf(`"database.port" is %q, but must be a port`, s.Database.Port)
	}
	return nil
}
