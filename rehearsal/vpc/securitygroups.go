package vpc

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// port is a network interface.
type port struct {
	owner   string
	ip      netip.Addr
	link    string   // the router's end of its cable
	subnets []string // that its owner may lie in; it lies in the first
	groups  []string
	public  netip.Addr // the zero Addr for none
	table   int        // its routing table
}

// direction is the way of a packet as a security group or a network ACL sees it.
type direction struct {
	name  string // of the inline rules' property
	alone string // the type of rules that are resources of their own
	peer  string // their property for another security group
	match string // nft's word for the other side
}

var (
	inward  = direction{"SecurityGroupIngress", "AWS::EC2::SecurityGroupIngress", "SourceSecurityGroupId", "saddr"}
	outward = direction{"SecurityGroupEgress", "AWS::EC2::SecurityGroupEgress", "DestinationSecurityGroupId", "daddr"}
)

// groupRules are the rules of a security group for one direction, as nft's matches without a verdict.
func (r records) groupRules(group string, d direction, all []*port) ([]string, error) {
	if r[group].kind != "AWS::EC2::SecurityGroup" {
		if !r.isDefaultGroup(group) {
			return nil, fmt.Errorf("there is no security group %s", group)
		}
		if r.restricted(group) {
			return nil, nil
		}
	}
	rules := r.rulesOf(group, d)
	if len(rules) == 0 && d == outward {
		// A group without a rule for the way out lets everything out (AWS::EC2::SecurityGroup, AWS CloudFormation Template
		// Reference Guide).
		return []string{""}, nil
	}
	var matches []string
	for _, rule := range rules {
		match, never, err := r.ruleMatch(group, rule, d, all)
		if err != nil {
			return nil, err
		}
		if !never {
			matches = append(matches, match)
		}
	}
	return matches, nil
}

// rulesOf are the rules of a security group for one direction: its own, and those that are resources of their own.
func (r records) rulesOf(group string, d direction) []record {
	rules := r[group].maps(d.name)
	if r.isDefaultGroup(group) && d == inward {
		rules = []record{{kind: d.alone, properties: map[string]any{"IpProtocol": "-1", d.peer: group}}}
	}
	for _, id := range r.of(d.alone) {
		if r[id].text("GroupId") == group {
			rules = append(rules, r[id])
		}
	}
	return rules
}

// ruleMatch is one rule as nft's match. It never matches where nobody has the group that it names, or for IPv6.
func (r records) ruleMatch(group string, rule record, d direction, all []*port) (match string, never bool, err error) {
	if err := rule.only("of "+group, "SourcePrefixListId", "DestinationPrefixListId", "SourceSecurityGroupName"); err != nil {
		return "", false, err
	}
	protocol, err := protocolMatch(rule, rule.text("IpProtocol"))
	if err != nil {
		return "", false, err
	}
	switch other := rule.text(d.peer); {
	case other != "":
		members := members(other, all)
		if len(members) == 0 {
			return "", true, nil
		}
		return "ip " + d.match + " { " + strings.Join(members, ", ") + " } " + protocol, false, nil
	case rule.text("CidrIpv6") != "":
		return "", true, nil
	}
	block, err := rule.block("CidrIp")
	if err != nil {
		return "", false, err
	}
	if block.Bits() == 0 {
		return protocol, false, nil
	}
	return "ip " + d.match + " " + block.String() + " " + protocol, false, nil
}

// protocolMatch matches the protocol and ports of a rule with FromPort and ToPort.
func protocolMatch(rule record, protocol string) (string, error) {
	from, err := rule.number("FromPort", -1)
	if err != nil {
		return "", err
	}
	to, err := rule.number("ToPort", from)
	if err != nil {
		return "", err
	}
	switch protocol {
	case "-1", "all":
		return "", nil
	case "tcp", "6", "udp", "17":
		name := map[string]string{"tcp": "tcp", "6": "tcp", "udp": "udp", "17": "udp"}[protocol]
		if from < 0 {
			return "ip protocol " + name, nil
		}
		if from > to || to > 65535 {
			return "", fmt.Errorf("%s: the ports from %d to %d are none", rule.kind, from, to)
		}
		return fmt.Sprintf("%s dport %d-%d", name, from, to), nil
	case "icmp":
		protocol = "1"
	case "icmpv6":
		protocol = "58"
	}
	if _, err := strconv.Atoi(protocol); err != nil {
		return "", fmt.Errorf("%s: its protocol %q is not known here", rule.kind, protocol)
	}
	return "ip protocol " + protocol, nil
}

// members are the private addresses of the interfaces that have a group. Public ones do not count (Amazon VPC User Guide,
// "Security group referencing").
func members(group string, all []*port) (addresses []string) {
	for _, p := range all {
		for _, g := range p.groups {
			if g == group {
				addresses = append(addresses, p.ip.String())
				break
			}
		}
	}
	return addresses
}

// isDefaultGroup says that a group is the one that a VPC has by itself.
func (r records) isDefaultGroup(group string) bool {
	for _, id := range r.of("AWS::EC2::VPC") {
		if r[id].attributes["DefaultSecurityGroup"] == group {
			return true
		}
	}
	return false
}

// restricted says that CDK's own resource has taken a default group's rules away.
func (r records) restricted(group string) bool {
	for _, id := range r.of("Custom::VpcRestrictDefaultSG") {
		if r[id].text("DefaultSecurityGroupId") == group {
			return true
		}
	}
	return false
}

// groupsOf are the groups of an interface: the VPC's default one where its owner names none.
func (r records) groupsOf(p *port) []string {
	if len(p.groups) > 0 {
		return p.groups
	}
	for _, id := range r.of("AWS::EC2::VPC") {
		if group, ok := r[id].attributes["DefaultSecurityGroup"].(string); ok {
			return []string{group}
		}
	}
	return nil
}
