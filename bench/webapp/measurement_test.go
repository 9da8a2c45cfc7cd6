package webapp

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseWrk(t *testing.T) {
	const printed = `Running 2s test @ http://127.0.0.1:5000/
  1 threads and 10 connections
  100 requests in 2.00s, 1.00MB read
`
	const good = `{"requests":100,"bytes":250000,"duration":2000000,"p50":1500,"p99":20000,"status":0,"connect":0,"read":0,"write":0,"timeout":0}` + "\n"
	got, err := parseWrk(printed + good)
	want := measurement{rate: 50, p50: 1500 * time.Microsecond, p99: 20 * time.Millisecond, size: 2500}
	if err != nil || got != want {
		t.Errorf("got %+v (%v), want %+v", got, err, want)
	}
	for name, output := range map[string]string{
		"without the line of wrk.lua":      printed,
		"of nothing":                       "",
		"without an answer":                strings.Replace(good, `"requests":100`, `"requests":0`, 1),
		"with an answer that was an error": strings.Replace(good, `"status":0`, `"status":1`, 1),
		"without a connection":             strings.Replace(good, `"connect":0`, `"connect":1`, 1),
		"with an answer cut off":           strings.Replace(good, `"read":0`, `"read":1`, 1),
		"with a request not sent":          strings.Replace(good, `"write":0`, `"write":1`, 1),
		"with an answer too late":          strings.Replace(good, `"timeout":0`, `"timeout":1`, 1),
	} {
		if m, err := parseWrk(output); err == nil {
			t.Errorf("a run %s is no error, but %+v", name, m)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{{[]float64{7}, 7}, {[]float64{1000, 1, 3}, 3}, {[]float64{4, 1, 2, 1000}, 2}} {
		before := slices.Clone(test.values)
		if got := median(test.values); got != test.want {
			t.Errorf("of %v: %v, want %v", test.values, got, test.want)
		}
		if !slices.Equal(before, test.values) {
			t.Errorf("the values were put in another order: %v", test.values)
		}
	}
}

func TestPercentile(t *testing.T) {
	var hundred []time.Duration
	for i := range time.Duration(100) {
		hundred = append(hundred, i+1)
	}
	for _, test := range []struct {
		sorted  []time.Duration
		percent int
		want    time.Duration
	}{{hundred, 50, 50}, {hundred, 99, 99}, {hundred[:10], 99, 10}, {hundred[:10], 50, 5}, {hundred[:1], 50, 1}} {
		if got := percentile(test.sorted, test.percent); got != test.want {
			t.Errorf("p%d of %d values is %d, want %d", test.percent, len(test.sorted), got, test.want)
		}
	}
}
