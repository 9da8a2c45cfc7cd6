//go:build linux && root

package endtoend

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"drawbridge/rehearsal/instance"
)

// tunnelHost is the deployed host of the tunnels.
type tunnelHost struct {
	*instance.Instance
	w     *world
	said  strings.Builder // all that tunnel-test said
	beats int             // how many heartbeats were asked for
}

func unit(tunnel string) string { return "drawbridge-tunnel@" + tunnel + ".service" }

// autosshPID is the main process of a tunnel's unit, "0" when there is none.
func (h *tunnelHost) autosshPID(t testing.TB, tunnel string) string {
	t.Helper()
	return strings.TrimSpace(on(t, h.Instance, "systemctl show --property MainPID --value "+unit(tunnel)))
}

// sshPID is a tunnel's ssh that runs, or "".
func (h *tunnelHost) sshPID(t testing.TB, tunnel string) string {
	t.Helper()
	return strings.TrimSpace(on(t, h.Instance, "pgrep -x -P "+h.autosshPID(t, tunnel)+" ssh || true"))
}

// settled tells whether a tunnel's ssh has run for so long that autossh does not count it as a try that failed: 10 s, the
// least that min_time is in its source.
func (h *tunnelHost) settled(t testing.TB, tunnel string) error {
	t.Helper()
	pid := h.sshPID(t, tunnel)
	if pid == "" {
		return errors.New("ssh does not run")
	}
	age, err := strconv.Atoi(strings.TrimSpace(on(t, h.Instance, "ps -o etimes= -p "+pid+" || echo 0")))
	if err != nil {
		t.Fatal(err)
	}
	if age < 12 {
		return fmt.Errorf("ssh has run for %d s only", age)
	}
	return nil
}

// as runs a program as another user than root.
func (h *tunnelHost) as(t testing.TB, user, name string, args ...string) (stdout string, err error) {
	t.Helper()
	return h.Run(t.Context(), nil, "setpriv",
		append([]string{"--reuid", user, "--regid", "nogroup", "--clear-groups", "--", name}, args...)...)
}

// test is "drawbridge-host tunnel-test" as a person runs it.
func (h *tunnelHost) test(t testing.TB, tunnel string) (said string, exitCode int) {
	t.Helper()
	cmd := h.Command(t.Context(), "/opt/drawbridge/drawbridge-host", "tunnel-test", tunnel)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	h.said.Write(out.Bytes())
	return out.String(), cmd.ProcessState.ExitCode()
}

// mustFail wants a step of the test to fail, with parts of what it says.
func (h *tunnelHost) mustFail(t testing.TB, tunnel, step string, parts ...string) {
	t.Helper()
	said, code := h.test(t, tunnel)
	if code != 1 {
		t.Errorf("tunnel-test ends with %d, want 1", code)
	}
	_, failed, found := strings.Cut(said, "FAILED  "+step+": ")
	if !found {
		t.Errorf("the step %q does not fail in:\n%s", step, said)
		return
	}
	// The step's own line, and what to do.
	lines := strings.SplitN(failed, "\n", 3)
	mustContain(t, strings.Join(lines[:min(2, len(lines))], "\n"), parts...)
}

// journal is all that a host's journal holds.
func journal(t testing.TB, h *tunnelHost) string {
	t.Helper()
	return on(t, h.Instance, "journalctl --no-pager --quiet --all --output=export")
}
