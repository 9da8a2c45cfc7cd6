//go:build unix

package side

import (
	"os/exec"
	"syscall"
	"time"
)

// ownGroup has all that a program starts end with it when its context does: make, say, leaves compilers behind.
func ownGroup(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGTERM) }
	command.WaitDelay = 10 * time.Second
}
