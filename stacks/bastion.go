package stacks

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	construct "github.com/aws/constructs-go/constructs/v10"

	"drawbridge/config"
	"drawbridge/constructs"
)

// BastionStackProps are the properties of the Bastion stack.
type BastionStackProps struct {
	awscdk.StackProps
	Environment *config.Environment
	Network     *NetworkStack
	Database    *DatabaseStack

	// HostProgram is the path of the program that sets the jump server up.
	HostProgram string
}

// BastionStack holds the jump server.
type BastionStack struct {
	awscdk.Stack
	Bastion *constructs.Bastion
}

// NewBastionStack adds the Bastion stack to scope.
func NewBastionStack(scope construct.Construct, id string, props *BastionStackProps) *BastionStack {
	s := &BastionStack{Stack: awscdk.NewStack(scope, &id, &props.StackProps)}
	env, database := props.Environment, props.Database.Database

	var administrators []constructs.Administrator
	for _, a := range env.Bastion.Administrators {
		administrators = append(administrators, constructs.Administrator{Name: a.Name, Parameter: a.Parameter()})
	}
	s.Bastion = constructs.NewBastion(s.Stack, "Bastion", &constructs.BastionProps{
		HostProps:          hostProps(env, props.Network, props.Database, props.HostProgram, "bastion", env.Bastion.InstanceType),
		MasterSecret:       database.MasterSecret,
		Function:           props.Database.Function,
		HostKeyGeneration:  env.Bastion.HostKeyGeneration,
		SSHCIDRs:           env.Bastion.SSHCIDRs,
		AdministratorsPath: "/drawbridge/" + env.Name + "/administrators",
		Administrators:     administrators,
	})

	ip, host, port := *s.Bastion.PublicIP, *database.Instance.DbInstanceEndpointAddress(), *database.Instance.DbInstanceEndpointPort()
	instance := *s.Bastion.Instance.Ref()
	// No output names an administrator: adding one is to change one parameter and nothing else.
	const login = "NAME"

	// The fields of MySQL Workbench's form, with its own words (MySQL Workbench Manual, "Standard TCP/IP over SSH
	// Connection" and "SSL Tab").
	outputs(s.Stack,
		[3]string{"WorkbenchConnectionMethod", "Standard TCP/IP over SSH", "MySQL Workbench: Connection Method"},
		[3]string{"WorkbenchSSHHostname", fmt.Sprintf("%s:%d", ip, constructs.SSHPort), "MySQL Workbench: SSH Hostname"},
		[3]string{"WorkbenchSSHUsername", "your name in bastion.administrators", "MySQL Workbench: SSH Username"},
		[3]string{"WorkbenchSSHKeyFile", "the private half of one of your publicKeys", "MySQL Workbench: SSH Key File"},
		[3]string{"WorkbenchMySQLHostname", host, "MySQL Workbench: MySQL Hostname"},
		[3]string{"WorkbenchMySQLServerPort", port, "MySQL Workbench: MySQL Server Port"},
		[3]string{"WorkbenchUsername", env.Database.MasterUsername, "MySQL Workbench: Username"},
		[3]string{"WorkbenchPasswordSecretArn", *database.MasterSecret.SecretArn(), "MySQL Workbench: the Secrets Manager secret that holds the Password"},
		[3]string{"WorkbenchDefaultSchema", env.Database.Name, "MySQL Workbench: Default Schema"},
		[3]string{"WorkbenchUseSSL", "Require and Verify CA", "MySQL Workbench, tab SSL: Use SSL"},
		[3]string{"WorkbenchSSLCAFile", caFile, "MySQL Workbench, tab SSL: SSL CA File, from " + caBundle},
	)
	// The same for people who prefer a command line.
	outputs(s.Stack,
		[3]string{"BastionKnownHosts", ip + " " + *s.Bastion.HostKey.PublicKey, "The jump server's line for your known_hosts file"},
		[3]string{"BastionHostKeyFingerprint", *s.Bastion.HostKey.Fingerprint, "What ssh and MySQL Workbench ask you to confirm at the first connection"},
		[3]string{"SSHCommand", fmt.Sprintf("ssh %s@%s", login, ip), "A shell on the jump server, for administrators with access shell; put your name for NAME"},
		[3]string{"SSHForwardCommand", fmt.Sprintf("ssh -N -L 3306:%s:%s %s@%s", host, port, login, ip), "Opens port 3306 of this machine to the database; put your name for NAME"},
		[3]string{"MySQLCommand", fmt.Sprintf("mysql --host=127.0.0.1 --port=3306 --ssl-mode=VERIFY_CA --ssl-ca=%s --user=%s --password", caFile, env.Database.MasterUsername),
			"Connects through that port and asks for the password; the CA file comes from " + caBundle},
		[3]string{"SessionManagerCommand", "aws ssm start-session --target " + instance, "A shell on the jump server for people with AWS credentials, without SSH"},
		[3]string{"SessionManagerForwardCommand", fmt.Sprintf("aws ssm start-session --target %s --document-name AWS-StartPortForwardingSessionToRemoteHost "+
			"--parameters host=%s,portNumber=%s,localPortNumber=3306", instance, host, port),
			"Opens port 3306 of this machine to the database for people with AWS credentials, without SSH"},
		[3]string{"BastionSetup", *s.Bastion.Setup, "What the host said when it was set up"},
	)
	return s
}
