package constructs

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// DatabaseAccessProps names the two ends of a way to the database inside the VPC.
type DatabaseAccessProps struct {
	// From is the security group of the party that connects.
	From awsec2.ISecurityGroup

	// Database is the database's security group.
	Database awsec2.ISecurityGroup

	// Description says who connects: "web app".
	Description string
}

// DatabaseAccess lets one security group reach the database: an egress rule on the one, an ingress rule on the other.
// Both rules belong to the scope's stack, so that the database's stack does not know who its clients are.
type DatabaseAccess struct {
	constructs.Construct
}

// NewDatabaseAccess adds a DatabaseAccess to scope.
func NewDatabaseAccess(scope constructs.Construct, id string, props *DatabaseAccessProps) *DatabaseAccess {
	a := &DatabaseAccess{Construct: constructs.NewConstruct(scope, &id)}
	awsec2.NewCfnSecurityGroupIngress(a.Construct, jsii.String("Ingress"), &awsec2.CfnSecurityGroupIngressProps{
		GroupId:               props.Database.SecurityGroupId(),
		SourceSecurityGroupId: props.From.SecurityGroupId(),
		IpProtocol:            jsii.String("tcp"),
		FromPort:              jsii.Number(MySQLPort),
		ToPort:                jsii.Number(MySQLPort),
		Description:           jsii.String("MySQL from the " + props.Description),
	})
	awsec2.NewCfnSecurityGroupEgress(a.Construct, jsii.String("Egress"), &awsec2.CfnSecurityGroupEgressProps{
		GroupId:                    props.From.SecurityGroupId(),
		DestinationSecurityGroupId: props.Database.SecurityGroupId(),
		IpProtocol:                 jsii.String("tcp"),
		FromPort:                   jsii.Number(MySQLPort),
		ToPort:                     jsii.Number(MySQLPort),
		Description:                jsii.String("MySQL to the database"),
	})
	return a
}
