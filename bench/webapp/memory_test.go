package webapp

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// memory is what a program holds in KiB: rss counts what its processes share for each of them, pss once.
type memory struct{ rss, pss int }

// memoryOf adds up the process and all that it started.
func memoryOf(b *testing.B, pid int) memory {
	b.Helper()
	parents := map[int][]int{}
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		b.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		id, parent, err := parseStat(string(text))
		if err != nil {
			b.Fatal(err)
		}
		parents[parent] = append(parents[parent], id)
	}
	var sum memory
	for all := []int{pid}; len(all) > 0; all = all[1:] {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", all[0]))
		if err != nil {
			b.Fatal(err)
		}
		one := parseRollup(string(text))
		sum.rss += one.rss
		sum.pss += one.pss
		all = append(all, parents[all[0]]...)
	}
	return sum
}

// parseStat reads /proc/PID/stat. The program's name in it may hold anything.
func parseStat(text string) (id, parent int, err error) {
	before, _, found := strings.Cut(text, " (")
	fields := strings.Fields(text[strings.LastIndex(text, ")")+1:])
	if !found || len(fields) < 2 {
		return 0, 0, fmt.Errorf("/proc/PID/stat cannot be read: %q", text)
	}
	if id, err = strconv.Atoi(before); err != nil {
		return 0, 0, err
	}
	parent, err = strconv.Atoi(fields[1])
	return id, parent, err
}

func parseRollup(text string) (m memory) {
	for line := range strings.Lines(text) {
		var n int
		if _, err := fmt.Sscanf(line, "Rss: %d kB", &n); err == nil {
			m.rss = n
		}
		if _, err := fmt.Sscanf(line, "Pss: %d kB", &n); err == nil {
			m.pss = n
		}
	}
	return m
}
