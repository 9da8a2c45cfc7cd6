package constructs

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/customresources"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// lookupProps describes one call of the AWS API.
type lookupProps struct {
	resourceType string // such as Custom::MachineImage

	service, action string // as the JavaScript SDK names them
	parameters      map[string]any

	// permission is the IAM action, and resource what it is allowed on.
	permission string
	resource   *string

	// path is where the wanted value stands in the answer.
	path string

	// id changes when the value is to be looked up again.
	id string
}

// newLookup adds a value that CloudFormation asks the AWS API for when the stack is deployed, and keeps until the
// properties change.
func newLookup(scope constructs.Construct, id string, props *lookupProps) *string {
	call := &customresources.AwsSdkCall{
		Service:            &props.service,
		Action:             &props.action,
		Parameters:         props.parameters,
		PhysicalResourceId: customresources.PhysicalResourceId_Of(&props.id),
		OutputPaths:        jsii.Strings(props.path),
	}
	lookup := customresources.NewAwsCustomResource(scope, &id, &customresources.AwsCustomResourceProps{
		ResourceType: &props.resourceType,
		OnCreate:     call,
		OnUpdate:     call,
		// The runtime's own SDK will do: no download at deployment.
		InstallLatestAwsSdk: jsii.Bool(false),
		Policy: customresources.AwsCustomResourcePolicy_FromStatements(&[]awsiam.PolicyStatement{
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Actions: jsii.Strings(props.permission), Resources: &[]*string{props.resource},
			}),
		}),
		LogGroup: awslogs.NewLogGroup(scope, jsii.String("Logs"), &awslogs.LogGroupProps{
			Retention:     awslogs.RetentionDays_ONE_MONTH,
			RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
		}),
	})
	// One function makes every look-up of a stack.
	function := awscdk.Stack_Of(lookup).Node().FindChild(jsii.String("AWS679f53fac002430cb0da5b7982bd2287"))
	accept(function.Node().FindChild(jsii.String("ServiceRole")), "CDK's own: the function writes its log, and nothing else", "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]")
	return lookup.GetResponseField(&props.path)
}
