//go:build linux && root

package machine

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTwoMachinesSeeEachOtherAndAPersonLogsIn(t *testing.T) {
	network := newNetwork(t)
	hosts := map[string]string{"jump": "10.0.0.10", "laptop": "203.0.113.20"}
	jump := boot(t, Options{Name: "jump", Root: rootOf(t, "bastion"), Namespace: host(t, network, "jump", "10.0.0.10/24"), Hosts: hosts})
	laptop := boot(t, Options{Name: "laptop", Root: rootOf(t, "tunnel"), Namespace: host(t, network, "laptop", "203.0.113.20/24"), Hosts: hosts})

	must(t, laptop, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/.ssh/id_ed25519")
	must(t, jump, "useradd", "--create-home", "--shell", "/bin/bash", "--password", "*", "malia")
	must(t, jump, "install", "-d", "-o", "malia", "-m", "700", "/home/malia/.ssh")
	key := must(t, laptop, "cat", "/root/.ssh/id_ed25519.pub")
	if _, err := jump.Run(t.Context(), strings.NewReader(key), "sh", "-c", "cat >/home/malia/.ssh/authorized_keys"); err != nil {
		t.Fatal(err)
	}
	ssh := []string{"-o", "StrictHostKeyChecking=accept-new", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5",
		"-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=3", "malia@jump"}

	if got := must(t, laptop, "ssh", append(ssh, "id -un; hostname; echo $SSH_CONNECTION")...); !strings.HasPrefix(got, "malia\njump\n203.0.113.20 ") {
		t.Errorf("%q", got)
	}

	session := laptop.Command(t.Context(), "ssh", append(ssh, "sleep", "600")...)
	if err := session.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- session.Wait() }()
	slept := func() string {
		// A program of the session's, in the slice that logind keeps for the person.
		out, _ := jump.Run(t.Context(), nil, "sh", "-c", `cat "/proc/$(pgrep --uid malia sleep)/cgroup"`)
		return out
	}
	eventually(t, "the person's program runs in a slice of hers", func() bool { return strings.Contains(slept(), "user.slice/user-") })
	if got := must(t, jump, "loginctl", "--no-legend", "list-sessions"); !strings.Contains(got, "malia") {
		t.Errorf("loginctl lists %q", got)
	}
	must(t, jump, "loginctl", "terminate-user", "malia")
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the session that was terminated succeeded")
		}
	case <-time.After(time.Minute):
		t.Error("the session goes on after terminate-user")
	}
}

func TestALinkThatIsPulledCarriesNothingUntilItIsPluggedAgain(t *testing.T) {
	network := newNetwork(t)
	one, two := host(t, network, "one", "10.0.0.10/24"), host(t, network, "two", "10.0.0.11/24")
	other := host(t, network, "other", "10.1.0.10/16")
	listener, err := two.Listen("tcp", "10.0.0.11:80")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // the test is over
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, conn.RemoteAddr().(*net.TCPAddr).IP.String())
			_ = conn.Close()
		}
	}()
	// seen returns the address that two sees of somebody who connects.
	seen := func(from *Namespace) string {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		conn, err := from.Dial(ctx, "tcp", "10.0.0.11:80")
		if err != nil {
			return err.Error()
		}
		defer conn.Close() //nolint:errcheck // only read
		text, _ := io.ReadAll(conn)
		return string(text)
	}
	expect := func(when string, from *Namespace, want string) {
		t.Helper()
		if got := seen(from); got != want {
			t.Errorf("%s, from %v: %q, want %q", when, from.Address, got, want)
		}
	}
	expect("at first", one, "10.0.0.10")
	expect("at first", other, "10.1.0.10")
	expect("at first", network.Router(), "10.0.0.1")
	for range 2 { // twice does no harm
		if err := two.SetLink(false); err != nil {
			t.Fatal(err)
		}
	}
	for _, from := range []*Namespace{one, other, network.Router()} {
		if got := seen(from); strings.HasPrefix(got, "10.") {
			t.Errorf("the cable is pulled, and it is reached from %s", got)
		}
	}
	if out, err := two.Command(t.Context(), "ip", "-br", "link", "show", "eth0").Output(); err != nil || !strings.Contains(string(out), "NO-CARRIER") {
		t.Errorf("the host does not see that its cable is pulled: %q, %v", out, err)
	}
	for range 2 {
		if err := two.SetLink(true); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the host is reached again", func() bool { return seen(one) == "10.0.0.10" })
	expect("at last", other, "10.1.0.10")
	if err := network.Router().SetLink(false); err == nil {
		t.Error("the router's cable was pulled")
	}
}

func TestANetworkHasNoWayOut(t *testing.T) {
	network := newNetwork(t)
	one := host(t, network, "one", "10.0.0.10/24")
	for _, namespace := range []*Namespace{one, network.Router()} {
		if conn, err := namespace.Dial(t.Context(), "tcp", "192.0.2.1:53"); err == nil {
			_ = conn.Close()
			t.Errorf("%v reaches this machine's network", namespace.Address)
		}
		out, err := namespace.Command(t.Context(), "ip", "-br", "address").Output()
		if err != nil || strings.Contains(string(out), "192.0.2.") {
			t.Errorf("%s %v", out, err)
		}
	}
	if _, err := one.Dial(t.Context(), "tcp", "localhost:80"); err == nil || !strings.Contains(err.Error(), "IP address") {
		t.Error(err)
	}
}

func TestTheRouterAnswersForTheMetadataService(t *testing.T) {
	network := newNetwork(t)
	one := host(t, network, "one", "10.0.0.10/24")
	for _, address := range []string{MetadataAddress + ":80", RouterAddress + ":80"} {
		listener, err := network.Router().Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := one.Dial(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Close(), listener.Close()
	}
}

func TestAHostNeedsANameAndAnAddressOfItsOwn(t *testing.T) {
	network := newNetwork(t)
	host(t, network, "one", "10.0.0.10/24")
	for address, want := range map[string]string{
		"10.0.0.10/24": "another host", "10.0.0.1/24": "its router's", "10.0.0.0/24": "the subnet's own",
		"10.0.0.9": "not a host's address", "10.0.0.9/31": "not a host's address", "fd00::9/64": "not a host's address", "": "not a host's address",
		"10.0.0.9/24 dev lo": "not a host's address",
	} {
		if _, err := network.Host("two", address); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", address, err, want)
		}
	}
	for _, name := range []string{"", "a b", "a/b", "../x", "-a", "a--b", "A", strings.Repeat("a", 64)} {
		if _, err := network.Host(name, "10.0.0.12/24"); err == nil || !strings.Contains(err.Error(), "is not the name") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestThisProcessStaysOutsideOfItsNamespaces(t *testing.T) {
	network := newNetwork(t)
	one := host(t, network, "one", "10.0.0.10/24")
	home, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if conn, err := one.Dial(ctx, "tcp", "10.0.0.99:80"); err == nil {
				_ = conn.Close()
				t.Error("nobody answered")
			}
			if listener, err := one.Listen("tcp", ":0"); err != nil {
				t.Error(err)
			} else {
				_ = listener.Close()
			}
		})
	}
	group.Wait()
	threads, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil || len(threads) == 0 {
		t.Fatalf("%q, %v", threads, err)
	}
	for _, thread := range threads {
		if got, err := os.Readlink(thread); err == nil && got != home {
			t.Errorf("a thread is in %s and not in %s", got, home)
		}
	}
}
