package config

import (
	"net/netip"
	"strings"
)

// maxCIDRs keeps each list well inside the 60 inbound rules that a security
// group has by default (Amazon VPC User Guide, "Amazon VPC quotas"): the web
// app opens two ports to each block, and the database has rules of its own.
const maxCIDRs = 25

// The shortest prefix a list of CIDR blocks takes. With /8 nobody opens a port
// to the whole internet in two halves.
const (
	anyWidth = 0
	narrow   = 8
)

func (c *checker) cidrs(at place, blocks []string, shortest int) {
	listed := unique{}
	for i, block := range blocks {
		at := at.index(i)
		prefix, ok := c.cidr(at, block)
		if !ok {
			continue
		}
		if prefix.Bits() < shortest {
			c.problem(at, "%s opens the port to too much of the internet", show(block))
		} else if listed.seen(block, at) != "" {
			c.problem(at, "%s is listed twice", show(block))
		}
	}
	if len(blocks) > maxCIDRs {
		c.problem(at, "lists %d blocks", len(blocks))
	}
}

// outsideVPC refuses blocks that share addresses with the VPC: they get routes to
// the internet gateway, and EC2 takes none for the VPC's own addresses.
func (c *checker) outsideVPC(at place, blocks []string, vpcAt place, vpc string) {
	if c.isWrong(vpcAt) {
		return
	}
	own := netip.MustParsePrefix(vpc)
	for i, block := range blocks {
		if prefix, err := netip.ParsePrefix(block); err == nil && prefix.Overlaps(own) {
			c.problem(at.index(i), "%s shares addresses with the VPC, %s", show(block), own)
		}
	}
}

// cidr checks one canonical IPv4 block; it reports what is wrong with it.
func (c *checker) cidr(at place, block string) (netip.Prefix, bool) {
	prefix, err := netip.ParsePrefix(block)
	switch {
	case err != nil && !strings.Contains(block, "/"):
		c.problem(at, "%s has no prefix length (a single address ends in /32)", show(block))
	case err != nil:
		c.problem(at, "%s is not a CIDR block", show(block))
	case !prefix.Addr().Is4():
		c.problem(at, "%s is an IPv6 block, but the VPC has no IPv6", show(block))
	case prefix != prefix.Masked():
		c.problem(at, "%s has bits set after its prefix (the block it lies in is %s)", show(block), prefix.Masked())
	default:
		return prefix, true
	}
	return prefix, false
}

// privateBlocks are the address blocks of RFC 1918.
var privateBlocks = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"),
}

// vpcCIDR checks the VPC's block: AWS takes nothing wider than /16, and three
// tiers in two zones need six subnets of at least /27.
func (c *checker) vpcCIDR(at place, block string) {
	prefix, ok := c.cidr(at, block)
	if !ok {
		return
	}
	if bits := prefix.Bits(); bits < 16 || bits > 23 {
		c.problem(at, "%s is a /%d", show(block), bits)
		return
	}
	for _, private := range privateBlocks {
		if private.Overlaps(prefix) {
			return
		}
	}
	c.problem(at, "%s is not a private block", show(block))
}
