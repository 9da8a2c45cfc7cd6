package reach

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
)

// networkACL is a network ACL: entries that are looked at in the order of their numbers until one matches, and each
// direction by itself ("Network ACLs", Amazon VPC User Guide).
type networkACL struct {
	where           string
	ingress, egress []aclEntry

	// isDefault is a VPC's own. It lets everything through, unless a template adds an entry.
	isDefault bool
}

type aclEntry struct {
	number int
	allow  bool
	ports  portRange
	block  netip.Prefix

	// unknown says that it cannot be told what the entry matches, or what it then does.
	unknown bool
	where   string
}

// allowAll adds the entries that a default network ACL is made with.
func (a *networkACL) allowAll() {
	e := aclEntry{number: 100, allow: true, ports: allPorts, block: everything, where: a.where}
	a.ingress, a.egress = []aclEntry{e}, []aclEntry{e}
}

func (n *network) readNetworkACLs() {
	for _, r := range n.world.all("AWS::EC2::NetworkAcl") {
		n.acls[r.symbol()] = &networkACL{where: r.symbol()}
	}
	for _, r := range n.world.all("AWS::EC2::NetworkAclEntry") {
		id, err := r.text("NetworkAclId")
		a := n.acls[id]
		if err != nil || a == nil {
			if err != nil || !isLiteral(id) {
				n.doubt(r, "which network ACL it is in cannot be told", reroutes)
			}
			continue
		}
		a.isDefault = false
		e, tcp := readACLEntry(r)
		if !tcp {
			continue
		}
		egress := r.truth("Egress", No)
		if egress == CannotTell {
			e.unknown = true
		}
		if egress != No {
			a.egress = append(a.egress, e)
		}
		if egress != Yes {
			a.ingress = append(a.ingress, e)
		}
	}
	for _, a := range n.acls {
		for _, entries := range [][]aclEntry{a.ingress, a.egress} {
			slices.SortStableFunc(entries, func(a, b aclEntry) int { return cmp.Compare(a.number, b.number) })
		}
	}
}

// readACLEntry reads an entry, and says whether it is about TCP over IPv4.
func readACLEntry(r resource) (e aclEntry, tcp bool) {
	e = aclEntry{ports: allPorts, block: everything, where: r.symbol()}
	if r.has("Ipv6CidrBlock") {
		return e, false
	}
	var err error
	if e.number, err = r.number("RuleNumber", 0); err != nil {
		e.unknown = true // with number 0, it comes first and so makes everything after it uncertain
	}
	switch action, err := r.text("RuleAction"); {
	case err == nil && action == "allow":
		e.allow = true
	case err != nil || action != "deny":
		e.unknown = true
	}
	if block, err := r.block("CidrBlock"); err == nil && block.IsValid() {
		e.block = block
	} else {
		e.unknown = true
	}
	protocol, err := r.number("Protocol", 0)
	switch {
	case err != nil:
		e.unknown = true
	case protocol == -1:
		return e, true
	case protocol != 6:
		return e, false
	}
	if !r.has("PortRange") {
		e.unknown = true
		return e, true
	}
	parts, err := r.parts("PortRange")
	if err != nil || len(parts) != 1 {
		e.unknown = true
		return e, true
	}
	from, err1 := parts[0].number("From", 0)
	to, err2 := parts[0].number("To", 65535)
	if err1 != nil || err2 != nil {
		e.unknown = true
		return e, true
	}
	e.ports = portRange{from, to}
	return e, true
}

// decide says what the entries do to a packet to or from an address in block, at a port.
func decide(entries []aclEntry, block netip.Prefix, port int) (Answer, aclEntry) {
	for i, e := range entries {
		if !e.ports.contains(port) {
			continue
		}
		matches := within(block, e.block)
		if matches == No {
			continue
		}
		answer := No
		if e.allow {
			answer = Yes
		}
		if matches == Yes && !e.unknown {
			return answer, e
		}
		if rest, _ := decide(entries[i+1:], block, port); rest == answer && !e.unknown {
			return answer, e
		}
		return CannotTell, e
	}
	return No, aclEntry{}
}

// passes says whether a subnet's network ACL lets packets of all these ports through. direction is "in" or "out". what
// names the packets. There is no link where nothing but a default network ACL stands.
func (s *subnet) passes(direction string, other netip.Prefix, ports portRange, what string) chain {
	if s.acl == nil {
		return chain{unknownSubnet(s, "network ACL")}
	}
	if s.acl.isDefault {
		return nil
	}
	entries := s.acl.ingress
	if direction == "out" {
		entries = s.acl.egress
	}
	answers := map[Answer]aclEntry{}
	for _, port := range edges(entries, ports) {
		answer, e := decide(entries, other, port)
		if _, seen := answers[answer]; !seen {
			if e.where == "" {
				e.where = s.acl.where
			}
			answers[answer] = e
		}
	}
	e, lets := answers[Yes]
	if lets && len(answers) == 1 {
		return chain{{Reason: Reason{Yes, fmt.Sprintf("a network ACL lets %s %s", what, direction), e.where}}}
	}
	if e, stops := answers[No]; stops && len(answers) == 1 {
		return chain{{Reason: Reason{No, fmt.Sprintf("a network ACL does not let %s %s", what, direction), e.where}}}
	}
	e, unsure := answers[CannotTell]
	if !unsure {
		e = answers[No]
	}
	return chain{{Reason: Reason{CannotTell, fmt.Sprintf("a network ACL lets only some of %s %s, or that cannot be told", what, direction), e.where}}}
}

// edges are one port of each part of the range that the entries treat in one way.
func edges(entries []aclEntry, ports portRange) []int {
	found := []int{ports.from}
	for _, e := range entries {
		for _, port := range []int{e.ports.from, e.ports.to + 1} {
			if ports.contains(port) {
				found = append(found, port)
			}
		}
	}
	return found
}
