package reach

import (
	"fmt"
	"net/netip"
	"slices"
)

// mostNamed is how many addresses of the internet named blocks may have together: those of a block of the broadest kind
// that still is somebody's own. A list of many blocks that have more is the internet in pieces.
const mostNamed = 1 << (32 - narrowest)

// size is the number of addresses of a block that lie in none of the others.
func size(block netip.Prefix, others []netip.Prefix) int {
	others = slices.DeleteFunc(slices.Clone(others), func(b netip.Prefix) bool { return !b.Overlaps(block) })
	switch {
	case len(others) == 0:
		return 1 << (32 - block.Bits())
	case slices.ContainsFunc(others, func(b netip.Prefix) bool { return b.Bits() <= block.Bits() }):
		return 0
	}
	low := netip.PrefixFrom(block.Addr(), block.Bits()+1)
	high := netip.PrefixFrom(last(low).Next(), block.Bits()+1)
	return size(low, others) + size(high, others)
}

// allOutside are the answers for all sources outside, of which the first is the internet: a door that is open to named
// blocks with more addresses than mostNamed is open to it too.
func (e evaluation) allOutside(sources []Source, h *host, ports []int) (verdicts []verdict) {
	var named []netip.Prefix
	for _, s := range sources[1:] {
		named = append(named, netip.MustParsePrefix(s.Block))
	}
	verdicts = append(verdicts, e.outside(sources[0], h, ports))
	open, unsure := pieces{}, pieces{}
	for i, s := range sources[1:] {
		v := e.outside(s, h, ports)
		verdicts = append(verdicts, v)
		if v.answer == No {
			continue
		}
		addresses := size(named[i], slices.Concat(narrower(named[i], named), e.network.vpcBlocks(), notCarried))
		unsure.add(v, addresses)
		if v.answer == Yes {
			open.add(v, addresses)
		}
	}
	const text = "named networks that together have more addresses than a /8 count as the internet, and %d of them %s"
	internet := &verdicts[0]
	switch {
	case internet.answer != Yes && open.addresses > mostNamed:
		reason := Reason{Answer: Yes, Text: fmt.Sprintf(text, open.blocks, "get in")}
		*internet = verdict{Yes, append(chain{{Reason: reason}}, open.first.chain...)}
	case internet.answer == No && unsure.addresses > mostNamed:
		reason := Reason{Answer: CannotTell, Text: fmt.Sprintf(text, unsure.blocks, "may get in")}
		internet.answer, internet.chain = CannotTell, append(slices.Clip(internet.chain), link{Reason: reason})
	}
	return verdicts
}

// pieces are named blocks, of which only those addresses count that the internet carries.
type pieces struct {
	blocks, addresses int
	first             verdict
}

func (p *pieces) add(v verdict, addresses int) {
	if addresses == 0 {
		return
	}
	if p.blocks == 0 {
		p.first = v
	}
	p.blocks++
	p.addresses += addresses
}

// unknownAddresses stand for a public address that AWS gives. Blocks that somebody names hold none of AWS's, unless they
// are the internet in pieces, be it of those whom a host lets in or of those to whom it is let out.
func unknownAddresses(n *network, internet Source) []netip.Addr {
	var named []netip.Prefix
	for _, b := range n.blocks() {
		if b.block.Bits() >= narrowest {
			named = append(named, b.block)
		}
	}
	slices.SortFunc(named, byAddress)
	named = slices.Compact(named)
	total := 0
	var addresses []netip.Addr
	for _, b := range named {
		taken := slices.Concat(narrower(b, named), n.vpcBlocks(), notCarried)
		if a, ok := representative(b, taken); ok {
			total += size(b, taken)
			addresses = append(addresses, a)
		}
	}
	if total <= mostNamed {
		addresses = nil
	}
	return slices.Concat(internet.Addresses, addresses)
}
