package operate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDoctorOfAMachineAndAnAccountThatLackNothing(t *testing.T) {
	r := newWorld(t).run("doctor")
	r.succeeds()
	want := `ok       Go 1.26.8
ok       Node 22.11.0
ok       npm 10.9.0
ok       make 4.4.1
ok       the CDK CLI 2.1148.1
ok       the AWS CLI 2.31.0
ok       the Session Manager plugin 1.2.707.0
ok       account 123456789012, as arn:aws:sts::123456789012:assumed-role/Developer/malia
ok       region eu-west-1
ok       account and region are prepared for the CDK, version 30
ok       Elastic IP addresses: 3 of 5 used, and dev takes 0 more
ok       VPCs: 2 of 5 used, and dev takes 0 more
ok       internet gateways: 2 of 5 used, and dev takes 0 more
ok       vCPUs of standard on-demand instances: 6 of 16 used, and dev takes 0 more
ok       the account is on the paid plan
Nothing stands in the way of 'make deploy ENV=dev'.
`
	if r.stdout != want || r.stderr != "" {
		t.Errorf("it says\n%s%s", r.stdout, r.stderr)
	}
	for _, c := range r.calls {
		if strings.HasPrefix(c.String(), "aws freetier") && !strings.Contains(c.String(), "--region us-east-1") {
			t.Errorf("the plan is asked for with %s", c)
		}
	}
}

func TestDoctorSaysWhatIsMissingAndWhatToDo(t *testing.T) {
	nothing := func(w *world) { w.answer("aws cloudformation describe-stacks", `{"Stacks": []}`) }
	free := func(w *world) { w.edit("aws freetier get-account-plan-state", "PAID", "FREE") }
	const addresses = "aws service-quotas get-service-quota --service-code ec2 --quota-code L-0263D0A3"
	for name, test := range map[string]struct {
		prepare func(*world)
		want    []string
	}{
		"Go":           {func(w *world) { w.remove("go") }, []string{"PROBLEM  Go, which builds everything, is not on this machine: install it (https://go.dev/dl)", "1 problem."}},
		"a newer Go":   {func(w *world) { w.answer("go env GOVERSION", "go1.22.1\n") }, []string{"PROBLEM  Go is 1.22.1, and this needs 1.26.2 or newer: update it"}},
		"a newer Node": {func(w *world) { w.answer("node --version", "v18.20.4\n") }, []string{"PROBLEM  Node is 18.20.4, and this needs 20 or newer"}},
		"npm":          {func(w *world) { w.remove("npm") }, []string{"PROBLEM  npm, which installs the CDK CLI"}},
		"the CDK CLI":  {func(w *world) { must(w.t, os.Remove(filepath.Join(w.dir, "node_modules", ".bin", "cdk"))) }, []string{"PROBLEM  the CDK CLI, which deploys, is not on this machine: install it (npm ci)"}},
		"version 2 of the AWS CLI": {func(w *world) { w.answer("aws --version", "aws-cli/1.46.3 Python/3.11.7 Linux/6.1 botocore/1.43.62\n") },
			[]string{"PROBLEM  the AWS CLI is 1.46.3, and this needs 2 or newer: update it"}},
		"the AWS CLI": {func(w *world) { w.remove("aws") }, []string{"PROBLEM  the AWS CLI, which asks AWS, is not on this machine", "PROBLEM  there is no aws on this machine", "2 problems."}},
		"the plugin":  {func(w *world) { w.remove("session-manager-plugin") }, []string{"PROBLEM  the Session Manager plugin, which opens shells on the hosts"}},
		"a program that works": {func(w *world) { w.fail("npm --version", "npm: cannot find module\n", 1) },
			[]string{`PROBLEM  npm does not say which version it is ('npm --version' says "npm: cannot find module"): install it again`}},
		"credentials": {func(w *world) { w.fail("aws sts", "Unable to locate credentials.", 253) },
			[]string{"PROBLEM  the AWS CLI found no credentials", "?        the rest is in the account, and was not looked at"}},
		"the config's account": {func(w *world) {
			w.editConfig(`"account": "",
        "region": "",
        "availabilityZones": []`, `"account": "999999999999", "region": "eu-west-1", "availabilityZones": ["eu-west-1a", "eu-west-1b"]`)
		}, []string{"PROBLEM  the config's environment dev is for the account 999999999999"}},
		"a region with known authorities": {func(w *world) { w.env = nil; w.setenv("AWS_REGION", "ap-southeast-7") }, []string{"PROBLEM  the region ap-southeast-7 has certificate authorities of RDS"}},
		"the bootstrap": {func(w *world) {
			w.fail("aws ssm get-parameter", "An error occurred (ParameterNotFound) when calling the GetParameter operation:", 254)
		}, []string{"PROBLEM  account and region are not prepared for the CDK: run 'npx cdk bootstrap aws://123456789012/eu-west-1', once"}},
		"a newer bootstrap": {func(w *world) { w.edit("aws ssm get-parameter", `"30"`, `"6"`) },
			[]string{"PROBLEM  account and region are prepared for the CDK in version 6, and the templates need 8: run 'npx cdk bootstrap"}},
		"Elastic IP addresses": {nothing, []string{"PROBLEM  Elastic IP addresses: 3 of 5 used, and dev takes 3 more: release some, or ask for a quota of 6 with 'aws service-quotas request-service-quota-increase --service-code ec2 --quota-code L-0263D0A3 --desired-value 6 --region eu-west-1'"}},
		"VPCs": {func(w *world) {
			nothing(w)
			w.edit("aws service-quotas get-service-quota --service-code vpc --quota-code L-F678F1CE", "5.0", "2.0")
		}, []string{"PROBLEM  VPCs: 2 of 2 used, and dev takes 1 more"}},
		"internet gateways": {func(w *world) {
			nothing(w)
			w.edit("aws service-quotas get-service-quota --service-code vpc --quota-code L-A4707A72", "5.0", "2.0")
		}, []string{"PROBLEM  internet gateways: 2 of 2 used"}},
		"vCPUs": {func(w *world) {
			nothing(w)
			w.edit("aws service-quotas get-service-quota --service-code ec2 --quota-code L-1216C47A", "16.0", "8.0")
		}, []string{"PROBLEM  vCPUs of standard on-demand instances: 6 of 8 used, and dev takes 6 more"}},
		"a quota of its own is AWS's": {func(w *world) {
			w.fail(addresses, "An error occurred (NoSuchResourceException) when calling the GetServiceQuota operation:", 254)
		},
			[]string{"ok       Elastic IP addresses: 3 of 5 used"}},
		"the right to see a quota": {func(w *world) {
			w.fail(addresses, "An error occurred (AccessDeniedException) when calling the GetServiceQuota operation:", 254)
		},
			[]string{"?        how many Elastic IP addresses there may be: aws service-quotas get-service-quota was refused", "No problem was found; what has a ? could not be looked at."}},
		"a stack whose creation failed": {func(w *world) {
			w.edit("aws cloudformation describe-stacks", `"UPDATE_COMPLETE"`, `"ROLLBACK_COMPLETE"`)
			w.edit("aws cloudformation describe-stacks", `"CREATE_COMPLETE"`, `"ROLLBACK_COMPLETE"`)
		}, []string{"PROBLEM  Elastic IP addresses: 3 of 5 used, and dev takes 3 more"}},
		"a free plan whose types are not known": {func(w *world) {
			free(w)
			w.fail("aws ec2 describe-instance-types", "An error occurred (UnauthorizedOperation) when calling the DescribeInstanceTypes operation:", 254)
		}, []string{"?        the account is on the free plan, and whether it takes the instance types of the config is not known"}},
		"a free plan that fits": {free, []string{"ok       the account is on the free plan, and the config keeps to it"}},
		"a class for the free plan": {func(w *world) {
			free(w)
			w.editConfig(`"instanceClass": "db.t4g.micro"`, `"instanceClass": "db.t4g.small"`)
			w.editConfig(`"backupDays": 1`, `"backupDays": 7`)
			w.edit("aws ec2 describe-instance-types", `"FreeTierEligible": true`, `"FreeTierEligible": false`)
		}, []string{"PROBLEM  the account is on the free plan, which refuses the config of dev: database.backupDays 7 is more than 1, database.instanceClass db.t4g.small is no micro class, the instance type t4g.micro is not for it"}},
		"a free plan that is over": {func(w *world) { free(w); w.edit("aws freetier get-account-plan-state", "ACTIVE", "EXPIRED") }, []string{"PROBLEM  the account's free plan is over"}},
		"the plan": {func(w *world) {
			w.fail("aws freetier", "aws: error: argument command: Invalid choice, valid choices are:", 252)
		}, []string{"?        the account's plan: aws freetier get-account-plan-state is not known to this AWS CLI"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			test.prepare(w)
			r := w.run("doctor")
			r.says(test.want...)
			if want := strings.Contains(r.stdout, "PROBLEM"); (r.status == 1) != want || r.stderr != "" {
				t.Errorf("status %d\n%s%s", r.status, r.stdout, r.stderr)
			}
		})
	}
}

// What a part takes depends on its shape.
func TestDoctorCountsWhatProductionTakes(t *testing.T) {
	w := newWorld(t)
	r := w.run("doctor", "-env", "prod")
	// Without its own stacks: a jump server, a tunnel host and two web servers behind a load balancer.
	r.says("Elastic IP addresses: 3 of 5 used, and prod takes 2 more", "vCPUs of standard on-demand instances: 6 of 16 used, and prod takes 8 more")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
