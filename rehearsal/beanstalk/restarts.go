package beanstalk

import "time"

// The unit that Elastic Beanstalk writes for a process of a Procfile says Restart=always and no more of it, so systemd's
// own settings hold (systemd-system.conf(5): DefaultRestartSec, DefaultStartLimitIntervalSec, DefaultStartLimitBurst): a
// program that ends is started again after a tenth of a second, and one that is to be started more than five times
// within ten seconds stays away.
const (
	restartDelay = 100 * time.Millisecond
	startWindow  = 10 * time.Second
	startLimit   = 5
)

// starts are the times of a program's last starts.
type starts []time.Time

// allow says whether a start at this time is within the limit, and remembers it.
func (s *starts) allow(now time.Time) bool {
	var recent starts
	for _, at := range *s {
		if now.Sub(at) < startWindow {
			recent = append(recent, at)
		}
	}
	*s = recent
	if len(recent) >= startLimit {
		return false
	}
	*s = append(recent, now)
	return true
}
