package vpc

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// ways are what a subnet's routes lead out of the VPC to: through the internet gateway, or to S3 by a gateway endpoint. The
// local route, which every subnet has, is not among them (Amazon VPC User Guide, "Configure route tables"). Routes to a
// gateway that is not attached lead nowhere.
func (r records) ways(subnet string, s3 netip.Addr) (ways []netip.Prefix, err error) {
	table := ""
	for _, id := range r.of("AWS::EC2::SubnetRouteTableAssociation") {
		if r[id].text("SubnetId") == subnet {
			table = r[id].text("RouteTableId")
		}
	}
	if table == "" {
		return nil, nil // the main table, which has the local route alone
	}
	for _, id := range r.of("AWS::EC2::Route") {
		route := r[id]
		if route.text("RouteTableId") != table {
			continue
		}
		if err := route.only(id, "NatGatewayId", "NetworkInterfaceId", "InstanceId", "TransitGatewayId", "VpcPeeringConnectionId",
			"VpcEndpointId", "CarrierGatewayId", "LocalGatewayId", "CoreNetworkArn", "DestinationPrefixListId"); err != nil {
			return nil, err
		}
		if route.text("DestinationIpv6CidrBlock") != "" {
			continue // nobody here has such an address
		}
		to, err := route.block("DestinationCidrBlock")
		if err != nil {
			return nil, err
		}
		if r.attached(route.text("GatewayId")) {
			ways = append(ways, to)
		}
	}
	for _, id := range r.of("AWS::EC2::VPCEndpoint") {
		endpoint := r[id]
		if strings.HasSuffix(endpoint.text("ServiceName"), ".s3") && slices.Contains(endpoint.texts("RouteTableIds"), table) {
			ways = append(ways, netip.PrefixFrom(s3, 32))
		}
	}
	return ways, nil
}

// attached says that a gateway is attached to the VPC.
func (r records) attached(gateway string) bool {
	for _, id := range r.of("AWS::EC2::VPCGatewayAttachment") {
		if gateway != "" && r[id].text("InternetGatewayId") == gateway {
			return true
		}
	}
	return false
}

// toS3 says that every subnet of an interface's owner has the gateway endpoint of S3: tomorrow it may lie in another.
func (r records) toS3(p *port, s3 netip.Addr) bool {
	for _, subnet := range p.subnets {
		if ways, err := r.ways(subnet, s3); err != nil || !slices.Contains(ways, netip.PrefixFrom(s3, 32)) {
			return false
		}
	}
	return true
}

// table is the routing table of one interface, as commands of ip(8) after it was emptied: every other interface of the VPC
// by the local route, then what its subnet's routes say, and nothing else.
func table(r records, number int, self *port, all []*port, s3 netip.Addr) ([]string, error) {
	ways, err := r.ways(self.subnets[0], s3)
	if err != nil {
		return nil, err
	}
	var commands []string
	for _, other := range all {
		if other != self {
			commands = append(commands, fmt.Sprintf("route replace %s/32 dev %s table %d", other.ip, other.link, number))
		}
	}
	for _, way := range ways {
		commands = append(commands, fmt.Sprintf("route replace %s via %s dev %s table %d", way, gatewayThere.Addr(), gatewayLink, number))
	}
	return append(commands, fmt.Sprintf("route replace blackhole default metric 4294967295 table %d", number)), nil
}
