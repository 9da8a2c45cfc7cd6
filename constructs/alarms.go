package constructs

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// AlarmsProps says whom alarms are sent to.
type AlarmsProps struct {
	// Emails are addresses without names. Each gets a mail that asks to confirm the subscription.
	Emails []string
}

// Alarms is the SNS topic that CloudWatch alarms are sent to, with a subscription for each address.
//
// It is not encrypted with a key of its own: that would cost 1 USD a month, CloudWatch cannot use the key that AWS manages
// for SNS ("Configuring Amazon SNS alarm notifications", Amazon CloudWatch User Guide), and messages hold no data, but go
// on as mail that nobody encrypts.
type Alarms struct {
	constructs.Construct

	Topic awssns.Topic
}

// NewAlarms adds Alarms to scope.
func NewAlarms(scope constructs.Construct, id string, props *AlarmsProps) *Alarms {
	a := &Alarms{Construct: constructs.NewConstruct(scope, &id)}
	a.Topic = awssns.NewTopic(a.Construct, jsii.String("Topic"), &awssns.TopicProps{EnforceSSL: jsii.Bool(true)})
	// A policy takes the place of the one that a topic has by itself, which lets the account's own services publish.
	stack := awscdk.Stack_Of(a.Construct)
	a.Topic.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String("AlarmsOfThisAccount"),
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil)},
		Actions:    jsii.Strings("sns:Publish"),
		Resources:  &[]*string{a.Topic.TopicArn()},
		Conditions: &map[string]any{
			"StringEquals": map[string]any{"aws:SourceAccount": stack.Account()},
			"ArnLike": map[string]any{"aws:SourceArn": stack.FormatArn(&awscdk.ArnComponents{
				Service: jsii.String("cloudwatch"), Resource: jsii.String("alarm"), ResourceName: jsii.String("*"),
				ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
			})},
		},
	}))
	for _, email := range props.Emails {
		// Named by the address, so that the others stay as they are when one comes or goes.
		awssns.NewCfnSubscription(a.Construct, jsii.String("Email-"+email), &awssns.CfnSubscriptionProps{
			TopicArn: a.Topic.TopicArn(), Protocol: jsii.String("email"), Endpoint: jsii.String(email),
		})
	}
	return a
}

// alarm describes a CloudWatch alarm.
type alarm struct {
	id     string
	metric awscloudwatch.IMetric

	// It goes off when the metric has been so for this many of its periods.
	is        awscloudwatch.ComparisonOperator
	threshold float64
	periods   int

	// missing says what a period without a value means.
	missing awscloudwatch.TreatMissingData

	// says is what stands in the mail: what is wrong, and which page of docs/ says what to do.
	says string
}

const (
	atLeast   = awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD
	moreThan  = awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD
	lessThan  = awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD
	isBad     = awscloudwatch.TreatMissingData_BREACHING
	isGood    = awscloudwatch.TreatMissingData_NOT_BREACHING
	keepsTold = awscloudwatch.TreatMissingData_IGNORE // what was so before still is
)

// addAlarm adds an alarm to scope, which tells the topic when it goes off and when it is over.
func addAlarm(scope constructs.Construct, topic awssns.ITopic, a alarm) awscloudwatch.Alarm {
	made := awscloudwatch.NewAlarm(scope, &a.id, &awscloudwatch.AlarmProps{
		AlarmDescription:   &a.says,
		Metric:             a.metric,
		ComparisonOperator: a.is,
		Threshold:          &a.threshold,
		EvaluationPeriods:  jsii.Number(a.periods),
		TreatMissingData:   a.missing,
	})
	tell := awscloudwatchactions.NewSnsAction(topic)
	made.AddAlarmAction(tell)
	made.AddOkAction(tell)
	return made
}

// alarmsPage is where it stands what to do on each alarm.
const alarmsPage = "docs/production.md, Alarms"

// says is the text of an alarm, for somebody whom a mail wakes up.
func says(environment, what, page string) string {
	return "Drawbridge " + environment + ": " + what + ". What to do: " + page + "."
}

// metric is one of CloudWatch, with one value for each period of so many minutes.
func metric(namespace, name string, statistic *string, minutes int, dimensions map[string]*string) awscloudwatch.Metric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: &namespace, MetricName: &name, Statistic: statistic,
		Period: awscdk.Duration_Minutes(jsii.Number(minutes)), DimensionsMap: &dimensions,
	})
}
