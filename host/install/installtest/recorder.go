// Package installtest is a host for tests, whose commands are only written down.
package installtest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"drawbridge/host/install"
)

// Recorder is a host below a folder of its own.
type Recorder struct {
	*install.Host

	// Answer answers a command, its words joined by spaces. Where it is nil every command succeeds and says nothing.
	Answer func(command string) (stdout string, err error)

	mu       sync.Mutex
	commands []string
	said     []string
}

// New returns a host that runs the Linux with this ID, and nothing on it.
func New(t testing.TB, id install.Distribution) *Recorder {
	r := &Recorder{}
	r.Host = &install.Host{Root: t.TempDir(), Run: r.run, Say: func(format string, args ...any) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.said = append(r.said, fmt.Sprintf(format, args...))
	}}
	r.File(t, "/etc/os-release", "ID="+string(id)+"\n")
	return r
}

// Again returns a host with the same files, on which nothing has been done yet.
func (r *Recorder) Again() *Recorder {
	again := &Recorder{Answer: r.Answer}
	again.Host = &install.Host{Root: r.Root, Run: again.run, Say: r.Say}
	return again
}

// File writes a file that was there before setup.
func (r *Recorder) File(t testing.TB, path, content string) {
	t.Helper()
	before := install.Host{Root: r.Root}
	if _, err := before.Write(install.File{Path: path, Content: content, Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
}

func (r *Recorder) run(_ context.Context, name string, args ...string) (string, error) {
	command := strings.Join(append([]string{name}, args...), " ")
	r.mu.Lock()
	r.commands = append(r.commands, command)
	r.mu.Unlock()
	if r.Answer == nil {
		return "", nil
	}
	return r.Answer(command)
}

// Commands returns the commands so far, one a line.
func (r *Recorder) Commands() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.commands, "\n")
}

// Ran counts the commands so far that hold a text.
func (r *Recorder) Ran(part string) int {
	n := 0
	for command := range strings.Lines(r.Commands()) {
		if strings.Contains(command, part) {
			n++
		}
	}
	return n
}

// Said returns what was said so far, one a line.
func (r *Recorder) Said() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.said, "\n")
}

// Exit is the error of a program that ended with an exit code.
type Exit int

func (e Exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// ExitCode is what install.ExitCode finds.
func (e Exit) ExitCode() int { return int(e) }
