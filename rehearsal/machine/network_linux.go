package machine

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
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
	links int // that were ever made
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
		// Where packets come from is not for the kernel to judge: its tables here are one way only.
		router.set(map[string]string{"ipv4/ip_forward": "1", "ipv4/conf/all/rp_filter": "0", "ipv4/conf/default/rp_filter": "0"}))
	if err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// Router is the namespace in the middle, where this process listens for all hosts.
func (n *Network) Router() *Namespace { return n.router }

// lonely is the router's address on the link of a host that has no subnet.
var lonely = netip.MustParseAddr("169.254.1.1")

// Host adds a host with an address in its subnet, such as 10.0.0.10/24. As on AWS the subnet's first address is the
// router's; it is the host's default route. An address with /32 is a host's without neighbours.
func (n *Network) Host(name, address string) (*Namespace, error) {
	prefix, err := netip.ParsePrefix(address)
	if err != nil || !prefix.Addr().Is4() || prefix.Bits() == 31 {
		return nil, fmt.Errorf("%q is not a host's address in its subnet, such as 10.0.0.10/24", address)
	}
	gateway := prefix.Masked().Addr().Next()
	if prefix.IsSingleIP() {
		gateway = lonely
	}
	if prefix.Addr() == gateway || !prefix.IsSingleIP() && prefix.Addr() == prefix.Masked().Addr() {
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
	n.links++
	host.Address, host.router, host.link = prefix.Addr(), n.router, fmt.Sprintf("link%d", n.links)

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
		"route add default via "+gateway.String()+" dev eth0 onlink")
}

// Remove takes a host off the network, and ends what runs in its namespace. Its machine is closed first.
func (n *Network) Remove(host *Namespace) error {
	n.mu.Lock()
	n.hosts = slices.DeleteFunc(n.hosts, func(h *Namespace) bool { return h == host })
	n.mu.Unlock()
	return host.remove()
}

// Connect links the routers of two networks, which then have the addresses here and there to each other, of a subnet of
// two. Their ends of the link have these names. What goes that way is up to their routes.
func (n *Network) Connect(link string, here netip.Prefix, other *Network, otherLink string, there netip.Prefix) error {
	return errors.Join(
		n.router.ip("link add "+link+" type veth peer name "+otherLink+" netns "+other.router.name,
			"addr add "+here.String()+" dev "+link,
			"link set "+link+" up"),
		other.router.ip("addr add "+there.String()+" dev "+otherLink, "link set "+otherLink+" up"))
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
