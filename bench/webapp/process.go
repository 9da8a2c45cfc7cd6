package webapp

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of processor time in /proc, on every architecture that Go has.
const tick = 10 * time.Millisecond

// process is a running process, as /proc/PID/stat has it.
type process struct {
	id, parent int
	used       time.Duration // processor time
}

// family is the process with that id and all that came of it and live.
func family(id int) ([]process, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	var members []process
	children := map[int][]process{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		one, err := parseStat(string(text))
		if err != nil {
			return nil, err
		}
		children[one.parent] = append(children[one.parent], one)
		if one.id == id {
			members = append(members, one)
		}
	}
	if len(members) == 0 {
		return nil, fmt.Errorf("there is no process %d", id)
	}
	for i := 0; i < len(members); i++ {
		members = append(members, children[members[i].id]...)
	}
	return members, nil
}

// parseStat reads /proc/PID/stat. The program's name in it, in parentheses, may hold anything.
func parseStat(text string) (p process, err error) {
	const parent, user, system = 1, 11, 12 // of the fields after the name
	first, _, _ := strings.Cut(text, " (")
	fields := strings.Fields(text[strings.LastIndex(text, ")")+1:])
	if len(fields) <= system {
		return p, fmt.Errorf("this is no /proc/PID/stat: %q", text)
	}
	if p.id, err = strconv.Atoi(first); err != nil {
		return p, err
	}
	if p.parent, err = strconv.Atoi(fields[parent]); err != nil {
		return p, err
	}
	for _, field := range []string{fields[user], fields[system]} {
		ticks, err := strconv.Atoi(field)
		if err != nil {
			return p, err
		}
		p.used += time.Duration(ticks) * tick
	}
	return p, nil
}

// usedBy is the processor time that the families of these processes have used.
func usedBy(ids ...int) (sum time.Duration, err error) {
	for _, id := range ids {
		members, err := family(id)
		if err != nil {
			return 0, err
		}
		for _, p := range members {
			sum += p.used
		}
	}
	return sum, nil
}

// memory is what a program holds, in KiB. What its processes share counts for each of them in rss, and once in pss.
type memory struct{ processes, rss, pss int }

// memoryOf adds up the process and all that came of it.
func memoryOf(id int) (sum memory, err error) {
	members, err := family(id)
	if err != nil {
		return sum, err
	}
	for _, p := range members {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p.id))
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
	}
	return sum, nil
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
