package stacks

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	construct "github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"drawbridge/config"
	"drawbridge/constructs"
)

// BastionStackProps are the properties of the Bastion stack.
type BastionStackProps struct {
	awscdk.StackProps
	Environment *config.Environment
	Network     *NetworkStack
	Database    *DatabaseStack
}

// BastionStack holds the jump server.
type BastionStack struct {
	awscdk.Stack
	Bastion *constructs.Bastion
}

// NewBastionStack adds the Bastion stack to scope.
func NewBastionStack(scope construct.Construct, id string, props *BastionStackProps) *BastionStack {
	s := &BastionStack{Stack: awscdk.NewStack(scope, &id, &props.StackProps)}
	env, network, database := props.Environment, props.Network.Network, props.Database.Database

	var administrators []constructs.Administrator
	for _, a := range env.Bastion.Administrators {
		administrators = append(administrators, constructs.Administrator{Name: a.Name, Parameter: a.Parameter()})
	}
	s.Bastion = constructs.NewBastion(s.Stack, "Bastion", &constructs.BastionProps{
		Vpc:                   network.Vpc,
		Subnet:                (*network.PublicSubnets())[0],
		DatabaseSecurityGroup: database.SecurityGroup,
		SSHCIDRs:              env.Bastion.SSHCIDRs,
		AdministratorsPath:    "/drawbridge/" + env.Name + "/administrators",
		Administrators:        administrators,
		Architecture:          constructs.Architecture(env.Architecture),
		InstanceType:          env.Bastion.InstanceType,
		InstanceName:          "drawbridge-" + env.Name + "-bastion",
	})

	// The fields of MySQL Workbench's form, with its own words (MySQL Workbench Manual, "Standard TCP/IP over SSH
	// Connection"), and the same for people who prefer a command line.
	ip, host, port := *s.Bastion.PublicIP, *database.Instance.DbInstanceEndpointAddress(), *database.Instance.DbInstanceEndpointPort()
	// No output names an administrator: adding one is to change one parameter and nothing else.
	const login = "NAME"
	text := func(format string, args ...any) *string { return jsii.String(fmt.Sprintf(format, args...)) }
	output(s.Stack, "WorkbenchConnectionMethod", text("Standard TCP/IP over SSH"), "MySQL Workbench: Connection Method")
	output(s.Stack, "WorkbenchSSHHostname", text("%s:%d", ip, constructs.SSHPort), "MySQL Workbench: SSH Hostname")
	output(s.Stack, "WorkbenchSSHUsername", text("your name in bastion.administrators"), "MySQL Workbench: SSH Username; the SSH Key File is the private half of a key listed there")
	output(s.Stack, "WorkbenchMySQLHostname", &host, "MySQL Workbench: MySQL Hostname")
	output(s.Stack, "WorkbenchMySQLServerPort", &port, "MySQL Workbench: MySQL Server Port")
	output(s.Stack, "WorkbenchUsername", &env.Database.MasterUsername, "MySQL Workbench: Username")
	output(s.Stack, "WorkbenchPasswordSecretArn", database.MasterSecret.SecretArn(), "MySQL Workbench: the Secrets Manager secret that holds the Password")
	output(s.Stack, "SSHForwardCommand", text("ssh -N -L 3306:%s:%s %s@%s", host, port, login, ip), "Opens port 3306 of this machine to the database; put your name for NAME")
	output(s.Stack, "MySQLCommand", text("mysql --host=127.0.0.1 --port=3306 --ssl-mode=REQUIRED --user=%s --password", env.Database.MasterUsername), "Connects through that port; asks for the password")
	output(s.Stack, "SessionManagerCommand", text("aws ssm start-session --target %s", *s.Bastion.Instance.InstanceId()), "A shell on the jump server for people with AWS credentials, without SSH")
	return s
}
