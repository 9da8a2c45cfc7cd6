package reach

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// doubt is something in the environment that this package does not understand: it takes proofs away.
type doubt struct {
	Reason
	doubtKind
}

// doubtKind says which answers a doubt takes away. Every doubt takes away a No that no security group has said: there may
// be another way for packets.
type doubtKind struct {
	// passesGroups: it takes away every other No too, as it may change what a security group says.
	passesGroups bool

	// closes: it takes away every Yes, as it may stop packets.
	closes bool
}

var (
	otherWay = doubtKind{}
	opens    = doubtKind{passesGroups: true}
	reroutes = doubtKind{closes: true}
	mayBeAll = doubtKind{passesGroups: true, closes: true}
)

// modelled are the types of AWS::EC2 that the other files of this package read, and of which nothing else affects who
// reaches whom. A NAT gateway acts only through the routes that lead to it.
var modelled = names(`VPC VPCCidrBlock Subnet RouteTable SubnetRouteTableAssociation Route InternetGateway
	VPCGatewayAttachment EIP EIPAssociation Instance SecurityGroup SecurityGroupIngress SecurityGroupEgress NetworkAcl
	NetworkAclEntry SubnetNetworkAclAssociation VPCEndpoint NatGateway`)

// harmless are the types of AWS::EC2 that have no effect on who reaches whom, or none without another one that is not
// harmless.
var harmless = names(`CapacityReservation CapacityReservationFleet CustomerGateway DHCPOptions
	EnclaveCertificateIamRoleAssociation FlowLog Host IPAM IPAMAllocation IPAMPool IPAMPoolCidr IPAMResourceDiscovery
	IPAMResourceDiscoveryAssociation IPAMScope KeyPair LaunchTemplate NetworkInsightsAccessScope
	NetworkInsightsAccessScopeAnalysis NetworkInsightsAnalysis NetworkInsightsPath NetworkPerformanceMetricSubscription
	PlacementGroup PrefixList SnapshotBlockPublicAccess TrafficMirrorFilter TrafficMirrorFilterRule TrafficMirrorSession
	TrafficMirrorTarget VPCDHCPOptionsAssociation VPCEndpointConnectionNotification VPCEndpointServicePermissions Volume
	VolumeAttachment`)

// otherPaths are the types of AWS::EC2 that are, or belong to, ways into and out of a VPC that keep addresses as they
// are, so that security groups still see who comes.
var otherPaths = names(`CarrierGateway EgressOnlyInternetGateway LocalGatewayRoute LocalGatewayRouteTable
	LocalGatewayRouteTableVPCAssociation LocalGatewayRouteTableVirtualInterfaceGroupAssociation SubnetCidrBlock
	TransitGateway TransitGatewayAttachment TransitGatewayConnect TransitGatewayMulticastDomain
	TransitGatewayMulticastDomainAssociation TransitGatewayMulticastGroupMember TransitGatewayMulticastGroupSource
	TransitGatewayPeeringAttachment TransitGatewayRoute TransitGatewayRouteTable TransitGatewayRouteTableAssociation
	TransitGatewayRouteTablePropagation TransitGatewayVpcAttachment VPCPeeringConnection VPNConnection
	VPNConnectionRoute VPNGateway`)

// closing are the types of AWS::EC2 that stop or divert packets at the internet gateway.
var closing = names(`GatewayRouteTableAssociation VPCBlockPublicAccessExclusion VPCBlockPublicAccessOptions`)

// changing are the types of AWS::EC2 that put routes into tables by themselves, and so may open as well as close.
var changing = names(`RouteServer RouteServerAssociation RouteServerEndpoint RouteServerPeer RouteServerPropagation
	VPNGatewayRoutePropagation`)

func names(text string) map[string]bool {
	set := map[string]bool{}
	for _, name := range strings.Fields(text) {
		set["AWS::EC2::"+name] = true
	}
	return set
}

// otherServices are the types of other services, by the start of their names, that bring packets to hosts.
var otherServices = []string{
	"AWS::ElasticLoadBalancing::", "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::GlobalAccelerator::", "AWS::VpcLattice::",
	"AWS::NetworkManager::", "AWS::DirectConnect::", "AWS::CloudFormation::Stack", "AWS::RDS::DBCluster", "AWS::RDS::DBProxy",
	"AWS::RDS::DBSecurityGroup", "AWS::RDS::DBShardGroup",
}

// harmlessOthers are exceptions from otherServices.
var harmlessOthers = []string{"AWS::RDS::DBClusterParameterGroup", "AWS::CloudFormation::StackSet"}

func (n *network) doubt(r resource, text string, kind doubtKind) {
	n.doubts = append(n.doubts, doubt{Reason{CannotTell, r.typ + ": " + text, r.symbol()}, kind})
}

// uncertainly is the doubt about a resource of which it cannot be told whether it is there. Hosts have a doubt of their
// own instead.
func uncertainly(typ string) (kind doubtKind, matters bool) {
	switch typ {
	case "AWS::EC2::Instance":
		return doubtKind{}, false
	case "AWS::EC2::SecurityGroupIngress":
		return opens, true
	case "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupEgress":
		return mayBeAll, true
	case "AWS::EC2::EIP", "AWS::EC2::EIPAssociation":
		return otherWay, true
	}
	return reroutes, modelled[typ]
}

// What CDK's AwsCustomResource writes: which action of which service it calls.
var (
	serviceCalled = regexp.MustCompile(`"service":"(@aws-sdk/client-)?(ec2|rds|elastic-?load-?balancing[^"]*)"`)
	actionCalled  = regexp.MustCompile(`"action":"([a-z]*)`)
)

// callsNetwork says whether a custom resource calls a service that may change who reaches whom, other than to read.
func callsNetwork(r resource) bool {
	text, err := json.Marshal(r.raw)
	if err != nil {
		return false // JSON that was read can be written
	}
	plain := strings.ToLower(strings.NewReplacer(`\`, "", " ", "").Replace(string(text)))
	return serviceCalled.MatchString(plain) && slices.ContainsFunc(actionCalled.FindAllStringSubmatch(plain, -1), func(action []string) bool {
		return !slices.ContainsFunc([]string{"describe", "get", "list"}, func(reads string) bool { return strings.HasPrefix(action[1], reads) })
	})
}

func (n *network) readDoubts() {
	attached := newAttachments(n.world)
	for _, r := range n.world.resources("") {
		switch {
		case strings.HasPrefix(r.typ, "AWS::EC2::"):
			n.doubtEC2(r)
		case isCustom(r.typ):
			n.doubtCustom(r, attached)
		case slices.Contains(harmlessOthers, r.typ):
		case startsWithOne(r.typ, otherServices):
			n.doubt(r, "it is not modelled", opens)
		case slices.Contains(readElsewhere, r.typ) || startsWithOne(r.typ, harmlessAttached):
		case attached.hold(r.properties):
			n.doubt(r, "it names a subnet, a security group or a VPC, and is not modelled", opens)
		}
	}
	for _, r := range n.world.all("AWS::EC2::VPCEndpoint") {
		if kind, err := r.text("VpcEndpointType"); err != nil || kind != "" && kind != "Gateway" && kind != "Interface" {
			n.doubt(r, "endpoints of this type are not modelled", opens)
		}
	}
}

// doubtEC2 says what is not understood about a resource of EC2.
func (n *network) doubtEC2(r resource) {
	switch {
	case modelled[r.typ]:
		if kind, matters := uncertainly(r.typ); r.uncertain && matters {
			n.doubt(r, "whether it is there cannot be told from the templates", kind)
		}
	case harmless[r.typ]:
	case otherPaths[r.typ]:
		n.doubt(r, "this way into the VPC is not modelled", otherWay)
	case changing[r.typ]:
		n.doubt(r, "the routes that it adds are in no template", reroutes)
	case closing[r.typ]:
		n.internetDoubts = append(n.internetDoubts, Reason{CannotTell, r.typ + ": what it stops at the internet gateway is not modelled", r.symbol()})
	default:
		n.doubt(r, "it is not modelled", opens)
	}
}

// doubtCustom says what a custom resource may do. Of one that is handed a part of the network it cannot be told what its
// code does with it.
func (n *network) doubtCustom(r resource, attached attachments) {
	switch {
	case slices.Contains(readElsewhere, r.typ):
	case callsNetwork(r):
		n.doubt(r, "it changes the network by calls of its own", mayBeAll)
	case attached.hold(r.properties):
		n.doubt(r, "it is given a subnet, a security group or a VPC, and may change it", mayBeAll)
	}
}
