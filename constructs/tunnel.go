package constructs

import (
	"net/netip"
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// TunnelHostProps describes the host of the reverse SSH tunnels.
type TunnelHostProps struct {
	Vpc    awsec2.IVpc
	Subnet awsec2.ISubnet

	// DatabaseSecurityGroup is the database's; the tunnel host is let in.
	DatabaseSecurityGroup awsec2.ISecurityGroup

	// Vendors are the SSH servers that tunnels are made to.
	Vendors []SSHServer

	Architecture Architecture

	// InstanceType is an EC2 type of that architecture, such as t4g.micro.
	InstanceType string

	// InstanceName is the instance's Name tag.
	InstanceName string
}

// SSHServer is where an SSH connection goes to.
type SSHServer struct {
	// Host is a DNS name or an IPv4 address.
	Host string

	// Port is from 1 to 65535.
	Port int
}

// TunnelHost is a Debian host from which reverse SSH tunnels to BI vendors start. Nobody can connect to it.
type TunnelHost struct {
	*Host
}

// NewTunnelHost adds a TunnelHost to scope.
func NewTunnelHost(scope constructs.Construct, id string, props *TunnelHostProps) *TunnelHost {
	t := &TunnelHost{newHost(scope, id, &hostProps{
		vpc: props.Vpc, subnet: props.Subnet, instanceType: props.InstanceType, image: props.Architecture.debian13(),
		description: "Tunnel host", name: props.InstanceName,
	})}
	t.SecurityGroup.AddEgressRule(awsec2.Peer_AnyIpv4(), awsec2.Port_HTTPS(), jsii.String("HTTPS to AWS"), nil)
	t.SecurityGroup.AddEgressRule(awsec2.Peer_AnyIpv4(), awsec2.Port_HTTP(), jsii.String("Package mirrors of Debian, which sign their packages"), nil)
	// CDK keeps one of several equal rules.
	for _, vendor := range props.Vendors {
		t.SecurityGroup.AddEgressRule(awsec2.Peer_Ipv4(jsii.String(vendorPeer(vendor.Host))), awsec2.Port_Tcp(jsii.Number(vendor.Port)),
			jsii.String("SSH to a BI vendor, port "+strconv.Itoa(vendor.Port)), nil)
	}
	NewDatabaseAccess(t.Construct, "DatabaseAccess", &DatabaseAccessProps{
		From: t.SecurityGroup, Database: props.DatabaseSecurityGroup, Description: "tunnel host",
	})
	return t
}

// vendorPeer is the block that a rule for this host must name: the address itself, or everywhere for a DNS name, whose
// addresses a security group cannot follow.
func vendorPeer(host string) string {
	if address, err := netip.ParseAddr(host); err == nil && address.Is4() {
		return host + "/32"
	}
	return anyIPv4
}
