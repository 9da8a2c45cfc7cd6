package constructs

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// MachineImageProps says which image to look for, and when it was last looked for.
type MachineImageProps struct {
	// Parameter is a public parameter of Systems Manager whose value is an AMI's id (AWS Systems Manager User Guide,
	// "Calling AMI public parameters in Parameter Store").
	Parameter string

	// Refresh is any text. While it stays the same, so does the image; a new text looks again.
	Refresh string
}

// MachineImage is the AMI that a public parameter names, looked up by CloudFormation when the stack is deployed. A
// template parameter of the type AWS::SSM::Parameter::Value, CDK's own way, is looked up at every deployment: a new AMI
// then replaces the instance though the template and its diff say nothing.
type MachineImage struct {
	constructs.Construct

	// ID is the AMI's, such as ami-0123456789abcdef0.
	ID *string
}

// NewMachineImage adds a MachineImage to scope.
func NewMachineImage(scope constructs.Construct, id string, props *MachineImageProps) *MachineImage {
	m := &MachineImage{Construct: constructs.NewConstruct(scope, &id)}
	m.ID = newLookup(m.Construct, "Lookup", &lookupProps{
		resourceType: "Custom::MachineImage",
		service:      "ssm",
		action:       "GetParameter",
		parameters:   map[string]any{"Name": props.Parameter},
		permission:   "ssm:GetParameter",
		// Public parameters belong to no account.
		resource: awscdk.Stack_Of(m.Construct).FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("ssm"), Account: jsii.String(""), Resource: jsii.String("parameter" + props.Parameter),
			ArnFormat: awscdk.ArnFormat_NO_RESOURCE_NAME,
		}),
		path: "Parameter.Value",
		id:   "image-" + props.Refresh,
	})
	return m
}
