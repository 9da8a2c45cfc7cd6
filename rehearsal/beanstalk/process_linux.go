package beanstalk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"

	"drawbridge/internal/child"
	"drawbridge/rehearsal/machine"
)

// webappUser is the user and group of the program: of systemd's range for users of one service (systemd.exec(5),
// DynamicUser), which nobody else has on a machine without such services.
const webappUser = 61_900

// ready says why this process cannot start instances and load balancers.
func ready(programs ...string) error {
	if os.Geteuid() != 0 {
		return errors.New("instances and load balancers can only be started as root: run it with sudo")
	}
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			return &MissingError{fmt.Sprintf("there is no program %s on this machine: install util-linux", name)}
		}
	}
	return nil
}

// start starts a program in a network namespace, as the first process of a process namespace of its own: when it ends, or
// this process does, the kernel kills all that it started.
func start(namespace *machine.Namespace, log io.Writer, folder string, environment []string, name string, args ...string) (*child.Process, error) {
	cmd := namespace.Command(context.Background(), name, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = folder, environment, log, log
	cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWPID
	return child.Start(cmd)
}

// stop ends what start started.
func stop(p *child.Process) {
	_ = p.Kill() // it may have ended by itself
	<-p.Exited
}
