package operate

import (
	"context"
	"strings"
)

// deploy is cdk deploy --all, after a look at what stands there and a question.
func (o *Operator) deploy(ctx context.Context) error {
	there, err := o.deployed(ctx)
	if err != nil {
		return err
	}
	o.say("Deploy the environment %s", o.Env.Name)
	o.sayPlace()
	o.sayThere(there)
	o.sayPhase(ctx, there)
	if err := o.askToDeploy(ctx, there); err != nil {
		return err
	}
	// The question above is the one approval: CDK would ask again for each stack that changes who may do what.
	return o.cdk(ctx, "deploy", "--all", "--require-approval", "never")
}

// deployWebApp is cdk deploy for the web app alone, after a look and a question.
func (o *Operator) deployWebApp(ctx context.Context) error {
	there, err := o.deployed(ctx)
	if err != nil {
		return err
	}
	// Its stack takes from the others what they export: without them there is nothing to take.
	if _, err := o.need(there, "Database", "DatabaseHostname"); err != nil {
		return err
	}
	o.say("Deploy the web app of the environment %s, and no other stack", o.Env.Name)
	o.sayPlace()
	web := "not deployed yet"
	if s := there["WebApp"]; s != nil {
		web = s.describe()
	}
	o.say("  there now %s  %s", o.stackName("WebApp"), web)
	if err := o.askToDeploy(ctx, there); err != nil {
		return err
	}
	return o.cdk(ctx, "deploy", "WebApp", "--exclusively", "--require-approval", "never")
}

func (o *Operator) askToDeploy(ctx context.Context, there stacks) error {
	if o.protected(there) {
		return o.ask(ctx, "This is a production environment. Type its name, "+o.Env.Name+", to deploy:", o.Env.Name)
	}
	return o.ask(ctx, "Type yes to deploy:", "yes")
}

func (o *Operator) sayPlace() {
	o.say("  account   %s, as %s", o.account.Account, o.account.Arn)
	o.say("  region    %s", o.aws.region)
}

// sayThere names the stacks that are there.
func (o *Operator) sayThere(there stacks) {
	names := there.names()
	if len(names) == 0 {
		o.say("  there now nothing: this is the first deployment")
		return
	}
	var missing []string
	for i, part := range names {
		label := "          "
		if i == 0 {
			label = "there now "
		}
		o.say("  %s%-9s %s", label, part, there[part].describe())
	}
	for _, part := range parts {
		if there[part] == nil && (part != "Tunnel" || len(o.Env.Tunnels) > 0) {
			missing = append(missing, part)
		}
	}
	if len(missing) > 0 {
		o.say("            not there yet: %s", strings.Join(missing, ", "))
	}
}

// sayPhase compares the phase of what is deployed with the one that will be.
func (o *Operator) sayPhase(ctx context.Context, there stacks) {
	after := string(o.Env.Exposure)
	db, err := o.database(ctx, there)
	switch {
	case err != nil:
		o.say("  phase     %s; what it is now is not known: %v", after, err)
	case db == nil:
		o.say("  phase     %s", after)
	case db.exposure() == after:
		o.say("  phase     %s, as it is now", after)
	case after == "private":
		o.say("  phase     private, and it is public now: this deployment is the flip. The database loses its public address;")
		o.say("            before that, every read-only user is tried, and one that fails stops it. To stay public: EXPOSURE=public")
	default:
		o.say("  phase     public, and it is private now: the database gets a public address, which %s may reach", strings.Join(o.Env.DeveloperCIDRs, ", "))
	}
	if db != nil && db.DBInstanceStatus != "available" {
		o.say("            the database is %s: RDS takes no change until it is available", db.DBInstanceStatus)
	}
}
