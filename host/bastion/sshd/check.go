package sshd

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"drawbridge/host/install"
)

// Access is what sshd lets an account do.
type Access int

const (
	// Everybody stands for what holds whoever logs in.
	Everybody Access = iota
	// TunnelOnly is for accounts in TunnelGroup.
	TunnelOnly
)

// Check fails unless sshd, reading the configuration file, does what [Server.Config] says for the account of that name, or for no
// account in particular where the name is empty.
func Check(ctx context.Context, h *install.Host, file string, server Server, account string, access Access) error {
	args := []string{"-T", "-f", file}
	if account != "" {
		args = append(args, "-C", "user="+account+",host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22")
	}
	out, err := h.Run(ctx, "/usr/sbin/sshd", args...)
	if err != nil {
		return fmt.Errorf("sshd does not take its configuration, so correct or remove what it names: %w", err)
	}
	want := server.global()
	if access == TunnelOnly {
		want = append(want, tunnelOnly()...)
	}
	if wrong := differences(want, effective(out)); len(wrong) > 0 {
		return fmt.Errorf("sshd would not follow %s: %s; remove what says otherwise from /etc/ssh, and see that "+
			"/etc/ssh/sshd_config includes /etc/ssh/sshd_config.d/*.conf before anything else", ConfigFile, strings.Join(wrong, ", "))
	}
	return nil
}

// effective reads what `sshd -T` prints: a keyword in lower case and one value a line, several lines for some.
func effective(out string) map[string][]string {
	values := map[string][]string{}
	for line := range strings.Lines(out) {
		keyword, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !slices.Contains(values[keyword], value) {
			values[keyword] = append(values[keyword], value)
		}
	}
	return values
}

// differences says, a clause each, which keywords have another value than they must.
func differences(want []directive, got map[string][]string) (wrong []string) {
	for _, d := range want {
		values := got[strings.ToLower(d.keyword)]
		if d.keyword == "HostKey" && len(values) > 1 {
			values = values[:1] // of two keys of one type sshd uses the first
		}
		if value := strings.Join(values, " "); value != d.value {
			wrong = append(wrong, fmt.Sprintf("%s is %q, not %q", d.keyword, value, d.value))
		}
	}
	return wrong
}
