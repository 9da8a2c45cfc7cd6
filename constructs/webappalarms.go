package constructs

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
)

const (
	requests5xx = "ApplicationRequests5xx"

	// latency is the average either of all requests without the slowest in a hundred ("Publishing Amazon CloudWatch custom
	// metrics for an environment", AWS Elastic Beanstalk Developer Guide) or of these slowest (Latency, Elastic Beanstalk API
	// Reference). The load balancer's checks, each answered at once, count in it. So it is the one that hides least.
	latency = "ApplicationLatencyP99"

	// degraded is what Elastic Beanstalk's health is from Degraded on ("Publishing Amazon CloudWatch custom metrics for an
	// environment", AWS Elastic Beanstalk Developer Guide).
	degraded = 20
)

// webAppMetrics has Elastic Beanstalk publish the metrics of an environment that it does not publish by itself, 60 being
// the only interval it takes. They are there with and without a load balancer, whose own metrics have a name that only
// Elastic Beanstalk knows.
var webAppMetrics = map[string]any{
	"CloudWatchMetrics": map[string]any{"Environment": map[string]any{requests5xx: 60, latency: 60}, "Instance": map[string]any{}},
	"Version":           1,
}

// WebAppAlarmsProps says what is watched, and who is told.
type WebAppAlarmsProps struct {
	WebApp *WebApp
	Topic  awssns.ITopic

	// EnvironmentName stands in what alarms say.
	EnvironmentName string
}

// WebAppAlarms watch the web app as Elastic Beanstalk sees it.
type WebAppAlarms struct {
	constructs.Construct
}

// NewWebAppAlarms adds WebAppAlarms to scope.
func NewWebAppAlarms(scope constructs.Construct, id string, props *WebAppAlarmsProps) *WebAppAlarms {
	a := &WebAppAlarms{Construct: constructs.NewConstruct(scope, &id)}
	says := func(what string) string { return says(props.EnvironmentName, what, alarmsPage) }
	measured := func(name string, statistic *string, minutes int) awscloudwatch.Metric {
		return metric("AWS/ElasticBeanstalk", name, statistic, minutes, map[string]*string{"EnvironmentName": props.WebApp.Environment.Ref()})
	}
	addAlarm(a.Construct, props.Topic, alarm{
		id: "Health", is: atLeast, threshold: degraded, periods: 5,
		metric: measured("EnvironmentHealth", awscloudwatch.Stats_MINIMUM(), 1),
		// It is measured whether or not anybody visits.
		missing: isBad,
		says:    says("Elastic Beanstalk has called the web app's health degraded or severe for 5 minutes, or has not known it"),
	})
	// Without requests there is nothing to measure.
	addAlarm(a.Construct, props.Topic, alarm{
		id: "ServerErrors", is: atLeast, threshold: 10, periods: 1, missing: isGood,
		metric: measured(requests5xx, awscloudwatch.Stats_SUM(), 5),
		says:   says("the web app has answered 10 requests or more of the last 5 minutes with an error of its own (5xx)"),
	})
	addAlarm(a.Construct, props.Topic, alarm{
		id: "Latency", is: moreThan, threshold: 3, periods: 3, missing: isGood,
		metric: measured(latency, awscloudwatch.Stats_AVERAGE(), 5),
		says:   says("the web app has been slow for 15 minutes: Elastic Beanstalk measures its latency (P99) as more than 3 seconds"),
	})
	return a
}
