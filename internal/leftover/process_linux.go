package leftover

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// StartTime returns when a process that runs was started, in ticks since this machine booted (proc_pid_stat(5)). One
// that has ended and that nobody has waited for does not run.
func StartTime(pid int) (ticks uint64, alive bool) {
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
