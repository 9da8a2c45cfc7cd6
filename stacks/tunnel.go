package stacks

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	construct "github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"drawbridge/config"
	"drawbridge/constructs"
	"drawbridge/host/settings"
)

// TunnelStackProps are the properties of the Tunnel stack.
type TunnelStackProps struct {
	awscdk.StackProps
	Environment *config.Environment
	Network     *NetworkStack
	Database    *DatabaseStack

	// HostProgram is the path of the program that sets the host up.
	HostProgram string
}

// TunnelStack holds the host of the reverse SSH tunnels. When the config has no tunnels it holds a resource that is nothing:
// a stack that the app did not have any more would stay as it is, and with it its hold on the Database stack's exports, and
// a pipeline cannot deploy a template without resources.
type TunnelStack struct {
	awscdk.Stack

	// Host and KeyPair are nil when the config has no tunnels.
	Host    *constructs.TunnelHost
	KeyPair *constructs.SSHKeyPair
}

// NewTunnelStack adds the Tunnel stack to scope.
func NewTunnelStack(scope construct.Construct, id string, props *TunnelStackProps) *TunnelStack {
	s := &TunnelStack{Stack: awscdk.NewStack(scope, &id, &props.StackProps)}
	env, database := props.Environment, props.Database

	if len(env.Tunnels) == 0 {
		awscdk.NewCfnWaitConditionHandle(s.Stack, jsii.String("NoTunnels"), nil)
		return s
	}
	s.KeyPair = constructs.NewSSHKeyPair(s.Stack, "KeyPair", &constructs.SSHKeyPairProps{
		Function:    database.Function,
		Generation:  env.TunnelKeyGeneration,
		Comment:     "drawbridge-" + env.Name + "-tunnel",
		Description: "SSH key that the tunnels log in with at their vendors",
	})
	var tunnels []settings.Tunnel
	for _, t := range env.Tunnels {
		tunnels = append(tunnels, settings.Tunnel{
			Name: t.Name, Host: t.Host, Port: t.Port, User: t.User, RemotePort: t.RemotePort, HostKey: t.HostKey,
		})
	}
	host := hostProps(env, props.Network, database, props.HostProgram, "tunnel", env.Architecture.HostInstanceType())
	if replicas := database.ReplicaHosts(); len(replicas) > 0 {
		// The first for all tunnels: it goes last, and a vendor's heavy queries are then on one machine.
		host.DatabaseHost = replicas[0]
	}
	s.Host = constructs.NewTunnelHost(s.Stack, "TunnelHost", &constructs.TunnelHostProps{
		HostProps: host,
		Key:       s.KeyPair,
		Tunnels:   tunnels,
		Alarms:    props.Network.Alarms.Topic,

		MaxConnections: env.ReadOnlyUsers[config.BIUser].MaxConnections,
	})

	// What vendors' forms ask for.
	instance := *s.Host.Instance.Ref()
	outputs(s.Stack,
		[3]string{"TunnelAddress", *s.Host.PublicIP, "The address that tunnels come from, for the vendor's allow list"},
		[3]string{"TunnelPublicKey", *s.KeyPair.PublicKey, "The SSH public key for the vendor's form, as OpenSSH writes it"},
		[3]string{"TunnelPublicKeyPem", *s.KeyPair.PublicKeyPEM, "The same key in PEM, for vendors that ask for it"},
		[3]string{"TunnelPublicKeyFingerprint", *s.KeyPair.Fingerprint, "The fingerprint of that key, as ssh-keygen -l prints it"},
		[3]string{"TunnelDatabaseName", env.Database.Name, "The vendor's form: database name"},
		[3]string{"TunnelUsername", env.ReadOnlyUsers[config.BIUser].Username, "The vendor's form: user"},
		// The secret is another one when the user is renamed, so that this stack must not hold on to its ARN.
		[3]string{"TunnelPasswordSecretArnCommand", fmt.Sprintf("aws cloudformation describe-stacks --stack-name %s "+
			`--query "Stacks[0].Outputs[?OutputKey=='ReadOnlySecretArnBi'].OutputValue" --output text`, *database.Stack.StackName()),
			"Prints the ARN of the secret with the password for the vendor's form"},
		[3]string{"TunnelTLS", "on; certificate authority verified, from " + caBundle + "; host name not verified",
			"The vendor's form: TLS or SSL. The vendor sees the database as 127.0.0.1, which is not the name in its certificate"},
		[3]string{"TunnelInstanceId", instance, "The tunnel host, for Session Manager"},
		[3]string{"TunnelSetup", *s.Host.Setup, "What the host said when it was set up"},
	)
	for _, t := range env.Tunnels {
		id := "Tunnel" + outputID(t.Name)
		outputs(s.Stack,
			[3]string{id + "DatabaseHost", "127.0.0.1", "The vendor's form for the tunnel " + t.Name + ": database host, as seen from " + t.Host},
			[3]string{id + "DatabasePort", strconv.Itoa(t.RemotePort), "The vendor's form for the tunnel " + t.Name + ": database port"},
			[3]string{id + "SSHLogin", fmt.Sprintf("%s@%s port %d", t.User, t.Host, t.Port), "Where the tunnel " + t.Name + " logs in"},
			[3]string{id + "TestCommand", fmt.Sprintf("aws ssm start-session --target %s --document-name AWS-StartInteractiveCommand "+
				`--parameters '{"command":["sudo %s tunnel-test %s"]}'`, instance, settings.Program, t.Name),
				"Tries the tunnel " + t.Name + " by hand: banner, host key, login, database"},
		)
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
