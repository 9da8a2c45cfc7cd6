package resources

import (
	"context"
	"net"
	"net/netip"

	"drawbridge/rehearsal/runtimeapi"
)

// Interfaces gives what lies in a VPC a network interface there, where the VPC is played too.
type Interfaces interface {
	// Add puts an interface into the first of these subnets, with these security groups, and a public address if it is to
	// have one. An owner has one interface: adding it again changes its groups and its public address.
	Add(owner string, subnets, groups []string, public bool) (Interface, error)
	// Remove takes an owner's interface away. One that is not there is no error.
	Remove(owner string) error
}

// Interface is a network interface, and the network as it is seen from there.
type Interface interface {
	runtimeapi.Network
	IP() netip.Addr
	Dial(ctx context.Context, network, address string) (net.Conn, error)
}
