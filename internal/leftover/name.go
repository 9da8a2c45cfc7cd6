// Package leftover names what a process leaves behind when it is killed, so that a later one finds and removes it: a
// namespace, a control group, a folder is called after the process that made it.
package leftover

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

// Prefix starts every name.
const Prefix = "drawbridge-"

var (
	given     atomic.Int64
	validName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
)

// Name returns drawbridge-NAME-PID-START-NUMBER, which nothing else is called.
func Name(name string) (string, error) {
	if !validName.MatchString(name) || len(name) > 63 {
		return "", fmt.Errorf("%q is not the name of a host, network or server: at most 63 lower-case letters and digits, with single hyphens between them", name)
	}
	o, err := Self()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s%s-%d-%d-%d", Prefix, name, o.PID, o.Start, given.Add(1)), nil
}

// Owner is a process that has made something. A process ID alone may be another's by the time that somebody looks.
type Owner struct {
	PID   int
	Start uint64 // what StartTime said
}

// Self is this process, as names hold it.
var Self = sync.OnceValues(func() (Owner, error) {
	start, alive := StartTime(os.Getpid())
	if !alive {
		return Owner{}, errors.New("this process cannot read /proc, with which processes are told apart: mount it")
	}
	return Owner{os.Getpid(), start}, nil
})

// Of returns who made what has this name; false says that [Name] did not give it.
func Of(name string) (Owner, bool) {
	parts := strings.Split(name, "-")
	if !strings.HasPrefix(name, Prefix) || len(parts) < 5 {
		return Owner{}, false
	}
	last := parts[len(parts)-3:]
	pid, err1 := strconv.Atoi(last[0])
	start, err2 := strconv.ParseUint(last[1], 10, 64)
	_, err3 := strconv.ParseUint(last[2], 10, 64)
	return Owner{pid, start}, err1 == nil && err2 == nil && err3 == nil && pid > 0
}

// Gone says that the process has ended.
func (o Owner) Gone() bool {
	start, alive := StartTime(o.PID)
	return !alive || start != o.Start
}
