// Package constructs holds Drawbridge's building blocks for AWS CDK apps: a network with three tiers, a private MySQL
// database, a jump server, a tunnel host and an Elastic Beanstalk web app.
//
// Each construct takes plain values, knows nothing of Drawbridge's config, and never reads the working directory, so
// that it can be used in another app as it is.
package constructs

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// MySQLPort is the port that the database listens on.
const MySQLPort = 3306

// anyIPv4 is every IPv4 address.
const anyIPv4 = "0.0.0.0/0"

// NetworkProps says how large the network is and where it lies.
type NetworkProps struct {
	// Name stands in the Name tags of the VPC and its parts, such as drawbridge-dev.
	Name string

	// CIDR is the VPC's IPv4 block, such as 10.0.0.0/16. It is cut into sixteen equal parts, of which six are used: a
	// /23 is the smallest that gives a load balancer the /27 that it asks for (User Guide for Application Load
	// Balancers, "Subnets for your load balancer").
	CIDR string

	// AvailabilityZones names the two zones to use. Empty leaves the choice to CloudFormation, which takes the
	// region's first two.
	AvailabilityZones []string
}

// Network is a VPC over two availability zones with three tiers of subnets: public (a route to the internet gateway),
// database and functions (both isolated: no route out of the VPC). It has no NAT gateway. The functions tier reaches
// Amazon S3 and AWS Secrets Manager through endpoints.
type Network struct {
	constructs.Construct

	// Vpc is the network itself. Its default security group has no rules.
	Vpc awsec2.Vpc

	// FunctionsSecurityGroup is worn by Lambda functions of the functions tier. It lets HTTPS out to the endpoints.
	FunctionsSecurityGroup awsec2.SecurityGroup

	// SecretsManagerEndpoint is the way from the functions tier to AWS Secrets Manager. It lies in one zone and has
	// no private DNS name, so nobody else in the VPC depends on it: clients are given its own DNS name.
	SecretsManagerEndpoint awsec2.InterfaceVpcEndpoint
}

// NewNetwork adds a Network to scope.
func NewNetwork(scope constructs.Construct, id string, props *NetworkProps) *Network {
	n := &Network{Construct: constructs.NewConstruct(scope, &id)}

	mask := jsii.Number(subnetMask(props.CIDR))
	vpc := &awsec2.VpcProps{
		IpAddresses:                  awsec2.IpAddresses_Cidr(&props.CIDR),
		NatGateways:                  jsii.Number(0),
		RestrictDefaultSecurityGroup: jsii.Bool(true),
		// The public tier hands out public addresses: a single Beanstalk instance cannot ask for one, and needs one before
		// Beanstalk gives it its Elastic IP.
		SubnetConfiguration: &[]*awsec2.SubnetConfiguration{
			{Name: jsii.String("Public"), SubnetType: awsec2.SubnetType_PUBLIC, CidrMask: mask, MapPublicIpOnLaunch: jsii.Bool(true)},
			{Name: jsii.String("Database"), SubnetType: awsec2.SubnetType_PRIVATE_ISOLATED, CidrMask: mask},
			{Name: jsii.String("Functions"), SubnetType: awsec2.SubnetType_PRIVATE_ISOLATED, CidrMask: mask},
		},
	}
	if len(props.AvailabilityZones) > 0 {
		vpc.AvailabilityZones = jsii.Strings(props.AvailabilityZones...)
	} else {
		vpc.MaxAzs = jsii.Number(2)
	}
	n.Vpc = awsec2.NewVpc(n.Construct, jsii.String("Vpc"), vpc)
	n.addNames(props.Name)
	accept(n.Vpc, "Flow logs are billed by the gigabyte, and every rule between two parts names both: who may reach what is read from the templates", "AwsSolutions-VPC7")

	n.FunctionsSecurityGroup = awsec2.NewSecurityGroup(n.Construct, jsii.String("FunctionsSecurityGroup"), &awsec2.SecurityGroupProps{
		Vpc:              n.Vpc,
		Description:      jsii.String("Lambda functions inside the VPC"),
		AllowAllOutbound: jsii.Bool(false),
	})
	// S3's addresses cannot be named here without a look-up of its prefix list. The tier has no route but the
	// endpoints, so this opens nothing else.
	n.FunctionsSecurityGroup.AddEgressRule(awsec2.Peer_AnyIpv4(), awsec2.Port_HTTPS(), jsii.String("HTTPS to the S3 and Secrets Manager endpoints"), nil)

	n.addS3Endpoint()
	n.addSecretsManagerEndpoint()
	return n
}

// PublicSubnets are the subnets with a route to the internet gateway.
func (n *Network) PublicSubnets() *[]awsec2.ISubnet { return n.tier("Public") }

// DatabaseSubnets are the subnets of the database tier.
func (n *Network) DatabaseSubnets() *[]awsec2.ISubnet { return n.tier("Database") }

// FunctionsSubnets are the subnets of the functions tier.
func (n *Network) FunctionsSubnets() *[]awsec2.ISubnet { return n.tier("Functions") }

// SecretsManagerURL is where clients in the functions tier find AWS Secrets Manager. Of an endpoint's names, each
// "hosted zone:name", the regional one comes first (AWS CloudFormation Template Reference, AWS::EC2::VPCEndpoint).
func (n *Network) SecretsManagerURL() *string {
	regional := awscdk.Fn_Select(jsii.Number(0), n.SecretsManagerEndpoint.VpcEndpointDnsEntries())
	name := awscdk.Fn_Select(jsii.Number(1), awscdk.Fn_Split(jsii.String(":"), regional, nil))
	return jsii.String("https://" + *name)
}

// addNames replaces CDK's Name tags, which are paths in the app: those of two environments would be the same.
func (n *Network) addNames(name string) {
	tag := func(of constructs.IConstruct, name string) {
		awscdk.Tags_Of(of).Add(jsii.String("Name"), &name, nil)
	}
	tag(n.Vpc, name)
	for _, tier := range []string{"Public", "Database", "Functions"} {
		for i, subnet := range *n.tier(tier) {
			tag(subnet, fmt.Sprintf("%s %s %d", name, strings.ToLower(tier), i+1))
		}
	}
}

func (n *Network) tier(name string) *[]awsec2.ISubnet {
	return n.Vpc.SelectSubnets(&awsec2.SubnetSelection{SubnetGroupName: &name}).Subnets
}

// addS3Endpoint gives the functions tier the one thing it needs from S3: the bucket of pre-signed URLs at which
// CloudFormation awaits a custom resource's answer (AWS CloudFormation User Guide, "Access CloudFormation using an
// interface endpoint": considerations for custom resources).
func (n *Network) addS3Endpoint() {
	endpoint := n.Vpc.AddGatewayEndpoint(jsii.String("S3Endpoint"), &awsec2.GatewayVpcEndpointOptions{
		Service: awsec2.GatewayVpcEndpointAwsService_S3(),
		Subnets: &[]*awsec2.SubnetSelection{{Subnets: n.FunctionsSubnets()}},
	})
	endpoint.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String("AnswersToCloudFormation"),
		Principals: &[]awsiam.IPrincipal{awsiam.NewAnyPrincipal()},
		Actions:    jsii.Strings("s3:PutObject"),
		Resources:  jsii.Strings("arn:" + *awscdk.Aws_PARTITION() + ":s3:::cloudformation-custom-resource-response-*/*"),
	}))
}

func (n *Network) addSecretsManagerEndpoint() {
	group := awsec2.NewSecurityGroup(n.Construct, jsii.String("SecretsManagerEndpointSecurityGroup"), &awsec2.SecurityGroupProps{
		Vpc:              n.Vpc,
		Description:      jsii.String("Endpoint of AWS Secrets Manager"),
		AllowAllOutbound: jsii.Bool(false),
	})
	group.AddIngressRule(n.FunctionsSecurityGroup, awsec2.Port_HTTPS(), jsii.String("HTTPS from functions"), nil)
	nameRule(group, "NetworkSecretsManagerEndpointSecurityGroupfromNetworkFunctionsSecurityGroup5345DC11443287BAEA5")

	first := (*n.FunctionsSubnets())[0]
	n.SecretsManagerEndpoint = n.Vpc.AddInterfaceEndpoint(jsii.String("SecretsManagerEndpoint"), &awsec2.InterfaceVpcEndpointOptions{
		Service:           awsec2.InterfaceVpcEndpointAwsService_SECRETS_MANAGER(),
		Subnets:           &awsec2.SubnetSelection{Subnets: &[]awsec2.ISubnet{first}},
		SecurityGroups:    &[]awsec2.ISecurityGroup{group},
		Open:              jsii.Bool(false),
		PrivateDnsEnabled: jsii.Bool(false),
	})
	// Secrets have generated names, so exact ARNs stand in the roles' policies. This one keeps other accounts'
	// credentials and other accounts' secrets off the endpoint.
	n.SecretsManagerEndpoint.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String("ThisAccountOnly"),
		Principals: &[]awsiam.IPrincipal{awsiam.NewAnyPrincipal()},
		Actions: jsii.Strings("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue",
			"secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"),
		Resources: &[]*string{awscdk.Stack_Of(n.Construct).FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("secretsmanager"), Resource: jsii.String("secret"),
			ResourceName: jsii.String("*"), ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
		})},
		Conditions: &map[string]any{
			"StringEquals": map[string]any{"aws:PrincipalAccount": awscdk.Stack_Of(n.Construct).Account()},
		},
	}))
}

// subnetMask is the prefix length of one sixteenth of cidr.
func subnetMask(cidr string) int {
	block, err := netip.ParsePrefix(cidr)
	if err != nil || block != block.Masked() || !block.Addr().Is4() || block.Bits() < 16 || block.Bits() > 23 {
		panic(fmt.Sprintf("the network's CIDR is %q; expected an IPv4 block in canonical form, from /16 to /23, such as 10.0.0.0/16", cidr))
	}
	return block.Bits() + 4
}
