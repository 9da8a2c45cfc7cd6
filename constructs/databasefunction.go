package constructs

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

const (
	// functionSeconds is how long one invocation may take, with its retries while the database restarts.
	functionSeconds = 180

	// serviceSeconds is how long CloudFormation waits for an answer: three invocations, as Lambda repeats a failed one
	// twice, after one minute and after two more (AWS Lambda Developer Guide, "How Lambda handles errors and retries with
	// asynchronous invocation").
	serviceSeconds = 900
)

// DatabaseFunctionProps describes the function.
type DatabaseFunctionProps struct {
	// Network is where it runs: in the functions tier, which reaches Secrets Manager and CloudFormation's bucket.
	Network *Network

	// SecretsManagerURL is Network's, or an import of it from another stack.
	SecretsManagerURL *string

	// Database is what it works on, as the master user.
	Database *Database

	Architecture Architecture

	// Code is the path of a zip file with the program as bootstrap.
	Code string
}

// DatabaseFunction is the Lambda function behind the custom resources inside the database: read-only users, sample data,
// the gate before the flip to private, SSH key pairs; and it rotates passwords.
//
// Everything in it names the raw secrets and never the instance, so that the instance can depend on it (FlipGate).
type DatabaseFunction struct {
	constructs.Construct

	Function awslambda.Function
	Role     awsiam.Role

	// Access lets the function reach the database.
	Access *DatabaseAccess
}

// NewDatabaseFunction adds a DatabaseFunction to scope.
func NewDatabaseFunction(scope constructs.Construct, id string, props *DatabaseFunctionProps) *DatabaseFunction {
	f := &DatabaseFunction{Construct: constructs.NewConstruct(scope, &id)}
	f.Access = NewDatabaseAccess(f.Construct, "DatabaseAccess", &DatabaseAccessProps{
		From: props.Network.FunctionsSecurityGroup, Database: props.Database.SecurityGroup, Description: "Lambda function",
	})
	logGroup := awslogs.NewLogGroup(f.Construct, jsii.String("Logs"), &awslogs.LogGroupProps{
		Retention:     awslogs.RetentionDays_THREE_MONTHS,
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	f.Role = awsiam.NewRole(f.Construct, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		Description: jsii.String("Lambda function that keeps the MySQL users"),
	})
	f.allow("WriteItsLogs", []string{"logs:CreateLogStream", "logs:PutLogEvents"}, logGroup.LogGroupArn())
	f.allowNetworkInterfaces()
	f.allow("ReadTheMasterSecret", []string{"secretsmanager:GetSecretValue"}, props.Database.MasterSecret.SecretArn())

	f.Function = awslambda.NewFunction(f.Construct, jsii.String("Function"), &awslambda.FunctionProps{
		Description:  jsii.String("Keeps the read-only MySQL users and checks them before the database goes private"),
		Runtime:      awslambda.Runtime_PROVIDED_AL2023(),
		Architecture: props.Architecture.lambda(),
		Handler:      jsii.String("bootstrap"),
		Code:         awslambda.Code_FromAsset(&props.Code, nil),
		MemorySize:   jsii.Number(256),
		Timeout:      awscdk.Duration_Seconds(jsii.Number(functionSeconds)),
		// Nobody waits any longer then: an old event must not undo what a later deployment did.
		MaxEventAge:    awscdk.Duration_Seconds(jsii.Number(serviceSeconds)),
		RetryAttempts:  jsii.Number(2),
		Role:           f.Role,
		LogGroup:       logGroup,
		Vpc:            props.Network.Vpc,
		VpcSubnets:     &awsec2.SubnetSelection{Subnets: props.Network.FunctionsSubnets()},
		SecurityGroups: &[]awsec2.ISecurityGroup{props.Network.FunctionsSecurityGroup},
		Environment: &map[string]*string{
			"DRAWBRIDGE_MASTER_SECRET_ARN": props.Database.MasterSecret.SecretArn(),
			// The endpoint has no private DNS name, so the SDK is told its own.
			"AWS_ENDPOINT_URL_SECRETS_MANAGER": props.SecretsManagerURL,
		},
	})
	return f
}

// allowNetworkInterfaces lets Lambda connect the function to the VPC, and keeps the function's own code from using that
// (AWS Lambda Developer Guide, "Giving Lambda functions access to resources in an Amazon VPC").
func (f *DatabaseFunction) allowNetworkInterfaces() {
	all := awscdk.Stack_Of(f.Construct).FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("ec2"), Resource: jsii.String("*"), ResourceName: jsii.String("*"),
	})
	change := []string{"ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:UnassignPrivateIpAddresses"}
	look := []string{"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"}
	f.allow("ChangeNetworkInterfaces", change, all)
	f.allow("SeeNetworkInterfaces", look, jsii.String("*"))
	acceptWildcards(policyOf(f.Role), "Lambda makes the function's network interfaces and names them itself; the function's own code is denied them",
		"Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:*/*", "Resource::*")
	f.Role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:       jsii.String("NotByItsOwnCode"),
		Effect:    awsiam.Effect_DENY,
		Actions:   jsii.Strings(append(change, look...)...),
		Resources: jsii.Strings("*"),
		Conditions: &map[string]any{"ArnLike": map[string]any{
			"lambda:SourceFunctionArn": awscdk.Stack_Of(f.Construct).FormatArn(&awscdk.ArnComponents{
				Service: jsii.String("lambda"), Resource: jsii.String("function"), ResourceName: jsii.String("*"),
				ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
			}),
		}},
	}))
}

func (f *DatabaseFunction) allow(sid string, actions []string, resource *string) {
	f.Role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid: &sid, Actions: jsii.Strings(actions...), Resources: &[]*string{resource},
	}))
}

// AllowSecret adds a policy to scope that lets the function use a secret. What makes the function use it must depend on
// the policy.
func (f *DatabaseFunction) AllowSecret(scope constructs.Construct, id string, secretARN *string, actions ...string) awsiam.Policy {
	return awsiam.NewPolicy(scope, &id, &awsiam.PolicyProps{
		Roles: &[]awsiam.IRole{f.Role},
		Statements: &[]awsiam.PolicyStatement{awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Actions: jsii.Strings(actions...), Resources: &[]*string{secretARN},
		})},
	})
}

// NewResource adds a custom resource that the function handles. CloudFormation makes it when the function can work and
// every dependency is there, and deletes it before these.
func (f *DatabaseFunction) NewResource(scope constructs.Construct, id, resourceType string, properties map[string]any, dependencies ...constructs.IDependable) awscdk.CustomResource {
	resource := awscdk.NewCustomResource(scope, &id, &awscdk.CustomResourceProps{
		ServiceToken:   f.Function.FunctionArn(),
		ServiceTimeout: awscdk.Duration_Seconds(jsii.Number(serviceSeconds)),
		ResourceType:   &resourceType,
		Properties:     &properties,
	})
	resource.Node().AddDependency(f.Access.Construct)
	resource.Node().AddDependency(dependencies...)
	return resource
}
