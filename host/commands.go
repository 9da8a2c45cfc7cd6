package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"drawbridge/host/administrators"
	"drawbridge/host/install"
	"drawbridge/host/mysqlsession"
	"drawbridge/host/patches"
	"drawbridge/host/settings"
	"drawbridge/host/tunnel"
)

// call is one call of a command.
type call struct {
	host           *install.Host
	settings       *settings.Settings
	args           []string
	stdout, stderr io.Writer
}

// command is a subcommand.
type command struct {
	name, args, does string
	least, most      int           // how many arguments it takes
	deadline         time.Duration // 0: none, because a person works in it
	fits             func(*settings.Settings) error
	run              func(context.Context, call) error
}

var commands = []command{
	{
		name: "setup", does: "set this host up; can be done again at any time",
		deadline: 15 * time.Minute, fits: anyHost, run: setup,
	},
	{
		name: "administrators", does: "bring the accounts in line with Parameter Store (a timer does)",
		deadline: time.Minute, fits: jumpServer,
		run: func(ctx context.Context, c call) error {
			cfg, err := awsConfig(ctx, c.settings)
			if err != nil {
				return err
			}
			return administrators.Sync(ctx, c.host, c.settings, cfg)
		},
	},
	{
		name: "authorized-keys", args: "USER", does: "print the keys of a person (sshd does)",
		least: 1, most: 1, deadline: 10 * time.Second, fits: jumpServer,
		run: func(_ context.Context, c call) error {
			return administrators.AuthorizedKeys(c.args[0], c.settings, c.stdout)
		},
	},
	{
		name: "mysql", args: "[mysql's arguments]", does: "open the database as its master user (drawbridge-mysql does)",
		most: math.MaxInt, fits: jumpServer,
		run: func(ctx context.Context, c call) error {
			cfg, err := awsConfig(ctx, c.settings)
			if err != nil {
				return err
			}
			return mysqlsession.Run(ctx, c.settings, cfg, c.args)
		},
	},
	{
		name: "tunnel-key", does: "fetch the tunnels' private key into memory (a unit does)",
		deadline: 10 * time.Minute, fits: tunnelHost,
		run: func(ctx context.Context, c call) error {
			cfg, err := awsConfig(ctx, c.settings)
			if err != nil {
				return err
			}
			return tunnel.WriteKey(ctx, c.host, c.settings, cfg)
		},
	},
	{
		name: "heartbeat", does: "tell CloudWatch which tunnels are up (a timer does)",
		deadline: 45 * time.Second, fits: tunnelHost,
		run: func(ctx context.Context, c call) error {
			cfg, err := awsConfig(ctx, c.settings)
			if err != nil {
				return err
			}
			return tunnel.Heartbeat(ctx, c.host, c.settings, cfg)
		},
	},
	{
		name: "tunnel-test", args: "[NAME]", does: "try everything that a tunnel, or each, needs, step by step",
		most: 1, deadline: 10 * time.Minute, fits: tunnelHost,
		run: func(ctx context.Context, c call) error {
			names := c.args
			if len(names) == 0 {
				for _, t := range c.settings.Tunnel.Tunnels {
					names = append(names, t.Name)
				}
			}
			var errs []error
			for _, name := range names {
				if len(names) > 1 {
					_, _ = fmt.Fprintf(c.stdout, "Tunnel %s\n", name)
				}
				errs = append(errs, tunnel.Test(ctx, c.host, c.settings, name, c.stdout))
			}
			return errors.Join(errs...)
		},
	},
	{
		name: "patch", does: "install patches now, and reboot where they ask for it (a timer does)",
		deadline: 2 * time.Hour, fits: anyHost,
		run: func(ctx context.Context, c call) error { return patches.Install(ctx, c.host) },
	},
}

func anyHost(*settings.Settings) error { return nil }

func jumpServer(s *settings.Settings) error {
	if s.Bastion == nil {
		return errors.New("this host is not the jump server, for which this command is")
	}
	return nil
}

func tunnelHost(s *settings.Settings) error {
	if s.Tunnel == nil {
		return errors.New("this host is not the host of the tunnels, for which this command is")
	}
	return nil
}

// warn prints what a person should know although setup succeeded. User data puts the line into its signal.
func warn(w io.Writer, warning string) { _, _ = fmt.Fprintf(w, "warning: %s\n", oneLine(warning)) }
