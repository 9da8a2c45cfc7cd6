package machine

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
)

const (
	// RouterAddress is where every host of a network finds what this process offers on [Network.Router]: an address
	// that RFC 6598 keeps for such use.
	RouterAddress = "100.64.0.1"
	// MetadataAddress is the address of the instance metadata service, which the router has as well.
	MetadataAddress = "169.254.169.254"
)

// Network is a switchboard of hosts: a router, and a link from it to every host. Hosts of one subnet reach each other
// through it too, and there is no way out of it.
type Network struct {
	router *Namespace

	mu    sync.Mutex
	hosts []*Namespace
}

// NewNetwork makes a network without hosts. Its namespaces are called drawbridge-NAME-… Whoever makes it closes it.
func NewNetwork(name string) (*Network, error) {
	if err := ready(); err != nil {
		return nil, err
	}
	if err := Sweep(); err != nil {
		return nil, err
	}
	router, err := newNamespace(name)
	if err != nil {
		return nil, err
	}
	router.Address = netip.MustParseAddr(RouterAddress)
	n := &Network{router: router}
	err = errors.Join(
		router.ip(
			"link set lo up",
			"addr add "+RouterAddress+"/32 dev lo",
			"addr add "+MetadataAddress+"/32 dev lo"),
		router.set(map[string]string{"ipv4/ip_forward": "1"}))
	if err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// Router is the namespace in the middle, where this process listens for all hosts.
func (n *Network) Router() *Namespace { return n.router }

// Host adds a host with an address in its subnet, such as 10.0.0.10/24. As on AWS the subnet's first address is the
// router's; it is the host's default route.
func (n *Network) Host(name, address string) (*Namespace, error) {
	prefix, err := netip.ParsePrefix(address)
	if err != nil || !prefix.Addr().Is4() || prefix.Bits() > 30 {
		return nil, fmt.Errorf("%q is not a host's address in its subnet, such as 10.0.0.10/24", address)
	}
	gateway := prefix.Masked().Addr().Next()
	if prefix.Addr() == gateway || prefix.Addr() == prefix.Masked().Addr() {
		return nil, fmt.Errorf("%s cannot be a host's address: it is the subnet's own or its router's", address)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, h := range n.hosts {
		if h.Address == prefix.Addr() {
			return nil, fmt.Errorf("another host of this network has the address %s: choose another", prefix.Addr())
		}
	}
	host, err := newNamespace(name)
	if err != nil {
		return nil, err
	}
	n.hosts = append(n.hosts, host)
	host.Address, host.router, host.link = prefix.Addr(), n.router, fmt.Sprintf("link%d", len(n.hosts))

	if err := n.router.ip("link add " + host.link + " type veth peer name eth0 netns " + host.name); err != nil {
		return nil, err
	}
	// The router answers for the neighbours in the subnet, who sit on other links.
	if err := n.router.set(map[string]string{
		"ipv4/conf/" + host.link + "/proxy_arp":    "1",
		"ipv4/neigh/" + host.link + "/proxy_delay": "0",
	}); err != nil {
		return nil, err
	}
	if err := n.router.ip(append([]string{"addr add " + gateway.String() + "/32 dev " + host.link}, host.plug()...)...); err != nil {
		return nil, err
	}
	return host, host.ip(
		"link set lo up",
		"addr add "+prefix.String()+" dev eth0",
		"link set eth0 up",
		"route add default via "+gateway.String())
}

// Close ends what runs in the network's namespaces and removes them. Machines are closed first.
func (n *Network) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var errs []error
	for _, h := range append(n.hosts, n.router) {
		errs = append(errs, h.remove())
	}
	return errors.Join(errs...)
}
