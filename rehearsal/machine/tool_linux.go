package machine

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// ready says why this process cannot make networks and machines.
func ready() error {
	if os.Geteuid() != 0 {
		return errors.New("networks and machines can only be made as root: run it with sudo")
	}
	for _, tool := range []string{"ip", "mount", "nsenter", "unshare"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("networks and machines take the program %s: install util-linux and iproute2", tool)
		}
	}
	return nil
}

// tool prepares a program of this machine. It is of another process group than this process, so that Ctrl-C, which goes to
// the whole group of a terminal's command, does not end it half-way: what is to end is this process's to say.
func tool(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// missed says that Ctrl-C has ended a tool, which takes that it had not left this process's group yet: it has done nothing.
func missed(err error) bool {
	end, ok := errors.AsType[*exec.ExitError](err)
	return ok && end.Sys().(syscall.WaitStatus).Signal() == syscall.SIGINT
}

// run runs a tool to its end. The error holds what it said last.
func run(stdin string, name string, args ...string) error {
	cmd := tool(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); missed(err) {
		return run(stdin, name, args...)
	} else if err != nil {
		return fmt.Errorf("%s %s: %w%s", name, strings.Join(args, " "), err, lastLines(stderr.String()))
	}
	return nil
}

// lastLines returns ": " and the last lines of text that are not empty, on one line.
func lastLines(text string) string {
	const most = 5
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return ": " + strings.Join(lines[max(0, len(lines)-most):], " | ")
}
