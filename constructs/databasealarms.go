package constructs

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// DatabaseAlarmsProps says what is watched, and who is told.
type DatabaseAlarmsProps struct {
	Database *Database
	Replicas []*ReadReplica
	Function *DatabaseFunction
	Topic    awssns.ITopic

	// EnvironmentName stands in what alarms say.
	EnvironmentName string
}

// DatabaseAlarms watch the database, its replicas and its function.
type DatabaseAlarms struct {
	constructs.Construct
}

// NewDatabaseAlarms adds DatabaseAlarms to scope.
func NewDatabaseAlarms(scope constructs.Construct, id string, props *DatabaseAlarmsProps) *DatabaseAlarms {
	a := &DatabaseAlarms{Construct: constructs.NewConstruct(scope, &id)}
	says := func(format string, values ...any) string {
		return says(props.EnvironmentName, fmt.Sprintf(format, values...), alarmsPage)
	}
	addServerAlarms(a.Construct, "the database", props.Database.Instance.InstanceIdentifier(), props.Database, props.Topic, says)
	for i, replica := range props.Replicas {
		name := fmt.Sprintf("read replica %d", i+1)
		scope := constructs.NewConstruct(a.Construct, jsii.String(fmt.Sprintf("Replica%d", i+1)))
		addServerAlarms(scope, name, replica.Instance.InstanceIdentifier(), props.Database, props.Topic, says)
		addLagAlarm(scope, name, replica, props.Topic, says)
	}
	addAlarm(a.Construct, props.Topic, alarm{
		id: "FunctionErrors", is: atLeast, threshold: 1, periods: 1,
		metric: metric("AWS/Lambda", "Errors", awscloudwatch.Stats_SUM(), 5, map[string]*string{"FunctionName": props.Function.Function.FunctionName()}),
		// No value means that it was not called, as on most days.
		missing: isGood,
		says:    says("the Lambda function that keeps the MySQL users has failed, in a deployment or while it rotated a password"),
	})
	return a
}

// addLagAlarm adds the alarm of a replica that is behind, or does not replicate at all: then its lag is -1 ("Monitoring
// replication lag for MySQL read replicas", Amazon RDS User Guide).
func addLagAlarm(scope constructs.Construct, name string, replica *ReadReplica, topic awssns.ITopic, says func(string, ...any) string) {
	const day = 86400
	addAlarm(scope, topic, alarm{
		id: "Lag", is: moreThan, threshold: lagSeconds, periods: 10,
		metric: awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
			Expression: jsii.String(fmt.Sprintf("IF(lag < 0, %d, lag)", day)),
			Label:      jsii.String("Seconds behind the database"),
			Period:     awscdk.Duration_Minutes(jsii.Number(1)),
			UsingMetrics: &map[string]awscloudwatch.IMetric{
				"lag": metric("AWS/RDS", "ReplicaLag", awscloudwatch.Stats_MAXIMUM(), 1, map[string]*string{"DBInstanceIdentifier": replica.Instance.InstanceIdentifier()}),
			},
		}),
		// Who reads from it must not be told by nothing at all.
		missing: isBad,
		says:    says("%s has been more than %d seconds behind the database for 10 minutes, or does not replicate any more, so that pages and dashboards show old data", name, lagSeconds),
	})
}

// lagSeconds is how far behind a replica may be.
const lagSeconds = 60

// silentMinutes is how long a server may say nothing: longer than a restart and a failover take.
const silentMinutes = 10

// addServerAlarms adds the alarms of one MySQL server. One that is full or busy may not even say so any more: what it said last
// still holds, and one alarm is about its silence.
func addServerAlarms(scope constructs.Construct, name string, identifier *string, database *Database, topic awssns.ITopic, says func(string, ...any) string) {
	of := map[string]*string{"DBInstanceIdentifier": identifier}
	addAlarm(scope, topic, alarm{
		id: "Silent", is: lessThan, threshold: 1, periods: silentMinutes, missing: isBad,
		// How many connections it has is known to MySQL alone. Its processor's use is measured by the hypervisor ("Monitoring
		// OS metrics with Enhanced Monitoring", Amazon RDS User Guide), with or without a MySQL that runs.
		metric: metric("AWS/RDS", "DatabaseConnections", awscloudwatch.Stats_SAMPLE_COUNT(), 1, of),
		says:   says("%s has said nothing for %d minutes: it is down, or somebody has stopped it", name, silentMinutes),
	})
	addAlarm(scope, topic, alarm{
		id: "CPU", is: moreThan, threshold: 90, periods: 3, missing: keepsTold,
		metric: metric("AWS/RDS", "CPUUtilization", awscloudwatch.Stats_AVERAGE(), 5, of),
		says:   says("%s has used more than 90 %% of its processor for 15 minutes, so that pages are slow", name),
	})
	const tenth = 1 << 30 / 10.0 // of a GiB
	addAlarm(scope, topic, alarm{
		id: "FreeStorage", is: lessThan, threshold: float64(database.storageGiB) * tenth, periods: 1, missing: keepsTold,
		metric: metric("AWS/RDS", "FreeStorageSpace", awscloudwatch.Stats_MINIMUM(), 5, of),
		says:   says("less than a tenth of the %d GiB of %s is free; when none is, it stops", database.storageGiB, name),
	})
	if limit := likelyConnections(database.instanceClass); limit > 0 {
		addAlarm(scope, topic, alarm{
			id: "Connections", is: moreThan, threshold: float64(limit), periods: 1, missing: keepsTold,
			metric: metric("AWS/RDS", "DatabaseConnections", awscloudwatch.Stats_MAXIMUM(), 5, of),
			says:   says("%s has more than %d connections, and soon takes no more of them", name, limit),
		})
	}
}
