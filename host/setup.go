package main

import (
	"context"

	"drawbridge/host/bastion"
	"drawbridge/host/install"
	"drawbridge/host/metadata"
	"drawbridge/host/patches"
	"drawbridge/host/sessionmanager"
	"drawbridge/host/tunnel"
)

// setup sets this host up. The guard of the metadata service comes first, and the SSM Agent last: a host without it works.
func setup(ctx context.Context, c call) error {
	h, s := c.host, c.settings
	distribution, err := h.Distribution()
	if err != nil {
		return err
	}
	cfg, err := awsConfig(ctx, s)
	if err != nil {
		return err
	}
	if distribution == install.Debian && s.Tunnel != nil {
		// In one go: each needs the lists of packages.
		needed := append([]string{metadata.Package, patches.DebianPackage, sessionmanager.Package}, tunnel.Packages...)
		if err := h.Packages(ctx, needed...); err != nil {
			return err
		}
	}
	if err := metadata.Setup(ctx, h); err != nil {
		return err
	}
	role := bastion.Setup
	if s.Tunnel != nil {
		role = tunnel.Setup
	}
	if err := role(ctx, h, s, cfg); err != nil {
		return err
	}
	if err := patches.Setup(ctx, h, s); err != nil {
		return err
	}
	if distribution == install.Debian && s.Tunnel != nil {
		if err := sessionmanager.New(s.Region).Setup(ctx, h); err != nil {
			warn(c.stdout, err.Error())
		}
	}
	if h.Changed() {
		h.Say("This host is set up.")
	} else {
		h.Say("This host was set up already: nothing changed.")
	}
	return nil
}
