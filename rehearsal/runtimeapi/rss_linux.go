package runtimeapi

import (
	"os"
	"regexp"
	"strconv"
)

var residentHighWater = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// residentPeak is the most memory, in bytes, that a process had resident so far; 0 when it is gone. The rusage of a
// process that ended would count the memory of this one, which forked it, too.
func residentPeak(pid int) int64 {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	match := residentHighWater.FindSubmatch(status)
	if match == nil {
		return 0
	}
	kib, err := strconv.ParseInt(string(match[1]), 10, 64)
	if err != nil {
		return 0
	}
	return kib << 10
}
