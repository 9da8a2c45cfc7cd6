package constructs

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// accept lets findings of cdk-nag stand at a resource, or at a construct's main one, for a reason. A finding is what
// cdk-nag prints: a rule, such as AwsSolutions-RDS11, or what it found, such as AwsSolutions-IAM5[Resource::*].
//
// The resource's metadata holds them (cdk-nag's README, "Suppressing a Rule"). Its own API would do the same, and load
// cdk-nag into every synth.
func accept(construct constructs.IConstruct, reason string, findings ...string) {
	resource, ok := construct.(awscdk.CfnResource)
	if !ok {
		resource = construct.Node().DefaultChild().(awscdk.CfnResource)
	}
	const key = "cdk_nag"
	var rules []any
	if metadata, ok := resource.GetMetadata(jsii.String(key)).(map[string]any); ok {
		rules = metadata["rules_to_suppress"].([]any)
	}
	for _, finding := range findings {
		rule := map[string]any{"reason": reason}
		id, what, granular := strings.Cut(strings.TrimSuffix(finding, "]"), "[")
		rule["id"] = id
		if granular {
			rule["applies_to"] = []any{what}
		}
		rules = append(rules, rule)
	}
	resource.AddMetadata(jsii.String(key), map[string]any{"rules_to_suppress": rules})
}

// AcceptAll is accept for each resource of a type, such as AWS::S3::Bucket, that stands under scope.
func AcceptAll(scope constructs.IConstruct, resourceType, reason string, findings ...string) {
	for _, child := range *scope.Node().FindAll(constructs.ConstructOrder_PREORDER) {
		if resource, ok := child.(awscdk.CfnResource); ok && *resource.CfnResourceType() == resourceType {
			accept(resource, reason, findings...)
		}
	}
}

// acceptWildcards accepts wildcards of an IAM policy, each as cdk-nag prints it without an account's config: such as
// Action::s3:Get*, or Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:instance/*.
func acceptWildcards(policy constructs.IConstruct, reason string, wildcards ...string) {
	stack := awscdk.Stack_Of(policy)
	for _, wildcard := range wildcards {
		for name, value := range map[string]*string{
			"<AWS::Partition>": stack.Partition(), "<AWS::Region>": stack.Region(), "<AWS::AccountId>": stack.Account(),
		} {
			if !*awscdk.Token_IsUnresolved(value) {
				wildcard = strings.ReplaceAll(wildcard, name, *value)
			}
		}
		accept(policy, reason, "AwsSolutions-IAM5["+wildcard+"]")
	}
}

// policyOf is the policy that holds a role's statements, once it has one.
func policyOf(role awsiam.Role) constructs.IConstruct {
	return role.Node().FindChild(jsii.String("DefaultPolicy"))
}
