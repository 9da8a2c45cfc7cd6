package operate_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// screen is what a terminal has shown.
type screen struct {
	sync.Mutex
	text bytes.Buffer
}

func (s *screen) String() string {
	s.Lock()
	defer s.Unlock()
	return s.text.String()
}

// waitFor waits until the screen shows that.
func (s *screen) waitFor(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(s.String(), text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the screen does not show %q:\n%s", text, s.String())
		}
	}
}

// onTerminal starts the command with a terminal of its own (pts(4)). What is written to the keyboard is typed.
func onTerminal(t *testing.T, cmd *exec.Cmd) (keyboard *os.File, s *screen) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	must(t, err)
	t.Cleanup(func() { _ = keyboard.Close() })
	must(t, unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	must(t, err)
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	must(t, err)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	must(t, cmd.Start())
	must(t, terminal.Close())
	s = &screen{}
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := keyboard.Read(buffer)
			s.Lock()
			s.text.Write(buffer[:n])
			s.Unlock()
			if err != nil {
				return // EIO: nobody has the terminal any more.
			}
		}
	}()
	return keyboard, s
}

func TestAPersonAtATerminalIsAsked(t *testing.T) {
	w := newWorld(t)
	cmd := w.command("deploy")
	keyboard, screen := onTerminal(t, cmd)
	screen.waitFor(t, "Type yes to deploy: ")
	_, err := keyboard.WriteString("yes\n")
	must(t, err)
	screen.waitFor(t, "the deployment")
	must(t, cmd.Wait())
}

func TestCtrlCAtTheQuestionChangesNothing(t *testing.T) {
	w := newWorld(t)
	cmd := w.command("destroy")
	keyboard, screen := onTerminal(t, cmd)
	screen.waitFor(t, "to destroy it: ")
	_, err := keyboard.WriteString("\x03")
	must(t, err)
	screen.waitFor(t, "destroy: interrupted: nothing was changed")
	if err := cmd.Wait(); err == nil {
		t.Error("status 0")
	}
	if calls := fmt.Sprint(w.calls()); strings.Contains(calls, "cdk") {
		t.Errorf("it called %s", calls)
	}
}

func TestCtrlCWhileAWSIsAsked(t *testing.T) {
	w := newWorld(t)
	for i := range w.answers {
		if w.answers[i].Call == "aws cloudformation describe-stacks" {
			w.answers[i].Sleep = time.Minute
		}
	}
	cmd := w.command("status")
	keyboard, screen := onTerminal(t, cmd)
	for deadline := time.Now().Add(30 * time.Second); len(w.calls()) < 2; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it called %v", w.calls())
		}
	}
	_, err := keyboard.WriteString("\x03")
	must(t, err)
	screen.waitFor(t, "status: interrupted")
	if err := cmd.Wait(); err == nil {
		t.Error("status 0")
	}
}

// The session's program is in the place of this one: what is typed is its, Ctrl-C too.
func TestASessionHasTheTerminal(t *testing.T) {
	w := newWorld(t)
	w.answers = append(w.answers, answer{Call: "aws ssm start-session", Stdout: "the session", Sleep: time.Minute})
	cmd := w.command("shell-jump")
	keyboard, _ := onTerminal(t, cmd)
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(fmt.Sprint(w.calls()), "start-session"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it called %v", w.calls())
		}
	}
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", cmd.Process.Pid))
	must(t, err)
	if got := strings.TrimSpace(string(name)); got != "aws" {
		t.Errorf("the program that was started is %s now", got)
	}
	_, err = keyboard.WriteString("\x03")
	must(t, err)
	_ = cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGINT {
		t.Errorf("it ended with %s", cmd.ProcessState)
	}
}

func TestWithoutATerminalTheProgramRefuses(t *testing.T) {
	w := newWorld(t)
	cmd := w.command("deploy") // Its standard input is /dev/null.
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "there is no terminal to ask on") {
		t.Errorf("%v\n%s", err, out)
	}
}
