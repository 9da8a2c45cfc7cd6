package patches

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"drawbridge/host/install"
)

// rebootRequired is what Debian's packages leave behind when they ask for a reboot.
const rebootRequired = "/run/reboot-required"

// Install installs every patch there is and reboots the host where that is needed to make them count.
func Install(ctx context.Context, h *install.Host) error {
	distribution, err := h.Distribution()
	if err != nil {
		return err
	}
	upgrade := debian
	if distribution == install.AmazonLinux {
		upgrade = amazonLinux
	}
	h.Say("Installing patches ...")
	reboot, err := upgrade(ctx, h)
	if err != nil {
		return fmt.Errorf("patches were not installed, the next window will try again: %w", err)
	}
	if !reboot {
		h.Say("Done. No reboot is needed.")
		return nil
	}
	h.Say("Done. Rebooting, because a patch asks for it ...")
	if _, err := h.Run(ctx, "systemctl", "reboot"); err != nil {
		return fmt.Errorf("the host must be rebooted for its patches, but does not: run 'sudo systemctl reboot': %w", err)
	}
	return nil
}

// amazonLinux upgrades to the newest release. Without it dnf stays on the image's own, which never changes ("Deterministic
// upgrades through versioned repositories" in the Amazon Linux 2023 user guide).
func amazonLinux(ctx context.Context, h *install.Host) (reboot bool, err error) {
	if _, err := h.Run(ctx, "dnf", "--assumeyes", "--quiet", "upgrade", "--releasever=latest"); err != nil {
		return false, err
	}
	// dnf-needs-restarting(8): 1 means yes.
	_, err = h.Run(ctx, "dnf", "--quiet", "needs-restarting", "--reboothint")
	switch install.ExitCode(err) {
	case 0:
		return false, nil
	case 1:
		return true, nil
	default:
		return false, err
	}
}

func debian(ctx context.Context, h *install.Host) (reboot bool, err error) {
	if err := h.AptGet(ctx, "update"); err != nil {
		return false, err
	}
	if _, err := h.Run(ctx, "unattended-upgrade"); err != nil {
		return false, err
	}
	if _, err := h.Read(rebootRequired); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	return true, nil
}
