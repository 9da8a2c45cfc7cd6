//go:build unix && !linux

package mysqlserver

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// stopped reports whether the process has stopped, which ps(1) calls state T.
func stopped(p *os.Process) (bool, error) {
	state, err := exec.Command("ps", "-o", "state=", "-p", strconv.Itoa(p.Pid)).Output()
	return strings.HasPrefix(strings.TrimSpace(string(state)), "T"), err
}
