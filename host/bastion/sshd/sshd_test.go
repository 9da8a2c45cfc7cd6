package sshd

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"drawbridge/host/install"
	"drawbridge/host/settings"
)

const target = "db.example.com:3306"

var server = Server{Target: target, PostQuantum: true}

func TestTheTargetIsTheDatabaseAsTheSettingsNameIt(t *testing.T) {
	for d, want := range map[settings.Database]string{
		{Host: "db.abc.eu-west-1.rds.amazonaws.com", Port: "3306"}: "db.abc.eu-west-1.rds.amazonaws.com:3306",
		{Host: "Db.Example.com", Port: "65535"}:                    "Db.Example.com:65535", // sshd compares letter by letter
		{Host: "10.0.3.7", Port: "1"}:                              "10.0.3.7:1",
	} {
		if got, err := Target(d); err != nil || got != want {
			t.Errorf("%v: %q, error %v, want %q", d, got, err, want)
		}
	}
	for _, d := range []settings.Database{
		{}, {Host: "db"}, {Port: "3306"}, {Host: "db", Port: "0"}, {Host: "db", Port: "65536"}, {Host: "db", Port: "03306"}, {Host: "db", Port: "+1"},
		{Host: "db", Port: "*"}, {Host: "*", Port: "3306"}, {Host: "db\nPermitRootLogin yes", Port: "3306"}, {Host: `db"`, Port: "3306"},
		{Host: "db other", Port: "3306"}, {Host: "-db", Port: "3306"}, {Host: "db:1", Port: "3306"}, {Host: "2001:db8::1", Port: "3306"},
		{Host: "db,x", Port: "3306"}, {Host: "db\x00", Port: "3306"}, {Host: strings.Repeat("a", 254), Port: "3306"},
	} {
		if got, err := Target(d); err == nil {
			t.Errorf("%+v gives %q", d, got)
		}
	}
}

// known are keywords of sshd_config(5) in OpenSSH 8.7: all that this project could want.
var known = strings.Fields(`AcceptEnv AddressFamily AllowAgentForwarding AllowGroups AllowStreamLocalForwarding AllowTcpForwarding
AllowUsers AuthenticationMethods AuthorizedKeysCommand AuthorizedKeysCommandUser AuthorizedKeysFile AuthorizedPrincipalsCommand
AuthorizedPrincipalsCommandUser AuthorizedPrincipalsFile Banner CASignatureAlgorithms ChrootDirectory Ciphers ClientAliveCountMax
ClientAliveInterval Compression DenyGroups DenyUsers DisableForwarding ExposeAuthInfo FingerprintHash ForceCommand GatewayPorts
GSSAPIAuthentication GSSAPICleanupCredentials GSSAPIStrictAcceptorCheck HostCertificate HostKey HostKeyAgent HostKeyAlgorithms
HostbasedAcceptedAlgorithms HostbasedAuthentication HostbasedUsesNameFromPacketOnly IgnoreRhosts IgnoreUserKnownHosts Include IPQoS
KbdInteractiveAuthentication KerberosAuthentication KexAlgorithms ListenAddress LogLevel LogVerbose LoginGraceTime MACs Match
MaxAuthTries MaxSessions MaxStartups ModuliFile PasswordAuthentication PerSourceMaxStartups PerSourceNetBlockSize PermitEmptyPasswords
PermitListen PermitOpen PermitRootLogin PermitTTY PermitTunnel PermitUserEnvironment PermitUserRC PidFile Port PrintLastLog PrintMotd
PubkeyAcceptedAlgorithms PubkeyAuthOptions PubkeyAuthentication RDomain RekeyLimit RevokedKeys SecurityKeyProvider SetEnv
StreamLocalBindMask StreamLocalBindUnlink StrictModes Subsystem SyslogFacility TCPKeepAlive TrustedUserCAKeys UseDNS UsePAM
VersionAddendum X11DisplayOffset X11Forwarding X11UseLocalhost XAuthLocation`)

// inMatch are those that may stand behind a Match, as far as this project could want them.
var inMatch = strings.Fields(`AllowTcpForwarding ForceCommand MaxSessions PermitListen PermitOpen PermitTTY X11Forwarding`)

func TestOpenSSH87KnowsEveryDirective(t *testing.T) {
	behindMatch := false
	for line := range strings.Lines(server.Config()) {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if !slices.Contains(known, words[0]) {
			t.Errorf("OpenSSH 8.7 does not know %s", words[0])
		}
		if behindMatch && !slices.Contains(inMatch, words[0]) {
			t.Errorf("%s may not stand behind a Match", words[0])
		}
		behindMatch = behindMatch || words[0] == "Match"
		if len(words) < 2 {
			t.Errorf("%s has no value", words[0])
		}
	}
}

func TestOpenSSH87KnowsEveryAlgorithm(t *testing.T) {
	// `ssh -Q` of 8.7, less what is weak and, in ciphers, what the Terrapin attack works on.
	known := map[string][]string{
		"KexAlgorithms":     {"sntrup761x25519-sha512@openssh.com", "curve25519-sha256", "curve25519-sha256@libssh.org", "diffie-hellman-group16-sha512", "diffie-hellman-group18-sha512"},
		"Ciphers":           {"aes128-ctr", "aes192-ctr", "aes256-ctr", "aes128-gcm@openssh.com", "aes256-gcm@openssh.com"},
		"MACs":              {"hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "umac-128-etm@openssh.com"},
		"HostKeyAlgorithms": {"ssh-ed25519"},
		"PubkeyAcceptedAlgorithms": {"ssh-ed25519", "sk-ssh-ed25519@openssh.com", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
			"ecdsa-sha2-nistp521", "sk-ecdsa-sha2-nistp256@openssh.com", "rsa-sha2-256", "rsa-sha2-512"},
	}
	for _, d := range server.global() {
		for _, algorithm := range strings.Split(d.value, ",") {
			if list, ok := known[d.keyword]; ok && !slices.Contains(list, algorithm) {
				t.Errorf("%s has %s", d.keyword, algorithm)
			}
		}
		delete(known, d.keyword)
	}
	if len(known) > 0 {
		t.Errorf("the configuration leaves open %v", known)
	}
}

// printed is what `sshd -T` prints for a configuration that says nothing else.
func printed(tunnelPerson bool) string {
	var b strings.Builder
	b.WriteString("port 22\naddressfamily any\nmaxsessions 10\npermittty yes\nforcecommand none\n")
	directives := server.global()
	text := b.String()
	if tunnelPerson {
		text = "port 22\n"
		directives = append(directives, tunnelOnly()...)
	}
	for _, d := range directives {
		if d.keyword == "AllowGroups" {
			for group := range strings.FieldsSeq(d.value) {
				text += "allowgroups " + group + "\n"
			}
			continue
		}
		text += strings.ToLower(d.keyword) + " " + d.value + "\n"
	}
	return text
}

// host answers every command with the same.
func host(t *testing.T, out string, err error) (*install.Host, *[]string) {
	ran := new([]string)
	return &install.Host{Root: t.TempDir(), Say: t.Logf, Run: func(_ context.Context, name string, args ...string) (string, error) {
		*ran = append(*ran, strings.Join(append([]string{name}, args...), " "))
		return out, err
	}}, ran
}

func TestCheckFollowsWhatSSHDPrints(t *testing.T) {
	ctx := context.Background()
	t.Run("and passes when it is what was configured", func(t *testing.T) {
		h, ran := host(t, printed(false), nil)
		if err := Check(ctx, h, "/etc/ssh/sshd_config", server, "", Everybody); err != nil {
			t.Error(err)
		}
		if !slices.Equal(*ran, []string{"/usr/sbin/sshd -T -f /etc/ssh/sshd_config"}) {
			t.Errorf("it ran %q", *ran)
		}
		h, ran = host(t, printed(true), nil)
		if err := Check(ctx, h, "/x", server, "sam", TunnelOnly); err != nil {
			t.Error(err)
		}
		if !strings.HasPrefix((*ran)[0], "/usr/sbin/sshd -T -f /x -C user=sam,") {
			t.Errorf("it ran %q", *ran)
		}
	})
	t.Run("and takes other host keys behind ours, and a list that is configured twice", func(t *testing.T) {
		h, _ := host(t, printed(false)+"hostkey /etc/ssh/ssh_host_ed25519_key\nallowgroups "+ShellGroup+"\nallowgroups "+TunnelGroup+"\n", nil)
		if err := Check(ctx, h, "/x", server, "", Everybody); err != nil {
			t.Error(err)
		}
	})
	t.Run("and refuses what a person with the tunnel alone must not have", func(t *testing.T) {
		h, _ := host(t, printed(false), nil)
		err := Check(ctx, h, "/x", server, "sam", TunnelOnly)
		if err == nil || !strings.Contains(err.Error(), `ForceCommand is "none", not "/usr/sbin/nologin"`) {
			t.Errorf("error %v", err)
		}
	})
	for _, d := range server.global() {
		t.Run("and names "+d.keyword+" when it is another", func(t *testing.T) {
			keyword := strings.ToLower(d.keyword)
			for name, out := range map[string]string{
				"missing": dropped(printed(false), keyword),
				"another": dropped(printed(false), keyword) + keyword + " other\n",
				"before":  keyword + " other\n" + printed(false),
			} {
				h, _ := host(t, out, nil)
				if err := Check(ctx, h, "/x", server, "", Everybody); err == nil || !strings.Contains(err.Error(), d.keyword+" is ") {
					t.Errorf("%s: error %v", name, err)
				}
			}
		})
	}
	t.Run("and hands on why sshd does not take it", func(t *testing.T) {
		h, _ := host(t, "", errors.New("sshd failed (exit status 255): line 3: Bad configuration option: Foo"))
		if err := Check(ctx, h, "/x", server, "", Everybody); err == nil || !strings.Contains(err.Error(), "Bad configuration option: Foo") {
			t.Errorf("error %v", err)
		}
	})
}

func dropped(text, keyword string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, keyword+" ") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

func TestTheCommandLineOfTheSSHDThatRunsIsChecked(t *testing.T) {
	const connect = "-o AuthorizedKeysCommand=/opt/aws/bin/eic_run_authorized_keys %u %f -o AuthorizedKeysCommandUser=ec2-instance-connect"
	for cmdline, refused := range map[string]string{
		"sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups\x00":                                                "",
		"sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups":                                                    "",
		"/usr/sbin/sshd\x00-D\x00":                                                                                   "",
		"/usr/sbin/sshd\x00-D\x00-e\x00":                                                                             "",
		"sshd: /usr/sbin/sshd -D " + connect + " [listener] 0 of 10-100 startups\x00":                                connect,
		"/usr/sbin/sshd\x00-D\x00" + strings.ReplaceAll(connect, " ", "\x00") + "\x00":                               connect,
		"sshd: /usr/sbin/sshd -D -oPermitRootLogin=yes [listener] 0 of 10-100 startups\x00":                          "-oPermitRootLogin=yes",
		"sshd: /usr/sbin/sshd -D -f /etc/other [listener] 0 of 10-100 startups\x00":                                  "-f /etc/other",
		"sshd: /usr/sbin/sshd -D -o Banner=/x [listener] -o PermitRootLogin=yes [listener] 0 of 10-100 startups\x00": "-o PermitRootLogin=yes",
	} {
		h, ran := host(t, "4711\n", nil)
		file := filepath.Join(h.Root, "proc", "4711", "cmdline")
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(cmdline), 0o600); err != nil {
			t.Fatal(err)
		}
		err := CheckCommandLine(context.Background(), h)
		if (err == nil) != (refused == "") || err != nil && !strings.Contains(err.Error(), refused) {
			t.Errorf("%q: error %v", cmdline, err)
		}
		if !slices.Equal(*ran, []string{"systemctl show --property MainPID --value sshd.service"}) {
			t.Errorf("it ran %q", *ran)
		}
	}
	for out, want := range map[string]string{"0\n": "sshd does not run", "": "sshd does not run", "4712\n": "cannot be read"} {
		h, _ := host(t, out, nil)
		if err := CheckCommandLine(context.Background(), h); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v", out, err)
		}
	}
}
