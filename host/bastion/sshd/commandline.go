package sshd

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"drawbridge/host/install"
)

// Unit is sshd's systemd unit on Amazon Linux, and its other name on Debian.
const Unit = "sshd.service"

// CheckCommandLine fails when the sshd that runs was started with options, which beat every file: ec2-instance-connect
// brings its own AuthorizedKeysCommand in that way.
func CheckCommandLine(ctx context.Context, h *install.Host) error {
	out, err := h.Run(ctx, "systemctl", "show", "--property", "MainPID", "--value", Unit)
	if err != nil {
		return fmt.Errorf("it cannot be told which sshd runs: %w", err)
	}
	pid := strings.TrimSpace(out)
	if pid == "" || pid == "0" {
		return fmt.Errorf("sshd does not run: see 'journalctl --unit %s'", Unit)
	}
	cmdline, err := h.Read("/proc/" + pid + "/cmdline")
	if err != nil {
		return fmt.Errorf("the command line of sshd cannot be read: %w", err)
	}
	if options := overrides(cmdline); len(options) > 0 {
		return fmt.Errorf("sshd was started with %q, which beats %s: remove what adds that (see 'systemctl cat %s'), "+
			"then run 'systemctl restart %s'", strings.Join(options, " "), ConfigFile, Unit, Unit)
	}
	return nil
}

// harmless are the options with which the distributions start sshd: in the foreground, logging to stderr.
var harmless = []string{"-D", "-e"}

// overrides returns the options on a command line as /proc gives it, but for the harmless ones. Once sshd listens it shows
// there "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups".
func overrides(cmdline []byte) []string {
	text := strings.ReplaceAll(strings.TrimRight(string(cmdline), "\x00"), "\x00", " ")
	text = strings.TrimPrefix(text, "sshd: ")
	if i := strings.LastIndex(text, " [listener]"); i >= 0 {
		text = text[:i]
	}
	words := strings.Fields(text)
	if len(words) > 0 {
		words = words[1:]
	}
	return slices.DeleteFunc(words, func(word string) bool { return slices.Contains(harmless, word) })
}
