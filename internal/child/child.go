// Package child runs programs that must not outlive this one.
package child

import (
	"os"
	"os/exec"
	"runtime"
)

// Process is a running program.
type Process struct {
	*os.Process

	// Exited is closed when the program has ended.
	Exited chan struct{}

	cmd *exec.Cmd
}

// End says how the program ended, such as "exit status 1". It is for after Exited.
func (p *Process) End() string { return p.cmd.ProcessState.String() }

// Start starts the program of cmd. On Linux the kernel kills it when this process ends, however that ends; elsewhere it
// outlives a parent that is killed.
func Start(cmd *exec.Cmd) (*Process, error) {
	dieWithParent(cmd)
	started := make(chan error)
	p := &Process{Exited: make(chan struct{}), cmd: cmd}
	go func() {
		// The kernel ties the program to the thread that starts it, so this goroutine keeps its thread for as long as
		// the program runs.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.Exited)
		err := cmd.Start()
		p.Process = cmd.Process
		started <- err
		if err == nil {
			_ = cmd.Wait() // End says what it would
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}
