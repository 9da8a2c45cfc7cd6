package constructs

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// SSHPort is the port of the jump server's sshd.
const SSHPort = 22

// Administrator is a person who reaches the database through the jump server.
type Administrator struct {
	// Name is the person's Unix account on the jump server, and the name of the parameter.
	Name string

	// Parameter is the parameter's value, at most 4096 bytes: what the jump server knows of the person.
	Parameter string
}

// BastionProps describes the jump server.
type BastionProps struct {
	Vpc    awsec2.IVpc
	Subnet awsec2.ISubnet

	// DatabaseSecurityGroup is the database's; the jump server is let in.
	DatabaseSecurityGroup awsec2.ISecurityGroup

	// SSHCIDRs are the IPv4 blocks that may reach port 22. With none, Session Manager is the only way in.
	SSHCIDRs []string

	// AdministratorsPath is the Systems Manager parameter path below which one parameter per administrator lies:
	// "/drawbridge/dev/administrators".
	AdministratorsPath string

	// Administrators are at most 100: so many parameters keep one stack within CloudFormation's limits.
	Administrators []Administrator

	Architecture Architecture

	// InstanceType is an EC2 type of that architecture, such as t4g.micro.
	InstanceType string

	// InstanceName is the instance's Name tag.
	InstanceName string
}

// Bastion is the jump server: an Amazon Linux 2023 host through which administrators reach the database by SSH.
//
// Administrators are Systems Manager parameters, one each. Adding or removing one touches neither the instance nor the
// others.
type Bastion struct {
	*Host
}

// NewBastion adds a Bastion to scope.
func NewBastion(scope constructs.Construct, id string, props *BastionProps) *Bastion {
	b := &Bastion{newHost(scope, id, &hostProps{
		vpc: props.Vpc, subnet: props.Subnet, instanceType: props.InstanceType, image: props.Architecture.amazonLinux2023(),
		description: "Jump server", name: props.InstanceName,
	})}
	for _, cidr := range props.SSHCIDRs {
		b.SecurityGroup.AddIngressRule(awsec2.Peer_Ipv4(jsii.String(cidr)), awsec2.Port_SSH(), jsii.String("SSH from an administrator"), nil)
	}
	b.SecurityGroup.AddEgressRule(awsec2.Peer_AnyIpv4(), awsec2.Port_HTTPS(), jsii.String("HTTPS to AWS and the package repositories"), nil)
	NewDatabaseAccess(b.Construct, "DatabaseAccess", &DatabaseAccessProps{
		From: b.SecurityGroup, Database: props.DatabaseSecurityGroup, Description: "jump server",
	})

	parameters := func(below string) *string {
		return awscdk.Stack_Of(b.Construct).FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("ssm"), Resource: jsii.String("parameter" + props.AdministratorsPath + below),
			ArnFormat: awscdk.ArnFormat_NO_RESOURCE_NAME,
		})
	}
	b.Role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:       jsii.String("Administrators"),
		Actions:   jsii.Strings("ssm:GetParametersByPath"),
		Resources: &[]*string{parameters(""), parameters("/*")},
	}))
	for _, administrator := range props.Administrators {
		awsssm.NewStringParameter(b.Construct, jsii.String("Administrator-"+administrator.Name), &awsssm.StringParameterProps{
			ParameterName: jsii.String(props.AdministratorsPath + "/" + administrator.Name),
			Description:   jsii.String("A person who may use the jump server"),
			StringValue:   jsii.String(administrator.Parameter),
			SimpleName:    jsii.Bool(false),
		})
	}
	return b
}
