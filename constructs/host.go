package constructs

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

type hostProps struct {
	vpc          awsec2.IVpc
	subnet       awsec2.ISubnet
	instanceType string
	image        awsec2.IMachineImage
	description  string
	name         string
}

// Host is an EC2 instance with a fixed public address, reached through Session Manager. It holds no state: the next
// deployment after a new AMI may replace it, and what makes it itself (address, role, security group) stays.
type Host struct {
	constructs.Construct

	Instance awsec2.Instance
	Role     awsiam.Role

	// SecurityGroup has no rules of its own.
	SecurityGroup awsec2.SecurityGroup

	// PublicIP is the Elastic IP address.
	PublicIP *string
}

func newHost(scope constructs.Construct, id string, props *hostProps) *Host {
	h := &Host{Construct: constructs.NewConstruct(scope, &id)}

	h.SecurityGroup = awsec2.NewSecurityGroup(h.Construct, jsii.String("SecurityGroup"), &awsec2.SecurityGroupProps{
		Vpc:              props.vpc,
		Description:      &props.description,
		AllowAllOutbound: jsii.Bool(false),
	})
	h.Role = awsiam.NewRole(h.Construct, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("ec2.amazonaws.com"), nil),
		Description: &props.description,
	})
	allowSessionManager(h.Construct, h.Role)

	h.Instance = awsec2.NewInstance(h.Construct, jsii.String("Instance"), &awsec2.InstanceProps{
		InstanceName:  &props.name,
		Vpc:           props.vpc,
		VpcSubnets:    &awsec2.SubnetSelection{Subnets: &[]awsec2.ISubnet{props.subnet}},
		InstanceType:  awsec2.NewInstanceType(&props.instanceType),
		MachineImage:  props.image,
		Role:          h.Role,
		SecurityGroup: h.SecurityGroup,
		// The Elastic IP is associated only when the instance exists; until then it needs a public address to
		// install anything.
		AssociatePublicIpAddress: jsii.Bool(true),
		HttpTokens:               awsec2.HttpTokens_REQUIRED,
		HttpPutResponseHopLimit:  jsii.Number(1),
		BlockDevices: &[]*awsec2.BlockDevice{{
			DeviceName: jsii.String("/dev/xvda"),
			Volume: awsec2.BlockDeviceVolume_Ebs(jsii.Number(8), &awsec2.EbsDeviceOptions{
				VolumeType: awsec2.EbsDeviceVolumeType_GP3,
				Encrypted:  jsii.Bool(true),
			}),
		}},
	})

	// The subnet says it. CDK's own value is 'the region's first zone', which may change when somebody deletes a default
	// subnet, and would then replace the instance.
	h.Instance.Instance().AddPropertyDeletionOverride(jsii.String("AvailabilityZone"))

	address := awsec2.NewCfnEIP(h.Construct, jsii.String("Address"), &awsec2.CfnEIPProps{Domain: jsii.String("vpc")})
	awsec2.NewCfnEIPAssociation(h.Construct, jsii.String("AddressAssociation"), &awsec2.CfnEIPAssociationProps{
		AllocationId: address.AttrAllocationId(),
		InstanceId:   h.Instance.InstanceId(),
	})
	h.PublicIP = address.AttrPublicIp()
	return h
}
