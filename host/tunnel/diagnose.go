package tunnel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"drawbridge/host/install"
	"drawbridge/host/settings"
)

// Test tries what a tunnel needs, as a person would by hand, and writes a line for each step with its outcome; a failed
// one also says what to do. The tunnel may be up meanwhile. The error says how many steps failed.
func Test(ctx context.Context, h *install.Host, s *settings.Settings, name string, w io.Writer) error {
	var names []string
	for _, t := range s.Tunnel.Tunnels {
		if t.Name == name {
			return newTester(h, s, t, w).run(ctx)
		}
		names = append(names, t.Name)
	}
	return fmt.Errorf("there is no tunnel %q on this host, only: %s", name, strings.Join(names, ", "))
}

// tester tries one tunnel.
type tester struct {
	settings.Tunnel
	host     *install.Host
	database settings.Database
	places   places
	out      io.Writer
	failed   int
}

func newTester(h *install.Host, s *settings.Settings, t settings.Tunnel, w io.Writer) *tester {
	return &tester{Tunnel: t, host: h, database: s.Database, places: onHost, out: w}
}

// problem is why a step failed and what to do about it, both full sentences without the full stop.
type problem struct{ what, do string }

func (p *problem) Error() string { return p.what + ": " + p.do }

func (t *tester) run(ctx context.Context) error {
	vendor := t.step(ctx, "The vendor answers", t.reach) &&
		t.step(ctx, "It speaks SSH", t.banner) &&
		t.step(ctx, "Its host key is the pinned one", t.offeredHostKey) &&
		t.step(ctx, "It lets this host log in", t.login)
	if !vendor {
		_, _ = fmt.Fprintln(t.out, "        (what comes after that at the vendor cannot be tried)")
	}
	t.step(ctx, "The database answers", t.greeting)
	t.step(ctx, "The tunnel is up", t.unit)
	if t.failed > 0 {
		return fmt.Errorf("%d of the steps for the tunnel %q failed", t.failed, t.Name)
	}
	return nil
}

func (t *tester) step(ctx context.Context, name string, try func(context.Context) (detail string, err error)) bool {
	detail, err := try(ctx)
	if err == nil {
		_, _ = fmt.Fprintf(t.out, "ok      %s: %s\n", name, printable(detail))
		return true
	}
	t.failed++
	what, do := err.Error(), ""
	if p := new(problem); errors.As(err, &p) {
		what, do = p.what, p.do
	}
	// Some of it came from somebody else's server.
	_, _ = fmt.Fprintf(t.out, "FAILED  %s: %s\n", name, printable(what))
	if do != "" {
		_, _ = fmt.Fprintf(t.out, "        %s.\n", do)
	}
	return false
}

func (t *tester) address() string { return net.JoinHostPort(t.Host, strconv.Itoa(t.Port)) }

func dial(ctx context.Context, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	return conn, conn.SetDeadline(deadline)
}
