package config

import (
	"net/netip"
	"strings"
)

// documentationBlocks are addresses that nobody has. (RFC 5737)
var documentationBlocks = []netip.Prefix{
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
}

// documentationDomains are names that nobody has. (RFC 2606, section 3)
var documentationDomains = []string{"example.com", "example.net", "example.org"}

// samples warns of each sample value that was left in a valid environment.
func (c *checker) samples(root place, e *Environment) {
	c.sampleCIDRs(root.key("developerCidrs"), e.DeveloperCIDRs,
		"nobody reaches the database in the public phase through it; put the block that you work from")
	c.sampleCIDRs(root.key("bastion").key("sshCidrs"), e.Bastion.SSHCIDRs,
		"nobody reaches the jump server through it; put the block that your administrators work from")
	for i, t := range e.Tunnels {
		at := root.key("tunnels").index(i)
		for _, domain := range documentationDomains {
			if t.Host == domain || strings.HasSuffix(t.Host, "."+domain) {
				c.warn(at.key("host"), "%s is a sample name (RFC 2606), so that the tunnel finds no host; put your vendor's host", show(t.Host))
			}
		}
		if t.HostKey == SampleHostKey {
			c.warn(at.key("hostKey"), "is the sample key, which no host has, so that the tunnel refuses every host; put your vendor's host key")
		}
	}
}

func (c *checker) sampleCIDRs(at place, blocks []string, meaning string) {
	for i, block := range blocks {
		for _, sample := range documentationBlocks {
			if p := netip.MustParsePrefix(block); p.Bits() >= sample.Bits() && sample.Contains(p.Addr()) {
				c.warn(at.index(i), "%s is a sample block (RFC 5737): %s", show(block), meaning)
			}
		}
	}
}
