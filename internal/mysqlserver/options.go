package mysqlserver

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"regexp"
)

// Options are what a server is made of. The zero value is a server on a free port of 127.0.0.1 with MySQL's own settings.
type Options struct {
	// Address is the IP address on which the server listens; "" is 127.0.0.1.
	Address string

	// Port is where it listens. 0 is a free port, which takes a loopback address.
	Port int

	// Names are further DNS names and IP addresses in the server's certificate, beside Address.
	Names []string

	// MasterUsername is the user with the privileges of RDS's master user; "" is "admin".
	MasterUsername string

	// Settings are what a parameter group of RDS says, name to value, such as require_secure_transport: "1". Those that
	// only RDS has, whose names start with "rds.", are left out. One that MySQL does not know, or whose value it would
	// change, is an error.
	Settings map[string]string

	// Command prepares the server's program, to run in a network namespace for example. What it starts is to become that
	// program without another process between them, as that would be paused and killed in its place. nil is
	// [exec.Command].
	Command func(name string, args ...string) *exec.Cmd

	// Dial is how pools of connections reach the server; nil is a [net.Dialer].
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Tools is the folder of what scripts/mysql.sh fetched. "" is .tools beside the go.mod that is nearest to the working
	// directory, from there up.
	Tools string
}

const (
	loopback      = "127.0.0.1"
	defaultMaster = "admin"
)

// userName is what RDS takes for a master user (CreateDBInstance, Amazon RDS API Reference): at most 16 letters, digits
// and underscores, a letter first. Nothing in it needs quoting.
var userName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,15}$`)

// complete returns the options with the defaults filled in.
func (o Options) complete() (Options, error) {
	if o.Address == "" {
		o.Address = loopback
	}
	if o.MasterUsername == "" {
		o.MasterUsername = defaultMaster
	}
	if o.Command == nil {
		o.Command = exec.Command
	}
	address, err := netip.ParseAddr(o.Address)
	switch {
	case err != nil || address.Zone() != "":
		return o, fmt.Errorf("a MySQL server cannot listen on %q: give an IP address", o.Address)
	case o.Port < 0 || o.Port > 65535:
		return o, fmt.Errorf("a MySQL server cannot listen on port %d: give one from 1 to 65535, or 0 for a free one", o.Port)
	case o.Port == 0 && !address.IsLoopback():
		return o, fmt.Errorf("a free port is picked on loopback addresses only: give the MySQL server on %s a port", o.Address)
	case !userName.MatchString(o.MasterUsername) || o.MasterUsername == rootUser:
		return o, fmt.Errorf("%q cannot be a master user: RDS takes at most 16 letters, digits and underscores, a letter first, and %s exists already", o.MasterUsername, rootUser)
	}
	return o, checkSettings(o.Settings)
}
