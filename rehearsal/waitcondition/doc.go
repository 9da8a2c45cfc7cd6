// Package waitcondition is what stands behind the URL of an AWS::CloudFormation::WaitConditionHandle: it takes signals by
// PUT, and waits for them as AWS::CloudFormation::WaitCondition does ("Create wait conditions in a CloudFormation
// template", AWS CloudFormation User Guide).
package waitcondition
