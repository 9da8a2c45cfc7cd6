package webapp

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// memory is what a program holds, in KiB. What its processes share counts for each of them in rss, and once in pss.
type memory struct{ processes, rss, pss int }

// memoryOf adds up the process and all that came of it.
func memoryOf(pid int) (sum memory, err error) {
	children := map[int][]int{}
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return sum, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		id, parent, err := parseStat(string(text))
		if err != nil {
			return sum, err
		}
		children[parent] = append(children[parent], id)
	}
	for all := []int{pid}; len(all) > 0; all = all[1:] {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", all[0]))
		if err != nil {
			return sum, err
		}
		one, err := parseRollup(string(text))
		if err != nil {
			return sum, err
		}
		sum.processes++
		sum.rss += one.rss
		sum.pss += one.pss
		all = append(all, children[all[0]]...)
	}
	return sum, nil
}

// parseStat reads /proc/PID/stat. The program's name in it, in parentheses, may hold anything.
func parseStat(text string) (id, parent int, err error) {
	first, _, _ := strings.Cut(text, " (")
	rest := strings.Fields(text[strings.LastIndex(text, ")")+1:])
	if len(rest) < 2 {
		return 0, 0, fmt.Errorf("this is no /proc/PID/stat: %q", text)
	}
	if id, err = strconv.Atoi(first); err != nil {
		return 0, 0, err
	}
	parent, err = strconv.Atoi(rest[1])
	return id, parent, err
}

// parseRollup reads /proc/PID/smaps_rollup.
func parseRollup(text string) (memory, error) {
	var m memory
	for line := range strings.Lines(text) {
		// A line of something else is no error.
		_, _ = fmt.Sscanf(line, "Rss: %d kB", &m.rss)
		_, _ = fmt.Sscanf(line, "Pss: %d kB", &m.pss)
	}
	if m.rss == 0 || m.pss == 0 {
		return m, fmt.Errorf("this is no /proc/PID/smaps_rollup: %q", text)
	}
	return m, nil
}
