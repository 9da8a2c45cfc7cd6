package install

import (
	"context"
	"fmt"
	"strings"
	"time"

	"drawbridge/host/settings"
)

// Distribution is the Linux that a host runs, as the ID in /etc/os-release names it.
type Distribution string

// The distributions that the hosts run.
const (
	Debian      Distribution = "debian"
	AmazonLinux Distribution = "amzn"
)

// Distribution reads which Linux this host runs (os-release(5)).
func (h *Host) Distribution() (Distribution, error) {
	text, err := h.Read("/etc/os-release")
	if err != nil {
		return "", fmt.Errorf("it cannot be told which Linux this is: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		id, ok := strings.CutPrefix(strings.TrimSpace(line), "ID=")
		if !ok {
			continue
		}
		switch d := Distribution(strings.Trim(id, `"'`)); d {
		case Debian, AmazonLinux:
			return d, nil
		default:
			return "", fmt.Errorf("this host runs the Linux %q, but it must be Debian or Amazon Linux", d)
		}
	}
	return "", fmt.Errorf("it cannot be told which Linux this is: /etc/os-release has no ID")
}

const (
	packageTries = 5
	packagePause = 15 * time.Second // between two tries; another package manager may run at boot
)

// Packages installs those of the named packages that are missing, with the package manager of the distribution. The
// error says which are missing and what to do.
func (h *Host) Packages(ctx context.Context, names ...string) error {
	distribution, err := h.Distribution()
	if err != nil {
		return err
	}
	missing, install := h.missingFromDpkg, h.aptGet
	if distribution == AmazonLinux {
		missing, install = h.missingFromRPM, h.dnf
	}
	for try := 1; ; try++ {
		lacking := missing(ctx, names)
		if len(lacking) == 0 {
			return nil
		}
		list := strings.Join(lacking, ", ")
		h.Say("Installing %s ...", list)
		h.changed = true
		err := install(ctx, lacking)
		if err == nil {
			if lacking = missing(ctx, names); len(lacking) == 0 {
				return nil
			}
			err = fmt.Errorf("the package manager says it installed them, but it did not")
		}
		if try == packageTries || h.wait(ctx, packagePause) != nil {
			return fmt.Errorf("the packages %s are missing and could not be installed: check that this host reaches the "+
				"internet, then run 'sudo %s setup' again: %w", list, settings.Program, err)
		}
		h.Say("That failed, trying again: %v", err)
	}
}

func (h *Host) missingFromDpkg(ctx context.Context, names []string) []string {
	// It fails when it knows one of them not at all, and still lists the others.
	args := append([]string{"--show", "--showformat", `${Package} ${db:Status-Status}\n`}, names...)
	out, _ := h.Run(ctx, "dpkg-query", args...)
	installed := map[string]bool{}
	for line := range strings.Lines(out) {
		if name, ok := strings.CutSuffix(strings.TrimSpace(line), " installed"); ok {
			installed[name] = true
		}
	}
	var missing []string
	for _, name := range names {
		if !installed[name] {
			missing = append(missing, name)
		}
	}
	return missing
}

func (h *Host) missingFromRPM(ctx context.Context, names []string) []string {
	var missing []string
	for _, name := range names {
		if _, err := h.Run(ctx, "rpm", "--query", name); err != nil {
			missing = append(missing, name)
		}
	}
	return missing
}

// aptOptions make apt-get wait for another one to finish and try again when a download fails; without the last one,
// update succeeds when nothing could be fetched.
var aptOptions = []string{
	"-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=5", "-o", "APT::Update::Error-Mode=any",
	"-o", "Dpkg::Options::=--force-confold", "-o", "Dpkg::Options::=--force-confdef",
}

// AptGet runs apt-get as a program does: it does not ask, waits for locks and keeps configuration files as they are.
func (h *Host) AptGet(ctx context.Context, args ...string) error {
	_, err := h.Run(ctx, "apt-get", append(append([]string{"--yes", "--quiet"}, aptOptions...), args...)...)
	return err
}

func (h *Host) aptGet(ctx context.Context, names []string) error {
	// Finishes what a run that was cut short has left; apt-get refuses to work before that.
	if _, err := h.Run(ctx, "dpkg", "--configure", "--pending", "--force-confold"); err != nil {
		return err
	}
	if err := h.AptGet(ctx, "update"); err != nil {
		return err
	}
	return h.AptGet(ctx, append([]string{"install", "--no-install-recommends"}, names...)...)
}

func (h *Host) dnf(ctx context.Context, names []string) error {
	_, err := h.Run(ctx, "dnf", append([]string{"--assumeyes", "--quiet", "install"}, names...)...)
	return err
}
