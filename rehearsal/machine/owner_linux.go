package machine

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// prefix starts the name of everything that this package makes outside of a machine: network namespaces, cgroups,
// folders.
const prefix = "drawbridge-"

var (
	given     atomic.Int64
	validName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
)

// self is this process, as names hold it.
var self = sync.OnceValues(func() (owner, error) {
	start, alive := startTime(os.Getpid())
	if !alive {
		return owner{}, errors.New("this process cannot read /proc, with which machines are told apart: mount it")
	}
	return owner{os.Getpid(), start}, nil
})

// owner is a process that has made something. A process ID alone may be another's by the time that somebody looks.
type owner struct {
	pid   int
	start uint64 // in ticks since this machine booted
}

// newName returns drawbridge-NAME-PID-START-NUMBER, which nothing else is called.
func newName(name string) (string, error) {
	if !validName.MatchString(name) || len(name) > 63 {
		return "", fmt.Errorf("%q is not the name of a host or network: at most 63 lower-case letters and digits, with single hyphens between them", name)
	}
	o, err := self()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s%s-%d-%d-%d", prefix, name, o.pid, o.start, given.Add(1)), nil
}

// ownerOf returns who made what has this name; false says that this package did not.
func ownerOf(name string) (owner, bool) {
	parts := strings.Split(name, "-")
	if !strings.HasPrefix(name, prefix) || len(parts) < 5 {
		return owner{}, false
	}
	last := parts[len(parts)-3:]
	pid, err1 := strconv.Atoi(last[0])
	start, err2 := strconv.ParseUint(last[1], 10, 64)
	_, err3 := strconv.ParseUint(last[2], 10, 64)
	return owner{pid, start}, err1 == nil && err2 == nil && err3 == nil && pid > 0
}

// gone says that the process has ended.
func (o owner) gone() bool {
	start, alive := startTime(o.pid)
	return !alive || start != o.start
}

// startTime returns when a process that runs was started, in ticks since this machine booted (proc_pid_stat(5)). One
// that has ended and that nobody has waited for does not run.
func startTime(pid int) (ticks uint64, alive bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false
	}
	// The program's name may hold anything, so the fields are counted from behind it: the state is the third.
	text := string(stat)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return 0, false
	}
	ticks, err = strconv.ParseUint(fields[19], 10, 64)
	return ticks, err == nil
}
