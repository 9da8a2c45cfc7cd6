// Package sshd is the configuration of the jump server's sshd: what it says, and whether the sshd that runs follows it.
package sshd

import (
	"strings"

	"drawbridge/host/settings"
)

const (
	// ConfigFile is ours. The first value of a keyword wins, and in a folder that is read in the order of the names this
	// one stands before Amazon Linux's own files.
	ConfigFile = "/etc/ssh/sshd_config.d/00-drawbridge.conf"

	// HostKeyFile holds the host key. cloud-init, which makes others at boot, does not know it.
	HostKeyFile = "/etc/drawbridge/ssh_host_ed25519_key"

	// ShellGroup and TunnelGroup are the Unix groups of the people who may log in.
	ShellGroup  = "drawbridge-shell"
	TunnelGroup = "drawbridge-tunnel"

	// KeysUser is the system user as whom sshd asks for a person's keys. Nobody logs in as it.
	KeysUser = "drawbridge-keys"

	// NoLogin is the shell that lets nobody in (nologin(8)).
	NoLogin = "/usr/sbin/nologin"
)

// directive is one line of sshd_config(5): a keyword and what follows it, spelled as `sshd -T` prints it.
type directive struct{ keyword, value string }

// Server is what a host's sshd is configured for.
type Server struct {
	Target      string // what [Target] returns
	PostQuantum bool   // it has the key exchange [PostQuantumKex]
}

// PostQuantumKex is a key exchange against which a quantum computer of the future would not help who records today.
// OpenSSH has it since 8.5, but a distribution may build without.
const PostQuantumKex = "sntrup761x25519-sha512@openssh.com"

// global holds for everybody. Nothing in it is newer than OpenSSH 8.7, which Amazon Linux 2023 has.
func (s Server) global() []directive {
	kex := "curve25519-sha256,curve25519-sha256@libssh.org,diffie-hellman-group16-sha512,diffie-hellman-group18-sha512"
	if s.PostQuantum {
		kex = PostQuantumKex + "," + kex
	}
	return []directive{
		// The key that clients pin. Other host keys may be configured elsewhere, but no client is offered them.
		{"HostKey", HostKeyFile},
		{"HostKeyAlgorithms", "ssh-ed25519"},

		// The choice of ssh-audit's policy "Hardened OpenSSH Server v8.7", without chacha20-poly1305: this sshd has no
		// strict key exchange, which is the answer to the Terrapin attack (CVE-2023-48795).
		{"KexAlgorithms", kex},
		{"Ciphers", "aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr"},
		{"MACs", "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,umac-128-etm@openssh.com"},

		// Keys are the only way in, and they come from Parameter Store alone.
		{"AuthenticationMethods", "publickey"},
		{"PubkeyAuthentication", "yes"},
		{"PubkeyAcceptedAlgorithms", "ssh-ed25519,sk-ssh-ed25519@openssh.com,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384," +
			"ecdsa-sha2-nistp521,sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512,rsa-sha2-256"},
		{"PasswordAuthentication", "no"},
		{"KbdInteractiveAuthentication", "no"},
		{"HostbasedAuthentication", "no"},
		{"AuthorizedKeysFile", "none"},
		{"AuthorizedKeysCommand", settings.Program + " authorized-keys %u"},
		{"AuthorizedKeysCommandUser", KeysUser},
		{"AuthorizedPrincipalsCommand", "none"},
		{"AuthorizedPrincipalsFile", "none"},
		{"TrustedUserCAKeys", "none"},
		{"PermitRootLogin", "no"},
		{"AllowGroups", ShellGroup + " " + TunnelGroup},

		// PAM refuses the accounts of people who have left, and makes each log-in a session of systemd's, which can be
		// ended as a whole.
		{"UsePAM", "yes"},

		// The way to the database, and nothing else.
		{"AllowTcpForwarding", "local"},
		{"PermitOpen", s.Target},
		{"PermitListen", "none"},
		{"GatewayPorts", "no"},
		{"AllowStreamLocalForwarding", "no"},
		{"AllowAgentForwarding", "no"},
		{"X11Forwarding", "no"},
		{"PermitTunnel", "no"},
		{"PermitUserEnvironment", "no"},
		{"PermitUserRC", "no"},

		// VERBOSE names the key of each log-in.
		{"LogLevel", "VERBOSE"},
		{"LoginGraceTime", "30"},
		{"MaxAuthTries", "6"}, // each key that an agent offers is one
		{"PerSourceMaxStartups", "5"},
		{"ClientAliveInterval", "30"},
		{"ClientAliveCountMax", "4"},
	}
}

// tunnelOnly holds for those who may use the tunnel to the database and nothing else.
func tunnelOnly() []directive {
	return []directive{
		{"MaxSessions", "0"},
		{"PermitTTY", "no"},
		{"ForceCommand", NoLogin},
	}
}

// Config is the text of ConfigFile.
func (s Server) Config() string {
	var b strings.Builder
	b.WriteString("# Written by " + settings.Program + " setup, which checks that sshd follows it.\n")
	for _, d := range s.global() {
		b.WriteString(d.keyword + " " + d.value + "\n")
	}
	b.WriteString("\nMatch Group " + TunnelGroup + "\n")
	for _, d := range tunnelOnly() {
		b.WriteString("\t" + d.keyword + " " + d.value + "\n")
	}
	return b.String()
}
