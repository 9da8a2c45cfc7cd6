//go:build unix

package mysqlserver

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// pause stops the process and returns when it has stopped: the signal alone
// takes effect some time after it is sent.
func pause(p *os.Process) error {
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if done, err := stopped(p); done || err != nil {
			return err
		}
	}
	return fmt.Errorf("process %d did not stop", p.Pid)
}

func resume(p *os.Process) error { return p.Signal(syscall.SIGCONT) }
