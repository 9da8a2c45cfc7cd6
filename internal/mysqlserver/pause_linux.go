package mysqlserver

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
)

// stopped reports whether every thread of the process has stopped, which
// proc_pid_stat(5) calls state T.
func stopped(p *os.Process) (bool, error) {
	threads, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(p.Pid), "task", "*", "stat"))
	if err != nil {
		return false, err
	}
	if len(threads) == 0 {
		return false, errors.New("the process has ended")
	}
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if err != nil {
			continue // a thread that ended meanwhile
		}
		// The state follows the name, which stands in parentheses and may hold any.
		_, state, _ := bytes.Cut(text[bytes.LastIndexByte(text, ')')+1:], []byte(" "))
		if !bytes.HasPrefix(state, []byte("T")) {
			return false, nil
		}
	}
	return true, nil
}
