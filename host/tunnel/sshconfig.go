package tunnel

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"

	"drawbridge/host/settings"
)

// places are where the files that ssh uses lie.
type places struct {
	config, knownHosts string
	control            string // the folder with a folder for each tunnel's control socket
}

var onHost = places{
	config:     "/etc/drawbridge/tunnels/ssh_config",
	knownHosts: "/etc/drawbridge/tunnels/known_hosts",
	control:    "/run/drawbridge-tunnel",
}

// socket is where the ssh of a tunnel listens for "ssh -O check".
func (p places) socket(name string) string { return path.Join(p.control, name, "control") }

// sshConfig renders one Host block for each tunnel (ssh_config(5)).
func (p places) sshConfig(tunnels []settings.Tunnel, database settings.Database) (string, error) {
	var b strings.Builder
	b.WriteString("# Written by 'drawbridge-host setup'.\n")
	for _, t := range tunnels {
		key, err := hostKey(t)
		if err != nil {
			return "", err
		}
		algorithms := key.Type()
		if algorithms == ssh.KeyAlgoRSA {
			algorithms = ssh.KeyAlgoRSASHA512 + "," + ssh.KeyAlgoRSASHA256
		}
		q := quoter{}
		fmt.Fprintf(&b, `
Host %s
	HostName %s
	Port %d
	User %s
	# On the vendor's loopback, so that nobody else at the vendor's network reaches the database.
	RemoteForward %s %s
	ExitOnForwardFailure yes

	# A dead connection is noticed within 15 s, and a new one is given up after 5 s.
	ServerAliveInterval 5
	ServerAliveCountMax 2
	ConnectTimeout 5

	# The key that systemd hands to the unit, and nothing else.
	BatchMode yes
	PreferredAuthentications publickey
	IdentitiesOnly yes
	IdentityFile "${CREDENTIALS_DIRECTORY}/%s"
	IdentityAgent none

	# The pinned key of the vendor's host, under the tunnel's own name.
	HostKeyAlias %s
	HostKeyAlgorithms %s
	UserKnownHostsFile %s
	GlobalKnownHostsFile /dev/null
	KnownHostsCommand none
	StrictHostKeyChecking yes
	UpdateHostKeys no
	VerifyHostKeyDNS no

	# "auto" removes the socket of an ssh that was killed; "yes" would go on without one.
	ControlMaster auto
	ControlPath %s
	ControlPersist no

	ForwardAgent no
	ForwardX11 no
	PermitLocalCommand no
	RequestTTY no
	EscapeChar none
`,
			q.quote("name", t.Name), q.quote("host", t.Host), t.Port, q.quote("user", t.User),
			q.quote("remote port", "127.0.0.1:"+strconv.Itoa(t.RemotePort)),
			q.quote("database", database.Host+":"+database.Port),
			credential, q.quote("name", t.Name), q.quote("host key", algorithms), q.quote("path", p.knownHosts),
			q.quote("path", p.socket(t.Name)))
		if q.err != nil {
			return "", fmt.Errorf("the tunnel %q cannot be set up: %w", t.Name, q.err)
		}
	}
	return b.String(), nil
}

// knownHosts renders the pinned host keys (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT").
func knownHosts(tunnels []settings.Tunnel) (string, error) {
	var b strings.Builder
	for _, t := range tunnels {
		key, err := hostKey(t)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s %s", t.Name, ssh.MarshalAuthorizedKey(key))
	}
	return b.String(), nil
}

func hostKey(t settings.Tunnel) (ssh.PublicKey, error) {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(t.HostKey))
	if err != nil {
		return nil, fmt.Errorf("the tunnel %q cannot be set up: its host key is not an SSH public key", t.Name)
	}
	return key, nil
}

// quoter quotes values for ssh_config and keeps the first error.
type quoter struct{ err error }

// quote puts a value between double quotes. It refuses what would not come out of ssh as it went in: control characters,
// quotes and backslashes, the % of tokens, the $ of variables, and the wildcards of Host.
func (q *quoter) quote(what, value string) string {
	for _, r := range value {
		if r <= ' ' || r > '~' || strings.ContainsRune("\"'\\%$*?!,", r) && what != "host key" {
			value = ""
		}
	}
	// "none" and a leading hyphen mean something of their own.
	if value == "" || value[0] == '-' || strings.EqualFold(value, "none") {
		if q.err == nil {
			q.err = fmt.Errorf("its %s is empty or holds a character that it must not hold", what)
		}
		return `""`
	}
	return `"` + value + `"`
}
