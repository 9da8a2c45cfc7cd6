package tunnel

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"drawbridge/host/install"
	"drawbridge/host/settings"
)

// Packages are those of Debian that the tunnels need.
var Packages = []string{"autossh", "ca-certificates", "openssh-client"}

// The systemd units.
const (
	unitPrefix    = "drawbridge-tunnel@"
	unitSuffix    = ".service"
	keyUnit       = "drawbridge-tunnel-key.service"
	heartbeatUnit = "drawbridge-heartbeat.service"
	heartbeatTime = "drawbridge-heartbeat.timer"
)

var (
	//go:embed drawbridge-tunnel@.service
	tunnelService string
	//go:embed drawbridge-tunnel-key.service
	keyService string
	//go:embed drawbridge-heartbeat.service
	heartbeatService string
	//go:embed drawbridge-heartbeat.timer
	heartbeatTimer string
)

const (
	usersFile = "/etc/sysusers.d/drawbridge-tunnel.conf"
	users     = `u drawbridge-tunnel - "Drawbridge's reverse SSH tunnels" / /usr/sbin/nologin` + "\n"
)

// ownFiles are the files that ssh has open without a connection through the tunnel, and some to spare.
const ownFiles = 20

// tunnelUnit is the unit of a tunnel, which lets about so many connections through to the database.
func tunnelUnit(maxConnections int) string {
	return strings.ReplaceAll(tunnelService, "@LIMIT@", strconv.Itoa(ownFiles+maxConnections))
}

func unitOf(name string) string { return unitPrefix + name + unitSuffix }

// Setup sets up the host of the tunnels and starts them. It does not wait for them to be up: at that time the vendor may
// know neither the key nor this host's address. Tunnels that are no longer in the settings are stopped.
func Setup(ctx context.Context, h *install.Host, s *settings.Settings, _ aws.Config) error {
	if err := h.Packages(ctx, Packages...); err != nil {
		return err
	}
	config, err := onHost.sshConfig(s.Tunnel.Tunnels, s.Database)
	if err != nil {
		return err
	}
	known, err := knownHosts(s.Tunnel.Tunnels)
	if err != nil {
		return err
	}
	if _, err := h.Write(install.File{Path: usersFile, Content: users, Mode: 0o644}); err != nil {
		return err
	}
	if _, err := h.Run(ctx, "systemd-sysusers", usersFile); err != nil {
		return fmt.Errorf("the tunnels' system user cannot be made: %w", err)
	}
	changed, err := h.Write(
		install.File{Path: onHost.config, Content: config, Mode: 0o644},
		install.File{Path: onHost.knownHosts, Content: known, Mode: 0o644})
	if err != nil {
		return err
	}
	var instances []string
	for _, t := range s.Tunnel.Tunnels {
		if _, err := h.Run(ctx, "ssh", "-G", "-F", onHost.config, t.Name); err != nil {
			return fmt.Errorf("ssh does not take the settings of the tunnel %q: %w", t.Name, err)
		}
		instances = append(instances, unitOf(t.Name))
	}
	if err := stopOthers(ctx, h, instances); err != nil {
		return err
	}
	return h.Units(ctx,
		install.Unit{Name: keyUnit, Content: keyService},
		install.Unit{Name: unitPrefix + unitSuffix, Content: tunnelUnit(s.Tunnel.MaxConnections), Start: instances, Restart: changed, NoWait: true},
		install.Unit{Name: heartbeatUnit, Content: heartbeatService},
		install.Unit{Name: heartbeatTime, Content: heartbeatTimer, Start: []string{heartbeatTime}})
}

// stopOthers stops and disables the tunnels that are running or would start with the host, but for those named.
func stopOthers(ctx context.Context, h *install.Host, keep []string) error {
	out, err := h.Run(ctx, "systemctl", "list-units", "--all", "--plain", "--no-legend", "--no-pager", unitOf("*"))
	if err != nil {
		return err
	}
	var found []string
	for line := range strings.Lines(out) {
		if fields := strings.Fields(line); len(fields) > 0 {
			found = append(found, fields[0])
		}
	}
	enabled, err := os.ReadDir(h.Path(install.UnitFolder + "/multi-user.target.wants"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, link := range enabled {
		if ok, _ := filepath.Match(unitOf("*"), link.Name()); ok {
			found = append(found, link.Name())
		}
	}
	slices.Sort(found)
	for _, unit := range slices.Compact(found) {
		if slices.Contains(keep, unit) {
			continue
		}
		h.Say("Stopping %s, which is no longer in the settings ...", unit)
		if _, err := h.Run(ctx, "systemctl", "disable", "--now", "--quiet", unit); err != nil {
			return fmt.Errorf("the tunnel %s is no longer in the settings but does not stop: %w", unit, err)
		}
	}
	return nil
}
