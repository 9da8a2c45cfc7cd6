package beanstalk

import (
	"errors"
	"io"
	"strconv"
	"sync"
	"time"

	"drawbridge/internal/child"
	"drawbridge/rehearsal/machine"
)

// program is a bundle's program, which is started again whenever it ends.
type program struct {
	namespace   *machine.Namespace
	log         *logger
	folder      string
	environment []string
	command     string

	closing chan struct{} // closed when it is to stay away
	done    chan struct{} // closed when it does
	once    sync.Once
}

// inService runs a command as another user, by way of a first process of root's: the kernel forgets that a process is to
// die with its parent when the process changes its user (PR_SET_PDEATHSIG(2const)). What the command leaves running dies
// with the first process, as a service's processes do with its main one.
const inService = `setpriv --reuid "$1" --regid "$1" --clear-groups -- /bin/sh -c "$2" & wait "$!"`

func startProgram(namespace *machine.Namespace, folder, command string, environment []string, to io.Writer) (*program, error) {
	p := &program{
		namespace: namespace, log: &logger{name: "web", to: to}, folder: folder, environment: environment, command: command,
		closing: make(chan struct{}), done: make(chan struct{}),
	}
	var times starts
	times.allow(time.Now())
	process, err := p.start()
	if err != nil {
		return nil, err
	}
	go p.keep(process, times)
	return p, nil
}

func (p *program) start() (*child.Process, error) {
	return start(p.namespace, p.log, p.folder, p.environment, "sh", "-c", inService, "sh", strconv.Itoa(webappUser), p.command)
}

// keep starts the program again whenever it ends.
func (p *program) keep(process *child.Process, times starts) {
	defer close(p.done)
	for {
		select {
		case <-p.closing:
			stop(process)
			return
		case <-process.Exited:
		}
		p.log.printf("the program ended with %s", process.End())
		select {
		case <-p.closing:
			return
		case <-time.After(restartDelay):
		}
		if !times.allow(time.Now()) {
			p.log.printf("the program stays away, as it was started %d times within %v", startLimit, startWindow)
			return
		}
		var err error
		if process, err = p.start(); err != nil {
			p.log.printf("the program could not be started again: %v", err)
			return
		}
	}
}

// away is the error of a program that stays away.
func (p *program) away() error {
	return errors.New("the bundle's program does not stay" + p.log.tail())
}

func (p *program) close() {
	p.once.Do(func() { close(p.closing) })
	<-p.done
}
