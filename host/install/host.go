// Package install is what setting up a host is made of: files, commands, packages of the distribution and systemd units.
// Everything in it can be done twice: the second time nothing changes.
package install

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Host is the machine that is set up. New makes the real one; tests write below another Root and record the commands. A
// Host made without New leaves the owners of files alone and never pauses.
type Host struct {
	// Root is the folder that paths are below, "/" on a real host.
	Root string

	// Run runs a program and returns what it printed on stdout. Its error is one line that holds the program's name and
	// the last lines of its stderr; ExitCode finds the exit code in it.
	Run func(ctx context.Context, name string, args ...string) (stdout string, err error)

	// Say tells a person what is being done: one line, without the line's end.
	Say func(format string, args ...any)

	owner func(f *os.File, group string) (changed bool, err error)
	pause func(ctx context.Context, d time.Duration) error

	changed bool
}

// New returns this machine. It says on stderr what it does.
func New() *Host {
	return &Host{
		Root:  "/",
		Run:   run,
		Say:   func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) },
		owner: rootAnd,
		pause: Pause,
	}
}

// Changed reports whether a file was written or removed, or a package installed, since the host was made. Files below /run
// and /var/lib do not count: they are not how the host is set up.
func (h *Host) Changed() bool { return h.changed }

// Read reads the file at a path below Root.
func (h *Host) Read(path string) ([]byte, error) { return os.ReadFile(h.Path(path)) }

// Path returns where a path below Root is on this machine.
func (h *Host) Path(path string) string { return filepath.Join(h.Root, filepath.FromSlash(path)) }

func (h *Host) wait(ctx context.Context, d time.Duration) error {
	if h.pause == nil {
		return ctx.Err()
	}
	return h.pause(ctx, d)
}

// Pause waits for some time, or until ctx ends.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
