// Package metadata keeps the instance metadata service for root. It gives the credentials of the instance's role to
// whoever asks, and on the jump server people have a shell.
package metadata

import (
	"context"
	_ "embed"
	"fmt"

	"drawbridge/host/install"
)

// Package is the distribution's package that the guard needs, on Debian and on Amazon Linux.
const Package = "nftables"

const (
	rulesFile = "/etc/drawbridge/metadata.nft"
	guard     = "drawbridge-metadata-guard.service"
	refresh   = "drawbridge-metadata-refresh.timer"
)

//go:embed drawbridge-metadata.nft
var rules string

//go:embed drawbridge-metadata-guard.service
var unit string

//go:embed drawbridge-metadata-refresh.service
var refreshService string

//go:embed drawbridge-metadata-refresh.timer
var refreshTimer string

// Setup installs nftables and starts the guard, at every boot before the network. Nothing else of nftables is touched.
func Setup(ctx context.Context, h *install.Host) error {
	if err := h.Packages(ctx, Package); err != nil {
		return err
	}
	if _, err := h.Write(install.File{Path: rulesFile, Content: rules, Mode: 0o644}); err != nil {
		return err
	}
	if err := h.Units(ctx,
		install.Unit{Name: guard, Content: unit, Start: []string{guard}},
		install.Unit{Name: "drawbridge-metadata-refresh.service", Content: refreshService},
		install.Unit{Name: refresh, Content: refreshTimer, Start: []string{refresh}}); err != nil {
		return fmt.Errorf("the instance metadata service cannot be kept for root: %w", err)
	}
	// Without a restart of the guard, with which sshd would restart.
	if _, err := h.Run(ctx, "nft", "--file", rulesFile); err != nil {
		return fmt.Errorf("the instance metadata service cannot be kept for root: %w", err)
	}
	return nil
}
