// Package patches installs what the distribution has published, in the window that the settings name and at no other
// time.
package patches

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"drawbridge/host/install"
	"drawbridge/host/settings"
)

// DebianPackage is the package that installs Debian's patches.
const DebianPackage = "unattended-upgrades"

const (
	serviceName = "drawbridge-patches.service"
	timerName   = "drawbridge-patches.timer"
)

//go:embed drawbridge-patches.service
var service string

// Setup starts the timer of the window. On Debian it also installs unattended-upgrades and turns off the distribution's own
// timers, which would install at any time of the day.
func Setup(ctx context.Context, h *install.Host, s *settings.Settings) error {
	timer, err := timerUnit(s.PatchWindow)
	if err != nil {
		return err
	}
	if _, err := h.Run(ctx, "systemd-analyze", "calendar", s.PatchWindow+" UTC"); err != nil {
		return fmt.Errorf("the patch window %q is not a time that systemd knows: %w", s.PatchWindow, err)
	}
	distribution, err := h.Distribution()
	if err != nil {
		return err
	}
	if distribution == install.AmazonLinux {
		if err := h.Packages(ctx, amazonPackage); err != nil {
			return err
		}
	} else {
		if err := h.Packages(ctx, DebianPackage); err != nil {
			return err
		}
		if _, err := h.Run(ctx, "systemctl", "disable", "--now", "--quiet",
			"apt-daily.timer", "apt-daily-upgrade.timer"); err != nil {
			return fmt.Errorf("the timers of Debian that install patches at any time cannot be turned off: %w", err)
		}
	}
	return h.Units(ctx,
		install.Unit{Name: serviceName, Content: service},
		install.Unit{Name: timerName, Content: timer, Start: []string{timerName}})
}

// timerUnit renders the timer of a window, as systemd.time(7) writes it.
func timerUnit(window string) (string, error) {
	if strings.TrimSpace(window) == "" || strings.ContainsAny(window, "\r\n%\\") {
		return "", fmt.Errorf(`the patch window %q is not a time such as "Sun *-*-* 03:00:00"`, window)
	}
	return fmt.Sprintf(`[Unit]
Description=The window for the distribution's patches

[Timer]
OnCalendar=%s UTC
RandomizedDelaySec=15min
# A window that was missed is missed: patches may reboot the host.
Persistent=false

[Install]
WantedBy=timers.target
`, window), nil
}
