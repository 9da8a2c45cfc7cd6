package constructs

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"drawbridge/host/settings"
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
	HostProps

	// MasterSecret is the secret of the database's master user, which people with a shell open MySQL sessions as.
	MasterSecret awssecretsmanager.ISecret

	// Function makes the host key.
	Function *DatabaseFunction

	// HostKeyGeneration makes another host key when it changes.
	HostKeyGeneration int

	// SSHCIDRs are the IPv4 blocks that may reach port 22. With none, Session Manager is the only way in.
	SSHCIDRs []string

	// AdministratorsPath is the Systems Manager parameter path below which one parameter per administrator lies:
	// "/drawbridge/dev/administrators".
	AdministratorsPath string

	// Administrators are at most 100: so many parameters keep one stack within CloudFormation's limits.
	Administrators []Administrator
}

// Bastion is the jump server: an Amazon Linux 2023 host through which administrators reach the database by SSH.
//
// Administrators are Systems Manager parameters, one each. Adding or removing one touches neither the instance nor the
// others.
type Bastion struct {
	*Host

	// HostKey is sshd's, which stays when the instance is replaced.
	HostKey *SSHKeyPair
}

// NewBastion adds a Bastion to scope.
func NewBastion(scope constructs.Construct, id string, props *BastionProps) *Bastion {
	b := &Bastion{Host: newHost(scope, id, "Jump server", &props.HostProps)}
	for _, cidr := range props.SSHCIDRs {
		b.SecurityGroup.AddIngressRule(awsec2.Peer_Ipv4(jsii.String(cidr)), awsec2.Port_SSH(), jsii.String("SSH from an administrator"), nil)
	}
	b.HostKey = NewSSHKeyPair(b.Construct, "HostKey", &SSHKeyPairProps{
		Function:    props.Function,
		Generation:  props.HostKeyGeneration,
		Comment:     props.InstanceName,
		Description: "SSH host key of the jump server",
	})
	b.allow("ReadTheHostKey", "secretsmanager:GetSecretValue", b.HostKey.Secret.Ref())
	b.allow("ReadTheMasterSecret", "secretsmanager:GetSecretValue", props.MasterSecret.SecretArn())

	parameters := func(below string) *string {
		return awscdk.Stack_Of(b.Construct).FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("ssm"), Resource: jsii.String("parameter" + props.AdministratorsPath + below),
			ArnFormat: awscdk.ArnFormat_NO_RESOURCE_NAME,
		})
	}
	b.allow("Administrators", "ssm:GetParametersByPath", parameters(""), parameters("/*"))
	acceptWildcards(policyOf(b.Role), "The parameters below one path are the administrators", "Resource::arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:parameter"+props.AdministratorsPath+"/*")
	for _, administrator := range props.Administrators {
		awsssm.NewStringParameter(b.Construct, jsii.String("Administrator-"+administrator.Name), &awsssm.StringParameterProps{
			ParameterName: jsii.String(props.AdministratorsPath + "/" + administrator.Name),
			Description:   jsii.String("A person who may use the jump server"),
			StringValue:   jsii.String(administrator.Parameter),
			SimpleName:    jsii.Bool(false),
		})
	}

	b.launch(&props.HostProps, props.Architecture.amazonLinux2023(), &settings.Settings{Bastion: &settings.Bastion{
		AdministratorsPath: props.AdministratorsPath,
		HostKeySecretARN:   *b.HostKey.Secret.Ref(),
		HostKeyGeneration:  props.HostKeyGeneration,
		MasterSecretARN:    *props.MasterSecret.SecretArn(),
	}}, b.HostKey.Resource)
	return b
}
