package reach

import (
	"net/netip"
	"strings"
)

// network is the model: every VPC of the environment, what is in it, and what is not understood. Its maps are by symbol.
type network struct {
	world *world

	vpcs     map[string]*vpc
	subnets  map[string]*subnet
	tables   map[string]*routeTable
	gateways map[string]*internetGateway
	groups   map[string]*securityGroup
	acls     map[string]*networkACL

	// floating are rules of which it cannot be told which security group they are in.
	floating struct{ ingress, egress []rule }

	doubts []doubt

	// internetDoubts are about every packet that crosses an internet gateway.
	internetDoubts []Reason
}

// vpc is a VPC, or what a host lies in of which the VPC is not known.
type vpc struct {
	where  string
	blocks []netip.Prefix

	defaultGroup *securityGroup
	defaultACL   *networkACL
	mainTable    *routeTable
}

// subnet is a subnet. Of one that is not of this environment, everything but where is unknown.
type subnet struct {
	where string
	vpc   *vpc         // nil: unknown
	block netip.Prefix // everything: unknown
	table *routeTable  // nil: unknown
	acl   *networkACL  // nil: unknown

	mapsPublic Answer // MapPublicIpOnLaunch
}

func readNetwork(w *world) *network {
	n := &network{
		world: w, vpcs: map[string]*vpc{}, subnets: map[string]*subnet{}, tables: map[string]*routeTable{},
		gateways: map[string]*internetGateway{}, groups: map[string]*securityGroup{}, acls: map[string]*networkACL{},
	}
	n.readDoubts()
	n.readVPCs()
	n.readSecurityGroups()
	n.readRouteTables()
	n.readNetworkACLs()
	n.readSubnets()
	n.readAssociations()
	return n
}

func (n *network) readVPCs() {
	for _, r := range n.world.all("AWS::EC2::VPC") {
		v := &vpc{where: r.symbol()}
		n.vpcs[v.where] = v
		if block, err := r.block("CidrBlock"); err == nil && block.IsValid() {
			v.blocks = append(v.blocks, block)
		}
		v.mainTable = &routeTable{where: v.where, vpc: v}
		v.defaultACL = &networkACL{where: v.where, isDefault: true}
		v.defaultACL.allowAll()
		n.acls[v.where+".DefaultNetworkAcl"] = v.defaultACL
		v.defaultGroup = defaultGroup(v.where + ".DefaultSecurityGroup")
		n.groups[v.defaultGroup.where] = v.defaultGroup
	}
	for _, r := range n.world.all("AWS::EC2::VPCCidrBlock") {
		id, err := r.text("VpcId")
		block, blockErr := r.block("CidrBlock")
		v := n.vpcs[id]
		switch {
		case r.has("Ipv6CidrBlock") || r.has("AmazonProvidedIpv6CidrBlock") || r.has("Ipv6IpamPoolId") || r.has("Ipv6Pool"):
			n.doubt(r, "IPv6 is not modelled", otherWay)
		case err != nil || v == nil || blockErr != nil || !block.IsValid():
			n.doubt(r, "which block it adds to which VPC cannot be told", otherWay)
		default:
			v.blocks = append(v.blocks, block)
		}
	}
}

func (n *network) readSubnets() {
	for _, r := range n.world.all("AWS::EC2::Subnet") {
		s := &subnet{where: r.symbol(), block: everything, mapsPublic: r.truth("MapPublicIpOnLaunch", No)}
		n.subnets[s.where] = s
		if id, err := r.text("VpcId"); err == nil && n.vpcs[id] != nil {
			s.vpc = n.vpcs[id]
			s.table, s.acl = s.vpc.mainTable, s.vpc.defaultACL
			if len(s.vpc.blocks) == 1 {
				s.block = s.vpc.blocks[0] // somewhere in it, until its own block says where
			}
		}
		if block, err := r.block("CidrBlock"); err == nil && block.IsValid() {
			s.block = block
		}
		if r.has("Ipv6CidrBlock") || r.has("Ipv6IpamPoolId") || r.truth("AssignIpv6AddressOnCreation", No) != No || r.truth("Ipv6Native", No) != No {
			n.doubt(r, "IPv6 is not modelled", otherWay)
		}
	}
}

// readAssociations gives subnets the tables and network ACLs that they do not have from their VPC.
func (n *network) readAssociations() {
	for _, r := range n.world.all("AWS::EC2::SubnetRouteTableAssociation") {
		s, err := r.text("SubnetId")
		if n.subnets[s] == nil || err != nil {
			n.doubt(r, "which subnet it is about cannot be told", reroutes)
			continue
		}
		table, _ := r.text("RouteTableId")
		n.subnets[s].table = n.tables[table] // nil: unknown
	}
	for _, r := range n.world.all("AWS::EC2::SubnetNetworkAclAssociation") {
		s, err := r.text("SubnetId")
		if n.subnets[s] == nil || err != nil {
			n.doubt(r, "which subnet it is about cannot be told", reroutes)
			continue
		}
		acl, _ := r.text("NetworkAclId")
		n.subnets[s].acl = n.acls[acl]
	}
}

// subnet is the subnet with this id, known or not.
func (n *network) subnet(id string) *subnet {
	if s := n.subnets[id]; s != nil {
		return s
	}
	return &subnet{where: id, block: everything, mapsPublic: CannotTell}
}

// group is the security group with this id, known or not. Only of a real id such as sg-0123 it is certain that the same
// group is meant wherever it stands.
func (n *network) group(id string) *securityGroup {
	if n.groups[id] == nil {
		n.groups[id] = &securityGroup{where: id, unknown: "it is not one of this environment's", anonymous: !isLiteral(id)}
	}
	return n.groups[id]
}

func (n *network) vpcBlocks() (blocks []netip.Prefix) {
	for _, v := range n.vpcs {
		blocks = append(blocks, v.blocks...)
	}
	return blocks
}

// namedBlock is a block that the environment names somewhere.
type namedBlock struct {
	block netip.Prefix

	// namesSource says that packets from the block are treated in their own way. What only egress rules name is where
	// the VPC's own hosts may go.
	namesSource bool
}

// blocks are all blocks by which the environment tells addresses apart.
func (n *network) blocks() (blocks []namedBlock) {
	add := func(b netip.Prefix, source bool) {
		if b.IsValid() {
			blocks = append(blocks, namedBlock{b, source})
		}
	}
	for _, g := range n.groups {
		for _, r := range g.ingress {
			add(r.block, true)
		}
		for _, r := range g.egress {
			add(r.block, false)
		}
	}
	for _, t := range n.tables {
		for _, r := range t.routes {
			add(r.block, true)
		}
	}
	for _, a := range n.acls {
		for _, e := range append(a.ingress, a.egress...) {
			add(e.block, true)
		}
	}
	return blocks
}

// isLiteral says that an id is a real one, such as vpc-0123, and no resource of the templates.
func isLiteral(id string) bool { return !strings.Contains(id, "/") }
