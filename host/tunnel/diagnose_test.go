package tunnel

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"drawbridge/host/install"
	"drawbridge/host/install/installtest"
	"drawbridge/host/settings"
)

// scene is a vendor, a database and a host with a tunnel between them that is up.
func scene(t *testing.T) (h *installtest.Recorder, s *settings.Settings, key string, v *vendor) {
	h, s = installtest.New(t, install.Debian), sample()
	key, public := privateKey(t)
	v = newVendor(t, "tunnel15240", public)
	tunnel := &s.Tunnel.Tunnels[0]
	tunnel.Host, tunnel.Port, tunnel.HostKey = "127.0.0.1", v.port, v.hostKey
	s.Database.Host, s.Database.Port = "127.0.0.1", mysqlServer(t)
	socket(t, h, "bi", time.Hour)
	return h, s, key, v
}

func TestATunnelThatWorksPassesEveryStep(t *testing.T) {
	h, s, key, v := scene(t)
	tester, out := set(t, h, s, key)
	if err := tester.run(t.Context()); err != nil || strings.Count(out.String(), "ok      ") != 6 {
		t.Fatalf("got %v\n%s", err, out)
	}
	for _, part := range []string{"SSH-2.0-", "SHA256:", "as tunnel15240", "MySQL 8.4.5"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("the output lacks %q:\n%s", part, out)
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.logins != 1 {
		t.Errorf("there were %d log-ins", v.logins)
	}
	for _, request := range v.asked {
		if request == "tcpip-forward" {
			t.Error("the test asks for the tunnel's port, which the tunnel has")
		}
	}
}

func TestEachFaultIsNamedWithWhatToDo(t *testing.T) {
	tests := map[string]struct {
		spoil func(t *testing.T, h *installtest.Recorder, s *settings.Settings, key *string)
		oks   int
		want  []string
	}{
		"a name that nobody knows": {func(_ *testing.T, _ *installtest.Recorder, s *settings.Settings, _ *string) {
			s.Tunnel.Tunnels[0].Host = "vendor.invalid"
		}, 2, []string{"FAILED  The vendor answers", `Check the tunnel's "host"`}},
		"a closed port": {func(t *testing.T, _ *installtest.Recorder, s *settings.Settings, _ *string) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			s.Tunnel.Tunnels[0].Port = l.Addr().(*net.TCPAddr).Port
			_ = l.Close()
		}, 2, []string{"FAILED  The vendor answers", "connection refused", "allow list"}},
		"a server that hangs up": {func(t *testing.T, _ *installtest.Recorder, s *settings.Settings, _ *string) {
			s.Tunnel.Tunnels[0].Port = listen(t, func(net.Conn) {})
		}, 3, []string{"FAILED  It speaks SSH", "does not allow this host's address"}},
		"a web server": {func(t *testing.T, _ *installtest.Recorder, s *settings.Settings, _ *string) {
			s.Tunnel.Tunnels[0].Port = listen(t, func(conn net.Conn) { _, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n") })
		}, 3, []string{"FAILED  It speaks SSH", "not the port of an SSH server"}},
		"another host key": {func(_ *testing.T, _ *installtest.Recorder, s *settings.Settings, _ *string) {
			s.Tunnel.Tunnels[0].HostKey = sampleHostKey
		}, 4, []string{"FAILED  Its host key is the pinned one", "SHA256:", "by another way"}},
		"a host key of another type": {func(_ *testing.T, _ *installtest.Recorder, s *settings.Settings, _ *string) {
			s.Tunnel.Tunnels[0].HostKey = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBGsX0fLhLEJH+Lzm5WOkQPJ3A32BLeszoPShOUXYmMKWT+NC4v4af5uO5+tKfA+eFivOM1drMV7Oy7ZAaDe/UfU="
		}, 4, []string{"FAILED  Its host key is the pinned one", "ecdsa-sha2-nistp256", "by another way"}},
		"a key that the vendor does not know": {func(t *testing.T, _ *installtest.Recorder, _ *settings.Settings, key *string) {
			*key, _ = privateKey(t)
		}, 5, []string{"FAILED  It lets this host log in", "Permission denied", "TunnelPublicKey"}},
		"no key yet": {func(_ *testing.T, _ *installtest.Recorder, _ *settings.Settings, key *string) {
			*key = ""
		}, 5, []string{"FAILED  It lets this host log in", "drawbridge-tunnel-key.service"}},
		"no database": {func(t *testing.T, _ *installtest.Recorder, s *settings.Settings, _ *string) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			_, s.Database.Port, _ = net.SplitHostPort(l.Addr().String())
			_ = l.Close()
		}, 5, []string{"FAILED  The database answers", "security group"}},
		"something else than MySQL": {func(t *testing.T, _ *installtest.Recorder, s *settings.Settings, _ *string) {
			port := listen(t, func(conn net.Conn) { _, _ = io.WriteString(conn, "+OK Dovecot ready.\r\n") })
			s.Database.Port = portText(port)
		}, 5, []string{"FAILED  The database answers", "not as MySQL does"}},
		"a unit that is stopped": {func(_ *testing.T, h *installtest.Recorder, _ *settings.Settings, _ *string) {
			h.Answer = answers(map[string]string{"systemctl is-active": "inactive\n"})
		}, 5, []string{"FAILED  The tunnel is up", `"inactive"`, "systemctl restart drawbridge-tunnel@bi.service"}},
		"a port that is taken": {func(_ *testing.T, h *installtest.Recorder, _ *settings.Settings, _ *string) {
			h.Answer = answers(map[string]string{"systemctl is-active": "active\n", "journalctl": "starting ssh (count 2 of 1000)\n" +
				"ssh child pid is 7\nError: remote port forwarding failed for listen port 15240\nssh exited with error status 255; restarting ssh\n" +
				"starting ssh (count 3 of 1000)\nssh child pid is 8\n"})
		}, 5, []string{"FAILED  The tunnel is up", "listen on port 15240", "another connection has it"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			h, s, key, _ := scene(t)
			tc.spoil(t, h, s, &key)
			tester, out := set(t, h, s, key)
			if err := tester.run(t.Context()); err == nil {
				t.Error("it passes")
			}
			if n := strings.Count(out.String(), "ok      "); n != tc.oks {
				t.Errorf("%d steps pass, want %d:\n%s", n, tc.oks, out)
			}
			for _, part := range tc.want {
				if !strings.Contains(out.String(), part) {
					t.Errorf("the output lacks %q:\n%s", part, out)
				}
			}
			if strings.Contains(out.String(), "PRIVATE KEY") {
				t.Error("the private key is shown")
			}
		})
	}
}

// answers makes the control socket dead and the commands that start so say something.
func answers(said map[string]string) func(string) (string, error) {
	return func(command string) (string, error) {
		for start, text := range said {
			if strings.HasPrefix(command, start) {
				return text, nil
			}
		}
		return "", errors.New("Control socket connect: Connection refused")
	}
}

func TestAVendorWhoseHostKeyChangesAtTheLastMomentGetsNoLogin(t *testing.T) {
	h, s, key, v := scene(t)
	s.Tunnel.Tunnels[0].HostKey = sampleHostKey
	tester, _ := set(t, h, s, key)
	_, err := tester.login(t.Context())
	if p := new(problem); !errors.As(err, &p) || !strings.Contains(p.what, "Host key verification failed") {
		t.Errorf("got the error %v", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.logins != 0 {
		t.Error("it logged in")
	}
}

func TestATunnelThatIsNotThereIsAnsweredWithThoseThatAre(t *testing.T) {
	var out bytes.Buffer
	err := Test(t.Context(), installtest.New(t, install.Debian).Host, sample(), "other", &out)
	if err == nil || !strings.Contains(err.Error(), `"other"`) || !strings.Contains(err.Error(), "bi") || out.Len() > 0 {
		t.Errorf("got %v and %q", err, out.String())
	}
}

func TestGreetingsOfMySQLAreRead(t *testing.T) {
	tests := map[string]struct{ bytes, version, fault string }{
		"MySQL":           {string(greetingPacket("\x0a8.4.5\x00rest")), "8.4.5", ""},
		"no end of text":  {string(greetingPacket("\x0a8.4")), "8.4", ""},
		"an escape":       {string(greetingPacket("\x0a8.\x1b[2J4\x00")), "8.[2J4", ""},
		"too many":        {string(greetingPacket("\xff\x10\x04Too many connections")), "", "Too many connections"},
		"a short refusal": {string(greetingPacket("\xff\x10")), "", "refuses"},
		"old":             {string(greetingPacket("\x09x")), "", "protocol 9"},
		"nothing":         {"", "", "no greeting"},
		"cut short":       {"\x20\x00\x00\x00\x0a8", "", "cut short"},
		"huge":            {"\xff\xff\xff\x00", "", "bytes"},
		"empty":           {"\x00\x00\x00\x00", "", "bytes"},
	}
	for name, tc := range tests {
		version, err := readGreeting(strings.NewReader(tc.bytes))
		if version != tc.version || (err == nil) != (tc.fault == "") || err != nil && !strings.Contains(err.Error(), tc.fault) {
			t.Errorf("%s: got %q, %v", name, version, err)
		}
	}
}

func FuzzGreetingsNeverBreakTheTerminal(f *testing.F) {
	f.Add(greetingPacket("\x0a8.4.5\x00rest"))
	f.Add(greetingPacket("\xff\x10\x04\x1b]0;x\x07"))
	f.Fuzz(func(t *testing.T, data []byte) {
		version, err := readGreeting(bytes.NewReader(data))
		text := version
		if err != nil {
			text += err.Error()
		}
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("got %q", text)
		}
	})
}

func TestTheLastTryOfSshCounts(t *testing.T) {
	tests := map[string]struct{ log, want string }{
		"one that ended":        {"starting ssh (count 1)\nssh child pid is 1\nfirst\nssh exited with error status 255; restarting ssh\n", "first\n"},
		"one that goes on":      {"starting ssh (count 1)\nfirst\nssh exited with 255\nstarting ssh (count 2)\nssh child pid is 3\n", "first\n"},
		"a newer one":           {"starting ssh\nfirst\nssh exited\nstarting ssh\nsecond\nthird\n", "second\nthird\n"},
		"nothing was ever said": {"starting ssh\nssh child pid is 1\n", ""},
	}
	for name, tc := range tests {
		if got := lastTry(tc.log); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}
