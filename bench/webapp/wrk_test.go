package webapp

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// connections is how many requests are under way at a time, whoever answers.
const connections = 10

// measurement is what came of asking for one thing over and over.
type measurement struct {
	rate     float64 // answers in a second
	p50, p99 time.Duration
	answer   float64 // the mean size of an answer in bytes, with its header
}

// wrk asks for an address for so long. Every answer must be a good one.
func wrk(b *testing.B, url string, length time.Duration) measurement {
	b.Helper()
	command := exec.Command("wrk", "--threads", "1", "--connections", fmt.Sprint(connections),
		"--duration", fmt.Sprintf("%ds", int(length.Seconds())), "--timeout", "20s", "--script", "wrk.lua", url)
	output, err := command.CombinedOutput()
	if err != nil {
		b.Fatalf("wrk %s: %v: %s", url, err, output)
	}
	m, err := parseWrk(string(output))
	if err != nil {
		b.Fatalf("wrk %s: %v", url, err)
	}
	return m
}

// parseWrk reads the line that wrk.lua prints, the last one.
func parseWrk(output string) (measurement, error) {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	var said struct {
		Requests, Bytes, Duration, P50, P99   int64
		Status, Connect, Read, Write, Timeout int64
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &said); err != nil {
		return measurement{}, fmt.Errorf("what it printed cannot be read (%w): %s", err, output)
	}
	if said.Status+said.Connect+said.Read+said.Write+said.Timeout > 0 {
		return measurement{}, fmt.Errorf("not every request was answered with what was asked for: %s", lines[len(lines)-1])
	}
	if said.Requests == 0 || said.Duration == 0 {
		return measurement{}, fmt.Errorf("nothing was answered: %s", lines[len(lines)-1])
	}
	return measurement{
		rate:   float64(said.Requests) / (float64(said.Duration) / 1e6),
		p50:    time.Duration(said.P50) * time.Microsecond,
		p99:    time.Duration(said.P99) * time.Microsecond,
		answer: float64(said.Bytes) / float64(said.Requests),
	}, nil
}
