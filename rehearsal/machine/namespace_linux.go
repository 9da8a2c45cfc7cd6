package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"drawbridge/internal/leftover"
)

// namespaceFolder is where ip-netns(8) keeps namespaces by name.
const namespaceFolder = "/run/netns"

// Namespace is the network of one host, or of the router between them.
type Namespace struct {
	// Address is the host's, or [RouterAddress].
	Address netip.Addr

	name   string     // as ip netns lists it
	router *Namespace // nil for the router itself
	link   string     // the router's end of the host's link
}

func newNamespace(name string) (*Namespace, error) {
	unique, err := leftover.Name(name)
	if err != nil {
		return nil, err
	}
	if err := run("", "ip", "netns", "add", unique); err != nil {
		return nil, err
	}
	return &Namespace{name: unique}, nil
}

// Name is what `ip netns` calls it, for a person who wants to look around with `ip netns exec`.
func (n *Namespace) Name() string { return n.name }

func (n *Namespace) path() string { return filepath.Join(namespaceFolder, n.name) }

// Link is the router's end of a host's link.
func (n *Namespace) Link() string { return n.link }

// IP is the host's address.
func (n *Namespace) IP() netip.Addr { return n.Address }

// Configure runs commands of ip(8) in the namespace, each a line.
func (n *Namespace) Configure(commands ...string) error { return n.ip(commands...) }

// SetRules replaces the namespace's packet filter by rules as nft(8) reads them, all at once.
func (n *Namespace) SetRules(rules string) error {
	return run("flush ruleset\n"+rules, "nsenter", "--net="+n.path(), "--", "nft", "-f", "-")
}

// ip runs commands of ip(8) in the namespace, each a line.
func (n *Namespace) ip(commands ...string) error {
	return run(strings.Join(commands, "\n")+"\n", "ip", "-n", n.name, "-batch", "-")
}

// do runs f with its thread in the namespace. Sockets that f makes stay there; goroutines that f starts run elsewhere.
func (n *Namespace) do(f func() error) error {
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer home.Close() //nolint:errcheck // only read
	there, err := os.Open(n.path())
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("the namespace is gone: %w", err)
	}
	defer there.Close() //nolint:errcheck // only read
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("entering the namespace %s: %w", n.name, err)
	}
	defer func() {
		// A thread that cannot come back stays locked, so that it ends with its goroutine and nobody else gets it.
		if unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
	}()
	return f()
}

// set writes kernel settings of the namespace, below /proc/sys/net.
func (n *Namespace) set(settings map[string]string) error {
	return n.do(func() error {
		for path, value := range settings {
			if err := os.WriteFile(filepath.Join("/proc/sys/net", path), []byte(value), 0o644); err != nil {
				return err
			}
		}
		return nil
	})
}

// Listen makes a listener of this process inside the namespace.
func (n *Namespace) Listen(network, address string) (listener net.Listener, err error) {
	err = n.do(func() (err error) {
		listener, err = net.Listen(network, address)
		return err
	})
	return listener, err
}

// Dial connects this process from inside the namespace to an address, host and port, whose host is an IP address: this
// process resolves no names for others.
func (n *Namespace) Dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	if _, err := netip.ParseAddrPort(address); err != nil {
		return nil, fmt.Errorf("%q cannot be dialled from a namespace: it takes an IP address and a port", address)
	}
	err = n.do(func() (err error) {
		var d net.Dialer
		conn, err = d.DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// Command prepares a program of this machine that runs inside the namespace, with this machine's files. It dies with
// this process, and gets no Ctrl-C.
func (n *Namespace) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"--net=" + n.path(), "--", name}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	cmd.WaitDelay = waitDelay
	return cmd
}

// SetLink plugs the cable of a host (true) or pulls it (false).
func (n *Namespace) SetLink(up bool) error {
	if n.router == nil {
		return errors.New("the router has no cable of its own: pull a host's")
	}
	if !up {
		return n.router.ip("link set " + n.link + " down")
	}
	return n.router.ip(n.plug()...)
}

// plug are the router's commands for a link that comes up. The kernel drops the route of one that goes down.
func (n *Namespace) plug() []string {
	return []string{
		"link set " + n.link + " up",
		"route replace " + n.Address.String() + "/32 dev " + n.link,
	}
}

// remove ends what runs in the namespace and removes it. One that is gone is no error.
func (n *Namespace) remove() error {
	if err := n.killAll(); err != nil {
		return err
	}
	if _, err := os.Stat(n.path()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := run("", "ip", "netns", "delete", n.name); err != nil {
		if _, gone := os.Stat(n.path()); errors.Is(gone, fs.ErrNotExist) {
			return nil // another process swept it at the same time
		}
		return err
	}
	return nil
}

// killAll ends the processes in the namespace, such as what a [Namespace.Command] has started.
func (n *Namespace) killAll() error {
	deadline := time.Now().Add(stopTimeout)
	for {
		out, err := tool("ip", "netns", "pids", n.name).Output()
		if missed(err) {
			continue
		}
		if err != nil {
			return nil // it is gone
		}
		running := 0
		for _, field := range strings.Fields(string(out)) {
			// A thread of this process may be inside for a moment.
			pid, err := strconv.Atoi(field)
			if err != nil || pid == os.Getpid() {
				continue
			}
			if _, alive := leftover.StartTime(pid); alive {
				running++
				_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended by itself
			}
		}
		if running == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d processes in the namespace %s could not be killed within %v", running, n.name, stopTimeout)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
