package config

import "regexp"

var patchWindow = regexp.MustCompile(`^(Mon|Tue|Wed|Thu|Fri|Sat|Sun|daily) (([01][0-9]|2[0-3]):[0-5][0-9])$`)

// PatchCalendar returns PatchWindow as systemd's OnCalendar takes it, without
// the time zone: "Sun *-*-* 03:00:00", or "*-*-* 03:00:00" for every day.
// (systemd.time(7), "Calendar Events".)
func (e *Environment) PatchCalendar() string {
	m := patchWindow.FindStringSubmatch(e.PatchWindow)
	if m == nil {
		panic("config: a patch window that was not checked") // Load refuses all others
	}
	day := m[1] + " "
	if m[1] == "daily" {
		day = ""
	}
	return day + "*-*-* " + m[2] + ":00"
}

func (c *checker) patchWindow(at place, text string) {
	if !patchWindow.MatchString(text) {
		c.problem(at, "%s is not a day and a time", show(text))
	}
}
