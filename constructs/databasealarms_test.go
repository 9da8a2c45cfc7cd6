package constructs_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"drawbridge/constructs"
	"drawbridge/internal/cdktest"
)

// databaseAlarms watch a database of 20 GiB and its replica.
func databaseAlarms(t *testing.T) cdktest.Template {
	t.Helper()
	return template(t, func(stack awscdk.Stack) {
		network := constructs.NewNetwork(stack, "Network", &constructs.NetworkProps{Name: "test", CIDR: "10.0.0.0/16"})
		database := constructs.NewDatabase(stack, "Database", &constructs.DatabaseProps{
			Vpc: network.Vpc, Subnets: network.DatabaseSubnets(), Name: "monster_teams", MasterUsername: "admin",
			InstanceClass: "db.t4g.micro", StorageGiB: 20, BackupDays: 1,
		})
		constructs.NewDatabaseAlarms(stack, "Alarms", &constructs.DatabaseAlarmsProps{
			Database: database, Topic: topic(stack), EnvironmentName: "castle",
			Replicas: []*constructs.ReadReplica{constructs.NewReadReplica(stack, "Replica", &constructs.ReadReplicaProps{Vpc: network.Vpc, Database: database})},
			Function: constructs.NewDatabaseFunction(stack, "Function", &constructs.DatabaseFunctionProps{
				Network: network, SecretsManagerURL: jsii.String("https://secrets.example.com"), Database: database,
				Architecture: constructs.ARM64, Code: cdktest.Asset(t),
			}),
		})
	})
}

func TestDatabaseAlarms(t *testing.T) {
	made := databaseAlarms(t)
	instance := []any{map[string]any{"Name": "DBInstanceIdentifier", "Value": "${" + called(t, made, "AWS::RDS::DBInstance", "Database").ID + "}"}}
	for id, want := range map[string]map[string]any{
		"CPU": {
			"Namespace": "AWS/RDS", "MetricName": "CPUUtilization", "Dimensions": instance, "Statistic": "Average", "Period": 300, "EvaluationPeriods": 3,
			"ComparisonOperator": "GreaterThanThreshold", "Threshold": 90, "TreatMissingData": "ignore",
		},
		"FreeStorage": { // 2 GiB
			"Namespace": "AWS/RDS", "MetricName": "FreeStorageSpace", "Dimensions": instance, "Statistic": "Minimum", "Period": 300, "EvaluationPeriods": 1,
			"ComparisonOperator": "LessThanThreshold", "Threshold": 2147483648, "TreatMissingData": "ignore",
		},
		"Connections": { // about 60 of which it takes
			"Namespace": "AWS/RDS", "MetricName": "DatabaseConnections", "Dimensions": instance, "Statistic": "Maximum", "Period": 300, "EvaluationPeriods": 1,
			"ComparisonOperator": "GreaterThanThreshold", "Threshold": 42, "TreatMissingData": "ignore",
		},
		"Silent": {
			"Namespace": "AWS/RDS", "MetricName": "DatabaseConnections", "Dimensions": instance, "Statistic": "SampleCount", "Period": 60, "EvaluationPeriods": 10,
			"ComparisonOperator": "LessThanThreshold", "Threshold": 1, "TreatMissingData": "breaching",
		},
		"FunctionErrors": {
			"Namespace": "AWS/Lambda", "MetricName": "Errors", "Statistic": "Sum", "Period": 300, "EvaluationPeriods": 1,
			"Dimensions":         []any{map[string]any{"Name": "FunctionName", "Value": "${" + called(t, made, "AWS::Lambda::Function", "Function").ID + "}"}},
			"ComparisonOperator": "GreaterThanOrEqualToThreshold", "Threshold": 1, "TreatMissingData": "notBreaching",
		},
	} {
		t.Run(id, func(t *testing.T) {
			alarm := called(t, made, "AWS::CloudWatch::Alarm", "Alarms"+id).Properties
			check(t, alarm, want)
			check(t, alarm, map[string]any{"AlarmActions": []any{alarmsTopic}, "OKActions": []any{alarmsTopic}, "InsufficientDataActions": nil})
			says := alarm["AlarmDescription"].(string)
			if !strings.HasPrefix(says, "Drawbridge castle: ") || !strings.HasSuffix(says, ". What to do: docs/production.md, Alarms.") || strings.Contains(says, "%!") {
				t.Errorf("it says %q", says)
			}
		})
	}
	replica := []any{map[string]any{"Name": "DBInstanceIdentifier", "Value": "${" + called(t, made, "AWS::RDS::DBInstance", "Replica").ID + "}"}}
	t.Run("are the same for a replica", func(t *testing.T) {
		for _, id := range []string{"CPU", "FreeStorage", "Connections", "Silent"} {
			of, its := called(t, made, "AWS::CloudWatch::Alarm", "Alarms"+id).Properties, called(t, made, "AWS::CloudWatch::Alarm", "AlarmsReplica1"+id).Properties
			check(t, its, map[string]any{"Dimensions": replica})
			for _, same := range []string{"MetricName", "Threshold", "ComparisonOperator", "TreatMissingData", "EvaluationPeriods", "AlarmActions", "OKActions"} {
				check(t, its, map[string]any{same: of[same]})
			}
		}
	})
	t.Run("go off when a replica is behind, does not replicate (-1), or says nothing", func(t *testing.T) {
		lag := called(t, made, "AWS::CloudWatch::Alarm", "AlarmsReplica1Lag").Properties
		check(t, lag, map[string]any{
			"ComparisonOperator": "GreaterThanThreshold", "Threshold": 60, "EvaluationPeriods": 10, "TreatMissingData": "breaching",
			"Metrics": []any{
				map[string]any{"Id": "expr_1", "Expression": "IF(lag < 0, 86400, lag)", "Label": "Seconds behind the database", "ReturnData": true},
				map[string]any{"Id": "lag", "ReturnData": false, "MetricStat": map[string]any{
					"Metric": map[string]any{"Namespace": "AWS/RDS", "MetricName": "ReplicaLag", "Dimensions": replica}, "Period": 60, "Stat": "Maximum",
				}},
			},
		})
	})
	if all := made.Resources("AWS::CloudWatch::Alarm"); len(all) != 10 {
		t.Errorf("%d alarms", len(all))
	}
}
