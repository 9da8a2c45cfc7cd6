package constructs

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// SSHKeyPairProps describes a key pair.
type SSHKeyPairProps struct {
	Function *DatabaseFunction

	// Generation makes a new key pair when it changes. An earlier number brings the earlier key pair back, as long as
	// Secrets Manager still has it.
	Generation int

	// Comment stands at the end of the public key.
	Comment string

	// Description is the secret's.
	Description string
}

// SSHKeyPair is an ed25519 key pair whose private half is made inside the VPC and goes straight into Secrets Manager.
// Deleting it leaves nothing: the secret goes with it.
type SSHKeyPair struct {
	constructs.Construct

	// Secret holds the private key in OpenSSH's format.
	Secret awssecretsmanager.CfnSecret

	// Resource is what hosts that use the key depend on: until it is there, the secret is empty.
	Resource awscdk.CustomResource

	// Generation is the key's number.
	Generation int

	// PublicKey is one line of an authorized_keys file.
	PublicKey *string

	// PublicKeyPEM is the same key in PEM (RFC 7468, section 13), which some vendors ask for.
	PublicKeyPEM *string

	// Fingerprint is the public key's, as ssh-keygen -l prints it: SHA256:…
	Fingerprint *string
}

// NewSSHKeyPair adds an SSHKeyPair to scope.
func NewSSHKeyPair(scope constructs.Construct, id string, props *SSHKeyPairProps) *SSHKeyPair {
	k := &SSHKeyPair{Construct: constructs.NewConstruct(scope, &id), Generation: props.Generation}
	// CDK's Secret would generate a value when it is given none.
	k.Secret = awssecretsmanager.NewCfnSecret(k.Construct, jsii.String("Secret"), &awssecretsmanager.CfnSecretProps{
		Description: &props.Description,
	})
	accept(k.Secret, "Others have pinned the public half: a new key is a change of its generation in the config, which they can be told of", "AwsSolutions-SMG4")
	// A grant in the function's own policy would be a reference from its stack to this one, which refers to the function.
	policy := awssecretsmanager.NewCfnResourcePolicy(k.Construct, jsii.String("SecretPolicy"), &awssecretsmanager.CfnResourcePolicyProps{
		SecretId:          k.Secret.Ref(),
		BlockPublicPolicy: jsii.Bool(true),
		ResourcePolicy: awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &[]awsiam.PolicyStatement{
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Sid:        jsii.String("TheFunctionMakesTheKey"),
				Principals: &[]awsiam.IPrincipal{awsiam.NewArnPrincipal(props.Function.Role.RoleArn())},
				Actions: jsii.Strings("secretsmanager:GetSecretValue",
					"secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"),
				// In a resource policy: the secret itself.
				Resources: jsii.Strings("*"),
			}),
		}}),
	})
	k.Resource = props.Function.NewResource(k.Construct, "KeyPair", "Custom::SSHKeyPair", map[string]any{
		"SecretArn": k.Secret.Ref(), "Generation": props.Generation, "Comment": props.Comment,
	}, policy)
	k.PublicKey = k.Resource.GetAttString(jsii.String("PublicKey"))
	k.PublicKeyPEM = k.Resource.GetAttString(jsii.String("PublicKeyPem"))
	k.Fingerprint = k.Resource.GetAttString(jsii.String("Fingerprint"))
	return k
}
