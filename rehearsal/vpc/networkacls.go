package vpc

import (
	"fmt"
	"slices"
	"strings"
)

// aclChains are nft's chains for the network ACLs that the template gives to subnets; a VPC's own ACL lets everything
// through. They see every packet that leaves or enters a subnet, answers too, and remember none (Amazon VPC User Guide,
// "Control subnet traffic with network access control lists").
func (r records) aclChains() (string, error) {
	var chains, jumps strings.Builder
	for _, id := range r.of("AWS::EC2::SubnetNetworkAclAssociation") {
		subnet, known := r[r[id].text("SubnetId")]
		if !known {
			return "", fmt.Errorf("the network ACL association %s is of no subnet", id)
		}
		block, err := subnet.block("CidrBlock")
		if err != nil {
			return "", err
		}
		for _, d := range []direction{outward, inward} {
			chain := fmt.Sprintf("acl_%s_%s", strings.NewReplacer("-", "_").Replace(r[id].text("SubnetId")), map[direction]string{outward: "out", inward: "in"}[d])
			rules, err := r.aclRules(r[id].text("NetworkAclId"), d)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&chains, "\tchain %s {\n%s\t\tdrop\n\t}\n", chain, rules)
			here, there := "saddr", "daddr"
			if d == inward {
				here, there = there, here
			}
			fmt.Fprintf(&jumps, "\t\tip %s %s ip %s != %s jump %s\n", here, block, there, block, chain)
		}
	}
	if jumps.Len() == 0 {
		return "", nil
	}
	return chains.String() + "\tchain acls {\n\t\ttype filter hook forward priority -10; policy accept;\n" + jumps.String() + "\t}\n", nil
}

// aclRules are an ACL's entries for one direction, by their numbers: the first that matches decides.
func (r records) aclRules(acl string, d direction) (string, error) {
	type entry struct {
		number int
		rule   string
	}
	var entries []entry
	for _, id := range r.of("AWS::EC2::NetworkAclEntry") {
		e := r[id]
		if e.text("NetworkAclId") != acl || (e.text("Egress") == "true") != (d == outward) || e.text("Ipv6CidrBlock") != "" {
			continue
		}
		number, err := e.number("RuleNumber", 0)
		if err != nil {
			return "", err
		}
		block, err := e.block("CidrBlock")
		if err != nil {
			return "", err
		}
		ports := record{kind: e.kind, properties: map[string]any{}}
		if of, ok := e.properties["PortRange"].(map[string]any); ok {
			ports.properties = map[string]any{"FromPort": of["From"], "ToPort": of["To"]}
		}
		protocol, err := protocolMatch(ports, e.text("Protocol"))
		if err != nil {
			return "", err
		}
		verdict, ok := map[string]string{"allow": "return", "deny": "drop"}[e.text("RuleAction")]
		if !ok {
			return "", fmt.Errorf("the network ACL entry %s neither allows nor denies", id)
		}
		match := ""
		if block.Bits() > 0 {
			match = "ip " + d.match + " " + block.String() + " "
		}
		entries = append(entries, entry{number, "\t\t" + match + protocol + " " + verdict + "\n"})
	}
	slices.SortFunc(entries, func(a, b entry) int { return a.number - b.number })
	var rules strings.Builder
	for _, e := range entries {
		rules.WriteString(e.rule)
	}
	return rules.String(), nil
}
