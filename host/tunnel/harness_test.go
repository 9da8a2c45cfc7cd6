package tunnel

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"drawbridge/host/install"
	"drawbridge/host/install/installtest"
	"drawbridge/host/settings"
	"drawbridge/internal/notrun"
)

const sampleHostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGExmMLlUwmkMBK9UmgpbTjJGjPoEwcs1efcVMlFheV6"

func sample() *settings.Settings {
	return &settings.Settings{
		Environment: "dev", Region: "eu-west-1", PatchWindow: "Sun *-*-* 03:00:00",
		Database: settings.Database{Host: "db.example.com", Port: "3306"},
		Tunnel: &settings.TunnelHost{KeySecretARN: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:key",
			MetricNamespace: "Drawbridge", Tunnels: []settings.Tunnel{{Name: "bi", Host: "bi.example.com", Port: 22,
				User: "tunnel15240", RemotePort: 15240, HostKey: sampleHostKey}}},
	}
}

// privateKey returns a new private key in OpenSSH's format, and its public half.
func privateKey(t testing.TB) (text string, public ssh.PublicKey) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block)), signer.PublicKey()
}

// vendor is an SSH server on loopback that lets one key of one user log in.
type vendor struct {
	port    int
	hostKey string // "type base64"

	mu     sync.Mutex
	logins int
	asked  []string // the requests after the log-in
}

func newVendor(t *testing.T, user string, key ssh.PublicKey) *vendor {
	text, public := privateKey(t)
	signer, err := ssh.ParsePrivateKey([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	v := &vendor{hostKey: strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))}
	config := &ssh.ServerConfig{PublicKeyCallback: func(c ssh.ConnMetadata, offered ssh.PublicKey) (*ssh.Permissions, error) {
		if c.User() != user || !bytes.Equal(offered.Marshal(), key.Marshal()) {
			return nil, os.ErrPermission
		}
		return nil, nil
	}}
	config.AddHostKey(signer)
	v.port = listen(t, func(conn net.Conn) {
		server, channels, requests, err := ssh.NewServerConn(conn, config)
		if err != nil {
			return
		}
		v.mu.Lock()
		v.logins++
		v.mu.Unlock()
		go func() {
			for c := range channels {
				_ = c.Reject(ssh.Prohibited, "no sessions")
			}
		}()
		go func() {
			for r := range requests {
				v.mu.Lock()
				v.asked = append(v.asked, r.Type)
				v.mu.Unlock()
				_ = r.Reply(false, nil)
			}
		}()
		_ = server.Wait()
	})
	return v
}

// listen serves every connection to a port of loopback and returns the port.
func listen(t *testing.T, serve func(net.Conn)) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[conn] = true
			mu.Unlock()
			serving.Go(func() {
				defer func() { _ = conn.Close() }()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for conn := range open {
			_ = conn.Close()
		}
		mu.Unlock()
		serving.Wait()
	})
	return l.Addr().(*net.TCPAddr).Port
}

// mysqlServer greets as MySQL does and returns its port.
func mysqlServer(t *testing.T) string {
	return strconv.Itoa(listen(t, func(conn net.Conn) {
		_, _ = conn.Write(greetingPacket("\x0a8.4.5\x00" + strings.Repeat("x", 40)))
		_, _ = io.Copy(io.Discard, conn)
	}))
}

func greetingPacket(payload string) []byte {
	n := len(payload)
	return append([]byte{byte(n), byte(n >> 8), byte(n >> 16), 0}, payload...)
}

// set writes what setup and tunnel-key have written on a host, below the folder of h, and returns a tester of the tunnel.
func set(t *testing.T, h *installtest.Recorder, s *settings.Settings, key string) (*tester, *bytes.Buffer) {
	t.Helper()
	if _, err := exec.LookPath("ssh"); err != nil {
		notrun.Because(t, "there is no ssh")
	}
	here := places{config: onHost.config, knownHosts: h.Path(onHost.knownHosts), control: h.Path(onHost.control)}
	config, err := here.sshConfig(s.Tunnel.Tunnels, s.Database)
	if err != nil {
		t.Fatal(err)
	}
	known, err := knownHosts(s.Tunnel.Tunnels)
	if err != nil {
		t.Fatal(err)
	}
	h.File(t, onHost.config, config)
	h.File(t, onHost.knownHosts, known)
	if key != "" {
		before := install.Host{Root: h.Root}
		if _, err := before.Write(install.File{Path: filepath.Join(keyFolder, credential), Content: key, Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	return newTester(h.Host, s, s.Tunnel.Tunnels[0], &out), &out
}

func portText(port int) string { return strconv.Itoa(port) }
