package constructs

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
)

// DatabaseAlarmsProps says what is watched, and who is told.
type DatabaseAlarmsProps struct {
	Database *Database
	Function *DatabaseFunction
	Topic    awssns.ITopic

	// EnvironmentName stands in what alarms say.
	EnvironmentName string
}

// DatabaseAlarms watch the database and its function.
type DatabaseAlarms struct {
	constructs.Construct
}

// NewDatabaseAlarms adds DatabaseAlarms to scope.
func NewDatabaseAlarms(scope constructs.Construct, id string, props *DatabaseAlarmsProps) *DatabaseAlarms {
	a := &DatabaseAlarms{Construct: constructs.NewConstruct(scope, &id)}
	says := func(format string, values ...any) string {
		return says(props.EnvironmentName, fmt.Sprintf(format, values...), alarmsPage)
	}
	// A server that is full or stuck may not even say so any more: what it said last still holds.
	addServerAlarms(a.Construct, "", props.Database.Instance.InstanceIdentifier(), props.Database, props.Topic, says)
	addAlarm(a.Construct, props.Topic, alarm{
		id: "FunctionErrors", is: atLeast, threshold: 1, periods: 1,
		metric: metric("AWS/Lambda", "Errors", awscloudwatch.Stats_SUM(), 5, map[string]*string{"FunctionName": props.Function.Function.FunctionName()}),
		// No value means that it was not called, as on most days.
		missing: isGood,
		says:    says("the Lambda function that keeps the MySQL users has failed, in a deployment or while it rotated a password"),
	})
	return a
}

// addServerAlarms adds the alarms of one MySQL server. what is "" for the database itself.
func addServerAlarms(scope constructs.Construct, what string, identifier *string, database *Database, topic awssns.ITopic, says func(string, ...any) string) {
	name := "the database"
	if what != "" {
		name = "the " + what
	}
	of := map[string]*string{"DBInstanceIdentifier": identifier}
	addAlarm(scope, topic, alarm{
		id: "CPU", is: moreThan, threshold: 90, periods: 3, missing: keepsTold,
		metric: metric("AWS/RDS", "CPUUtilization", awscloudwatch.Stats_AVERAGE(), 5, of),
		says:   says("%s has used more than 90 %% of its processor for 15 minutes, so that pages are slow", name),
	})
	const tenth = 1 << 30 / 10.0 // of a GiB
	addAlarm(scope, topic, alarm{
		id: "FreeStorage", is: lessThan, threshold: float64(database.storageGiB) * tenth, periods: 1, missing: keepsTold,
		metric: metric("AWS/RDS", "FreeStorageSpace", awscloudwatch.Stats_MINIMUM(), 5, of),
		says:   says("less than a tenth of the %d GiB of %s is free; when none is, it takes no writes", database.storageGiB, name),
	})
	if limit := likelyConnections(database.instanceClass); limit > 0 {
		addAlarm(scope, topic, alarm{
			id: "Connections", is: moreThan, threshold: float64(limit), periods: 1, missing: keepsTold,
			metric: metric("AWS/RDS", "DatabaseConnections", awscloudwatch.Stats_MAXIMUM(), 5, of),
			says:   says("%s has more than %d connections, and soon takes no more of them", name, limit),
		})
	}
}
