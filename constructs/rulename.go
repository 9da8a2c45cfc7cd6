package constructs

import "github.com/aws/aws-cdk-go/awscdk/v2/awsec2"

// nameRule gives the rule between a security group and another one its logical ID. The group has one such rule. CDK makes the ID of the other group's place in the whole app, so that it would be another one in a pipeline's stage
// than without a pipeline, and CloudFormation would add the rule a second time, which EC2 refuses. The IDs are those without.
func nameRule(group awsec2.SecurityGroup, logicalID string) {
	for _, child := range *group.Node().Children() {
		switch rule := child.(type) {
		case awsec2.CfnSecurityGroupIngress:
			rule.OverrideLogicalId(&logicalID)
		case awsec2.CfnSecurityGroupEgress:
			rule.OverrideLogicalId(&logicalID)
		}
	}
}
