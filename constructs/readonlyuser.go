package constructs

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// rotationDays is how long a rotated password lives. It stays valid for as long again.
const rotationDays = 30

// ReadOnlyUserProps describes a MySQL user that may only SELECT.
type ReadOnlyUserProps struct {
	Database *Database
	Function *DatabaseFunction

	// Name is what people call the user's purpose, in errors: bi.
	Name string

	// Username is the MySQL user's name.
	Username string

	// Host is where the user may connect from, as MySQL writes it: an address, a CIDR block, or % for everywhere. The
	// function, which proves the user by logging in, must be among it.
	Host *string

	// Schemas are the schemas that the user may read.
	Schemas []string

	// MaxConnections is how many connections the user may have at a time.
	MaxConnections int

	// Rotate has the password changed every 30 days. Whoever uses it must read it from the secret.
	Rotate bool
}

// ReadOnlyUser is a MySQL user that may SELECT on named schemas and nothing else, over TLS. It has a generated secret to
// which RDS's host and port are attached, and is made and proved by the function.
type ReadOnlyUser struct {
	constructs.Construct

	// Secret holds username and password, and what the attachment adds: engine, host, port, dbname and
	// dbInstanceIdentifier.
	Secret awssecretsmanager.Secret

	// Attachment is what adds the instance to Secret.
	Attachment awssecretsmanager.ISecret

	// User is the custom resource: what uses the account depends on it.
	User awscdk.CustomResource

	name, username string
	host           *string
	schemas        []string
	policy         awsiam.Policy
}

// NewReadOnlyUser adds a ReadOnlyUser to scope.
func NewReadOnlyUser(scope constructs.Construct, id string, props *ReadOnlyUserProps) *ReadOnlyUser {
	u := &ReadOnlyUser{
		Construct: constructs.NewConstruct(scope, &id),
		name:      props.Name, username: props.Username, host: props.Host, schemas: props.Schemas,
	}
	u.Secret = awssecretsmanager.NewSecret(u.Construct, jsii.String("Secret-"+props.Username), &awssecretsmanager.SecretProps{
		Description:          jsii.String("MySQL read-only user " + props.Username),
		GenerateSecretString: generatedPassword(props.Username),
	})
	u.Attachment = u.Secret.Attach(props.Database.Instance)

	actions := []string{"secretsmanager:GetSecretValue"}
	if props.Rotate {
		actions = append(actions, "secretsmanager:DescribeSecret", "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage")
	}
	// Another username is another secret, and so another policy: the rollback of a rename still needs the old one.
	u.policy = props.Function.AllowSecret(u.Construct, "FunctionPolicy-"+props.Username, u.Secret.SecretArn(), actions...)
	u.User = props.Function.NewResource(u.Construct, "User", "Custom::ReadOnlyUser", map[string]any{
		"Username":       props.Username,
		"Host":           props.Host,
		"Schemas":        props.Schemas,
		"MaxConnections": props.MaxConnections,
		"SecretArn":      u.Secret.SecretArn(),
	}, u.policy, u.Attachment, props.Database.MasterLogin())
	if props.Rotate {
		u.rotate(props.Function)
	} else {
		accept(u.Secret, "The config says so: rotate is false, for a password that a vendor's form holds too", "AwsSolutions-SMG4")
	}
	return u
}

func (u *ReadOnlyUser) rotate(function *DatabaseFunction) {
	permission := awslambda.NewCfnPermission(u.Construct, jsii.String("RotationPermission"), &awslambda.CfnPermissionProps{
		Action:        jsii.String("lambda:InvokeFunction"),
		FunctionName:  function.Function.FunctionArn(),
		Principal:     jsii.String("secretsmanager.amazonaws.com"),
		SourceAccount: awscdk.Stack_Of(u.Construct).Account(),
	})
	schedule := awssecretsmanager.NewCfnRotationSchedule(u.Construct, jsii.String("RotationSchedule"), &awssecretsmanager.CfnRotationScheduleProps{
		SecretId:          u.Secret.SecretArn(),
		RotationLambdaArn: function.Function.FunctionArn(),
		RotationRules:     &awssecretsmanager.CfnRotationSchedule_RotationRulesProperty{AutomaticallyAfterDays: jsii.Number(rotationDays)},
		// A password that a deployment changes at once may be one that the web app has not read yet.
		RotateImmediatelyOnUpdate: jsii.Bool(false),
	})
	schedule.Node().AddDependency(permission, u.policy, u.Attachment, u.User)
}
