package constructs

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// allowSessionManager lets an instance with this role be reached through Session Manager (AWS Systems Manager User
// Guide, "Create a custom IAM role for Session Manager"). AWS's own AmazonSSMManagedInstanceCore would also let it read
// every parameter of the account.
func allowSessionManager(scope constructs.Construct, role awsiam.Role) {
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid: jsii.String("SessionManagerChannels"),
		Actions: jsii.Strings("ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
			"ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel"),
		// These actions take no resource (Service Authorization Reference, "Amazon Message Gateway Service").
		Resources: jsii.Strings("*"),
	}))
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:     jsii.String("SessionManagerPresence"),
		Actions: jsii.Strings("ssm:UpdateInstanceInformation"),
		Resources: &[]*string{awscdk.Stack_Of(scope).FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("ec2"), Resource: jsii.String("instance"), ResourceName: jsii.String("*"),
		})},
	}))
	acceptWildcards(policyOf(role), "ssmmessages' actions take no resource", "Resource::*")
	acceptWildcards(policyOf(role), "The instance's id is not known before the instance, which needs the role", "Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:instance/*")
}
