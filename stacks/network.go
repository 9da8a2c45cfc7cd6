package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	construct "github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"drawbridge/config"
	"drawbridge/constructs"
)

// NetworkStackProps are the properties of the Network stack.
type NetworkStackProps struct {
	awscdk.StackProps
	Environment *config.Environment
}

// NetworkStack holds the VPC, and the topic that alarms are sent to. Its template is the same in both phases.
type NetworkStack struct {
	awscdk.Stack
	Network *constructs.Network

	// Alarms are told of what goes wrong in the environment.
	Alarms *constructs.Alarms

	// SecretsManagerURL is the network's, for other stacks.
	SecretsManagerURL *string
}

// NewNetworkStack adds the Network stack to scope.
func NewNetworkStack(scope construct.Construct, id string, props *NetworkStackProps) *NetworkStack {
	s := &NetworkStack{Stack: awscdk.NewStack(scope, &id, &props.StackProps)}
	s.Network = constructs.NewNetwork(s.Stack, "Network", &constructs.NetworkProps{
		Name:              "drawbridge-" + props.Environment.Name,
		CIDR:              props.Environment.VPCCIDR,
		AvailabilityZones: props.Environment.AvailabilityZones,
	})

	// In the stack that comes first, for alarms of all others.
	s.Alarms = constructs.NewAlarms(s.Stack, "Alarms", &constructs.AlarmsProps{Emails: props.Environment.Alarms.Emails})
	output(s.Stack, "AlarmsTopicArn", s.Alarms.Topic.TopicArn(), "The SNS topic that alarms are sent to")

	n := s.Network
	export(s.Stack, s.Alarms.Topic.TopicArn(), n.Vpc.VpcId(), n.Vpc.VpcCidrBlock(), n.Vpc.InternetGatewayId(), n.FunctionsSecurityGroup.SecurityGroupId())
	// The address alone: the endpoint's other names may change, and an export in use may not.
	s.SecretsManagerURL = s.Stack.ExportValue(n.SecretsManagerURL(), &awscdk.ExportValueOptions{
		Name: jsii.String(*s.Stack.StackName() + ":SecretsManagerURL"),
	})
	for _, subnet := range *n.PublicSubnets() {
		export(s.Stack, subnet.SubnetId())
	}
	for _, subnet := range *n.FunctionsSubnets() {
		export(s.Stack, subnet.SubnetId())
	}
	for _, subnet := range *n.DatabaseSubnets() {
		export(s.Stack, subnet.SubnetId(), subnet.RouteTable().RouteTableId())
	}
	return s
}
