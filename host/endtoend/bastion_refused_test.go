//go:build linux && root

package endtoend

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"drawbridge/internal/notrun"
	"drawbridge/rehearsal/machine"
)

// secretService is a service that nobody is to reach through the jump server. Whoever does hears "leak".
func secretService(t testing.TB, n *machine.Namespace, address string) string {
	t.Helper()
	listener, err := n.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("leak\n"))
			_ = conn.Close()
		}
	}()
	return listener.Addr().String()
}

// client connects as a person with a program that asks for whatever it likes.
func (j *jumpServer) client(t testing.TB, p person) *ssh.Client {
	t.Helper()
	signer, err := ssh.ParsePrivateKey([]byte(readFile(t, p.key.file)))
	if err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort(j.machine.Namespace.Address.String(), "22")
	conn, err := j.laptop.net.Dial(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, known, _ := strings.Cut(j.Outputs(bastionStack)["BastionKnownHosts"], " ")
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(known))
	if err != nil {
		t.Fatal(err)
	}
	c, channels, requests, err := ssh.NewClientConn(conn, address, &ssh.ClientConfig{
		User: p.name, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: ssh.FixedHostKey(key),
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
	})
	if err != nil {
		t.Fatalf("%s cannot log in: %v", p.name, err)
	}
	return ssh.NewClient(c, channels, requests)
}

// directTCPIP is the data of a channel direct-tcpip (RFC 4254, 7.2).
type directTCPIP struct {
	Host       string
	Port       uint32
	Originator string
	From       uint32
}

func (j *jumpServer) nothingElse(t *testing.T) {
	other, err := j.fleet.Network.Host("other", "10.9.1.10/24")
	if err != nil {
		t.Fatal(err)
	}
	onLoopback := secretService(t, j.machine.Namespace, "127.0.0.1:7777")
	elsewhere := secretService(t, other, "10.9.1.10:7777")
	for _, address := range []string{onLoopback, elsewhere} {
		if heard := on(t, j.machine, "cat </dev/tcp/"+strings.Replace(address, ":", "/", 1)); heard != "leak\n" {
			t.Fatalf("the jump server itself hears %q of %s", heard, address)
		}
	}
	databaseHost, _, _ := net.SplitHostPort(j.target)
	databasePort := port(t, j.target)

	for _, p := range []person{j.malia, j.noa} {
		t.Run("to "+p.name, func(t *testing.T) {
			c := j.client(t, p)
			// The test of the test: the one way that is open.
			channel, requests, err := c.OpenChannel("direct-tcpip", ssh.Marshal(directTCPIP{databaseHost, databasePort, "127.0.0.1", 1}))
			if err != nil {
				t.Fatalf("the way to the database is closed: %v", err)
			}
			go ssh.DiscardRequests(requests)
			if greeting, err := bufio.NewReader(channel).Peek(5); err != nil || greeting[4] != 10 { // the protocol's version
				t.Errorf("the database greets with %q, error %v", greeting, err)
			}
			_ = channel.Close()

			for what, to := range map[string]directTCPIP{
				"another port of the jump server":             {"127.0.0.1", 7777, "127.0.0.1", 1},
				"another port by name":                        {"localhost", 7777, "127.0.0.1", 1},
				"the jump server's own sshd":                  {"127.0.0.1", 22, "127.0.0.1", 1},
				"another port of the database":                {databaseHost, databasePort + 1, "127.0.0.1", 1},
				"another host":                                {"10.9.1.10", 7777, "127.0.0.1", 1},
				"the database's port on another host":         {"10.9.1.10", databasePort, "127.0.0.1", 1},
				"the metadata service":                        {"169.254.169.254", 80, "127.0.0.1", 1},
				"the account's services":                      {machine.RouterAddress, 80, "127.0.0.1", 1},
				"a port beyond 16 bits that ends like the db": {databaseHost, databasePort + 1<<16, "127.0.0.1", 1},
				"a pattern":                                   {"*", databasePort, "127.0.0.1", 1},
				"no host":                                     {"", databasePort, "127.0.0.1", 1},
			} {
				if channel, _, err := c.OpenChannel("direct-tcpip", ssh.Marshal(to)); err == nil {
					t.Errorf("the way to %s is open", what)
					_ = channel.Close()
				}
			}
			for what, open := range map[string][]byte{
				"direct-streamlocal@openssh.com": ssh.Marshal(struct {
					Path, Reserved string
					Port           uint32
				}{"/run/dbus/system_bus_socket", "", 0}),
				"tun@openssh.com": ssh.Marshal(struct{ Mode, Unit uint32 }{1, 0x7fffffff}),
				"x11":             ssh.Marshal(directTCPIP{"127.0.0.1", 1, "", 0}),
			} {
				if channel, _, err := c.OpenChannel(what, open); err == nil {
					t.Errorf("a channel %s opens", what)
					_ = channel.Close()
				}
			}
			for what, request := range map[string][]byte{
				"tcpip-forward": ssh.Marshal(struct {
					Host string
					Port uint32
				}{"127.0.0.1", 7778}),
				"streamlocal-forward@openssh.com": ssh.Marshal(struct{ Path string }{"/tmp/" + p.name + ".sock"}),
			} {
				if ok, _, err := c.SendRequest(what, true, request); ok || err != nil {
					t.Errorf("the request %s is answered with %v, error %v", what, ok, err)
				}
			}
			if ok, _, err := c.SendRequest("tcpip-forward", true, ssh.Marshal(struct {
				Host string
				Port uint32
			}{"", 0})); ok || err != nil {
				t.Errorf("the request for any port is answered with %v, error %v", ok, err)
			}

			session, requests, err := c.OpenChannel("session", nil)
			if p.name == j.noa.name {
				if err == nil {
					t.Error("a session opens, in which there could be a shell, a command, a subsystem or a terminal")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			go ssh.DiscardRequests(requests)
			for what, request := range map[string][]byte{
				"auth-agent-req@openssh.com": nil,
				"x11-req": ssh.Marshal(struct {
					Single           bool
					Protocol, Cookie string
					Screen           uint32
				}{false, "MIT-MAGIC-COOKIE-1", "00112233445566778899aabbccddeeff", 0}),
			} {
				if ok, err := session.SendRequest(what, true, request); ok || err != nil {
					t.Errorf("the request %s is answered with %v, error %v", what, ok, err)
				}
			}
			_ = session.Close()
		})
	}
	t.Run("to noa, whatever ssh is asked for", func(t *testing.T) {
		for what, args := range map[string][]string{
			"a shell":               {"jump"},
			"a terminal":            {"-tt", "jump"},
			"a command":             {"jump", "id"},
			"sftp":                  {"-s", "jump", "sftp"},
			"the mysql client":      {"jump", "drawbridge-mysql --execute 'SELECT 1'"},
			"a forward elsewhere":   {"-W", elsewhere, "jump"},
			"a reverse forward":     {"-N", "-R", "127.0.0.1:7778:127.0.0.1:22", "jump"},
			"a reverse unix socket": {"-N", "-R", "/tmp/noa.sock:127.0.0.1:22", "jump"},
			"a reverse proxy":       {"-N", "-R", "7779", "jump"},
			"a tunnel device":       {"-N", "-w", "any", "jump"},
		} {
			if out, stderr, err := j.laptop.try(t, j.noa, "", args...); err == nil || out != "" {
				t.Errorf("noa gets %s: %q, error %v: %s", what, out, err, stderr)
			} else if refused(stderr) {
				t.Errorf("noa does not even get in, for %s: %s", what, stderr)
			}
		}
	})
	const listeners = "ss --listening --tcp --numeric --no-header | awk '{print $4}' | grep -E ':777[89]$'; ls /tmp/*.sock 2>/dev/null; true"
	if left := on(t, j.machine, listeners); left != "" {
		t.Errorf("something listens on the jump server: %s", left)
	}
}

func (j *jumpServer) nobodyElse(t *testing.T) {
	mallory := person{"mallory", j.laptop.newKey(t, "mallory")}
	// Whatever else would let a key in: files of root, of the image's own user and of an administrator who has a friend.
	on(t, j.machine, fmt.Sprintf(`set -e
useradd --create-home --shell /bin/bash ec2-user
for user in root ec2-user malia; do
	home=$(getent passwd $user | cut -d : -f 6)
	install -d -m 700 -o $user $home/.ssh
	echo '%s' >$home/.ssh/authorized_keys
	chmod 600 $home/.ssh/authorized_keys
	chown $user $home/.ssh/authorized_keys
done`, mallory.key.public))
	for _, p := range []person{
		mallory,
		{"malia", mallory.key}, {"noa", mallory.key}, {"root", mallory.key}, {"ec2-user", mallory.key}, {"drawbridge-keys", mallory.key},
		{"noa", j.malia.key}, {"malia", j.noa.key}, {"root", j.malia.key}, {"ec2-user", j.malia.key},
		{"drawbridge-keys", j.malia.key}, {"drawbridge-shell", j.malia.key}, {"nobody", j.malia.key}, {"../malia", j.malia.key}, {"Malia", j.malia.key},
	} {
		j.laptop.mustRefuse(t, p, j.target)
	}
	t.Run("not even an account of the image that is in the group", func(t *testing.T) {
		on(t, j.machine, "usermod --append --groups drawbridge-shell ec2-user")
		j.laptop.mustRefuse(t, person{"ec2-user", mallory.key}, j.target)
		j.sync(t)
		if groups := on(t, j.machine, "id --groups --name ec2-user"); strings.Contains(groups, "drawbridge") {
			t.Errorf("it is still in %s", groups)
		}
	})
	t.Run("nor anybody without a key", func(t *testing.T) {
		for _, method := range []string{"password", "keyboard-interactive", "none", "hostbased", "gssapi-with-mic"} {
			_, stderr, err := j.laptop.try(t, j.malia, "", "-o", "PreferredAuthentications="+method, "jump", "true")
			if err == nil || !refused(stderr) {
				t.Errorf("%s: error %v: %s", method, err, stderr)
			}
		}
	})
	on(t, j.machine, "userdel --remove ec2-user 2>&1; rm -r /root/.ssh /home/malia/.ssh")
}

// sshAuditProgram is in the folder that `make lint` fills from scripts/requirements.txt.
const sshAuditProgram = "../../.tools/venv/bin/ssh-audit"

func (j *jumpServer) sshAudit(t *testing.T) {
	program, err := filepath.Abs(sshAuditProgram)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		notrun.Because(t, "there is no ssh-audit in .tools/venv: run 'make .tools/venv/installed'")
	}
	address := j.machine.Namespace.Address.String()
	audit := func(options ...string) (string, error) {
		args := slices.Concat([]string{"--no-colors", "--skip-rate-test"}, options, []string{address})
		out, err := j.laptop.command(t.Context(), program, args...).Output()
		if _, exit := errors.AsType[*exec.ExitError](err); err != nil && !exit {
			t.Fatal(err)
		}
		return string(out), err
	}
	j.laptop.write(t, "policy", auditPolicy)
	if out, err := audit("--policy", filepath.Join(j.laptop.folder, "policy")); err != nil {
		t.Errorf("ssh-audit: %v\n%s", err, out)
	}

	out, _ := audit("--json") // it ends with 2 when it warns, and with 3 when it objects
	var report map[string]json.RawMessage
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, kind := range []string{"kex", "key", "enc", "mac"} {
		var algorithms []struct {
			Algorithm string
			Notes     struct{ Fail, Warn []string }
		}
		if err := json.Unmarshal(report[kind], &algorithms); err != nil || len(algorithms) == 0 {
			t.Fatalf("%d algorithms of the kind %s, error %v", len(algorithms), kind, err)
		}
		for _, a := range algorithms {
			for _, note := range slices.Concat(a.Notes.Fail, a.Notes.Warn) {
				// OpenSSH 8.7 has one algorithm that does, and older clients have none.
				if note != "does not provide protection against post-quantum attacks" {
					t.Errorf("%s: %s", a.Algorithm, note)
				}
			}
		}
	}
}

// auditPolicy allows what ssh-audit's policies "Hardened OpenSSH Server v8.7" and "Hardened Amazon Linux 2023" allow,
// and less of it: without chacha20-poly1305, because of the Terrapin attack, and with one kind of host key.
const auditPolicy = `name = "Drawbridge's jump server"
version = 1
allow_algorithm_subset_and_reordering = true
host keys = ssh-ed25519
key exchanges = sntrup761x25519-sha512@openssh.com, curve25519-sha256, curve25519-sha256@libssh.org, diffie-hellman-group16-sha512, diffie-hellman-group18-sha512, ext-info-s, kex-strict-s-v00@openssh.com
ciphers = aes256-gcm@openssh.com, aes128-gcm@openssh.com, aes256-ctr, aes192-ctr, aes128-ctr
macs = hmac-sha2-256-etm@openssh.com, hmac-sha2-512-etm@openssh.com, umac-128-etm@openssh.com
`
