package install

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// run runs a program with no stdin.
func run(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(),
		"LC_ALL=C.UTF-8",                 // messages in English
		"DEBIAN_FRONTEND=noninteractive", // packages do not ask
		"SYSTEMD_PAGER=", "SYSTEMD_COLORS=0")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	// A package manager that is asked to stop leaves its database in order.
	cmd.Cancel = func() error { return terminate(cmd.Process) }
	cmd.WaitDelay = 20 * time.Second
	err := cmd.Run()
	if err == nil {
		return stdout.String(), nil
	}
	if ctx.Err() != nil {
		return stdout.String(), fmt.Errorf("%s was stopped because the time was up: %w", name, ctx.Err())
	}
	said := lastLines(stderr.String())
	if said == "" {
		said = lastLines(stdout.String())
	}
	if said == "" {
		return stdout.String(), fmt.Errorf("%s failed: %w", name, err)
	}
	return stdout.String(), &commandError{name: name, said: said, err: err}
}

// commandError is a program that failed and said why.
type commandError struct {
	name, said string
	err        error
}

func (e *commandError) Error() string {
	return fmt.Sprintf("%s failed (%v): %s", e.name, e.err, e.said)
}
func (e *commandError) Unwrap() error { return e.err }

// ExitCode returns the exit code of a program that Run ran, 0 for no error and -1 where it did not come to an exit: it
// could not be started, or a signal ended it.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	var exit interface{ ExitCode() int }
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return -1
}

// Bounds on what is quoted of a program's output: the reason that CloudFormation shows is short.
const (
	mostLines  = 3
	mostOfLine = 200 // bytes
)

// lastLines returns the last lines of a text that are not empty, on one line.
func lastLines(text string) string {
	var lines []string
	// Progress bars end their lines with \r.
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		line = strings.Join(strings.Fields(strings.ToValidUTF8(line, "?")), " ")
		if line == "" {
			continue
		}
		if len(line) > mostOfLine {
			line = strings.ToValidUTF8(line[:mostOfLine], "") + " ..."
		}
		lines = append(lines, line)
	}
	if len(lines) > mostLines {
		lines = lines[len(lines)-mostLines:]
	}
	return strings.Join(lines, "; ")
}
