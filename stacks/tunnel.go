package stacks

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	construct "github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"drawbridge/config"
	"drawbridge/constructs"
)

// TunnelStackProps are the properties of the Tunnel stack.
type TunnelStackProps struct {
	awscdk.StackProps
	Environment *config.Environment
	Network     *NetworkStack
	Database    *DatabaseStack
}

// TunnelStack holds the host of the reverse SSH tunnels. It is empty when the config has no tunnels: the CDK CLI then
// deletes what was deployed. A stack that the app did not have any more would stay, and with it its hold on the
// Database stack's exports.
type TunnelStack struct {
	awscdk.Stack

	// Host and KeyPair are nil when the config has no tunnels.
	Host    *constructs.TunnelHost
	KeyPair *constructs.SSHKeyPair
}

// NewTunnelStack adds the Tunnel stack to scope.
func NewTunnelStack(scope construct.Construct, id string, props *TunnelStackProps) *TunnelStack {
	s := &TunnelStack{Stack: awscdk.NewStack(scope, &id, &props.StackProps)}
	env, network, database := props.Environment, props.Network.Network, props.Database

	if len(env.Tunnels) == 0 {
		awscdk.Validations_Of(s.Stack).Acknowledge(&awscdk.Acknowledgment{
			Id:     jsii.String("CloudFormation-Validate::F0001"),
			Reason: jsii.String("An empty template is never deployed: the CLI deletes the stack"),
		})
		return s
	}
	s.KeyPair = constructs.NewSSHKeyPair(s.Stack, "KeyPair", &constructs.SSHKeyPairProps{
		Function:    database.Function,
		Generation:  env.TunnelKeyGeneration,
		Comment:     "drawbridge-" + env.Name + "-tunnel",
		Description: "SSH key that the tunnels log in with at their vendors",
	})
	var vendors []constructs.SSHServer
	for _, t := range env.Tunnels {
		vendors = append(vendors, constructs.SSHServer{Host: t.Host, Port: t.Port})
	}
	s.Host = constructs.NewTunnelHost(s.Stack, "TunnelHost", &constructs.TunnelHostProps{
		Vpc:                   network.Vpc,
		Subnet:                (*network.PublicSubnets())[0],
		DatabaseSecurityGroup: database.Database.SecurityGroup,
		Vendors:               vendors,
		Architecture:          constructs.Architecture(env.Architecture),
		InstanceType:          env.Architecture.HostInstanceType(),
		InstanceName:          "drawbridge-" + env.Name + "-tunnel",
	})

	output(s.Stack, "TunnelPublicKey", s.KeyPair.PublicKey, "The SSH public key for the vendor's form")
	output(s.Stack, "TunnelPublicKeyFingerprint", s.KeyPair.Fingerprint, "The fingerprint of that key, as ssh-keygen -l prints it")
	output(s.Stack, "TunnelAddress", s.Host.PublicIP, "The address that tunnels come from, for the vendor's allow list")
	output(s.Stack, "TunnelDatabaseName", &env.Database.Name, "The vendor's form: database name")
	output(s.Stack, "TunnelUsername", jsii.String(env.ReadOnlyUsers[config.BIUser].Username), "The vendor's form: user; the Database stack's output ReadOnlySecretArnBi names the secret with the password")
	for _, t := range env.Tunnels {
		output(s.Stack, "Tunnel"+outputID(t.Name)+"Forward",
			jsii.String(fmt.Sprintf("127.0.0.1:%d on %s, as %s", t.RemotePort, t.Host, t.User)),
			"Where the vendor finds the database of the tunnel "+t.Name)
	}
	return s
}

// outputID turns a name such as bi-backup into BiBackup: output names are letters and digits.
func outputID(name string) string {
	var id strings.Builder
	for _, word := range strings.Split(name, "-") {
		if word != "" {
			id.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return id.String()
}
