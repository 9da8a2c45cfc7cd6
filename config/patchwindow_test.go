package config

import (
	"strings"
	"testing"
	"time"
)

func TestPatchCalendarIsWhatSystemdReads(t *testing.T) {
	for window, want := range map[string]string{
		"Sun 03:00":   "Sun *-*-* 03:00:00",
		"Mon 00:00":   "Mon *-*-* 00:00:00",
		"Wed 23:59":   "Wed *-*-* 23:59:00",
		"daily 04:30": "*-*-* 04:30:00",
	} {
		e, _ := mustLoad(t, Source{Environments: edited(t, "full.json", "staging", edit{"patchWindow", quoted(window)}), Environment: "staging"})
		if got := e.PatchCalendar(); got != want {
			t.Errorf("%s: got %q, want %q", window, got, want)
		}
	}
}

// FuzzPatchWindow compares what is taken with Go's own weekdays and clock.
func FuzzPatchWindow(f *testing.F) {
	for _, window := range []string{"Sun 03:00", "daily 23:59", "Sun 24:00", "Sun 3:00", "Sun  03:00", " Sun 03:00", "Sun 03:00\n", "Sun 03:0٣", "sun 03:00", "", "Sun", "Sun 03:00:00"} {
		f.Add(window)
	}
	days := map[string]bool{"daily": true}
	for day := time.Sunday; day <= time.Saturday; day++ {
		days[day.String()[:3]] = true
	}
	f.Fuzz(func(t *testing.T, window string) {
		day, clock, _ := strings.Cut(window, " ")
		_, err := time.Parse("15:04", clock)
		want := days[day] && err == nil && len(clock) == len("15:04")
		r := newReport("", environmentFields)
		(&checker{report: r}).patchWindow(place{}, window)
		if got := len(r.problems) == 0; got != want {
			t.Fatalf("%q: taken: %t, want %t", window, got, want)
		}
		if !want {
			return
		}
		calendar := (&Environment{PatchWindow: window}).PatchCalendar()
		if day == "daily" {
			day = "*-*-*"
		} else {
			day += " *-*-*"
		}
		if calendar != day+" "+clock+":00" {
			t.Fatalf("%q: got %q", window, calendar)
		}
	})
}
