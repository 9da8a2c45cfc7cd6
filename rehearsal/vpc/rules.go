package vpc

import (
	"fmt"
	"net/netip"
	"strings"
)

// The link between the VPC's router and the internet: its ends' names and addresses.
const (
	gatewayLink  = "gateway"
	internetLink = "vpc"
)

var (
	gatewayHere  = netip.MustParsePrefix("100.64.1.1/30")
	gatewayThere = netip.MustParsePrefix("100.64.1.2/30")
)

// insideRules are what the VPC's router lets through: every new connection must be let out by a group of the interface that
// it comes from, and in by one of the interface that it goes to. Answers pass.
func (r records) insideRules(all []*port) (string, error) {
	var chains, out, in strings.Builder
	for _, p := range all {
		for _, d := range []direction{outward, inward} {
			verdict, chain := "return", "out_"+p.link
			if d == inward {
				verdict, chain = "accept", "in_"+p.link
			}
			fmt.Fprintf(&chains, "\tchain %s {\n", chain)
			for _, group := range r.groupsOf(p) {
				matches, err := r.groupRules(group, d, all)
				if err != nil {
					return "", fmt.Errorf("the network interface of %s: %w", p.owner, err)
				}
				for _, match := range matches {
					fmt.Fprintf(&chains, "\t\t%s %s\n", match, verdict)
				}
			}
			chains.WriteString("\t\tdrop\n\t}\n")
		}
		fmt.Fprintf(&out, "\t\tiifname %q goto out_%s\n", p.link, p.link)
		fmt.Fprintf(&in, "\t\toifname %q goto in_%s\n", p.link, p.link)
	}
	acls, err := r.aclChains()
	if err != nil {
		return "", err
	}
	return "table ip vpc {\n" + chains.String() + acls +
		"\tchain out {\n" + out.String() + "\t\tdrop\n\t}\n" +
		"\tchain forward {\n\t\ttype filter hook forward priority 0; policy drop;\n" +
		"\t\tct state established,related accept\n" +
		"\t\tiifname != " + quoted(gatewayLink) + " jump out\n" +
		"\t\toifname " + quoted(gatewayLink) + " accept\n" + in.String() + "\t}\n}\n", nil
}

// outsideRules are the internet gateway: it puts public addresses in the place of private ones and back, and lets nobody
// through who has none. What answers for S3 is reached by those who have the gateway endpoint too.
func (r records) outsideRules(all []*port, s3 netip.Addr) string {
	attached := len(r.of("AWS::EC2::VPCGatewayAttachment")) > 0
	var toPrivate, toPublic, private, byEndpoint []string
	for _, p := range all {
		if attached && p.public.IsValid() {
			toPrivate = append(toPrivate, p.public.String()+" : "+p.ip.String())
			toPublic = append(toPublic, p.ip.String()+" : "+p.public.String())
			private = append(private, p.ip.String())
		}
		if r.toS3(p, s3) {
			byEndpoint = append(byEndpoint, p.ip.String())
		}
	}
	var b strings.Builder
	b.WriteString("table ip internet {\n")
	if len(private) > 0 {
		fmt.Fprintf(&b, "\tchain in {\n\t\ttype nat hook prerouting priority dstnat;\n\t\tdnat to ip daddr map { %s }\n\t}\n", strings.Join(toPrivate, ", "))
		fmt.Fprintf(&b, "\tchain out {\n\t\ttype nat hook postrouting priority srcnat;\n\t\tsnat to ip saddr map { %s }\n\t}\n", strings.Join(toPublic, ", "))
	}
	b.WriteString("\tchain forward {\n\t\ttype filter hook forward priority 0; policy drop;\n\t\tct state established,related accept\n")
	if len(private) > 0 {
		fmt.Fprintf(&b, "\t\tiifname %q ip saddr { %s } accept\n", internetLink, strings.Join(private, ", "))
	}
	fmt.Fprintf(&b, "\t\toifname %q ct status dnat accept\n", internetLink)
	fmt.Fprintf(&b, "\t\tiifname != %q oifname != %q accept\n\t}\n", internetLink, internetLink)
	b.WriteString("\tchain services {\n\t\ttype filter hook input priority 0; policy accept;\n\t\tct state established,related accept\n")
	if len(private) > 0 {
		fmt.Fprintf(&b, "\t\tiifname %q ip saddr { %s } accept\n", internetLink, strings.Join(private, ", "))
	}
	if len(byEndpoint) > 0 {
		fmt.Fprintf(&b, "\t\tiifname %q ip daddr %s ip saddr { %s } accept\n", internetLink, s3, strings.Join(byEndpoint, ", "))
	}
	fmt.Fprintf(&b, "\t\tiifname %q drop\n\t}\n}\n", internetLink)
	return b.String()
}

func quoted(text string) string { return `"` + text + `"` }
