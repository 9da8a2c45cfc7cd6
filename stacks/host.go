package stacks

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"drawbridge/config"
	"drawbridge/constructs"
)

// hostProps is what the jump server and the tunnel host have in common.
func hostProps(env *config.Environment, network *NetworkStack, database *DatabaseStack, program, name, instanceType string) constructs.HostProps {
	return constructs.HostProps{
		Vpc:                   network.Network.Vpc,
		Subnet:                (*network.Network.PublicSubnets())[0],
		DatabaseSecurityGroup: database.Database.SecurityGroup,
		DatabaseHost:          database.Database.Instance.DbInstanceEndpointAddress(),
		DatabasePort:          database.Database.Instance.DbInstanceEndpointPort(),
		EnvironmentName:       env.Name,
		Architecture:          constructs.Architecture(env.Architecture),
		InstanceType:          instanceType,
		InstanceName:          "drawbridge-" + env.Name + "-" + name,
		ImageRefresh:          env.ImageRefresh,
		PatchWindow:           env.PatchCalendar(),
		ProgramPath:           program,
	}
}

// caBundle is where the certificate authorities of every RDS server are (Amazon RDS User Guide, "Using SSL/TLS to encrypt
// a connection to a DB instance or cluster").
const caBundle = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"

// caFile is the bundle's usual name.
var caFile = caBundle[strings.LastIndex(caBundle, "/")+1:]

// outputs adds stack outputs: name, value and description of each.
func outputs(stack awscdk.Stack, list ...[3]string) {
	for _, o := range list {
		output(stack, o[0], &o[1], o[2])
	}
}
