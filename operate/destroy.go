package operate

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
)

// destroy is cdk destroy --all, after saying what stays and a question.
func (o *Operator) destroy(ctx context.Context) error {
	there, err := o.deployed(ctx)
	if err != nil {
		return err
	}
	names := there.names()
	if len(names) == 0 {
		return fmt.Errorf("nothing of the environment %s is in %s: name another with ENV=…, or another region with AWS_REGION", o.Env.Name, o.where())
	}
	db, err := o.database(ctx, there)
	if err != nil {
		return err
	}
	if err := o.refuseProtected(there, db); err != nil {
		return err
	}
	if db != nil && db.DBInstanceStatus == "stopped" {
		return fmt.Errorf("the database %s is stopped, and its users are dropped before it goes: start it first, with 'aws rds start-db-instance --db-instance-identifier %s --region %s'",
			db.DBInstanceIdentifier, db.DBInstanceIdentifier, o.aws.region)
	}
	kept, err := o.kept(ctx, there)
	if err != nil {
		return err
	}
	o.say("Destroy the environment %s", o.Env.Name)
	o.sayPlace()
	o.sayThere(there)
	o.sayStays(there, kept)
	if err := o.ask(ctx, "Everything else goes, and its data with it. Type the environment's name, "+o.Env.Name+", to destroy it:", o.Env.Name); err != nil {
		return err
	}
	return o.cdk(ctx, "destroy", "--all", "--force")
}

// refuseProtected says how protection is taken off. CloudFormation would refuse half-way, or before the first stack.
func (o *Operator) refuseProtected(there stacks, db *database) error {
	var protected []string
	for _, part := range there.names() {
		if there[part].EnableTerminationProtection {
			protected = append(protected, o.stackName(part))
		}
	}
	if db != nil && db.DeletionProtection {
		protected = append(protected, "the database "+db.DBInstanceIdentifier)
	}
	if len(protected) == 0 {
		return nil
	}
	return fmt.Errorf("%s cannot be deleted as long as deletionProtection is on: set environments.%s.database.deletionProtection to false in the config, run 'make deploy ENV=%s', and destroy then",
		strings.Join(protected, ", "), o.Env.Name, o.Env.Name)
}

// kept is a resource that outlives its stack, or leaves a snapshot.
type kept struct{ part, logicalID, resourceType, physicalID string }

// kept reads them from the templates as they are deployed.
func (o *Operator) kept(ctx context.Context, there stacks) ([]kept, error) {
	found := make([][]kept, len(there.names()))
	group, ctx := errgroup.WithContext(ctx)
	for i, part := range there.names() {
		if there[part].StackStatus == "REVIEW_IN_PROGRESS" {
			continue // it has no template yet
		}
		group.Go(func() (err error) {
			found[i], err = o.keptOf(ctx, part)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var all []kept
	for _, some := range found {
		all = append(all, some...)
	}
	return all, nil
}

func (o *Operator) keptOf(ctx context.Context, part string) (all []kept, err error) {
	var answer struct {
		TemplateBody struct {
			Resources map[string]struct{ Type, DeletionPolicy string }
		}
	}
	name := o.stackName(part)
	if err := o.aws.answer(ctx, &answer, "cloudformation", "get-template", "--stack-name", name); err != nil {
		return nil, err
	}
	stays := func(policy string) bool { return policy != "" && policy != "Delete" }
	found := false
	for _, resource := range answer.TemplateBody.Resources {
		found = found || stays(resource.DeletionPolicy)
	}
	if !found {
		return nil, nil
	}
	resources, err := o.resources(ctx, part)
	if err != nil {
		return nil, err
	}
	for _, r := range resources {
		if stays(answer.TemplateBody.Resources[r.LogicalResourceId].DeletionPolicy) {
			all = append(all, kept{part, r.LogicalResourceId, r.ResourceType, r.PhysicalResourceId})
		}
	}
	return all, nil
}

// resource is one of a stack's, as list-stack-resources has it.
type resource struct{ LogicalResourceId, PhysicalResourceId, ResourceType, ResourceStatus string }

// sayStays lists what is left afterwards, and the command that deletes each.
func (o *Operator) sayStays(there stacks, all []kept) {
	region := " --region " + o.aws.region
	item := func(what string, commands ...string) {
		o.say("  %s", what)
		for _, c := range commands {
			o.say("      %s", c)
		}
	}
	o.say("What stays, and how it is deleted afterwards:")
	for _, k := range all {
		switch k.resourceType {
		case "AWS::RDS::DBInstance":
			item("a last snapshot of the database "+k.physicalID+", which costs its storage; the first line lists it",
				"aws rds describe-db-snapshots --snapshot-type manual --db-instance-identifier "+k.physicalID+" --query 'DBSnapshots[].DBSnapshotIdentifier' --output text"+region,
				"aws rds delete-db-snapshot --db-snapshot-identifier NAME"+region)
		case "AWS::S3::Bucket":
			item("the bucket "+k.physicalID+" ("+k.logicalID+")", "aws s3 rb --force s3://"+k.physicalID+region)
		case "AWS::Logs::LogGroup":
			item("the log group "+k.physicalID, "aws logs delete-log-group --log-group-name "+k.physicalID+region)
		default:
			item(fmt.Sprintf("%s %s of the stack %s (%s): delete it in the console", k.resourceType, k.physicalID, o.stackName(k.part), k.logicalID))
		}
	}
	if web := there.output("WebApp", "WebAppEnvironment"); web != "" {
		item("the log groups of the web app, whose lines go after 30 days; the first line lists them",
			"aws logs describe-log-groups --log-group-name-prefix /aws/elasticbeanstalk/"+web+"/ --query 'logGroups[].logGroupName' --output text"+region,
			"aws logs delete-log-group --log-group-name NAME"+region)
	}
	item("the log groups of CDK's own functions, in the same way; this lists them",
		"aws logs describe-log-groups --log-group-name-prefix /aws/lambda/"+o.stackName("")+" --query 'logGroups[].logGroupName' --output text"+region)
	// Its policy forbids to delete it (AWS Elastic Beanstalk Developer Guide, "Using Elastic Beanstalk with Amazon S3").
	beanstalk := "elasticbeanstalk-" + o.aws.region + "-" + o.account.Account
	item("Beanstalk's bucket, which every Beanstalk application of the region shares: only when there is no other",
		"aws s3api delete-bucket-policy --bucket "+beanstalk+region, "aws s3 rb --force s3://"+beanstalk+region)
	item("CDK's stack CDKToolkit, which every CDK app of the region shares: only when there is no other. Its bucket",
		"aws cloudformation delete-stack --stack-name CDKToolkit"+region)
	item("  cdk-hnb659fds-assets-" + o.account.Account + "-" + o.aws.region + " stays then: it holds versions, and is emptied and deleted in the console")
	item("no secret: CloudFormation deletes them at once, without a recovery window. This lists those that are left, if any",
		"aws secretsmanager list-secrets --include-planned-deletion --filters Key=tag-key,Values=drawbridge:environment Key=tag-value,Values="+o.Env.Name+" --query 'SecretList[].Name' --output text"+region)
	o.say("The Lambda function's network interfaces may keep the last stacks waiting for up to half an hour.")
}
