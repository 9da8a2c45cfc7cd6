//go:build linux && root

package endtoend

import (
	"testing"
	"time"

	"drawbridge/rehearsal/cloudwatch"
)

func (s *tunnels) heartbeat(t *testing.T) {
	s.beats(t, map[string]float64{"bi": 1, "backup": 1, "lost": 0})
	alarms := 0
	data := s.Metrics.Data()
	for _, r := range s.Resources(tunnelStack) {
		if r.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		alarms++
		seen := false
		for _, d := range data {
			seen = seen || sameMetric(r.Properties, d)
		}
		if !seen {
			t.Errorf("nothing arrives for the alarm %s, which watches %v %v %v", r.LogicalID,
				r.Properties["Namespace"], r.Properties["MetricName"], r.Properties["Dimensions"])
		}
	}
	if alarms != 3 {
		t.Errorf("%d alarms for three tunnels", alarms)
	}
	for _, d := range data {
		if d.Metric != "TunnelUp" || len(d.Dimensions) != 2 || d.Dimensions["Environment"] != "dev" {
			t.Errorf("this arrived too: %+v", d)
		}
	}
}

func (s *tunnels) timer(t *testing.T) {
	deadline := time.After(2 * patience)
	for {
		reports := map[time.Time]bool{} // a report's values have one time
		for _, d := range s.Metrics.Data() {
			reports[d.Time] = true
		}
		if len(reports) > s.host.beats {
			return
		}
		select {
		case <-time.After(time.Second):
		case <-deadline:
			t.Fatalf("%d reports arrived, all of which this test had asked for", len(reports))
		}
	}
}

// beats wants values from a heartbeat.
func (s *tunnels) beats(t *testing.T, want map[string]float64) {
	t.Helper()
	got := s.host.beat(t)
	for tunnel, value := range want {
		if v, found := got[tunnel]; !found || v != value {
			t.Errorf("the host reports %v, want %v", got, want)
			return
		}
	}
}

// beat makes the host report once, as its timer does every minute, and returns the values by tunnel.
func (h *tunnelHost) beat(t testing.TB) map[string]float64 {
	t.Helper()
	const service = "drawbridge-heartbeat.service"
	// A report that has begun already may tell what was before.
	on(t, h.Instance,
		"while [[ $(systemctl show --property ActiveState --value "+service+") == activating ]]; do sleep 0.1; done")
	before := len(h.w.Metrics.Data())
	on(t, h.Instance, "systemctl start "+service)
	h.beats++
	values := map[string]float64{}
	for _, d := range h.w.Metrics.Data()[before:] {
		values[d.Dimensions["Tunnel"]] = d.Value
	}
	return values
}

// sameMetric tells whether a value is of the metric that an alarm's properties name.
func sameMetric(alarm map[string]any, d cloudwatch.Datum) bool {
	dimensions, _ := alarm["Dimensions"].([]any)
	for _, item := range dimensions {
		dimension, _ := item.(map[string]any)
		name, _ := dimension["Name"].(string)
		if value, found := d.Dimensions[name]; !found || value != dimension["Value"] {
			return false
		}
	}
	return alarm["Namespace"] == d.Namespace && alarm["MetricName"] == d.Metric && len(dimensions) == len(d.Dimensions)
}
