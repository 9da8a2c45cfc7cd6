package reach

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
)

// securityGroup is a security group with all its rules, wherever in the templates they stand. Groups are stateful: an
// answer needs no rule ("Security groups for your VPC", Amazon VPC User Guide).
type securityGroup struct {
	where           string
	ingress, egress []rule

	// unknown says why the group may have rules that are not known.
	unknown string

	// anonymous says that not even the group's id is known: it may be any.
	anonymous bool
}

// rule is a security-group rule that lets TCP through.
type rule struct {
	ports      portRange
	portsKnown bool

	// One of these says who is meant, unless it is unknown.
	block netip.Prefix
	group string // a symbol

	// groupUnknown says that the group is not one of this environment's, or one that goes by another name in it.
	groupUnknown bool

	// unknown says why the rule may let in or out more than is known.
	unknown string

	where       string
	description string
}

func defaultGroup(where string) *securityGroup {
	// "Default security groups for your VPCs", Amazon VPC User Guide.
	return &securityGroup{
		where:   where,
		ingress: []rule{{ports: allPorts, portsKnown: true, group: where, where: where, description: "the default group's own rule"}},
		egress:  []rule{allEgress(where)},
	}
}

// allEgress is the rule that EC2 gives every new group ("AWS::EC2::SecurityGroup", CloudFormation Template Reference).
func allEgress(where string) rule {
	return rule{ports: allPorts, portsKnown: true, block: everything, where: where, description: "EC2's default rule"}
}

func (n *network) readSecurityGroups() {
	inlineEgress := map[string]bool{}
	groups := n.world.all("AWS::EC2::SecurityGroup")
	for _, r := range groups {
		g := &securityGroup{where: r.symbol()}
		n.groups[g.where] = g
		var err error
		if g.ingress, err = inlineRules(r, "SecurityGroupIngress"); err != nil {
			g.ingress = append(g.ingress, unknownRule(g.where, err.Error()))
		}
		if g.egress, err = inlineRules(r, "SecurityGroupEgress"); err != nil {
			g.egress = append(g.egress, unknownRule(g.where, err.Error()))
		}
		// An empty list is none: EC2's default rule stays ("AWS::EC2::SecurityGroup", SecurityGroupEgress, CloudFormation
		// Template Reference), which is why CDK writes a rule for 255.255.255.255/32 where nothing is let out.
		list, err := r.items("SecurityGroupEgress")
		inlineEgress[g.where] = len(list) > 0 || err != nil
	}
	for _, r := range n.world.all("AWS::EC2::SecurityGroupIngress") {
		if parsed, tcp := readRule(r.properties, r.symbol()); tcp {
			if g := n.groupOf(r); g != nil {
				g.ingress = append(g.ingress, parsed)
			} else {
				n.floating.ingress = append(n.floating.ingress, parsed)
			}
		}
	}
	standalone := map[string]bool{}
	for _, r := range n.world.all("AWS::EC2::SecurityGroupEgress") {
		g := n.groupOf(r)
		if g != nil {
			standalone[g.where] = true
		}
		if parsed, tcp := readRule(r.properties, r.symbol()); tcp {
			if g != nil {
				g.egress = append(g.egress, parsed)
			} else {
				n.floating.egress = append(n.floating.egress, parsed)
			}
		}
	}
	for _, r := range groups {
		g := n.groups[r.symbol()]
		if inlineEgress[g.where] {
			continue
		}
		// A rule that is a resource of its own takes EC2's default rule away when it is made, so that what is left
		// depends on the order (aws/aws-cdk#987).
		usual := allEgress(g.where)
		if standalone[g.where] {
			usual.unknown = "EC2's default rule may be left beside those of the templates"
			for i := range g.egress {
				if g.egress[i].block == everything && g.egress[i].ports == allPorts {
					g.egress[i].unknown = "a rule that equals EC2's default rule may be taken away with it"
				}
			}
		}
		g.egress = append(g.egress, usual)
	}
	n.restrictDefaultGroups()
	n.markUnknownGroups()
}

// markUnknownGroups marks the rules that name a group of which this environment does not tell.
func (n *network) markUnknownGroups() {
	mark := func(rules []rule) {
		for i, r := range rules {
			g := n.groups[r.group]
			rules[i].groupUnknown = r.group != "" && (g == nil || g.unknown != "")
		}
	}
	for _, g := range n.groups {
		mark(g.ingress)
		mark(g.egress)
	}
	mark(n.floating.ingress)
	mark(n.floating.egress)
}

// restrictDefaultGroups plays CDK's custom resource that takes the two rules away with which a default group is made
// (the feature flag @aws-cdk/aws-ec2:restrictDefaultSecurityGroup).
func (n *network) restrictDefaultGroups() {
	for _, r := range n.world.possible("Custom::VpcRestrictDefaultSG") {
		id, err := r.text("DefaultSecurityGroupId")
		for _, v := range n.vpcs {
			g := v.defaultGroup
			own := func(r rule) bool { return r.where == g.where }
			switch {
			case err == nil && id == g.where && !r.uncertain:
				g.ingress = slices.DeleteFunc(g.ingress, own)
				g.egress = slices.DeleteFunc(g.egress, own)
			case err != nil || id == g.where:
				for _, rules := range [][]rule{g.ingress, g.egress} {
					if i := slices.IndexFunc(rules, own); i >= 0 {
						rules[i].unknown = "whether its own rules are taken away cannot be told from the templates"
					}
				}
			}
		}
	}
}

// groupOf is the group that a rule of its own stands in, and nil if it cannot be told.
func (n *network) groupOf(r resource) *securityGroup {
	id, err := r.text("GroupId")
	if id == "" || err != nil || n.groups[id] == nil && !isLiteral(id) {
		return nil
	}
	return n.group(id)
}

func inlineRules(r resource, name string) (rules []rule, err error) {
	parts, err := r.parts(name)
	for _, p := range parts {
		if parsed, tcp := readRule(p, r.symbol()); tcp {
			rules = append(rules, parsed)
		}
	}
	return rules, err
}

func unknownRule(where, why string) rule { return rule{ports: allPorts, unknown: why, where: where} }

// peers are the properties that say who a rule is about. Exactly one of them is there ("AWS::EC2::SecurityGroupIngress"
// and "AWS::EC2::SecurityGroupEgress", CloudFormation Template Reference).
var peers = []string{"CidrIp", "CidrIpv6", "SourceSecurityGroupId", "DestinationSecurityGroupId", "SourceSecurityGroupName",
	"SourcePrefixListId", "DestinationPrefixListId"}

// readRule reads a rule, and says whether it is about TCP.
func readRule(p properties, where string) (r rule, tcp bool) {
	r = rule{ports: allPorts, portsKnown: true, where: where}
	r.description, _ = p.text("Description")
	switch protocol, err := p.text("IpProtocol"); {
	case err != nil:
		r.unknown, r.portsKnown = err.Error(), false
	case protocol == "-1":
	case protocol == "tcp" || protocol == "6":
		from, err1 := p.number("FromPort", -1)
		to, err2 := p.number("ToPort", -1)
		r.ports = portRange{from, to}
		if err1 != nil || err2 != nil || from < 0 || to > 65535 || from > to {
			r.ports, r.portsKnown, r.unknown = allPorts, false, "its ports cannot be told from the templates"
		}
	case protocol == "udp" || protocol == "icmp" || protocol == "icmpv6":
		return rule{}, false
	default:
		if _, err := strconv.ParseUint(protocol, 10, 8); err == nil {
			return rule{}, false
		}
		r.unknown, r.portsKnown = "its protocol is not known", false
	}
	named := slices.DeleteFunc(slices.Clone(peers), func(name string) bool { return !p.has(name) })
	if len(named) != 1 {
		r.unknown = "whom it is about cannot be told from the templates"
		return r, true
	}
	var err error
	switch named[0] {
	case "CidrIp":
		r.block, err = p.block("CidrIp")
	case "SourceSecurityGroupId", "DestinationSecurityGroupId":
		r.group, err = p.text(named[0])
	case "CidrIpv6":
		err = fmt.Errorf("it names IPv6 addresses, which are not modelled")
	case "SourcePrefixListId", "DestinationPrefixListId":
		err = fmt.Errorf("it names a prefix list, whose blocks are in no template")
	default:
		err = fmt.Errorf("it names a group by its name")
	}
	if err != nil {
		r.unknown = err.Error()
	}
	return r, true
}

// peer is the other end of a connection, as a security group or a network ACL sees it.
type peer struct {
	// block holds its address, wherever in the block that is.
	block netip.Prefix

	// groups are what it wears. They count only on the way by private addresses ("Security group rules", Amazon VPC User
	// Guide), and are empty on others.
	groups []*securityGroup
}

// lets says whether the rule lets a connection with the peer through.
func (r rule) lets(p peer, port int) Answer {
	answer := No
	switch {
	case !r.ports.contains(port):
	case r.group != "":
		answer = r.letsOneOf(p.groups)
	case r.block.IsValid():
		answer = within(p.block, r.block)
	default:
		answer = CannotTell
	}
	if answer == Yes && r.unknown != "" {
		return CannotTell
	}
	return answer
}

func (r rule) letsOneOf(groups []*securityGroup) Answer {
	answer := No
	for _, g := range groups {
		if g.where == r.group {
			return Yes
		}
		if g.anonymous || r.groupUnknown {
			answer = CannotTell
		}
	}
	return answer
}

// through says whether the rules of any of a host's groups let a connection through, and which. floating are those
// rules that may stand in any group.
func through(h *host, direction string, floating []rule, p peer, port int) link {
	rules := func(g *securityGroup) []rule {
		if direction == "in" {
			return g.ingress
		}
		return g.egress
	}
	var unsure *rule
	consider := func(r rule) bool {
		answer := r.lets(p, port)
		if answer == CannotTell && unsure == nil {
			if r.unknown == "" {
				r.unknown = "it is about only some of the addresses or groups that the other end may have"
			}
			unsure = &r
		}
		return answer == Yes
	}
	for _, g := range h.groups {
		for _, r := range rules(g) {
			if consider(r) {
				text := fmt.Sprintf("%s let it %s on port %d", h.groupsNamed(), direction, port)
				if r.description != "" {
					text += fmt.Sprintf(" (%s)", r.description)
				}
				return link{Reason{Yes, text, r.where}, true}
			}
		}
	}
	for _, r := range floating {
		r.unknown = "which security group it is in cannot be told from the templates"
		consider(r)
	}
	for _, g := range h.groups {
		if g.unknown != "" && unsure == nil {
			unsure = &rule{where: g.where, unknown: g.unknown}
		}
	}
	if unsure != nil {
		return link{Reason{CannotTell, fmt.Sprintf("%s may let it %s on port %d: %s", h.groupsNamed(), direction, port, unsure.unknown), unsure.where}, true}
	}
	where := h.where()
	if len(h.groups) > 0 {
		where = h.groups[0].where
	}
	return link{Reason{No, fmt.Sprintf("%s have no rule that lets it %s on port %d", h.groupsNamed(), direction, port), where}, true}
}
