package reach

import (
	"fmt"
	"net/netip"
)

// routeTable is a route table: what the templates add to the local route, which every table has ("Route tables", Amazon
// VPC User Guide). A subnet without an association uses its VPC's main table, to which CloudFormation adds nothing.
type routeTable struct {
	where  string
	vpc    *vpc // nil: unknown
	routes []route
}

type route struct {
	where  string
	block  netip.Prefix // invalid: unknown
	target target

	// gateway is the internet gateway, for viaInternet.
	gateway string

	// text names the target, for viaOther.
	text string
}

// target is the kind of thing that a route leads to.
type target int

const (
	nowhere target = iota
	viaLocal
	viaInternet // an internet gateway
	viaNAT      // a NAT gateway: out, but not in
	viaOther    // anything else, which is not modelled
)

// internetGateway is an internet gateway, with the attachments to VPCs that its templates hold.
type internetGateway struct {
	where      string
	attachedTo map[string]string // the attachment's symbol, by the VPC's

	// unknown says that it may be attached to VPCs of which the templates do not tell.
	unknown bool
}

// targets are the properties of a route that say where it leads, but for GatewayId ("AWS::EC2::Route", CloudFormation
// Template Reference).
var targets = []string{"CarrierGatewayId", "CoreNetworkArn", "EgressOnlyInternetGatewayId", "InstanceId", "LocalGatewayId",
	"NetworkInterfaceId", "TransitGatewayId", "VpcEndpointId", "VpcPeeringConnectionId"}

func (n *network) readRouteTables() {
	n.readInternetGateways()
	for _, r := range n.world.all("AWS::EC2::RouteTable") {
		t := &routeTable{where: r.symbol()}
		if id, err := r.text("VpcId"); err == nil {
			t.vpc = n.vpcs[id]
		}
		n.tables[t.where] = t
	}
	for _, r := range n.world.all("AWS::EC2::Route") {
		table, err := r.text("RouteTableId")
		t := n.tables[table]
		if err != nil || t == nil {
			if err != nil || !isLiteral(table) {
				n.doubt(r, "which route table it is in cannot be told", reroutes)
			}
			continue // the tables of other environments are not this one's
		}
		if r.has("DestinationIpv6CidrBlock") {
			continue
		}
		// A prefix list, like whatever else is no block, leaves the destination unknown.
		block, _ := r.block("DestinationCidrBlock")
		found := n.readTarget(r)
		found.where, found.block = r.symbol(), block
		t.routes = append(t.routes, found)
	}
}

func (n *network) readInternetGateways() {
	for _, r := range n.world.all("AWS::EC2::InternetGateway") {
		n.gateways[r.symbol()] = &internetGateway{where: r.symbol(), attachedTo: map[string]string{}}
	}
	for _, r := range n.world.all("AWS::EC2::VPCGatewayAttachment") {
		if r.has("VpnGatewayId") {
			n.doubt(r, "VPN gateways are not modelled", otherWay)
		}
		if !r.has("InternetGatewayId") {
			continue
		}
		id, err1 := r.text("InternetGatewayId")
		v, err2 := r.text("VpcId")
		if err1 == nil && err2 == nil {
			if g := n.gateways[id]; g != nil {
				g.attachedTo[v] = r.symbol()
			}
			continue
		}
		for _, g := range n.gateways {
			g.unknown = true
		}
	}
}

func (n *network) readTarget(r resource) route {
	if r.has("NatGatewayId") {
		return route{target: viaNAT}
	}
	for _, name := range targets {
		if r.has(name) {
			return route{target: viaOther, text: name}
		}
	}
	id, err := r.text("GatewayId")
	switch {
	case err == nil && id == "local":
		return route{target: viaLocal}
	case err == nil && n.gateways[id] != nil:
		return route{target: viaInternet, gateway: id}
	}
	return route{target: viaOther, text: "a gateway that is not one of this environment's"}
}

// lookup is the route that a packet to somewhere in the block takes: that of the longest prefix. unsure is a route that
// some or all of these packets may take instead.
func (t *routeTable) lookup(to netip.Prefix) (best route, unsure *route) {
	bits := -1
	if t.vpc != nil {
		for _, b := range t.vpc.blocks {
			if within(to, b) == Yes && b.Bits() > bits {
				best, bits = route{where: t.vpc.where, block: b, target: viaLocal}, b.Bits()
			}
		}
	}
	for _, r := range t.routes {
		// One as long as the local route replaces it.
		if r.block.IsValid() && within(to, r.block) == Yes && r.block.Bits() >= bits {
			best, bits = r, r.block.Bits()
		}
	}
	for _, r := range t.routes {
		differs := r.target != best.target || r.gateway != best.gateway
		if differs && (!r.block.IsValid() || within(to, r.block) == CannotTell) {
			return best, &r
		}
	}
	return best, nil
}

// flow is what kind of packets leave a subnet for the internet.
type flow string

const (
	packets flow = "packets" // of a connection that one of the subnet's hosts makes
	answers flow = "answers" // of a connection that is made to one of them
)

// toInternet says whether packets from the subnet to an address of the internet find a way. borrows says that they may
// take one on which the host needs no public address of its own.
func (n *network) toInternet(s *subnet, to netip.Prefix, what flow) (l link, borrows bool) {
	if s.table == nil {
		return unknownSubnet(s, "route table"), true
	}
	lends := func(t target) bool { return t == viaOther || t == viaNAT && what == packets }
	found, unsure := s.table.lookup(to)
	if unsure != nil {
		text := string(what) + " may take a route of which the destination cannot be told"
		return link{Reason: Reason{CannotTell, text, unsure.where}}, lends(found.target) || lends(unsure.target)
	}
	switch {
	case found.target == viaInternet:
		return n.throughGateway(s, found, what), false
	case found.target == viaNAT && what == answers:
		return link{Reason: Reason{No, "answers go to a NAT gateway, which lets no connection in", found.where}}, false
	case found.target == viaNAT:
		return link{Reason: Reason{CannotTell, "packets go to a NAT gateway, which is not modelled", found.where}}, true
	case found.target == viaOther:
		return link{Reason: Reason{CannotTell, fmt.Sprintf("%s go to something that is not modelled: %s", what, found.text), found.where}}, true
	}
	return link{Reason: Reason{No, string(what) + " have no route to the internet", s.table.where}}, false
}

func (n *network) throughGateway(s *subnet, r route, what flow) link {
	if len(n.internetDoubts) > 0 {
		return link{Reason: n.internetDoubts[0]}
	}
	g := n.gateways[r.gateway]
	switch {
	case s.table.vpc != nil && g.attachedTo[s.table.vpc.where] != "":
		return link{Reason: Reason{Yes, string(what) + " go to the internet gateway", r.where}}
	case s.table.vpc == nil || g.unknown:
		return link{Reason: Reason{CannotTell, string(what) + " go to an internet gateway of which it cannot be told where it is attached", r.where}}
	}
	return link{Reason: Reason{No, string(what) + " go to an internet gateway that is not attached to the VPC", g.where}}
}

// local says whether packets from one subnet to another stay in the VPC.
func local(from, to *subnet) link {
	if from.vpc == nil || to.vpc == nil || from.table == nil {
		unknown := from
		if to.vpc == nil {
			unknown = to
		}
		return unknownSubnet(unknown, "VPC and route table")
	}
	if from.vpc != to.vpc {
		return link{Reason: Reason{No, "it is in another VPC", to.vpc.where}}
	}
	found, unsure := from.table.lookup(to.block)
	switch {
	case unsure != nil:
		return link{Reason: Reason{CannotTell, "packets inside the VPC may take a route that is not modelled", unsure.where}}
	case found.target == viaLocal || len(from.vpc.blocks) == 0 && found.target == nowhere:
		return link{Reason: Reason{Yes, "by the VPC's local route", from.vpc.where}}
	}
	return link{Reason: Reason{CannotTell, "packets inside the VPC take a route that is not modelled", found.where}}
}

func unknownSubnet(s *subnet, what string) link {
	return link{Reason: Reason{CannotTell, fmt.Sprintf("the %s of the subnet %s cannot be told from the templates", what, s.where), s.where}}
}
