package operate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// parts are the stacks of an environment, in the order in which they are deployed.
var parts = []string{"Network", "Database", "Bastion", "WebApp", "Tunnel"}

// stack is one of CloudFormation's, as describe-stacks has it.
type stack struct {
	StackName, StackStatus, StackStatusReason string
	CreationTime                              moment
	LastUpdatedTime                           *moment
	EnableTerminationProtection               bool
	Outputs                                   []struct{ OutputKey, OutputValue string }
}

func (s *stack) changed() time.Time {
	if s.LastUpdatedTime != nil {
		return s.LastUpdatedTime.Time
	}
	return s.CreationTime.Time
}

// stacks are those that are deployed, by part.
type stacks map[string]*stack

func (o *Operator) stackName(part string) string { return "drawbridge-" + o.Env.Name + "-" + part }

// part is the part of an environment that has a stack of that name, such as Network for drawbridge-dev-Network. Alarms
// and the like start with their stack's name. A part starts with a capital letter, and no environment's name holds one.
func (o *Operator) part(name string) (part string, ok bool) {
	part, ok = strings.CutPrefix(name, o.stackName(""))
	return part, ok && part != "" && part[0] >= 'A' && part[0] <= 'Z'
}

// deployed asks for every stack of the region at once: a stack that is not there is no error then.
func (o *Operator) deployed(ctx context.Context) (stacks, error) {
	var answer struct{ Stacks []*stack }
	if err := o.aws.answer(ctx, &answer, "cloudformation", "describe-stacks"); err != nil {
		return nil, err
	}
	all := stacks{}
	for _, s := range answer.Stacks {
		if part, ok := o.part(s.StackName); ok {
			all[part] = s
		}
	}
	return all, nil
}

// made says that a part has its resources: a stack whose creation was rolled back, or not begun, has none, and without
// tunnels there is a Tunnel stack with no host.
func (s stacks) made(part string) bool {
	if s[part] == nil || part == "Tunnel" && s.output(part, "TunnelInstanceId") == "" {
		return false
	}
	switch s[part].StackStatus {
	case "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS":
		return false
	}
	return true
}

// output is a stack's output, or "".
func (s stacks) output(part, key string) string {
	if s[part] != nil {
		for _, output := range s[part].Outputs {
			if output.OutputKey == key {
				return output.OutputValue
			}
		}
	}
	return ""
}

// need is an output that a command cannot do without.
func (o *Operator) need(s stacks, part, key string) (string, error) {
	switch value := s.output(part, key); {
	case s[part] == nil:
		return "", fmt.Errorf("the stack %s is not in %s: deploy it with 'make deploy ENV=%s', or name the environment with ENV=…", o.stackName(part), o.where(), o.Env.Name)
	case value == "":
		return "", fmt.Errorf("the stack %s is %s and has no output %s: deploy it with 'make deploy ENV=%s'", o.stackName(part), s[part].StackStatus, key, o.Env.Name)
	default:
		return value, nil
	}
}

// last is the stack that changed last, or nil.
func (s stacks) last() *stack {
	var last *stack
	for _, one := range s {
		if last == nil || one.changed().After(last.changed()) {
			last = one
		}
	}
	return last
}

// names are the deployed parts, in the order of parts.
func (s stacks) names() []string {
	var names []string
	for _, part := range parts {
		if s[part] != nil {
			names = append(names, part)
		}
	}
	return names
}

// database is an RDS instance, as describe-db-instances has it.
type database struct {
	DBInstanceIdentifier, DBInstanceStatus, DBInstanceClass, EngineVersion string

	PubliclyAccessible, DeletionProtection, MultiAZ bool

	// StatusInfos are a read replica's.
	StatusInfos []struct{ StatusType, Status, Message string }
}

func (d *database) exposure() string {
	if d.PubliclyAccessible {
		return "public"
	}
	return "private"
}

// database asks RDS for the instance of the Database stack. There is none when the stack has not made it yet.
func (o *Operator) database(ctx context.Context, s stacks) (*database, error) {
	// The first label of an instance's endpoint is its identifier (Amazon RDS User Guide, "Finding the connection
	// information for an Amazon RDS DB instance").
	identifier, _, _ := strings.Cut(s.output("Database", "DatabaseHostname"), ".")
	if identifier == "" {
		return nil, nil
	}
	var answer struct{ DBInstances []*database }
	err := o.aws.answer(ctx, &answer, "rds", "describe-db-instances", "--db-instance-identifier", identifier)
	var failure *Failure
	if errors.As(err, &failure) && failure.Kind == NotFound {
		return nil, nil // a stack that is half deleted still says what it had
	}
	if err != nil {
		return nil, err
	}
	if len(answer.DBInstances) != 1 {
		return nil, fmt.Errorf("RDS has %d database instances %s in %s: look at the Database stack's events", len(answer.DBInstances), identifier, o.where())
	}
	return answer.DBInstances[0], nil
}

// replicas asks RDS for the read replicas of the Database stack.
func (o *Operator) replicas(ctx context.Context, s stacks) ([]*database, error) {
	var identifiers []string
	for n := 1; ; n++ {
		identifier, _, _ := strings.Cut(s.output("Database", "ReplicaHostname"+strconv.Itoa(n)), ".")
		if identifier == "" {
			break
		}
		identifiers = append(identifiers, identifier)
	}
	if len(identifiers) == 0 {
		return nil, nil
	}
	var answer struct{ DBInstances []*database }
	err := o.aws.answer(ctx, &answer, "rds", "describe-db-instances", "--filters", "Name=db-instance-id,Values="+strings.Join(identifiers, ","))
	return answer.DBInstances, err
}

// moment is a time in the CLI's answers: a text, or with cli_timestamp_format = wire in the person's own config, what the
// service sent, which may be the seconds since 1970.
type moment struct{ time.Time }

func (m *moment) UnmarshalJSON(text []byte) error {
	if seconds, err := strconv.ParseFloat(string(text), 64); err == nil {
		m.Time = time.Unix(int64(seconds), 0)
		return nil
	}
	return m.Time.UnmarshalJSON(text)
}

// when is a time as people read it, with how long ago it was.
func when(t time.Time) string {
	return t.UTC().Format("2006-01-02 15:04 UTC") + ", " + ago(time.Since(t))
}

// ago is a span of time until now, in its largest unit.
func ago(d time.Duration) string {
	count := func(n int, unit string) string {
		if n == 1 {
			return "1 " + unit + " ago"
		}
		return fmt.Sprintf("%d %ss ago", n, unit)
	}
	switch hours := int(d.Hours()); {
	case d < 2*time.Minute:
		return count(max(int(d.Seconds()), 0), "second")
	case hours < 2:
		return count(int(d.Minutes()), "minute")
	case hours < 48:
		return count(hours, "hour")
	default:
		return count(hours/24, "day")
	}
}

// describe is the state of a stack in a line.
func (s *stack) describe() string {
	return s.StackStatus + ", " + when(s.changed()) + reason(s.StackStatusReason)
}

// reason is what CloudFormation or RDS says beside a state, if it says something.
func reason(text string) string {
	if text == "" {
		return ""
	}
	return ": " + strings.Join(strings.Fields(text), " ")
}

// resources are those that a stack has now.
func (o *Operator) resources(ctx context.Context, part string) ([]resource, error) {
	var answer struct{ StackResourceSummaries []resource }
	err := o.aws.answer(ctx, &answer, "cloudformation", "list-stack-resources", "--stack-name", o.stackName(part))
	var now []resource
	for _, r := range answer.StackResourceSummaries {
		if !strings.HasPrefix(r.ResourceStatus, "DELETE") && r.PhysicalResourceId != "" {
			now = append(now, r)
		}
	}
	return now, err
}

// physicalID is the first of a part's resources that is the wanted one, or "". output is one of the part's, which it has
// as soon as it is deployed.
func (o *Operator) physicalID(ctx context.Context, part, output string, is func(resource) bool) (string, error) {
	there, err := o.deployed(ctx)
	if err != nil {
		return "", err
	}
	if _, err := o.need(there, part, output); err != nil {
		return "", err
	}
	resources, err := o.resources(ctx, part)
	if err != nil {
		return "", err
	}
	if i := slices.IndexFunc(resources, is); i >= 0 {
		return resources[i].PhysicalResourceId, nil
	}
	return "", nil
}
