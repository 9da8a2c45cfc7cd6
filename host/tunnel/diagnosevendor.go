package tunnel

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
)

// stepTimeout bounds one step.
const stepTimeout = 10 * time.Second

func (t *tester) reach(ctx context.Context) (string, error) {
	conn, err := dial(ctx, t.address())
	if err == nil {
		defer func() { _ = conn.Close() }()
		return t.address() + " is " + conn.RemoteAddr().String(), nil
	}
	p := &problem{what: err.Error()}
	if dns := new(net.DNSError); errors.As(err, &dns) {
		p.do = fmt.Sprintf("Check the tunnel's \"host\" in the config: %s must be a name that the internet knows", t.Host)
	} else if errors.Is(err, syscall.ECONNREFUSED) {
		p.do = fmt.Sprintf("The host is there, but port %d is closed: check the tunnel's \"port\" in the config, and ask the "+
			"vendor whether this host's address (the stack's output) is on the allow list", t.Port)
	} else {
		p.do = "Nothing comes back: ask the vendor whether this host's address (the stack's output) is on the allow list, and " +
			"check the tunnel's \"host\" and \"port\" in the config"
	}
	return "", p
}

// banner reads the identification of the vendor's SSH server (RFC 4253, section 4.2), which other lines may precede.
func (t *tester) banner(ctx context.Context) (string, error) {
	conn, err := dial(ctx, t.address())
	if err == nil {
		defer func() { _ = conn.Close() }()
		var line string
		lines := bufio.NewReader(io.LimitReader(conn, 64<<10))
		for err == nil {
			line, err = lines.ReadString('\n')
			if strings.HasPrefix(line, "SSH-2.0-") || strings.HasPrefix(line, "SSH-1.99-") {
				return printable(line), nil
			}
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		return "", &problem{"the connection is closed before the server says SSH-2.0",
			"Either this is not the port of an SSH server (the tunnel's \"port\" in the config), or the vendor does not allow " +
				"this host's address (the stack's output) yet, or has blocked it for a while after log-ins that failed"}
	}
	return "", &problem{err.Error(), fmt.Sprintf("Check that the vendor's SSH server listens on port %d", t.Port)}
}

// errOffered ends the handshake when the host key is known.
var errOffered = errors.New("the host key is known")

// offeredHostKey compares the host key that the vendor's server proves to have with the pinned one.
func (t *tester) offeredHostKey(ctx context.Context) (string, error) {
	pinned, err := hostKey(t.Tunnel)
	if err != nil {
		return "", err
	}
	conn, err := dial(ctx, t.address())
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	algorithms := []string{pinned.Type()}
	if pinned.Type() == ssh.KeyAlgoRSA {
		algorithms = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	var offered ssh.PublicKey
	_, _, _, err = ssh.NewClientConn(conn, t.address(), &ssh.ClientConfig{
		User:              t.User,
		HostKeyAlgorithms: algorithms,
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			offered = key
			return errOffered
		},
	})
	const do = "Ask the vendor, by another way than this connection, which host key is right, and put that into the tunnel's " +
		"\"hostKey\" in the config; if the pinned one is right, somebody else is answering"
	switch negotiation := new(ssh.AlgorithmNegotiationError); {
	case offered == nil && errors.As(err, &negotiation):
		return "", &problem{fmt.Sprintf("the server and this host have no algorithm in common for a host key of the pinned "+
			"type %s: %v", pinned.Type(), err), do}
	case offered == nil:
		return "", &problem{err.Error(), "The server ends the connection early: try again in a few minutes, then ask the vendor"}
	case !bytes.Equal(offered.Marshal(), pinned.Marshal()):
		return "", &problem{fmt.Sprintf("the server has the key %s, pinned is %s",
			ssh.FingerprintSHA256(offered), ssh.FingerprintSHA256(pinned)), do}
	}
	return fmt.Sprintf("%s %s", offered.Type(), ssh.FingerprintSHA256(offered)), nil
}

// login logs in with ssh and the tunnel's own settings, but without the forward.
func (t *tester) login(ctx context.Context) (string, error) {
	if _, err := os.Stat(keyFile(t.host)); err != nil {
		return "", &problem{fmt.Sprintf("the private key is not there: %v", err),
			"Look at 'sudo systemctl status " + keyUnit + "' (this test needs sudo too)"}
	}
	folder, err := os.MkdirTemp("", "drawbridge-") // short: a socket's path has at most 107 bytes
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	// ssh makes its control socket when it is logged in.
	socket := filepath.Join(folder, "control")
	ctx, cancel := context.WithTimeout(ctx, 2*stepTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "ssh", "-F", t.host.Path(t.places.config), "-N", "-o", "ClearAllForwardings=yes",
		"-o", "ControlMaster=yes", "-o", "ControlPath="+socket, t.Name)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "CREDENTIALS_DIRECTORY="+t.host.Path(keyFolder))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return "", err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // stderr says why
	}()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-ended:
			if ctx.Err() != nil {
				return "", &problem{"ssh is not logged in after " + (2 * stepTimeout).String(), "Try again, then ask the vendor"}
			}
			return "", t.explain(stderr.String())
		case <-look.C:
			if _, err := os.Stat(socket); err == nil {
				cancel()
				<-ended
				return "as " + t.User, nil
			}
		}
	}
}

// explain turns what ssh said on stderr into what to do. The texts are those of OpenSSH 10.
func (t *tester) explain(stderr string) *problem {
	said := "ssh ended without a word"
	for line := range strings.Lines(stderr) {
		if line = printable(line); line != "" {
			said = line
		}
	}
	p := &problem{what: said, do: "Ask the vendor what the server's log says about it"}
	switch {
	case strings.Contains(stderr, "remote port forwarding failed"):
		p.do = fmt.Sprintf("The vendor's server does not let this tunnel listen on port %d: another connection has it (an old "+
			"one goes away by itself, mostly within minutes), or the user %q may not have it", t.RemotePort, t.User)
	case strings.Contains(stderr, "Permission denied"):
		p.do = fmt.Sprintf("Paste the public key (the stack's output TunnelPublicKey) into the vendor's form, for the user %q, "+
			"and check the tunnel's \"user\" in the config", t.User)
	case strings.Contains(stderr, "Host key verification failed"):
		p.do = "The host key is not the pinned one: ask the vendor which is right before you change \"hostKey\" in the config"
	case strings.Contains(stderr, "Too many authentication failures"), strings.Contains(stderr, "Connection closed"),
		strings.Contains(stderr, "Connection reset"):
		p.do = "The server ends the connection before the log-in: it may have blocked this host for a while, try again in " +
			"ten minutes"
	case strings.Contains(stderr, "Connection refused"), strings.Contains(stderr, "timed out"),
		strings.Contains(stderr, "Could not resolve hostname"), strings.Contains(stderr, "No route to host"):
		p.do = "The vendor's server does not answer: the first step of this test says more"
	}
	return p
}

// printable returns a line of somebody else's server without what could play tricks on a terminal.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, strings.TrimSpace(line))
}
