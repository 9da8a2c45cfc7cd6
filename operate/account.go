package operate

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

const (
	// bootstrapParameter holds the version of what cdk bootstrap made (AWS CDK Developer Guide, "Bootstrapping").
	bootstrapParameter = "/cdk-bootstrap/hnb659fds/version"

	// bootstrapVersion is what the templates ask for: requiresBootstrapStackVersion in the cloud assembly's manifest.
	bootstrapVersion = 8
)

// accountFindings asks AWS everything at once, and answers in a fixed order.
func (o *Operator) accountFindings(ctx context.Context) []finding {
	there, err := o.deployed(ctx)
	if err != nil {
		return []finding{found(problem, "the stacks cannot be listed: %v", err)}
	}
	types, typesErr := o.instanceTypes(ctx)
	needs := o.needs(there, types)

	asks := []func(context.Context) finding{
		o.bootstrapFinding,
		func(ctx context.Context) finding { return o.quotaFinding(ctx, elasticIPs, needs) },
		func(ctx context.Context) finding { return o.quotaFinding(ctx, vpcs, needs) },
		func(ctx context.Context) finding { return o.quotaFinding(ctx, internetGateways, needs) },
		func(ctx context.Context) finding {
			if typesErr != nil {
				return found(unknown, "the instance types of the config: %v", typesErr)
			}
			return o.quotaFinding(ctx, vCPUs, needs)
		},
		func(ctx context.Context) finding { return o.planFinding(ctx, types, typesErr) },
	}
	findings := make([]finding, len(asks))
	var all sync.WaitGroup
	for i, ask := range asks {
		all.Go(func() { findings[i] = ask(ctx) })
	}
	all.Wait()
	return findings
}

func (o *Operator) bootstrapFinding(ctx context.Context) finding {
	command := fmt.Sprintf("'npx cdk bootstrap aws://%s/%s'", o.account.Account, o.aws.region)
	var answer struct{ Parameter struct{ Value string } }
	err := o.aws.answer(ctx, &answer, "ssm", "get-parameter", "--name", bootstrapParameter)
	var failure *Failure
	if errors.As(err, &failure) && failure.Kind == NotFound {
		return found(problem, "account and region are not prepared for the CDK: run %s, once", command)
	}
	if err != nil {
		return found(unknown, "whether account and region are prepared for the CDK: %v", err)
	}
	switch n, err := strconv.Atoi(answer.Parameter.Value); {
	case err != nil:
		return found(problem, "the parameter %s is %q, which is no version: run %s", bootstrapParameter, answer.Parameter.Value, command)
	case n < bootstrapVersion:
		return found(problem, "account and region are prepared for the CDK in version %d, and the templates need %d: run %s", n, bootstrapVersion, command)
	default:
		return found(fine, "account and region are prepared for the CDK, version %d", n)
	}
}

// quota is one of AWS's limits on a region of an account, and how its use is counted. The codes are those of Service
// Quotas.
type quota struct {
	what          string
	service, code string
	used          func(*Operator, context.Context) (int, error)
}

var (
	elasticIPs       = quota{"Elastic IP addresses", "ec2", "L-0263D0A3", (*Operator).usedAddresses}
	vpcs             = quota{"VPCs", "vpc", "L-F678F1CE", (*Operator).usedVPCs}
	internetGateways = quota{"internet gateways", "vpc", "L-A4707A72", (*Operator).usedGateways}
	vCPUs            = quota{"vCPUs of standard on-demand instances", "ec2", "L-1216C47A", (*Operator).usedVCPUs}
)

// needs is how many of each the environment takes beyond what it has: a part whose stack is there has its own.
func (o *Operator) needs(there stacks, types map[string]instanceType) map[string]int {
	needs := map[string]int{}
	take := func(part string, quota quota, n int) {
		if !there.made(part) {
			needs[quota.code] += n
		}
	}
	take("Network", vpcs, 1)
	take("Network", internetGateways, 1)
	take("Bastion", elasticIPs, 1)
	take("Bastion", vCPUs, types[o.Env.Bastion.InstanceType].vCPUs())
	if len(o.Env.Tunnels) > 0 {
		take("Tunnel", elasticIPs, 1)
		take("Tunnel", vCPUs, types[o.Env.Architecture.HostInstanceType()].vCPUs())
	}
	web := types[o.Env.WebApp.InstanceType].vCPUs()
	if o.Env.WebApp.LoadBalanced {
		take("WebApp", vCPUs, o.Env.WebApp.MinInstances*web) // Without Elastic IPs.
	} else {
		take("WebApp", elasticIPs, 1)
		take("WebApp", vCPUs, web)
	}
	return needs
}

func (o *Operator) quotaFinding(ctx context.Context, q quota, needs map[string]int) finding {
	need := needs[q.code]
	limit, err := o.limit(ctx, q)
	if err != nil {
		return found(unknown, "how many %s there may be: %v", q.what, err)
	}
	used, err := q.used(o, ctx)
	if err != nil {
		return found(unknown, "how many %s there are: %v", q.what, err)
	}
	text := fmt.Sprintf("%s: %d of %d used, and %s takes %d more", q.what, used, limit, o.Env.Name, need)
	if used+need > limit {
		return found(problem, "%s: release some, or ask for a quota of %d with 'aws service-quotas request-service-quota-increase --service-code %s --quota-code %s --desired-value %d --region %s'",
			text, used+need, q.service, q.code, used+need, o.aws.region)
	}
	return finding{fine, text}
}

// limit is the account's own, or AWS's where the account has none of its own.
func (o *Operator) limit(ctx context.Context, q quota) (int, error) {
	var answer struct{ Quota struct{ Value float64 } }
	err := o.aws.answer(ctx, &answer, "service-quotas", "get-service-quota", "--service-code", q.service, "--quota-code", q.code)
	var failure *Failure
	if errors.As(err, &failure) && failure.Kind == NotFound {
		err = o.aws.answer(ctx, &answer, "service-quotas", "get-aws-default-service-quota", "--service-code", q.service, "--quota-code", q.code)
	}
	return int(answer.Quota.Value), err
}

func (o *Operator) usedAddresses(ctx context.Context) (int, error) {
	var answer struct{ Addresses []struct{} }
	err := o.aws.answer(ctx, &answer, "ec2", "describe-addresses")
	return len(answer.Addresses), err
}

func (o *Operator) usedVPCs(ctx context.Context) (int, error) {
	var answer struct{ Vpcs []struct{} }
	err := o.aws.answer(ctx, &answer, "ec2", "describe-vpcs")
	return len(answer.Vpcs), err
}

func (o *Operator) usedGateways(ctx context.Context) (int, error) {
	var answer struct{ InternetGateways []struct{} }
	err := o.aws.answer(ctx, &answer, "ec2", "describe-internet-gateways")
	return len(answer.InternetGateways), err
}

// standard is an instance type of the families that the quota is for, A, C, D, H, I, M, R, T and Z (Amazon EC2 User Guide,
// "Amazon EC2 On-Demand Instance quotas"), and not of inf, trn, dl, hpc or mac.
var standard = regexp.MustCompile(`^([acdhmrtz]|i|im|is)[0-9]`)

// usedVCPUs counts what runs of these.
func (o *Operator) usedVCPUs(ctx context.Context) (int, error) {
	var answer struct {
		Reservations []struct {
			Instances []struct {
				InstanceType, InstanceLifecycle string
				CpuOptions                      struct{ CoreCount, ThreadsPerCore int }
			}
		}
	}
	err := o.aws.answer(ctx, &answer, "ec2", "describe-instances", "--filters", "Name=instance-state-name,Values=pending,running")
	used := 0
	for _, reservation := range answer.Reservations {
		for _, instance := range reservation.Instances {
			if instance.InstanceLifecycle == "" && standard.MatchString(instance.InstanceType) {
				used += instance.CpuOptions.CoreCount * instance.CpuOptions.ThreadsPerCore
			}
		}
	}
	return used, err
}

// instanceType is what EC2 says of one.
type instanceType struct {
	InstanceType     string
	FreeTierEligible bool
	VCpuInfo         struct{ DefaultVCpus int }
}

func (t instanceType) vCPUs() int { return t.VCpuInfo.DefaultVCpus }

// instanceTypes are those of the environment's hosts.
func (o *Operator) instanceTypes(ctx context.Context) (map[string]instanceType, error) {
	names := []string{o.Env.Bastion.InstanceType, o.Env.WebApp.InstanceType}
	if len(o.Env.Tunnels) > 0 {
		names = append(names, o.Env.Architecture.HostInstanceType())
	}
	slices.Sort(names)
	var answer struct{ InstanceTypes []instanceType }
	err := o.aws.answer(ctx, &answer, append([]string{"ec2", "describe-instance-types", "--instance-types"}, slices.Compact(names)...)...)
	types := map[string]instanceType{}
	for _, t := range answer.InstanceTypes {
		types[t.InstanceType] = t
	}
	return types, err
}

// planFinding compares the config with what an account on the free plan may have: free-tier instance types, and of RDS
// micro classes with a day of backups, beyond which it answers FreeTierRestrictionError.
func (o *Operator) planFinding(ctx context.Context, types map[string]instanceType, typesErr error) finding {
	var answer struct{ AccountPlanType, AccountPlanStatus string }
	// The service is in one region.
	if err := o.aws.answer(ctx, &answer, "freetier", "get-account-plan-state", "--region", "us-east-1"); err != nil {
		return found(unknown, "the account's plan: %v", err)
	}
	if answer.AccountPlanType != "FREE" {
		return found(fine, "the account is on the paid plan")
	}
	if answer.AccountPlanStatus == "EXPIRED" {
		return found(problem, "the account's free plan is over: upgrade it to the paid plan in the console, Billing and Cost Management")
	}
	var over []string
	db := o.Env.Database
	if !strings.HasSuffix(db.InstanceClass, ".micro") {
		over = append(over, fmt.Sprintf("database.instanceClass %s is no micro class", db.InstanceClass))
	}
	if db.BackupDays > 1 {
		over = append(over, fmt.Sprintf("database.backupDays %d is more than 1", db.BackupDays))
	}
	for name, t := range types {
		if !t.FreeTierEligible {
			over = append(over, "the instance type "+name+" is not for it")
		}
	}
	if len(over) == 0 && typesErr != nil {
		return found(unknown, "the account is on the free plan, and whether it takes the instance types of the config is not known: %v", typesErr)
	}
	if len(over) == 0 {
		return found(fine, "the account is on the free plan, and the config keeps to it")
	}
	slices.Sort(over)
	return found(problem, "the account is on the free plan, which refuses the config of %s: %s; change that, or upgrade to the paid plan in the console, Billing and Cost Management",
		o.Env.Name, strings.Join(over, ", "))
}
