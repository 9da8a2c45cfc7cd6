// Package child ties a child process to its parent.
package child

import (
	"os/exec"
	"syscall"
)

// DieWithParent makes the kernel kill cmd's process when the thread that starts it ends, and so when this process does,
// however that ends. Call it from a goroutine that holds its thread (runtime.LockOSThread) as long as the child is to
// live.
func DieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
