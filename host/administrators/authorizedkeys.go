package administrators

import (
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"drawbridge/host/bastion/sshd"
	"drawbridge/host/settings"
)

// AuthorizedKeys writes the lines with which the user may log in, none for somebody who is not known, as sshd's
// AuthorizedKeysCommand does (sshd_config(5)). It reads the cache and nothing else: it needs neither the network nor the
// instance's credentials, and runs as sshd.KeysUser. Where the cache cannot be believed it writes nothing; the error goes
// to the system's log too, because sshd throws away what its command prints on stderr.
func AuthorizedKeys(user string, s *settings.Settings, w io.Writer) error {
	lines, err := answer("/", user, s.Database, time.Now())
	if err != nil {
		logToSystem(err.Error())
		return err
	}
	_, err = io.WriteString(w, lines)
	return err
}

// answer is what sshd is told about a user, all or nothing.
func answer(root, user string, database settings.Database, now time.Time) (string, error) {
	target, err := sshd.Target(database)
	if err != nil {
		return "", err
	}
	const remedy = "see 'journalctl --unit drawbridge-administrators'"
	file, text, err := readCache(root)
	if err != nil {
		return "", fmt.Errorf("nobody can log in because the people's keys cannot be read: %s: %w", remedy, err)
	}
	c, err := parseCache(text)
	if err != nil {
		return "", fmt.Errorf("nobody can log in because %s is damaged: %w: %s", file, err, remedy)
	}
	if why := c.unbelievable(now); why != "" {
		return "", fmt.Errorf("nobody can log in because %s cannot be believed: %s: %s", file, why, remedy)
	}
	p, ok := c.person(user)
	if !ok {
		return "", nil
	}
	var lines strings.Builder
	for _, key := range p.PublicKeys {
		lines.WriteString(keyLine(p.Access, target, key))
	}
	return lines.String(), nil
}

// logToSystem writes a warning where sshd's own lines go (RFC 3164, facility authpriv).
func logToSystem(message string) {
	const authprivWarning = 10<<3 | 4
	conn, err := net.Dial("unixgram", "/dev/log")
	if err != nil {
		return // sshd still logs that its command failed
	}
	defer func() { _ = conn.Close() }()
	_, _ = fmt.Fprintf(conn, "<%d>drawbridge-authorized-keys: %s", authprivWarning, message)
}
