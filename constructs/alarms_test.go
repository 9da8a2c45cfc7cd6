package constructs_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"drawbridge/constructs"
	"drawbridge/internal/cdktest"
)

func alarms(t *testing.T, emails ...string) cdktest.Template {
	t.Helper()
	return template(t, func(stack awscdk.Stack) {
		constructs.NewAlarms(stack, "Alarms", &constructs.AlarmsProps{Emails: emails})
	})
}

func TestAlarmsAreMailedToEachAddress(t *testing.T) {
	const first, second = "oncall@example.com", "o'f+g/h@sub.example.com"
	made := alarms(t, first, second)
	topic := "${" + made.One(t, "AWS::SNS::Topic").ID + "}"
	var got []string
	for _, s := range made.Resources("AWS::SNS::Subscription") {
		check(t, s.Properties, map[string]any{"Protocol": "email", "TopicArn": topic})
		got = append(got, s.Properties["Endpoint"].(string))
	}
	same(t, listed([]any{got[0], got[1]}), listed([]any{first, second}))

	t.Run("whose subscriptions stay when another comes before them", func(t *testing.T) {
		alone := alarms(t, second).One(t, "AWS::SNS::Subscription")
		same(t, called(t, made, "AWS::SNS::Subscription", strings.TrimPrefix(alone.ID, "Alarms")).Properties["Endpoint"], second)
	})
}

func TestAlarmsPublishToTheTopicOverTLSAndNobodyElseMay(t *testing.T) {
	made := alarms(t)
	topic := "${" + made.One(t, "AWS::SNS::Topic").ID + "}"
	policy := made.One(t, "AWS::SNS::TopicPolicy").Properties
	same(t, policy["Topics"], []any{topic})
	checkStatements(t, policy["PolicyDocument"],
		`Deny sns:Publish on `+topic+` Principal "*" Condition {"Bool":{"aws:SecureTransport":"false"}}`,
		`Allow sns:Publish on `+topic+` Principal {"Service":"cloudwatch.amazonaws.com"} Condition {"ArnLike":{"aws:SourceArn":"arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*"},"StringEquals":{"aws:SourceAccount":"${AWS::AccountId}"}}`)
}
