package operate_test

import (
	"strings"
	"testing"
	"time"
)

const account = "123456789012"

func TestTheRegionIsLookedForWhereTheCLIsLook(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(*world)
		region  string
	}{
		"AWS_REGION goes before AWS_DEFAULT_REGION": {func(w *world) { w.setenv("AWS_DEFAULT_REGION", "eu-north-1") }, "eu-west-1"},
		"AWS_DEFAULT_REGION":                        {func(w *world) { w.env = nil; w.setenv("AWS_DEFAULT_REGION", "eu-north-1") }, "eu-north-1"},
		"the profile's": {func(w *world) {
			w.env = nil
			w.answer("aws configure get region", "sa-east-1\n")
		}, "sa-east-1"},
		"the config's goes first": {func(w *world) {
			w.editConfig(`"account": "",
        "region": "",
        "availabilityZones": []`, `"account": "`+account+`", "region": "us-west-2", "availabilityZones": ["us-west-2a", "us-west-2b"]`)
		}, "us-west-2"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			test.prepare(w)
			r := w.run("status")
			r.succeeds()
			r.says("Environment dev, account " + account + ", " + test.region)
			for _, c := range r.calls {
				if c.String() != "aws configure get region" && !strings.Contains(c.String(), " --region "+test.region) {
					t.Errorf("it called %s", c)
				}
			}
		})
	}
}

func TestAnotherAccountThanTheConfigsIsRefusedBeforeAnythingElse(t *testing.T) {
	for _, command := range []string{"deploy", "destroy", "open", "logs", "status", "shell-web", "shell-jump", "tunnel-test", "webapp-deploy", "webapp-local"} {
		t.Run(command, func(t *testing.T) {
			w := newWorld(t)
			w.editConfig(`"account": "",
        "region": "",
        "availabilityZones": []`, `"account": "999999999999", "region": "eu-west-1", "availabilityZones": ["eu-west-1a", "eu-west-1b"]`)
			if command == "tunnel-test" || strings.HasPrefix(command, "shell") {
				w.remove("session-manager-plugin") // The account comes first.
			}
			r := w.run(command, "-yes", "yes")
			r.refuses(command+": the config's environment dev is for the account 999999999999, and these credentials are for 123456789012", "ENV=")
			if len(r.calls) != 1 || !r.called("aws sts get-caller-identity") {
				t.Errorf("it called %v", r.calls)
			}
		})
	}
}

// The texts are those of the AWS CLI, botocore and the services.
func TestEveryFailureOfTheAWSCLIBecomesASentence(t *testing.T) {
	for name, test := range map[string]struct{ said, want string }{
		"no credentials":       {"Unable to locate credentials. You can configure credentials by running \"aws configure\".", "found no credentials: sign in with"},
		"no such profile":      {"The config profile (nobody) could not be found", "the profile in AWS_PROFILE is not in the AWS CLI's config"},
		"an expired token":     {"An error occurred (ExpiredToken) when calling the GetCallerIdentity operation: The security token included in the request is expired", "session is over: sign in again"},
		"an expired session":   {"The SSO session associated with this profile has expired or is otherwise invalid. To refresh this SSO session run aws sso login with the corresponding profile.", "session is over: sign in again"},
		"no SSO token":         {"Error loading SSO Token: Token for example does not exist", "session is over: sign in again"},
		"an expired SSO token": {"Error when retrieving token from sso: Token has expired and refresh failed", "session is over: sign in again"},
		"wrong keys":           {"An error occurred (InvalidClientTokenId) when calling the GetCallerIdentity operation: The security token included in the request is invalid.", "AWS does not know these credentials"},
		"a wrong secret key":   {"An error occurred (SignatureDoesNotMatch) when calling the GetCallerIdentity operation: The request signature we calculated does not match", "AWS does not know these credentials"},
		"access denied":        {"An error occurred (AccessDenied) when calling the GetCallerIdentity operation: User: arn:aws:iam::123456789012:user/x is not authorized to perform: sts:GetCallerIdentity", "aws sts get-caller-identity was refused: these credentials lack that right"},
		"unauthorized":         {"An error occurred (UnauthorizedOperation) when calling the DescribeVpcs operation: You are not authorized to perform this operation.", "lack that right"},
		"no region":            {"You must specify a region. You can also configure your region by running \"aws configure\".", "no region is given: set AWS_REGION"},
		"an unknown region":    {"Could not connect to the endpoint URL: \"https://sts.eu-west-9.amazonaws.com/\"", `no way to AWS in the region "eu-west-1"`},
		"throttling":           {"An error occurred (Throttling) when calling the DescribeStacks operation (reached max retries: 2): Rate exceeded", "too many calls: wait a minute"},
		"too many requests":    {"An error occurred (TooManyRequestsException) when calling the GetServiceQuota operation", "too many calls: wait a minute"},
		"an old CLI":           {"usage: aws [options] <command> <subcommand> [parameters]\naws: error: argument command: Invalid choice, valid choices are:", "is not known to this AWS CLI: update it to the newest version 2"},
		"an option it lacks":   {"Unknown options: --scan-by, TimestampDescending", "is not known to this AWS CLI"},
		"something else":       {"An error occurred (InternalFailure) when calling the GetCallerIdentity operation: Oops", "aws sts get-caller-identity failed"},
		"nothing of that name": {"An error occurred (ResourceNotFoundException) when calling the X operation: no", "found nothing of that name"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.fail("aws sts get-caller-identity", "\n"+test.said+"\n", 254)
			if i := strings.Index(test.said, "aws: error"); i > 0 {
				test.said = test.said[i:] // Its usage goes.
			}
			r := w.run("status")
			r.refuses("status: ", test.want, "["+strings.Join(strings.Fields(test.said), " ")+"]")
			if lines := strings.Count(r.stderr, "\n"); lines != 1 {
				t.Errorf("it says %d lines:\n%s", lines, r.stderr)
			}
		})
	}
}

func TestWithoutTheAWSCLI(t *testing.T) {
	for _, command := range []string{"status", "deploy", "shell-jump"} {
		w := newWorld(t)
		w.remove("aws")
		w.run(command).refuses(command + ": there is no aws on this machine: install the AWS CLI, version 2")
	}
}

func TestWithoutARegion(t *testing.T) {
	w := newWorld(t)
	w.env = nil
	w.fail("aws configure get region", "", 1)
	r := w.run("status")
	r.refuses("status: no region is given: set AWS_REGION")
	if r.called("aws sts") {
		t.Error("it went on")
	}
}

func TestAConfigThatIsWrongIsRefusedWithItsPath(t *testing.T) {
	w := newWorld(t)
	w.editConfig(`"storageGiB": 20`, `"storageGiB": 5`)
	r := w.run("deploy")
	r.refuses("deploy: cdk.json: environments.dev.database.storageGiB: 5 is less than 20")
	if len(r.calls) != 0 {
		t.Errorf("it called %v", r.calls)
	}
	newWorld(t).run("status", "-env", "nobody").refuses(`"nobody" is not an environment of the config`)
	newWorld(t).run("status", "-config", "nothing.json").refuses("the config file nothing.json cannot be read", "CONFIG=FILE")
}

func TestTheCommandLine(t *testing.T) {
	for _, args := range [][]string{{"dance"}, {"status", "now"}, {"status", "-fast"}} {
		newWorld(t).run(args...).refuses("'operate -h' lists")
	}
	r := newWorld(t).run("-h")
	r.succeeds()
	r.says("usage: operate COMMAND", "webapp-local", "-exposure")
	newWorld(t).run().refuses("usage: operate COMMAND")
}

func TestACallWithoutAnAnswerEnds(t *testing.T) {
	w := newWorld(t)
	w.setenv("STUB_CALL_TIMEOUT", "8s")
	w.answers = append(w.answers, answer{Call: "aws cloudwatch describe-alarms", Sleep: 5 * time.Minute})
	r := w.run("status")
	r.succeeds()
	r.says("alarms       not known: aws cloudwatch describe-alarms had no answer after 8s: check the network, and try again", "exposure     private")
}
