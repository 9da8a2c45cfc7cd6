package webapp

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// measurement is what came of asking for one thing over and over.
type measurement struct {
	rate     float64 // answers in a second
	p50, p99 time.Duration
	size     float64 // of an answer with its header, the mean in bytes; 0 where there is none
	// own is the processor time of the programs that answered, for one answer, and mysql that of MySQL meanwhile.
	own, mysql time.Duration
}

// count is how many answers there were in that time.
func (m measurement) count(length time.Duration) float64 { return m.rate * length.Seconds() }

// parseWrk reads what wrk prints: the last line is wrk.lua's. One request that failed is an error.
func parseWrk(output string) (measurement, error) {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	last := lines[len(lines)-1]
	var said struct {
		Requests, Bytes, Duration, P50, P99   int64
		Status, Connect, Read, Write, Timeout int64
	}
	if err := json.Unmarshal([]byte(last), &said); err != nil {
		return measurement{}, fmt.Errorf("what wrk printed cannot be read (%w): %s", err, output)
	}
	if said.Status+said.Connect+said.Read+said.Write+said.Timeout > 0 {
		return measurement{}, fmt.Errorf("not every request was answered well: %s", last)
	}
	if said.Requests == 0 || said.Duration == 0 {
		return measurement{}, fmt.Errorf("nothing was answered: %s", last)
	}
	return measurement{
		rate: float64(said.Requests) / (float64(said.Duration) / 1e6),
		p50:  time.Duration(said.P50) * time.Microsecond,
		p99:  time.Duration(said.P99) * time.Microsecond,
		size: float64(said.Bytes) / float64(said.Requests),
	}, nil
}

// median is the middle of the values, of an even number of them the lower one of the middle two. There must be one.
func median(values []float64) float64 {
	return slices.Sorted(slices.Values(values))[(len(values)-1)/2]
}

// percentile is the least of the sorted values that so many percent of them do not exceed. There must be one.
func percentile(sorted []time.Duration, percent int) time.Duration {
	return sorted[(len(sorted)*percent+99)/100-1]
}

// each is one number of each measurement.
func each(of []measurement, number func(measurement) float64) (all []float64) {
	for _, m := range of {
		all = append(all, number(m))
	}
	return all
}

// The numbers of a measurement, in milliseconds what is a time.
func rateOf(m measurement) float64  { return m.rate }
func p50Of(m measurement) float64   { return m.p50.Seconds() * 1000 }
func p99Of(m measurement) float64   { return m.p99.Seconds() * 1000 }
func ownOf(m measurement) float64   { return m.own.Seconds() * 1000 }
func mysqlOf(m measurement) float64 { return m.mysql.Seconds() * 1000 }
