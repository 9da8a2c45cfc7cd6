package install

import (
	"context"
	"errors"
	"fmt"
)

// UnitFolder is where this project's systemd units lie.
const UnitFolder = "/etc/systemd/system"

// Unit is a systemd unit that setup writes.
type Unit struct {
	Name    string // such as drawbridge-heartbeat.timer
	Content string

	// Start names the units to enable and start: Name itself, the instances of a template, or none for a service that a
	// timer starts.
	Start []string

	// Restart asks for a restart even when the unit's own file is the same, because something that it reads is not.
	Restart bool

	// NoWait is for units that may take long to start: they are only asked to.
	NoWait bool
}

// Units writes systemd units, enables and starts what they name, and restarts that where it changed. One that does not start does not keep the others from it.
func (h *Host) Units(ctx context.Context, units ...Unit) error {
	restart := make([]bool, len(units))
	for i, u := range units {
		c, err := h.Write(File{Path: UnitFolder + "/" + u.Name, Content: u.Content, Mode: 0o644})
		if err != nil {
			return err
		}
		restart[i] = c || u.Restart
	}
	// Always, because a run before this one may have ended here.
	if _, err := h.Run(ctx, "systemctl", "daemon-reload"); err != nil {
		return err
	}
	var errs []error
	for i, u := range units {
		if len(u.Start) == 0 {
			continue
		}
		verb := "start"
		if restart[i] {
			verb = "restart"
		}
		start := []string{verb}
		if u.NoWait {
			start = append(start, "--no-block")
		}
		for _, command := range [][]string{append([]string{"enable", "--quiet"}, u.Start...), append(start, u.Start...)} {
			if _, err := h.Run(ctx, "systemctl", command...); err != nil {
				errs = append(errs, fmt.Errorf("%s does not start: %w", u.Name, err))
			}
		}
	}
	return errors.Join(errs...)
}
