package bastion

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"drawbridge/host/bastion/sshd"
	"drawbridge/host/install"
	"drawbridge/host/settings"
)

// Where sshd's configuration is tried before it counts.
const (
	triedConfig = "/run/drawbridge/sshd_config.ours"
	triedBoth   = "/run/drawbridge/sshd_config"
	config      = "/etc/ssh/sshd_config"
)

// configureSSHD makes sshd follow this project's configuration. Until it was seen that it would, the sshd that runs is
// left as it is.
func configureSSHD(ctx context.Context, h *install.Host, target, hostKey string) error {
	server := sshd.Server{Target: target}
	known, err := h.Run(ctx, "ssh", "-Q", "kex")
	if err != nil {
		return fmt.Errorf("it cannot be told which key exchanges OpenSSH has here: %w", err)
	}
	server.PostQuantum = slices.Contains(strings.Fields(known), sshd.PostQuantumKex)
	if _, err := h.Write(install.File{Path: sshd.HostKeyFile, Content: hostKey, Mode: 0o600}); err != nil {
		return err
	}
	if err := trySSHD(ctx, h, server); err != nil {
		return err
	}
	if err := includeFolder(h); err != nil {
		return err
	}
	if _, err := h.Write(install.File{Path: sshd.ConfigFile, Content: server.Config(), Mode: 0o600}); err != nil {
		return err
	}
	if err := checkSSHD(ctx, h, config, server); err != nil {
		return err
	}
	// Always: what it was started with may have changed, or the run before this one ended here. Sessions go on.
	if _, err := h.Run(ctx, "systemctl", "daemon-reload"); err != nil {
		return err
	}
	if _, err := h.Run(ctx, "systemctl", "restart", sshd.Unit); err != nil {
		return fmt.Errorf("sshd does not start: see 'journalctl --unit %s': %w", sshd.Unit, err)
	}
	return sshd.CheckCommandLine(ctx, h)
}

// includeFolder makes sshd read the folder of our file first, as Debian's configuration does. Some images of Amazon Linux
// have the folder but do not read it.
func includeFolder(h *install.Host) error {
	const include = "Include /etc/ssh/sshd_config.d/*.conf"
	text, err := h.Read(config)
	if err != nil {
		return fmt.Errorf("sshd's configuration cannot be read: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 0 && !strings.HasPrefix(words[0], "#") {
			if strings.Join(words, " ") == include {
				return nil
			}
			break
		}
	}
	_, err = h.Write(install.File{Path: config, Content: include + "\n\n" + string(text), Mode: 0o600})
	return err
}

// trySSHD checks our configuration together with everybody else's, as they will be.
func trySSHD(ctx context.Context, h *install.Host, server sshd.Server) (err error) {
	defer func() {
		for _, file := range []string{triedConfig, triedBoth} {
			_, err2 := h.Remove(file)
			err = errors.Join(err, err2)
		}
	}()
	if _, err := h.Write(
		install.File{Path: triedConfig, Content: server.Config(), Mode: 0o600},
		install.File{Path: triedBoth, Content: "Include " + triedConfig + "\nInclude " + config + "\n", Mode: 0o600},
	); err != nil {
		return err
	}
	return checkSSHD(ctx, h, triedBoth, server)
}

// checkSSHD checks what holds for everybody, and then for one person of each kind: a Match block may say otherwise for
// them.
func checkSSHD(ctx context.Context, h *install.Host, file string, server sshd.Server) error {
	if err := sshd.Check(ctx, h, file, server, "", sshd.Everybody); err != nil {
		return err
	}
	for _, group := range []string{sshd.ShellGroup, sshd.TunnelGroup} {
		access := sshd.Everybody
		if group == sshd.TunnelGroup {
			access = sshd.TunnelOnly
		}
		out, err := h.Run(ctx, "getent", "group", group)
		if err != nil {
			return fmt.Errorf("the group %s is not there: run 'sudo %s setup' again: %w", group, settings.Program, err)
		}
		members := strings.TrimSpace(out[strings.LastIndex(out, ":")+1:])
		if somebody, _, _ := strings.Cut(members, ","); somebody != "" {
			if err := sshd.Check(ctx, h, file, server, somebody, access); err != nil {
				return err
			}
		}
	}
	return nil
}
