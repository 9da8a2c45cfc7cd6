package constructs_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"drawbridge/constructs"
)

func TestWebAppAlarms(t *testing.T) {
	made, _ := webAppWith(t, nil, func(stack awscdk.Stack, app *constructs.WebApp) {
		constructs.NewWebAppAlarms(stack, "Alarms", &constructs.WebAppAlarmsProps{WebApp: app, Topic: topic(stack), EnvironmentName: "castle"})
	})
	published := optionSettings(t, made)["aws:elasticbeanstalk:healthreporting:system ConfigDocument"].(string)
	environment := []any{map[string]any{"Name": "EnvironmentName", "Value": "${" + made.One(t, "AWS::ElasticBeanstalk::Environment").ID + "}"}}
	for id, want := range map[string]map[string]any{
		"Health": {
			"MetricName": "EnvironmentHealth", "Statistic": "Minimum", "Period": 60, "EvaluationPeriods": 5,
			"ComparisonOperator": "GreaterThanOrEqualToThreshold", "Threshold": 20, "TreatMissingData": "breaching",
		},
		"ServerErrors": {
			"MetricName": "ApplicationRequests5xx", "Statistic": "Sum", "Period": 300, "EvaluationPeriods": 1,
			"ComparisonOperator": "GreaterThanOrEqualToThreshold", "Threshold": 10, "TreatMissingData": "notBreaching",
		},
		"Latency": {
			"MetricName": "ApplicationLatencyP99", "Statistic": "Average", "Period": 300, "EvaluationPeriods": 3,
			"ComparisonOperator": "GreaterThanThreshold", "Threshold": 3, "TreatMissingData": "notBreaching",
		},
	} {
		t.Run(id, func(t *testing.T) {
			alarm := called(t, made, "AWS::CloudWatch::Alarm", "Alarms"+id).Properties
			check(t, alarm, want)
			check(t, alarm, map[string]any{
				"Namespace": "AWS/ElasticBeanstalk", "Dimensions": environment, "AlarmActions": []any{alarmsTopic}, "OKActions": []any{alarmsTopic},
			})
			if says := alarm["AlarmDescription"].(string); !strings.HasPrefix(says, "Drawbridge castle: ") || !strings.HasSuffix(says, ". What to do: docs/production.md, Alarms.") {
				t.Errorf("it says %q", says)
			}
			// The only one that Beanstalk publishes by itself.
			if name := alarm["MetricName"].(string); name != "EnvironmentHealth" && !strings.Contains(published, `"`+name+`":60`) {
				t.Errorf("Beanstalk does not publish %s: %s", name, published)
			}
		})
	}
	if all := made.Resources("AWS::CloudWatch::Alarm"); len(all) != 3 {
		t.Errorf("%d alarms", len(all))
	}
}
