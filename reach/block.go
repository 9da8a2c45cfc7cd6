package reach

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
)

// everything is every IPv4 address.
var everything = netip.MustParsePrefix("0.0.0.0/0")

// narrowest is the prefix length from which on a block is somebody's own. Broader ones are everybody: two halves of the
// internet must not look like two named networks.
const narrowest = 8

// notCarried are the blocks that the internet does not carry (RFC 6890, and multicast and reserved above it). The
// blocks for documentation are not among them: they stand for real ones in every example.
var notCarried = prefixes("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3")

// examples are what represents the internet where nothing names them: addresses for documentation (RFC 5737).
var examples = []netip.Addr{netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("203.0.113.7")}

func prefixes(texts ...string) (blocks []netip.Prefix) {
	for _, text := range texts {
		blocks = append(blocks, netip.MustParsePrefix(text))
	}
	return blocks
}

func parseBlocks(texts []string) (blocks []netip.Prefix, err error) {
	for _, text := range texts {
		block, err := netip.ParsePrefix(text)
		if err != nil || !block.Addr().Is4() {
			return nil, fmt.Errorf("%q is no IPv4 block, such as 203.0.113.0/24", text)
		}
		if block.Bits() < narrowest {
			return nil, fmt.Errorf("the block %s is broader than /%d: that is what the source %s stands for", block, narrowest, Internet)
		}
		blocks = append(blocks, block.Masked())
	}
	return blocks, nil
}

// within says whether every address of inner is in outer. CannotTell means that only some are.
func within(inner, outer netip.Prefix) Answer {
	switch {
	case !outer.Overlaps(inner):
		return No
	case outer.Bits() <= inner.Bits():
		return Yes
	}
	return CannotTell
}

func coveredBy(a netip.Addr, blocks []netip.Prefix) bool {
	return slices.ContainsFunc(blocks, func(b netip.Prefix) bool { return b.Contains(a) })
}

// representative is an address of the block that lies in none of the others, if there is one.
func representative(block netip.Prefix, others []netip.Prefix) (netip.Addr, bool) {
	a := block.Addr()
	if block.Bits() < 31 {
		a = a.Next() // the first address names the network itself
	}
	for block.Contains(a) {
		i := slices.IndexFunc(others, func(b netip.Prefix) bool { return b.Contains(a) })
		if i < 0 {
			return a, true
		}
		a = last(others[i]).Next()
	}
	return netip.Addr{}, false
}

// last is the last address of an IPv4 block.
func last(b netip.Prefix) netip.Addr {
	bytes := b.Masked().Addr().As4()
	for bit := b.Bits(); bit < 32; bit++ {
		bytes[bit/8] |= 1 << (7 - bit%8)
	}
	return netip.AddrFrom4(bytes)
}

// narrower are the blocks that lie in block and are not the same.
func narrower(block netip.Prefix, blocks []netip.Prefix) (inner []netip.Prefix) {
	for _, b := range blocks {
		if b.Bits() > block.Bits() && block.Contains(b.Addr()) {
			inner = append(inner, b)
		}
	}
	return inner
}

// byAddress is the order of blocks in the table.
func byAddress(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}

// outsideSources are the internet, which comes first, and each named block that has addresses of its own.
func outsideSources(n *network, extra []netip.Prefix) []Source {
	named, broad := slices.Clone(extra), []netip.Prefix{everything}
	for _, b := range n.blocks() {
		switch {
		case b.block.Bits() < narrowest:
			broad = append(broad, b.block)
		case b.namesSource && !slices.ContainsFunc(n.vpcBlocks(), func(v netip.Prefix) bool { return within(b.block, v) == Yes }):
			named = append(named, b.block)
		}
	}
	slices.SortFunc(named, byAddress)
	slices.SortFunc(broad, byAddress)
	named, broad = slices.Compact(named), slices.Compact(broad)
	all := slices.Concat(named, broad)

	internet := Source{Name: Internet}
	for _, b := range broad {
		taken := slices.Concat(narrower(b, all), n.vpcBlocks(), notCarried)
		i := slices.IndexFunc(examples, func(a netip.Addr) bool { return b.Contains(a) && !coveredBy(a, taken) })
		if i >= 0 {
			internet.Addresses = append(internet.Addresses, examples[i])
		} else if a, ok := representative(b, taken); ok {
			internet.Addresses = append(internet.Addresses, a)
		}
	}
	if len(internet.Addresses) == 0 { // somebody has named all of it
		internet.Addresses = examples[:1]
	}
	sources := []Source{internet}
	for _, b := range named {
		if a, ok := representative(b, slices.Concat(narrower(b, all), n.vpcBlocks())); ok {
			sources = append(sources, Source{Name: b.String(), Block: b.String(), Addresses: []netip.Addr{a}})
		}
	}
	return sources
}
