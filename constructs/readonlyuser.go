package constructs

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// ReadOnlyUserProps describes a MySQL user that may only SELECT.
type ReadOnlyUserProps struct {
	Database *Database

	// Username is the MySQL user's name.
	Username string
}

// ReadOnlyUser holds the credentials of a read-only MySQL user: a generated secret to which RDS's host and port are
// attached.
type ReadOnlyUser struct {
	constructs.Construct

	// Secret holds username and password, and what the attachment adds: engine, host, port, dbname and
	// dbInstanceIdentifier.
	Secret awssecretsmanager.Secret

	// Attachment is what adds the instance to Secret.
	Attachment awssecretsmanager.ISecret
}

// NewReadOnlyUser adds a ReadOnlyUser to scope.
func NewReadOnlyUser(scope constructs.Construct, id string, props *ReadOnlyUserProps) *ReadOnlyUser {
	u := &ReadOnlyUser{Construct: constructs.NewConstruct(scope, &id)}
	u.Secret = awssecretsmanager.NewSecret(u.Construct, jsii.String("Secret-"+props.Username), &awssecretsmanager.SecretProps{
		Description:          jsii.String("MySQL read-only user " + props.Username),
		GenerateSecretString: generatedPassword(props.Username),
	})
	u.Attachment = u.Secret.Attach(props.Database.Instance)
	return u
}
