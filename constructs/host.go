package constructs

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3assets"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"drawbridge/host/settings"
)

// setupSeconds is how long a host may take to set itself up, longer than the user data goes on trying: CloudFormation then
// hears the reason.
const setupSeconds = "1800"

// hostRevision is to be raised by whatever makes CloudFormation replace instances without a change of their user data: in
// the look-up of the image, or in the properties of the instance. A test pins both.
const hostRevision = 1

// HostProps describes what the jump server and the tunnel host have in common.
type HostProps struct {
	Vpc    awsec2.IVpc
	Subnet awsec2.ISubnet

	// DatabaseSecurityGroup is the database's; the host is let in.
	DatabaseSecurityGroup awsec2.ISecurityGroup

	// DatabaseHost and DatabasePort say where MySQL listens.
	DatabaseHost, DatabasePort *string

	// EnvironmentName stands in the host's settings and metrics.
	EnvironmentName string

	Architecture Architecture

	// InstanceType is an EC2 type of that architecture, such as t4g.micro.
	InstanceType string

	// InstanceName is the instance's Name tag.
	InstanceName string

	// ImageRefresh is any text. A new one takes the newest image of the distribution, which replaces the instance.
	ImageRefresh string

	// PatchWindow is when the host installs patches, in UTC, as OnCalendar= takes it (systemd.time(7)).
	PatchWindow string

	// ProgramPath is the host program, built for Architecture.
	ProgramPath string
}

// Host is an EC2 instance with a fixed public address that sets itself up with the host program, and can be reached
// through Session Manager. It holds no state: what makes it itself (address, role, security group, keys in Secrets
// Manager) stays when the instance is replaced.
type Host struct {
	constructs.Construct

	Instance awsec2.CfnInstance
	Role     awsiam.Role

	// SecurityGroup lets nobody in.
	SecurityGroup awsec2.SecurityGroup

	// PublicIP is the Elastic IP address.
	PublicIP *string

	// Setup is what the host said at its first start: a JSON object with one text, "ready" and what is missing.
	Setup *string
}

// newHost adds all of a host but its instance. What the role is then allowed and what the security group lets out stands
// before the instance starts.
func newHost(scope constructs.Construct, id, description string, props *HostProps) *Host {
	h := &Host{Construct: constructs.NewConstruct(scope, &id)}

	h.SecurityGroup = awsec2.NewSecurityGroup(h.Construct, jsii.String("SecurityGroup"), &awsec2.SecurityGroupProps{
		Vpc:              props.Vpc,
		Description:      &description,
		AllowAllOutbound: jsii.Bool(false),
	})
	h.SecurityGroup.AddEgressRule(awsec2.Peer_AnyIpv4(), awsec2.Port_HTTPS(), jsii.String("HTTPS to AWS and the package repositories"), nil)
	NewDatabaseAccess(h.Construct, "DatabaseAccess", &DatabaseAccessProps{
		From: h.SecurityGroup, Database: props.DatabaseSecurityGroup, Description: strings.ToLower(description),
	})
	h.Role = awsiam.NewRole(h.Construct, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("ec2.amazonaws.com"), nil),
		Description: &description,
	})
	allowSessionManager(h.Construct, h.Role)
	return h
}

// allow adds a statement to the role's policy.
func (h *Host) allow(sid, action string, resources ...*string) {
	h.Role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid: &sid, Actions: jsii.Strings(action), Resources: &resources,
	}))
}

// launch adds the instance, which waits for dependencies and for what its role may do. image is the public parameter of
// its AMI. s becomes complete here.
func (h *Host) launch(props *HostProps, image string, s *settings.Settings, dependencies ...constructs.IDependable) {
	stack := awscdk.Stack_Of(h.Construct)
	s.Environment, s.Region, s.PatchWindow = props.EnvironmentName, *awscdk.Aws_REGION(), props.PatchWindow
	s.Database = settings.Database{Host: *props.DatabaseHost, Port: *props.DatabasePort}

	program := awss3assets.NewAsset(h.Construct, jsii.String("Program"), &awss3assets.AssetProps{Path: &props.ProgramPath})
	h.allow("FetchTheHostProgram", "s3:GetObject", stack.FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("s3"), Account: jsii.String(""), Region: jsii.String(""),
		Resource: program.S3BucketName(), ResourceName: program.S3ObjectKey(),
	}))
	programSHA256 := fileSHA256(props.ProgramPath)

	profile := awsiam.NewCfnInstanceProfile(h.Construct, jsii.String("InstanceProfile"), &awsiam.CfnInstanceProfileProps{
		Roles: &[]any{h.Role.RoleName()},
	})
	machineImage := NewMachineImage(h.Construct, "Image", &MachineImageProps{Parameter: image, Refresh: props.ImageRefresh})

	// CloudFormation waits once for each wait condition (AWS CloudFormation User Guide, "Create wait conditions"), and
	// user data runs once for each instance. So whatever makes another instance, or another user data, gives all three
	// another id. Where the program lies does not count: the config may name its account later.
	generation := h.generation(userDataScript, programSHA256, *jsonText(s), image, props.ImageRefresh, *props.Subnet.SubnetId(),
		strconv.Itoa(hostRevision))
	handle := awscdk.NewCfnWaitConditionHandle(h.Construct, jsii.String("SetupHandle"), nil)
	script := userData(s.Region, *handle.Ref(), program, programSHA256, s)

	h.Instance = awsec2.NewCfnInstance(h.Construct, jsii.String("Instance"), &awsec2.CfnInstanceProps{
		ImageId:            machineImage.ID,
		InstanceType:       &props.InstanceType,
		IamInstanceProfile: profile.Ref(),
		UserData:           awscdk.Fn_Base64(&script),
		MetadataOptions: &awsec2.CfnInstance_MetadataOptionsProperty{
			HttpTokens: jsii.String("required"), HttpPutResponseHopLimit: jsii.Number(1),
		},
		NetworkInterfaces: &[]any{&awsec2.CfnInstance_NetworkInterfaceProperty{
			DeviceIndex: jsii.String("0"),
			// The Elastic IP is associated only when the host is set up; until then it needs a public address to install
			// anything.
			AssociatePublicIpAddress: jsii.Bool(true),
			SubnetId:                 props.Subnet.SubnetId(),
			GroupSet:                 &[]*string{h.SecurityGroup.SecurityGroupId()},
		}},
		BlockDeviceMappings: &[]any{&awsec2.CfnInstance_BlockDeviceMappingProperty{
			// The root device of both distributions' images.
			DeviceName: jsii.String("/dev/xvda"),
			Ebs: &awsec2.CfnInstance_EbsProperty{
				VolumeSize: jsii.Number(8), VolumeType: jsii.String("gp3"), Encrypted: jsii.Bool(true),
			},
		}},
	})
	accept(h.Instance, "What an alarm watches here is a metric of the host's own", "AwsSolutions-EC28")
	accept(h.Instance, "It holds no state, and CloudFormation must be able to replace it", "AwsSolutions-EC29")
	awscdk.Tags_Of(h.Instance).Add(jsii.String("Name"), &props.InstanceName, nil)
	h.Instance.Node().AddDependency(h.Role)
	h.Instance.Node().AddDependency(dependencies...)

	setup := awscdk.NewCfnWaitCondition(h.Construct, jsii.String("Setup"), &awscdk.CfnWaitConditionProps{
		Handle: handle.Ref(), Count: jsii.Number(1), Timeout: jsii.String(setupSeconds),
	})
	setup.AddResourceDependency(h.Instance, nil)
	h.Setup = awscdk.Token_AsString(setup.AttrData(), nil)
	for _, resource := range []awscdk.CfnElement{handle, h.Instance, setup} {
		resource.OverrideLogicalId(jsii.String(*stack.GetLogicalId(resource) + generation))
	}

	// The address moves as an update of its own resource: an association of its own would be replaced, and the one before
	// could not be had back in a rollback. A host that failed must not get it: the one before still has it.
	address := awsec2.NewCfnEIP(h.Construct, jsii.String("Address"), &awsec2.CfnEIPProps{
		Domain: jsii.String("vpc"), InstanceId: h.Instance.Ref(),
	})
	address.AddResourceDependency(setup, nil)
	h.PublicIP = address.AttrPublicIp()
}

// generation is a short digest of texts, in which references to other resources count by their ids.
func (h *Host) generation(texts ...string) string {
	resolved := awscdk.Stack_Of(h.Construct).Resolve(texts)
	sum := sha256.Sum256([]byte(*jsonText(resolved)))
	return hex.EncodeToString(sum[:4])
}
