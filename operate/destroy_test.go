package operate_test

import (
	"testing"
)

const instanceName = "drawbridge-dev-database-databaseinstance24d16791-k3vqxwzrb1yh"

func TestDestroySaysWhatStaysAndWantsTheName(t *testing.T) {
	w := newWorld(t)
	w.setenv("STUB_INTERACTIVE", "1")
	w.stdin = "dev\n"
	r := w.run("destroy")
	r.succeeds()
	r.says("Destroy the environment dev", "What stays, and how it is deleted afterwards:",
		"aws rds describe-db-snapshots --snapshot-type manual --db-instance-identifier "+instanceName+" ", "aws rds delete-db-snapshot --db-snapshot-identifier NAME --region eu-west-1",
		"aws logs describe-log-groups --log-group-name-prefix /aws/elasticbeanstalk/WebA-WebA-AbCdEfGhIjKl/ ", "--log-group-name-prefix /aws/lambda/drawbridge-dev- ",
		"elasticbeanstalk-eu-west-1-123456789012", "cdk-hnb659fds-assets-123456789012-eu-west-1", "aws secretsmanager list-secrets --include-planned-deletion",
		"Type the environment's name, dev, to destroy it:", "the destruction")
	// What goes is not listed.
	r.saysNot("drawbridge-dev-Database-DatabaseFunctionLogs", "DatabaseMasterSecret")
	if last := r.last().String(); last != "cdk destroy --all --force --context env=dev" {
		t.Errorf("it called %s", last)
	}
}

func TestDestroyGoesOnWhereItWasCutOff(t *testing.T) {
	w := newWorld(t)
	w.fail("aws rds describe-db-instances", "An error occurred (DBInstanceNotFound) when calling the DescribeDBInstances operation: DBInstance not found.", 254)
	r := w.run("destroy", "-yes", "dev")
	r.succeeds()
	if last := r.last().String(); last != "cdk destroy --all --force --context env=dev" {
		t.Errorf("it called %s", last)
	}
}

func TestDestroyOfAStackThatWasNeverMade(t *testing.T) {
	w := newWorld(t)
	w.edit("aws cloudformation describe-stacks", `"UPDATE_COMPLETE"`, `"REVIEW_IN_PROGRESS"`)
	w.answer("aws cloudformation get-template --stack-name drawbridge-dev-WebApp", `{"TemplateBody": ""}`)
	w.run("destroy", "-yes", "dev").succeeds()
}

func TestWhatATemplateKeepsIsListed(t *testing.T) {
	w := newWorld(t)
	w.answer("aws cloudformation get-template --stack-name drawbridge-dev-WebApp", `{"TemplateBody": {"Resources": {
		"Logs": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"}, "Group": {"Type": "AWS::Logs::LogGroup", "DeletionPolicy": "RetainExceptOnCreate"},
		"Topic": {"Type": "AWS::SNS::Topic", "DeletionPolicy": "Retain"}, "Gone": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Delete"}}}}`)
	w.answer("aws cloudformation list-stack-resources --stack-name drawbridge-dev-WebApp", `{"StackResourceSummaries": [
		{"LogicalResourceId": "Logs", "PhysicalResourceId": "logs-1a2b", "ResourceType": "AWS::S3::Bucket", "ResourceStatus": "CREATE_COMPLETE"},
		{"LogicalResourceId": "Group", "PhysicalResourceId": "/drawbridge/lines", "ResourceType": "AWS::Logs::LogGroup", "ResourceStatus": "CREATE_COMPLETE"},
		{"LogicalResourceId": "Topic", "PhysicalResourceId": "arn:aws:sns:eu-west-1:123456789012:t", "ResourceType": "AWS::SNS::Topic", "ResourceStatus": "CREATE_COMPLETE"},
		{"LogicalResourceId": "Gone", "PhysicalResourceId": "gone-1a2b", "ResourceType": "AWS::S3::Bucket", "ResourceStatus": "CREATE_COMPLETE"}]}`)
	r := w.run("destroy", "-yes", "dev")
	r.succeeds()
	r.says("aws s3 rb --force s3://logs-1a2b --region eu-west-1", "aws logs delete-log-group --log-group-name /drawbridge/lines --region eu-west-1",
		"AWS::SNS::Topic arn:aws:sns:eu-west-1:123456789012:t of the stack drawbridge-dev-WebApp (Topic): delete it in the console")
	r.saysNot("gone-1a2b")
}

func TestWhatIsNotDestroyed(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(*world)
		args    []string
		want    string
	}{
		"yes is no name":   {func(*world) {}, []string{"-yes", "yes"}, "YES=yes is not the answer that this takes: give YES=dev"},
		"1 is no name":     {func(*world) {}, []string{"-yes", "1"}, "give YES=dev"},
		"no terminal":      {func(*world) {}, nil, "there is no terminal to ask on: give YES=dev"},
		"nothing is there": {func(w *world) { w.answer("aws cloudformation describe-stacks", `{"Stacks": []}`) }, []string{"-yes", "dev"}, "nothing of the environment dev is in account 123456789012, eu-west-1"},
		"a stopped database": {func(w *world) {
			w.edit("aws rds describe-db-instances", `"DBInstanceStatus": "available"`, `"DBInstanceStatus": "stopped"`)
		}, []string{"-yes", "dev"},
			"'aws rds start-db-instance --db-instance-identifier " + instanceName + " --region eu-west-1'"},
		"a protected database": {func(w *world) {
			w.edit("aws rds describe-db-instances", `"DeletionProtection": false`, `"DeletionProtection": true`)
		}, []string{"-yes", "dev"},
			"the database " + instanceName + " cannot be deleted as long as deletionProtection is on: set environments.dev.database.deletionProtection to false"},
		"a protected stack": {func(w *world) {
			w.edit("aws cloudformation describe-stacks", `"EnableTerminationProtection": false`, `"EnableTerminationProtection": true`)
		}, []string{"-yes", "dev"}, "drawbridge-dev-Network, drawbridge-dev-Database, drawbridge-dev-Bastion, drawbridge-dev-WebApp, drawbridge-dev-Tunnel cannot be deleted"},
		"what stays is not known": {func(w *world) {
			w.fail("aws cloudformation get-template", "An error occurred (AccessDenied) when calling the GetTemplate operation: no", 254)
		},
			[]string{"-yes", "dev"}, "aws cloudformation get-template was refused"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			test.prepare(w)
			r := w.run(append([]string{"destroy"}, test.args...)...)
			r.refuses(test.want)
			if r.called("cdk") {
				t.Error("it destroyed")
			}
		})
	}
}
