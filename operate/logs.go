package operate

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// beanstalkLogs are the files that Beanstalk streams to CloudWatch on this platform (AWS Elastic Beanstalk Developer Guide,
// "Using Elastic Beanstalk with Amazon CloudWatch Logs"): one log group each.
var beanstalkLogs = map[string]string{
	"app":        "/var/log/web.stdout.log", // what the Procfile's process web writes
	"access":     "/var/log/nginx/access.log",
	"error":      "/var/log/nginx/error.log",
	"deployment": "/var/log/eb-engine.log",
}

// hostLogs are in the journals of the two hosts, which Session Manager reads.
var hostLogs = []string{"jump", "tunnel"}

// functionLog is that of the Lambda function, in a log group of the Database stack.
const functionLog = "function"

func logNames() string {
	names := append(slices.Collect(maps.Keys(beanstalkLogs)), hostLogs...)
	names = append(names, functionLog)
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// sinceForm is what both aws logs tail and journalctl take: a number and a unit.
var sinceForm = regexp.MustCompile(`^[1-9][0-9]{0,4}[smhdw]$`)

// logs shows one log of the environment.
func (o *Operator) logs(ctx context.Context) error {
	name, since := cmp.Or(o.Log, "app"), cmp.Or(o.Since, "10m")
	if !sinceForm.MatchString(since) {
		return fmt.Errorf("SINCE=%s is not how far back: give a number with s, m, h, d or w, such as 10m", o.Since)
	}
	switch {
	case beanstalkLogs[name] != "":
		there, err := o.deployed(ctx)
		if err != nil {
			return err
		}
		environment, err := o.need(there, "WebApp", "WebAppEnvironment")
		if err != nil {
			return err
		}
		return o.tail(ctx, "/aws/elasticbeanstalk/"+environment+beanstalkLogs[name], since)
	case name == functionLog:
		group, err := o.functionLogGroup(ctx)
		if err != nil {
			return err
		}
		return o.tail(ctx, group, since)
	case slices.Contains(hostLogs, name):
		return o.journal(ctx, name, since)
	}
	return fmt.Errorf("LOG=%s is no log: give one of %s", o.Log, logNames())
}

func (o *Operator) tail(ctx context.Context, group, since string) error {
	var answer struct {
		LogGroups []struct{ LogGroupName string }
	}
	if err := o.aws.answer(ctx, &answer, "logs", "describe-log-groups", "--log-group-name-prefix", group); err != nil {
		return err
	}
	if !slices.ContainsFunc(answer.LogGroups, func(g struct{ LogGroupName string }) bool { return g.LogGroupName == group }) {
		return fmt.Errorf("the log group %s is not in %s: it is there once something has been logged, and 'make shell-web ENV=%s' leads to the file itself", group, o.where(), o.Env.Name)
	}
	// Version 1 has no logs tail, and would answer with a list of all that it has.
	if text, err := (awsCLI{}).text(ctx, "--version"); err != nil {
		return err
	} else if v, ok := versionIn(text); ok && v.before(version{2}) {
		return &Failure{Kind: OldCLI, Call: "aws logs tail", Said: text}
	}
	fmt.Fprintf(o.Stderr, "%s, the last %s:\n", group, since)
	args := []string{"logs", "tail", group, "--since", since, "--format", "short"}
	if o.Follow {
		args = append(args, "--follow")
	}
	return o.become(args...)
}

// functionLogGroup is the log group of the function that works on the database.
func (o *Operator) functionLogGroup(ctx context.Context) (string, error) {
	id, err := o.physicalID(ctx, "Database", "DatabaseHostname", func(r resource) bool {
		return r.ResourceType == "AWS::Logs::LogGroup" && strings.HasPrefix(r.LogicalResourceId, "DatabaseFunction")
	})
	if id != "" || err != nil {
		return id, err
	}
	return "", fmt.Errorf("the stack %s has no log group of its function: deploy it again with 'make deploy ENV=%s'", o.stackName("Database"), o.Env.Name)
}

// journal shows a host's own journal, on the host.
func (o *Operator) journal(ctx context.Context, host, since string) error {
	if err := needPlugin(); err != nil {
		return err
	}
	find := o.jumpServer
	if host == "tunnel" {
		find = o.tunnelHost
	}
	instance, err := find(ctx)
	if err != nil {
		return err
	}
	// A minus before a span of time means that long ago (systemd.time(7)).
	command := "sudo journalctl --no-pager --since=-" + since
	if o.Follow {
		command += " --follow"
	}
	return o.onHost(instance, command)
}
