package constructs

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// BeanstalkPlatformProps says which platform to look for, and when it was last looked for.
type BeanstalkPlatformProps struct {
	// Branch is a platform branch (AWS Elastic Beanstalk, "Supported platforms").
	Branch string

	// Refresh is any text. While it stays the same, so does the platform version; a new text looks again.
	Refresh string
}

// BeanstalkPlatform is the recommended version of an Elastic Beanstalk platform branch, looked up by CloudFormation
// when the stack is deployed. Templates cannot name 'the newest', and SolutionStackName, the other way to name a
// platform, replaces the environment when it changes.
type BeanstalkPlatform struct {
	constructs.Construct

	// ARN is the platform version's.
	ARN *string
}

// NewBeanstalkPlatform adds a BeanstalkPlatform to scope.
func NewBeanstalkPlatform(scope constructs.Construct, id string, props *BeanstalkPlatformProps) *BeanstalkPlatform {
	p := &BeanstalkPlatform{Construct: constructs.NewConstruct(scope, &id)}
	p.ARN = newLookup(p.Construct, "Lookup", &lookupProps{
		resourceType: "Custom::BeanstalkPlatform",
		service:      "elastic-beanstalk",
		action:       "ListPlatformVersions",
		parameters: map[string]any{"Filters": []any{
			filter("PlatformBranchName", props.Branch),
			filter("PlatformLifecycleState", "Recommended"),
		}},
		permission: "elasticbeanstalk:ListPlatformVersions",
		resource: awscdk.Stack_Of(p.Construct).FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("elasticbeanstalk"), Account: jsii.String(""),
			Resource: jsii.String("platform"), ResourceName: jsii.String("*"),
		}),
		path: "PlatformSummaryList.0.PlatformArn",
		id:   "platform-" + props.Refresh,
	})
	policy := p.Construct.Node().FindChild(jsii.String("Lookup")).Node().FindChild(jsii.String("CustomResourcePolicy"))
	acceptWildcards(policy, "It asks which version there is", "Resource::arn:<AWS::Partition>:elasticbeanstalk:<AWS::Region>::platform/*")
	return p
}

func filter(name, value string) map[string]any {
	return map[string]any{"Type": name, "Operator": "=", "Values": []any{value}}
}
