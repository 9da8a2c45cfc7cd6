package operate

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// heartbeatNamespace is where the tunnel host reports to.
const heartbeatNamespace = "Drawbridge"

// siteTimeout is how long the site may take to answer.
const siteTimeout = 10 * time.Second

// section is a part of the screen: a label, and lines.
type section struct {
	label string
	lines []string
}

// status shows one screen. What cannot be found out is a line of it, and no failure.
func (o *Operator) status(ctx context.Context) error {
	there, err := o.deployed(ctx)
	if err != nil {
		return err
	}
	asks := []func(context.Context, stacks) []section{
		o.stacksStatus, o.databaseStatus, o.webAppStatus, o.siteStatus, o.tunnelStatus, o.alarmStatus, o.mailStatus,
	}
	sections := make([][]section, len(asks))
	var all sync.WaitGroup
	for i, ask := range asks {
		all.Go(func() { sections[i] = ask(ctx, there) })
	}
	all.Wait()

	o.say("Environment %s, %s", o.Env.Name, o.where())
	for _, some := range sections {
		for _, s := range some {
			for i, line := range s.lines {
				label := ""
				if i == 0 {
					label = s.label
				}
				o.say("%-12s %s", label, line)
			}
		}
	}
	return nil
}

func one(label, format string, args ...any) []section {
	return []section{{label, []string{fmt.Sprintf(format, args...)}}}
}

func (o *Operator) stacksStatus(_ context.Context, there stacks) []section {
	s := section{label: "stacks"}
	for _, part := range parts {
		state := "not deployed"
		switch {
		case there[part] != nil:
			state = there[part].describe()
		case part == "Tunnel" && len(o.Env.Tunnels) == 0:
			state = "none: the config has no tunnels"
		}
		s.lines = append(s.lines, fmt.Sprintf("%-9s %s", part, state))
	}
	last := there.last()
	if last == nil {
		return []section{s}
	}
	return []section{s, {"last change", []string{last.StackName + ", " + when(last.changed())}}}
}

func (o *Operator) databaseStatus(ctx context.Context, there stacks) []section {
	db, err := o.database(ctx, there)
	switch {
	case err != nil:
		return one("database", "not known: %v", err)
	case db == nil:
		return one("database", "not deployed")
	}
	exposure := db.exposure()
	if planned := string(o.Env.Exposure); planned != exposure {
		exposure += ": the config says " + planned + ", which the next 'make deploy' makes it"
	}
	shown := section{label: "database", lines: []string{db.describe()}}
	replicas, err := o.replicas(ctx, there)
	if err != nil {
		shown.lines = append(shown.lines, fmt.Sprintf("its replicas are not known: %v", err))
	}
	for _, replica := range replicas {
		line := "replica " + replica.describe()
		for _, info := range replica.StatusInfos {
			line += ", " + info.Status + reason(info.Message)
		}
		shown.lines = append(shown.lines, line)
	}
	return []section{shown, {"exposure", []string{exposure}}}
}

func (d *database) describe() string {
	return fmt.Sprintf("%s, %s, MySQL %s on %s", d.DBInstanceIdentifier, d.DBInstanceStatus, d.EngineVersion, d.DBInstanceClass)
}

func (o *Operator) webAppStatus(ctx context.Context, there stacks) []section {
	name := there.output("WebApp", "WebAppEnvironment")
	if name == "" {
		return one("web app", "not deployed")
	}
	var answer struct {
		Status, Color, HealthStatus string
		Causes                      []string
	}
	if err := o.aws.answer(ctx, &answer, "elasticbeanstalk", "describe-environment-health", "--environment-name", name,
		"--attribute-names", "Status", "Color", "HealthStatus", "Causes"); err != nil {
		return one("web app", "not known: %v", err)
	}
	lines := []string{fmt.Sprintf("%s, %s, %s", name, answer.Status, strings.TrimSpace(answer.HealthStatus+" "+answer.Color))}
	return []section{{"web app", append(lines, answer.Causes...)}}
}

// siteStatus asks the site itself. That it does not answer may have to do with who asks: visitorCidrs.
func (o *Operator) siteStatus(ctx context.Context, there stacks) []section {
	address := there.output("WebApp", "WebAppURL")
	if address == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, siteTimeout)
	defer cancel()
	text, err := get(ctx, strings.TrimSuffix(address, "/")+"/readyz", "")
	// The load balancer's own name is not the certificate's, which visitors use.
	name := ""
	if wrong := new(x509.HostnameError); errors.As(err, wrong) && len(wrong.Certificate.DNSNames) > 0 {
		name = strings.Replace(wrong.Certificate.DNSNames[0], "*", "www", 1)
		address += ", as " + name + ","
		text, err = get(ctx, strings.TrimSuffix(there.output("WebApp", "WebAppURL"), "/")+"/readyz", name)
	}
	if err != nil {
		return one("site", "%s does not say that it is ready: %v", address, err)
	}
	return one("site", "%s is %s", address, strings.TrimSpace(text))
}

// tunnelStatus reads the last heartbeat of each tunnel.
func (o *Operator) tunnelStatus(ctx context.Context, there stacks) []section {
	if there["Tunnel"] == nil || len(o.Env.Tunnels) == 0 {
		return nil
	}
	type dimension struct{ Name, Value string }
	type query struct {
		Id         string
		MetricStat struct {
			Metric struct {
				Namespace, MetricName string
				Dimensions            []dimension
			}
			Period int
			Stat   string
		}
	}
	queries := make([]query, len(o.Env.Tunnels))
	for i, tunnel := range o.Env.Tunnels {
		q := &queries[i]
		q.Id = "t" + strconv.Itoa(i)
		stat := &q.MetricStat
		stat.Metric.Namespace, stat.Metric.MetricName, stat.Period, stat.Stat = heartbeatNamespace, "TunnelUp", 60, "Maximum"
		stat.Metric.Dimensions = []dimension{{"Environment", o.Env.Name}, {"Tunnel", tunnel.Name}}
	}
	text, err := json.Marshal(queries)
	if err != nil {
		return one("tunnels", "not known: %v", err)
	}
	now := time.Now().UTC()
	var answer struct {
		MetricDataResults []struct {
			Id         string
			Timestamps []moment
			Values     []float64
		}
	}
	if err := o.aws.answer(ctx, &answer, "cloudwatch", "get-metric-data", "--metric-data-queries", string(text),
		"--start-time", now.Add(-time.Hour).Format(time.RFC3339), "--end-time", now.Format(time.RFC3339), "--scan-by", "TimestampDescending"); err != nil {
		return one("tunnels", "not known: %v", err)
	}
	var sections []section
	for i, tunnel := range o.Env.Tunnels {
		line := "no heartbeat for an hour: 'make tunnel-test' says why"
		for _, result := range answer.MetricDataResults {
			if result.Id == queries[i].Id && len(result.Values) > 0 && len(result.Timestamps) == len(result.Values) {
				line = "down"
				if result.Values[0] >= 1 {
					line = "up"
				}
				line += ", heartbeat " + ago(now.Sub(result.Timestamps[0].Time))
			}
		}
		sections = append(sections, section{"tunnel " + tunnel.Name, []string{line}})
	}
	return sections
}

// mailStatus names the addresses that no alarm reaches yet: SNS asks each, with a mail, and waits for a click.
func (o *Operator) mailStatus(ctx context.Context, there stacks) []section {
	topic := there.output("Network", "AlarmsTopicArn")
	if topic == "" {
		return nil
	}
	var answer struct {
		Subscriptions []struct{ SubscriptionArn, Endpoint string }
	}
	if err := o.aws.answer(ctx, &answer, "sns", "list-subscriptions-by-topic", "--topic-arn", topic); err != nil {
		return one("mails", "not known: %v", err)
	}
	if len(answer.Subscriptions) == 0 {
		return one("mails", "alarms are mailed to nobody: alarms.emails in the config")
	}
	s := section{label: "mails"}
	for _, subscription := range answer.Subscriptions {
		state := "alarms are mailed to "
		if !strings.HasPrefix(subscription.SubscriptionArn, "arn:") { // PendingConfirmation, or Deleted
			state = "no alarm reaches it before the link in SNS's mail is clicked: "
		}
		s.lines = append(s.lines, state+subscription.Endpoint)
	}
	return []section{s}
}

// alarmStatus lists what is in ALARM of the environment's own alarms, whose names start with their stacks'.
func (o *Operator) alarmStatus(ctx context.Context, _ stacks) []section {
	type alarm struct{ AlarmName, AlarmDescription, StateValue string }
	var answer struct{ MetricAlarms, CompositeAlarms []alarm }
	if err := o.aws.answer(ctx, &answer, "cloudwatch", "describe-alarms", "--alarm-name-prefix", o.stackName("")); err != nil {
		return one("alarms", "not known: %v", err)
	}
	s := section{label: "alarms"}
	count, silent := 0, 0
	for _, a := range append(answer.MetricAlarms, answer.CompositeAlarms...) {
		if _, ours := o.part(a.AlarmName); !ours {
			continue
		}
		count++
		switch a.StateValue {
		case "ALARM":
			text := a.AlarmDescription
			if text == "" {
				text = a.AlarmName
			}
			s.lines = append(s.lines, "ALARM: "+text)
		case "INSUFFICIENT_DATA":
			silent++
		}
	}
	if len(s.lines) == 0 {
		s.lines = []string{fmt.Sprintf("none of %d", count)}
	}
	if silent > 0 {
		s.lines = append(s.lines, fmt.Sprintf("%d without enough data", silent))
	}
	return []section{s}
}
