package config

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"drawbridge/internal/sshkeys"
	"drawbridge/internal/unixaccounts"
)

// maxTunnels keeps the Tunnel stack far from the 200 outputs that a template may
// have, and its host, of the smallest type, from running out of memory.
const maxTunnels = 20

// maxTunnelsBytes is what an instance's user data, 16 KiB at most, has room for beside the script (Amazon EC2 User Guide,
// "Run commands when you launch an EC2 instance with user data input").
const maxTunnelsBytes = 10_000

var (
	tunnelUser = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,31}$`)
	// Two labels or more; the last one is not all digits, so that no mistyped
	// address passes for a name. (RFC 1123, section 2.1)
	dnsName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

func (c *checker) tunnels(at place, tunnels []Tunnel) {
	names, ends := unique{}, unique{}
	for i := range tunnels {
		t, at := &tunnels[i], at.index(i)
		name := at.key("name")
		if !unixaccounts.IsName(t.Name) {
			c.problem(name, "%s is not the name of a tunnel", show(t.Name))
		} else if first := names.seen(strings.ReplaceAll(t.Name, "-", ""), name); first != "" {
			// The names of stack outputs hold no hyphens.
			c.problem(name, "%s is, but for hyphens, also the name at %s", show(t.Name), first)
		}
		c.vendor(at, t)
		t.Host = strings.ToLower(t.Host)
		c.vendorHost(at.key("host"), t.Host)
		c.between(at.key("port"), t.Port, 1, 65535)
		if !tunnelUser.MatchString(t.User) {
			c.problem(at.key("user"), "%s is not a user name", show(t.User))
		}
		remote := at.key("remotePort")
		c.between(remote, t.RemotePort, 1, 65535)
		if hostName(t.Host) {
			if first := ends.seen(fmt.Sprintf("%s:%d:%d", t.Host, t.Port, t.RemotePort), remote); first != "" {
				c.problem(remote, "%d is taken on that host by %s", t.RemotePort, first)
			}
		}
		key, fault := publicKey(t.HostKey, sshkeys.LeastHostRSA, true)
		if fault != "" {
			c.problem(at.key("hostKey"), "%s", fault)
		}
		t.HostKey = key
	}
	if n := len(tunnels); n > maxTunnels {
		c.problem(at, "lists %d tunnels", n)
	} else if n := jsonBytes(tunnels); n > maxTunnelsBytes {
		c.problem(at, "takes %d bytes as JSON, more than the %d that fit into the host's user data: give vendors' Ed25519 host keys, which are short", n, maxTunnelsBytes)
	}
}

// jsonBytes is the length of v as JSON.
func jsonBytes(v any) int {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // cannot happen: strings and numbers alone
	}
	return len(text)
}

func (c *checker) vendorHost(at place, host string) {
	address, err := netip.ParseAddr(host)
	switch {
	case err != nil && !hostName(host):
		c.problem(at, "%s is not a host", show(host))
	case err == nil && !address.Is4():
		c.problem(at, "%s is an IPv6 address, but the VPC has no IPv6", show(host))
	case err == nil && (address.IsLoopback() || address.IsUnspecified() || address.IsMulticast() ||
		address.IsLinkLocalUnicast() || address == netip.AddrFrom4([4]byte{255, 255, 255, 255})):
		c.problem(at, "%s is not the address of another host", show(host))
	}
}

// hostName tells whether a string is a fully qualified DNS name or an IPv4
// address.
func hostName(host string) bool {
	if address, err := netip.ParseAddr(host); err == nil {
		return address.Is4()
	}
	return len(host) <= 253 && dnsName.MatchString(strings.ToLower(host))
}
