package tunnel

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
)

// greeting reads the first packet of the database's server ("Protocol::HandshakeV10" in MySQL's internals manual).
func (t *tester) greeting(ctx context.Context) (string, error) {
	address := net.JoinHostPort(t.database.Host, t.database.Port)
	conn, err := dial(ctx, address)
	if err != nil {
		return "", &problem{err.Error(), "Check that the database is running and that its security group admits this host on port " +
			t.database.Port}
	}
	defer func() { _ = conn.Close() }()
	version, err := readGreeting(conn)
	if err != nil {
		return "", &problem{fmt.Sprintf("%s answers, but not as MySQL does: %v", address, err),
			"Check that the database is available, in the RDS console"}
	}
	return fmt.Sprintf("MySQL %s at %s", version, address), nil
}

// readGreeting returns the version that a MySQL server says it has.
func readGreeting(r io.Reader) (version string, err error) {
	var header [4]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return "", fmt.Errorf("it sends no greeting: %w", err)
	}
	header[3] = 0 // the packet's number
	size := binary.LittleEndian.Uint32(header[:])
	if size < 2 || size > 4096 {
		return "", fmt.Errorf("its greeting has %d bytes", size)
	}
	packet := make([]byte, size)
	if _, err := io.ReadFull(r, packet); err != nil {
		return "", fmt.Errorf("its greeting is cut short: %w", err)
	}
	switch packet[0] {
	case 10:
		version, _, _ = strings.Cut(string(packet[1:]), "\x00")
		return printable(version), nil
	case 0xff: // an error packet: two bytes of code, then text
		return "", fmt.Errorf("it refuses: %s", printable(string(packet[min(3, len(packet)):])))
	default:
		return "", fmt.Errorf("its greeting is of protocol %d", packet[0])
	}
}

// unit tells whether the tunnel's own ssh is up, and otherwise why, from its log.
func (t *tester) unit(ctx context.Context) (string, error) {
	name := unitOf(t.Name)
	down := check(ctx, t.host, t.Name)
	if down == nil {
		return name + " is logged in", nil
	}
	state, _ := t.host.Run(ctx, "systemctl", "is-active", name) // its exit code says the same
	if state = strings.TrimSpace(state); state != "active" && state != "activating" {
		return "", &problem{fmt.Sprintf("%s is %q", name, state), "Run 'sudo systemctl restart " + name + "'"}
	}
	log, err := t.host.Run(ctx, "journalctl", "--unit", name, "--identifier", "ssh", "--identifier", "autossh",
		"--lines", "20", "--output", "cat", "--no-pager", "--quiet")
	if err != nil || strings.TrimSpace(log) == "" {
		return "", &problem{down.Error(), fmt.Sprintf("Look at 'sudo journalctl -u %s'", name)}
	}
	p := t.explain(lastTry(log))
	p.do += fmt.Sprintf("; 'sudo journalctl -u %s' has the whole log", name)
	return "", p
}

// lastTry returns what ssh said in the last of its tries that said anything, from autossh's log.
func lastTry(log string) string {
	var said, last []string
	for line := range strings.Lines(log) {
		switch {
		case strings.HasPrefix(line, "starting ssh"):
			said = nil
		case strings.HasPrefix(line, "ssh exited"), strings.HasPrefix(line, "ssh child pid"):
			// autossh itself
		default:
			said = append(said, line)
			last = said
		}
	}
	return strings.Join(last, "")
}
