package stacks

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	construct "github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"drawbridge/config"
	"drawbridge/constructs"
)

// DatabaseStackProps are the properties of the Database stack.
type DatabaseStackProps struct {
	awscdk.StackProps
	Environment *config.Environment
	Network     *NetworkStack

	// FunctionCode is the path of the Lambda function's zip file.
	FunctionCode string
}

// DatabaseStack holds the MySQL database and the credentials of its users. It alone differs between the two phases.
type DatabaseStack struct {
	awscdk.Stack
	Database *constructs.Database
	Function *constructs.DatabaseFunction

	// Replicas are the database's read replicas.
	Replicas []*constructs.ReadReplica

	// ReadOnlyUsers has the keys of the config's readOnlyUsers.
	ReadOnlyUsers map[string]*constructs.ReadOnlyUser

	// HostnameOutput and PortOutput say where MySQL listens.
	HostnameOutput, PortOutput awscdk.CfnOutput
}

// ReplicaHosts are where the read replicas listen, in their order.
func (s *DatabaseStack) ReplicaHosts() []*string {
	var hosts []*string
	for _, replica := range s.Replicas {
		hosts = append(hosts, replica.Instance.DbInstanceEndpointAddress())
	}
	return hosts
}

// NewDatabaseStack adds the Database stack to scope.
func NewDatabaseStack(scope construct.Construct, id string, props *DatabaseStackProps) *DatabaseStack {
	s := &DatabaseStack{
		Stack:         awscdk.NewStack(scope, &id, &props.StackProps),
		ReadOnlyUsers: map[string]*constructs.ReadOnlyUser{},
	}
	env, network := props.Environment, props.Network.Network
	s.Database = constructs.NewDatabase(s.Stack, "Database", &constructs.DatabaseProps{
		Vpc:                network.Vpc,
		Subnets:            network.DatabaseSubnets(),
		Name:               env.Database.Name,
		Identifier:         env.Database.Identifier,
		MasterUsername:     env.Database.MasterUsername,
		InstanceClass:      env.Database.InstanceClass,
		StorageGiB:         env.Database.StorageGiB,
		BackupDays:         env.Database.BackupDays,
		MultiAZ:            env.Database.MultiAZ,
		DeletionProtection: env.Database.DeletionProtection,
		PubliclyAccessible: env.Exposure == config.Public,
	})
	s.Function = constructs.NewDatabaseFunction(s.Stack, "DatabaseFunction", &constructs.DatabaseFunctionProps{
		Network: network, SecretsManagerURL: props.Network.SecretsManagerURL, Database: s.Database, Architecture: constructs.Architecture(env.Architecture), Code: props.FunctionCode,
	})
	var users []*constructs.ReadOnlyUser
	for _, key := range slices.Sorted(maps.Keys(env.ReadOnlyUsers)) {
		user := env.ReadOnlyUsers[key]
		s.ReadOnlyUsers[key] = constructs.NewReadOnlyUser(s.Stack, "ReadOnlyUser-"+key, &constructs.ReadOnlyUserProps{
			Database: s.Database,
			Function: s.Function,
			Name:     key,
			Username: user.Username,
			// Everywhere in the VPC: the function logs in as the user too. Security groups say who else gets here.
			Host:           network.Vpc.VpcCidrBlock(),
			Schemas:        user.Schemas,
			MaxConnections: user.MaxConnections,
			Rotate:         user.Rotate,
		})
		users = append(users, s.ReadOnlyUsers[key])
	}
	constructs.NewFlipGate(s.Stack, "FlipGate", &constructs.FlipGateProps{
		Function: s.Function, Database: s.Database, Users: users, Public: env.Exposure == config.Public,
	})
	if env.Database.SampleData {
		constructs.NewSampleData(s.Stack, "SampleData", &constructs.SampleDataProps{
			Function: s.Function, Database: s.Database, Schema: env.Database.Name,
		})
	}
	for n := range env.Database.ReadReplicas {
		// Numbered: another number of them makes new ones, or deletes the last, and leaves the others alone.
		replica := constructs.NewReadReplica(s.Stack, fmt.Sprintf("Replica%d", n+1), &constructs.ReadReplicaProps{Vpc: network.Vpc, Database: s.Database})
		s.Replicas = append(s.Replicas, replica)
	}
	constructs.NewDatabaseAlarms(s.Stack, "DatabaseAlarms", &constructs.DatabaseAlarmsProps{
		Database: s.Database, Replicas: s.Replicas, Function: s.Function, Topic: props.Network.Alarms.Topic, EnvironmentName: env.Name,
	})
	var routeTables []*string
	for _, subnet := range *network.DatabaseSubnets() {
		routeTables = append(routeTables, subnet.RouteTable().RouteTableId())
	}
	if env.Exposure == config.Public {
		constructs.NewPublicAccess(s.Stack, "PublicAccess", &constructs.PublicAccessProps{
			SecurityGroup:     s.Database.SecurityGroup,
			RouteTableIDs:     routeTables,
			InternetGatewayID: network.Vpc.InternetGatewayId(),
			CIDRs:             env.DeveloperCIDRs,
		})
	}
	s.addOutputs(env, routeTables, network.Vpc.InternetGatewayId())
	return s
}

func (s *DatabaseStack) addOutputs(env *config.Environment, routeTables []*string, gateway *string) {
	instance := s.Database.Instance
	export(s.Stack, instance.DbInstanceEndpointAddress(), instance.DbInstanceEndpointPort(),
		s.Database.SecurityGroup.SecurityGroupId(), s.Database.MasterSecret.SecretArn(),
		s.Function.Function.FunctionArn(), s.Function.Role.RoleArn())
	for _, user := range s.ReadOnlyUsers {
		// Renaming a user replaces its secret. A strong reference would make CloudFormation refuse that.
		awscdk.CrossStackReferences_Of(user.Secret).Produce(awscdk.ReferenceStrength_WEAK)
	}
	for _, replica := range s.Replicas {
		// As many as the config says: a strong reference would make CloudFormation refuse that there is one less.
		awscdk.CrossStackReferences_Of(replica.Instance).Produce(awscdk.ReferenceStrength_WEAK)
	}

	s.HostnameOutput = output(s.Stack, "DatabaseHostname", instance.DbInstanceEndpointAddress(), "Where MySQL listens; a private address unless the exposure is public")
	for i, replica := range s.Replicas {
		output(s.Stack, fmt.Sprintf("ReplicaHostname%d", i+1), replica.Instance.DbInstanceEndpointAddress(), "A read replica of the database; always a private address")
	}
	s.PortOutput = output(s.Stack, "DatabasePort", instance.DbInstanceEndpointPort(), "The port of MySQL")
	output(s.Stack, "DatabaseName", &env.Database.Name, "The schema created with the database")
	output(s.Stack, "MasterUsername", &env.Database.MasterUsername, "The account that may read and write")
	output(s.Stack, "MasterSecretArn", s.Database.MasterSecret.SecretArn(), "The Secrets Manager secret with the master user's password")
	for _, key := range slices.Sorted(maps.Keys(s.ReadOnlyUsers)) {
		output(s.Stack, "ReadOnlySecretArn"+strings.ToUpper(key[:1])+key[1:], s.ReadOnlyUsers[key].Secret.SecretArn(),
			"The Secrets Manager secret of the read-only user "+env.ReadOnlyUsers[key].Username)
	}
	// Named in both phases, so that this stack imports the same of the Network stack in both.
	output(s.Stack, "DatabaseRouteTableIds", awscdk.Fn_Join(jsii.String(","), &routeTables), "The route tables of the database tier, which have a route to the internet in the public phase only")
	output(s.Stack, "InternetGatewayId", gateway, "The gateway that these routes lead to")
}
