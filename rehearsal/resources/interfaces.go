package resources

import (
	"net/netip"

	"drawbridge/rehearsal/runtimeapi"
)

// Interfaces gives what lies in a VPC a network interface there, where the VPC is played too.
type Interfaces interface {
	// Add puts an interface into the first of these subnets, with these security groups. An owner has one: adding it again
	// changes its groups.
	Add(owner string, subnets, groups []string) (Interface, error)
	// Remove takes an owner's interface away. One that is not there is no error.
	Remove(owner string) error
}

// Interface is a network interface, and the network as it is seen from there.
type Interface interface {
	runtimeapi.Network
	IP() netip.Addr
}
