package reach

import (
	"net/netip"
	"slices"
)

// link is one link of the chain from a source to a door.
type link struct {
	Reason

	// group says that a security group gives this answer: it holds on every way to the host.
	group bool
}

// chain is all links on one way, in the order in which a packet and its answer meet them. Every one must hold.
type chain []link

func (c chain) answer() Answer {
	answer := Yes
	for _, l := range c {
		if l.Answer == No {
			return No
		}
		if l.Answer == CannotTell {
			answer = CannotTell
		}
	}
	return answer
}

func (c chain) reasons() []Reason {
	reasons := []Reason{}
	for _, l := range c {
		if !slices.Contains(reasons, l.Reason) {
			reasons = append(reasons, l.Reason)
		}
	}
	return reasons
}

// without are the links that are not in other too. They are those of the way by public addresses.
func (c chain) without(other chain) (rest chain) {
	for _, l := range c {
		if !slices.Contains(other, l) {
			l.Text = "by public addresses, " + l.Text
			rest = append(rest, l)
		}
	}
	return rest
}

// verdict is an answer with the chain that gives it.
type verdict struct {
	answer Answer
	chain  chain
}

// anyOf is the verdict where one of several ways is enough.
func anyOf(verdicts []verdict) verdict {
	for _, wanted := range []Answer{Yes, CannotTell} {
		for _, v := range verdicts {
			if v.answer == wanted {
				return v
			}
		}
	}
	return verdicts[0]
}

// same is the verdict where it is not known which of several ways it is.
func same(verdicts []verdict, what string) verdict {
	for _, v := range verdicts {
		if v.answer == verdicts[0].answer {
			continue
		}
		unsure := verdicts[slices.IndexFunc(verdicts, func(v verdict) bool { return v.answer != Yes })]
		c := append(chain{{Reason: Reason{Answer: CannotTell, Text: "it depends on " + what}}}, unsure.chain...)
		for i := range c {
			if c[i].Answer == No { // for one of them only
				c[i].Answer, c[i].group = CannotTell, false
			}
		}
		return verdict{CannotTell, c}
	}
	return verdicts[0]
}

// evaluation answers for one network.
type evaluation struct {
	network *network

	// unknownAddresses stand for a public address of which AWS decides when the environment is deployed.
	unknownAddresses []netip.Addr
}

// judge is the verdict of one way, after what is not understood has taken its proof away.
func (e evaluation) judge(c chain, hosts ...*host) verdict {
	doubts := e.network.doubts
	for _, h := range hosts {
		doubts = append(slices.Clip(doubts), h.doubts...)
	}
	answer := c.answer()
	groupSaysNo := slices.ContainsFunc(c, func(l link) bool { return l.group && l.Answer == No })
	for _, d := range doubts {
		if answer == No && (d.passesGroups || !groupSaysNo) || answer == Yes && d.closes {
			return verdict{CannotTell, append(slices.Clip(c), link{Reason: d.Reason})}
		}
	}
	return verdict{answer, c}
}

// outside is the answer for a source outside the VPC: Yes if any of its addresses gets to any of the ports.
func (e evaluation) outside(s Source, h *host, ports []int) verdict {
	var ways []verdict
	for _, a := range s.Addresses {
		for _, port := range ports {
			var subnets []verdict
			for _, in := range h.subnets {
				subnets = append(subnets, e.judge(e.fromOutside(a, h, in, port), h))
			}
			ways = append(ways, same(subnets, "the subnet in which "+h.doorName+" lies"))
		}
	}
	return anyOf(ways)
}

func (e evaluation) fromOutside(a netip.Addr, h *host, in *subnet, port int) chain {
	from := netip.PrefixFrom(a, a.BitLen())
	var c chain
	back, borrows := e.network.toInternet(in, from, answers)
	switch {
	case borrows:
	case coveredBy(a, notCarried):
		c = append(c, link{Reason: Reason{Answer: No, Text: "the internet carries no packets of " + from.String()}})
	default:
		c = append(c, h.publicAddress(in))
	}
	c = append(c, in.passes("in", from, portRange{port, port}, "connections")...)
	c = append(c, through(h, "in", e.network.floating.ingress, peer{block: from}, port))
	c = append(c, h.listens(port)...)
	c = append(c, back)
	return append(c, in.passes("out", from, ephemeral, "answers")...)
}

// inside is the answer for one of the VPC's hosts, which may go by private or by public addresses.
func (e evaluation) inside(from, to *host, ports []int) verdict {
	var ways []verdict
	for _, port := range ports {
		var private, public []verdict
		for _, a := range from.subnets {
			for _, b := range to.subnets {
				private = append(private, e.judge(e.byPrivateAddress(from, to, a, b, port), from, to))
				public = append(public, e.judge(e.byPublicAddress(from, to, a, b, port), from, to))
			}
		}
		const what = "the subnets in which the two lie"
		v1, v2 := same(private, what), same(public, what)
		way := anyOf([]verdict{v1, v2})
		if way.answer == No {
			way.chain = append(slices.Clip(v1.chain), v2.chain.without(v1.chain)...)
		}
		ways = append(ways, way)
	}
	return anyOf(ways)
}

func (e evaluation) byPrivateAddress(from, to *host, a, b *subnet, port int) chain {
	n := e.network
	c := chain{through(from, "out", n.floating.egress, peer{b.block, to.groups}, port)}
	// Network ACLs stand at the border of a subnet.
	crosses := a.where != b.where
	if crosses {
		c = append(c, a.passes("out", b.block, portRange{port, port}, "connections")...)
	}
	c = append(c, local(a, b))
	if crosses {
		c = append(c, b.passes("in", a.block, portRange{port, port}, "connections")...)
	}
	c = append(c, through(to, "in", n.floating.ingress, peer{a.block, from.groups}, port))
	c = append(c, to.listens(port)...)
	if a.table != b.table {
		if back := local(b, a); back.Answer != Yes {
			c = append(c, back)
		}
	}
	if crosses {
		c = append(c, b.passes("out", a.block, from.ephemeral(), "answers")...)
		c = append(c, a.passes("in", b.block, from.ephemeral(), "answers")...)
	}
	return c
}

// byPublicAddress is the way out through the internet gateway and in again, on which neither end sees the other's private
// address or groups.
func (e evaluation) byPublicAddress(from, to *host, a, b *subnet, port int) chain {
	n := e.network
	ports := portRange{port, port}
	one := func(l link) chain { return chain{l} }
	out, outBorrows := e.toUnknown(a, packets)
	back, backBorrows := e.toUnknown(b, answers)

	c := e.unknown(func(u netip.Prefix) chain { return one(through(from, "out", n.floating.egress, peer{block: u}, port)) })
	c = append(c, e.unknown(func(u netip.Prefix) chain { return a.passes("out", u, ports, "connections") })...)
	c = append(c, out...)
	if !outBorrows {
		c = append(c, from.publicAddress(a))
	}
	if !backBorrows {
		c = append(c, to.publicAddress(b))
	}
	c = append(c, e.unknown(func(u netip.Prefix) chain { return b.passes("in", u, ports, "connections") })...)
	c = append(c, e.unknown(func(u netip.Prefix) chain {
		return one(through(to, "in", n.floating.ingress, peer{block: u}, port))
	})...)
	c = append(c, to.listens(port)...)
	c = append(c, back...)
	c = append(c, e.unknown(func(u netip.Prefix) chain { return b.passes("out", u, from.ephemeral(), "answers") })...)
	c = append(c, e.unknown(func(u netip.Prefix) chain { return a.passes("in", u, from.ephemeral(), "answers") })...)
	return c
}

// unknown asks about a public address of which AWS decides. Rules for named networks do not count: those are somebody's
// own, and AWS gives none of their addresses.
func (e evaluation) unknown(ask func(netip.Prefix) chain) chain {
	var answers []verdict
	for _, u := range e.unknownAddresses {
		c := ask(netip.PrefixFrom(u, u.BitLen()))
		answers = append(answers, verdict{c.answer(), c})
	}
	return slices.Clone(same(answers, "the public address that AWS gives").chain)
}

// toUnknown is the way from a subnet to such an address.
func (e evaluation) toUnknown(s *subnet, what flow) (c chain, borrows bool) {
	c = e.unknown(func(u netip.Prefix) chain {
		l, mayBorrow := e.network.toInternet(s, u, what)
		borrows = borrows || mayBorrow
		return chain{l}
	})
	return c, borrows
}
