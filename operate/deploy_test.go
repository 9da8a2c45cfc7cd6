package operate_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// public makes the database that is deployed a public one.
func (w *world) public() {
	w.edit("aws rds describe-db-instances", `"PubliclyAccessible": false`, `"PubliclyAccessible": true`)
}

// production copies what is deployed to the environment prod.
func (w *world) production() {
	w.edit("aws cloudformation describe-stacks", "drawbridge-dev-", "drawbridge-prod-")
}

func TestDeploySaysWhatWillBeAndAsksFirst(t *testing.T) {
	w := newWorld(t)
	w.setenv("STUB_INTERACTIVE", "1")
	w.stdin = "yes\n"
	r := w.run("deploy")
	r.succeeds()
	r.says("Deploy the environment dev", "account   123456789012, as arn:aws:sts::123456789012:assumed-role/Developer/malia", "region    eu-west-1",
		"there now Network   CREATE_COMPLETE, 2026-11-02 09:14 UTC", "Database  UPDATE_COMPLETE, 2026-11-09 16:20 UTC",
		"phase     private, as it is now", "Type yes to deploy:", "the deployment")
	want := []string{"deploy", "--all", "--require-approval", "never", "--context", "env=dev"}
	if last := r.last(); last.Program != "cdk" || !slices.Equal(last.Args, want) {
		t.Errorf("it called %s", last)
	}
	for _, variable := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		if got := r.last().Env[variable]; got != "eu-west-1" {
			t.Errorf("cdk has %s=%q", variable, got)
		}
	}
}

func TestDeploySaysWhenItIsAFlip(t *testing.T) {
	for name, test := range map[string]struct {
		public bool
		args   []string
		want   string
		cdk    string
	}{
		"to private":        {true, nil, "phase     private, and it is public now: this deployment is the flip.", ""},
		"stays public":      {true, []string{"-exposure", "public"}, "phase     public, as it is now", "--context exposure=public"},
		"to public":         {false, []string{"-exposure", "public"}, "phase     public, and it is private now: the database gets a public address, which 203.0.113.0/24 may reach", "--context exposure=public"},
		"private, in words": {false, []string{"-exposure", "private"}, "phase     private, as it is now", "--context exposure=private"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if test.public {
				w.public()
			}
			r := w.run(append([]string{"deploy", "-yes", "1"}, test.args...)...)
			r.succeeds()
			r.says(test.want)
			if last := r.last().String(); !strings.HasPrefix(last, "cdk deploy") || !strings.HasSuffix(last, test.cdk) || test.cdk == "" && strings.Contains(last, "exposure") {
				t.Errorf("it called %s", last)
			}
		})
	}
}

func TestDeployOfTheFirstTime(t *testing.T) {
	w := newWorld(t)
	w.answer("aws cloudformation describe-stacks", `{"Stacks": []}`)
	r := w.run("deploy", "-yes", "yes")
	r.succeeds()
	r.says("there now nothing: this is the first deployment", "phase     private")
	if r.called("aws rds") {
		t.Error("it asked for a database that is not there")
	}
}

func TestDeployOfAPartOfIt(t *testing.T) {
	w := newWorld(t)
	w.without("drawbridge-dev-WebApp", "drawbridge-dev-Tunnel")
	r := w.run("deploy", "-yes", "yes")
	r.succeeds()
	r.says("not there yet: WebApp, Tunnel")
}

func TestDeployWhereThePhaseIsNotKnown(t *testing.T) {
	w := newWorld(t)
	w.fail("aws rds describe-db-instances", "An error occurred (AccessDenied) when calling the DescribeDBInstances operation: no", 254)
	r := w.run("deploy", "-yes", "yes")
	r.succeeds()
	r.says("phase     private; what it is now is not known: aws rds describe-db-instances was refused")
}

func TestWithoutTheRightAnswerNothingIsDeployed(t *testing.T) {
	for name, test := range map[string]struct {
		args        []string
		stdin       string
		interactive bool
		want        string
	}{
		"no terminal":                {nil, "", false, "there is no terminal to ask on: give YES=yes when you are sure"},
		"no terminal, but an answer": {nil, "yes\n", false, "there is no terminal to ask on"},
		"no":                         {nil, "no\n", true, `the answer was not "yes": nothing was changed`},
		"nothing":                    {nil, "\n", true, `the answer was not "yes"`},
		"the end":                    {nil, "", true, `the answer was not "yes"`},
		"another word for scripts":   {[]string{"-yes", "true"}, "", false, "YES=true is not the answer that this takes: give YES=yes"},
		"production: yes":            {[]string{"-env", "prod"}, "yes\n", true, `the answer was not "prod"`},
		"production: no terminal":    {[]string{"-env", "prod"}, "", false, "give YES=prod"},
		"production: YES=1":          {[]string{"-env", "prod", "-yes", "1"}, "", false, "YES=1 is not the answer that this takes: give YES=prod"},
		"production: another's name": {[]string{"-env", "prod", "-yes", "dev"}, "", false, "give YES=prod"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, command := range []string{"deploy", "webapp-deploy"} {
				w := newWorld(t)
				if slices.Contains(test.args, "prod") {
					w.production()
				}
				if w.stdin = test.stdin; test.interactive {
					w.setenv("STUB_INTERACTIVE", "1")
				}
				r := w.run(append([]string{command}, test.args...)...)
				r.refuses(test.want)
				if r.called("cdk") {
					t.Errorf("it deployed: %v", r.calls)
				}
			}
		})
	}
}

func TestProductionWantsItsName(t *testing.T) {
	w := newWorld(t)
	w.production()
	w.setenv("STUB_INTERACTIVE", "1")
	w.stdin = "prod\n"
	r := w.run("deploy", "-env", "prod")
	r.succeeds()
	r.says("This is a production environment. Type its name, prod, to deploy:")
	if last := r.last().String(); last != "cdk deploy --all --require-approval never --context env=prod" {
		t.Errorf("it called %s", last)
	}
	w = newWorld(t)
	w.production()
	w.run("deploy", "-env", "prod", "-yes", "prod").succeeds()
	newWorld(t).run("deploy", "-env", "prod", "-exposure", "public", "-yes", "prod").refuses(`deploy: -c exposure: "public" would put the production database on the internet`)
}

func TestAnEnvironmentOfAnotherFile(t *testing.T) {
	w := newWorld(t)
	w.write("lab.json", read(t, "../rehearsal/testdata/other.json"))
	w.edit("aws sts get-caller-identity", account, "111122223333")
	r := w.run("deploy", "-env", "staging", "-config", "lab.json", "-yes", "yes")
	r.succeeds()
	if last := r.last().String(); last != "cdk deploy --all --require-approval never --context env=staging --context config=lab.json" {
		t.Errorf("it called %s", last)
	}
}

func TestADeploymentThatFails(t *testing.T) {
	w := newWorld(t)
	w.fail("cdk deploy", "the stack failed: its reason\n", 1)
	r := w.run("deploy", "-yes", "yes")
	r.refuses("the stack failed: its reason", "deploy: cdk deploy failed (see above): 'make status ENV=dev' shows what stands now")
}

func TestTheWebAppAlone(t *testing.T) {
	w := newWorld(t)
	r := w.run("webapp-deploy", "-yes", "yes")
	r.succeeds()
	r.says("Deploy the web app of the environment dev, and no other stack", "there now drawbridge-dev-WebApp  UPDATE_COMPLETE, 2026-11-20 10:01 UTC")
	if last := r.last().String(); last != "cdk deploy WebApp --exclusively --require-approval never --context env=dev" {
		t.Errorf("it called %s", last)
	}
	w = newWorld(t)
	w.without("drawbridge-dev-Database")
	r = w.run("webapp-deploy", "-yes", "yes")
	r.refuses("the stack drawbridge-dev-Database is not in account 123456789012, eu-west-1: deploy it with 'make deploy ENV=dev'")
	if r.called("cdk") {
		t.Error("it deployed")
	}
}

func TestBothCLIsWorkWithOneProfile(t *testing.T) {
	w := newWorld(t)
	w.setenv("AWS_DEFAULT_PROFILE", "one")
	w.setenv("AWS_PROFILE", "another")
	r := w.run("deploy", "-yes", "yes")
	r.succeeds()
	for _, c := range r.calls {
		if got := c.Env["AWS_PROFILE"]; (c.Program == "aws" || c.Program == "cdk") && got != "one" {
			t.Errorf("%s has AWS_PROFILE=%s", c, got)
		}
	}
}

func TestAnExportedYesIsNoAnswer(t *testing.T) {
	for _, command := range []string{"deploy", "webapp-deploy", "destroy"} {
		for argument, want := range map[string]string{"YES=": `-yes ""`, "YES=dev": `-yes "dev"`, "ENV=dev": `-yes ""`} {
			show := exec.Command("make", "--dry-run", command, argument)
			show.Dir, show.Env = "..", append(os.Environ(), "YES=1")
			if text, err := show.CombinedOutput(); err != nil || !strings.Contains(string(text), want) {
				t.Errorf("YES=1 make %s %s: %v\n%s", command, argument, err, text)
			}
		}
	}
}

func TestWhatIsProtectedNowWantsItsNameOnTheWayOut(t *testing.T) {
	w := newWorld(t)
	w.edit("aws cloudformation describe-stacks", `"EnableTerminationProtection": false`, `"EnableTerminationProtection": true`)
	w.run("deploy", "-yes", "yes").refuses("YES=yes is not the answer that this takes: give YES=dev")
	w.run("deploy", "-yes", "dev").succeeds()
}
