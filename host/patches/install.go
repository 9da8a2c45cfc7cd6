package patches

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"drawbridge/host/install"
)

// amazonPackage is the package of Amazon Linux that tells whether a reboot is needed.
const amazonPackage = "python3-dnf-plugins-core"

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
		err = fmt.Errorf("patches were not installed, the next window will try again: %w", err)
	}
	if !reboot {
		h.Say("No reboot is needed.")
		return err
	}
	h.Say("Rebooting, because a patch asks for it ...")
	if _, rebootErr := h.Run(ctx, "systemctl", "reboot"); rebootErr != nil {
		rebootErr = fmt.Errorf("the host must be rebooted for its patches, but does not: run 'sudo systemctl reboot': %w", rebootErr)
		err = errors.Join(err, rebootErr)
	}
	return err
}

// amazonLinux upgrades to the newest release. Without it dnf stays on the image's own, which never changes ("Deterministic
// upgrades through versioned repositories" in the Amazon Linux 2023 user guide).
func amazonLinux(ctx context.Context, h *install.Host) (reboot bool, err error) {
	_, err = h.Run(ctx, "dnf", "--assumeyes", "--quiet", "upgrade", "--releasever=latest")
	// Patches of an earlier window may ask for it too. dnf ends with 1 for every error, and for this answer.
	out, askErr := h.Run(ctx, "dnf", "--quiet", "needs-restarting", "--reboothint")
	switch {
	case install.ExitCode(askErr) == 1 && strings.Contains(out, "Reboot is required"):
		return true, err
	case askErr != nil:
		return false, errors.Join(err, askErr)
	}
	return false, err
}

func debian(ctx context.Context, h *install.Host) (reboot bool, err error) {
	if err := h.AptGet(ctx, "update"); err != nil {
		return false, err
	}
	_, err = h.Run(ctx, "unattended-upgrade")
	// What runs goes on with the files before the patch. Debian asks for a reboot only for a new kernel.
	if _, restartErr := h.Run(ctx, "systemctl", "try-restart", "drawbridge-tunnel@*"); restartErr != nil {
		err = errors.Join(err, restartErr)
	}
	if _, statErr := h.Read(rebootRequired); errors.Is(statErr, fs.ErrNotExist) {
		return false, err
	} else if statErr != nil {
		return false, errors.Join(err, statErr)
	}
	return true, err
}
