package constructs

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// PublicAccessProps says who reaches the database from the internet.
type PublicAccessProps struct {
	// SecurityGroup is the database's.
	SecurityGroup awsec2.ISecurityGroup

	// RouteTableIDs are those of the database tier.
	RouteTableIDs []*string

	// InternetGatewayID is the VPC's gateway.
	InternetGatewayID *string

	// CIDRs are the IPv4 blocks that get in, and the only ones that packets find a way back to.
	CIDRs []string
}

// PublicAccess opens the database to named addresses of the internet: for each of them one ingress rule, and one route
// from each of the database tier's route tables.
type PublicAccess struct {
	constructs.Construct
}

// NewPublicAccess adds a PublicAccess to scope.
func NewPublicAccess(scope constructs.Construct, id string, props *PublicAccessProps) *PublicAccess {
	p := &PublicAccess{Construct: constructs.NewConstruct(scope, &id)}
	for _, cidr := range props.CIDRs {
		name := cidrID(cidr)
		awsec2.NewCfnSecurityGroupIngress(p.Construct, jsii.String("Ingress"+name), &awsec2.CfnSecurityGroupIngressProps{
			GroupId:     props.SecurityGroup.SecurityGroupId(),
			IpProtocol:  jsii.String("tcp"),
			FromPort:    jsii.Number(MySQLPort),
			ToPort:      jsii.Number(MySQLPort),
			CidrIp:      jsii.String(cidr),
			Description: jsii.String("MySQL from a developer, public phase"),
		})
		for i, table := range props.RouteTableIDs {
			awsec2.NewCfnRoute(p.Construct, jsii.String(fmt.Sprintf("Route%d%s", i+1, name)), &awsec2.CfnRouteProps{
				RouteTableId:         table,
				DestinationCidrBlock: jsii.String(cidr),
				GatewayId:            props.InternetGatewayID,
			})
		}
	}
	return p
}

// cidrID is the part of a construct's id that stands for a CIDR: the same for the same CIDR, wherever it stands in a
// list, so that adding one does not move the others.
func cidrID(cidr string) string {
	return "From" + strings.NewReplacer(".", "x", "/", "m").Replace(cidr)
}
