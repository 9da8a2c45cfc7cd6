package constructs_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"drawbridge/constructs"
	"drawbridge/internal/cdktest"
)

func beanstalkPlatform(t *testing.T, branch, refresh string) (made cdktest.Template, arn any) {
	t.Helper()
	made = template(t, func(stack awscdk.Stack) {
		p := constructs.NewBeanstalkPlatform(stack, "Platform", &constructs.BeanstalkPlatformProps{Branch: branch, Refresh: refresh})
		arn = readable(stack.Resolve(p.ARN))
	})
	return made, arn
}

func TestBeanstalkPlatform(t *testing.T) {
	made, arn := beanstalkPlatform(t, "Go 1 running on 64bit Amazon Linux 2023", "2026-11")
	lookup := made.One(t, "Custom::BeanstalkPlatform")
	t.Run("asks for the recommended version of its branch, at first and at each update", func(t *testing.T) {
		for _, event := range []string{"Create", "Update"} {
			var call map[string]any
			if err := json.Unmarshal([]byte(lookup.Properties[event].(string)), &call); err != nil {
				t.Fatal(err)
			}
			same(t, call, map[string]any{
				"service": "elastic-beanstalk", "action": "ListPlatformVersions",
				"parameters": map[string]any{"Filters": []any{
					map[string]any{"Type": "PlatformBranchName", "Operator": "=", "Values": []any{"Go 1 running on 64bit Amazon Linux 2023"}},
					map[string]any{"Type": "PlatformLifecycleState", "Operator": "=", "Values": []any{"Recommended"}},
				}},
				"physicalResourceId": map[string]any{"id": "platform-2026-11"},
				"outputPaths":        []any{"PlatformSummaryList.0.PlatformArn"},
			})
		}
	})
	t.Run("asks for nothing when it goes", func(t *testing.T) {
		check(t, lookup.Properties, map[string]any{"Delete": nil})
	})
	t.Run("gives what it was answered", func(t *testing.T) {
		if want := "${" + lookup.ID + ".PlatformSummaryList.0.PlatformArn}"; arn != want {
			t.Errorf("it gives %v, want %s", arn, want)
		}
	})
	t.Run("downloads no SDK", func(t *testing.T) {
		check(t, lookup.Properties, map[string]any{"InstallLatestAwsSdk": false})
	})
	t.Run("may list platform versions and nothing else", func(t *testing.T) {
		function := made.One(t, "AWS::Lambda::Function")
		role, _, _ := strings.Cut(strings.TrimPrefix(function.Properties["Role"].(string), "${"), ".")
		checkStatements(t, rolePolicy(t, made, role),
			"Allow elasticbeanstalk:ListPlatformVersions on arn:${AWS::Partition}:elasticbeanstalk:${AWS::Region}::platform/*")
	})
	t.Run("waits for that permission", func(t *testing.T) {
		same(t, lookup.All["DependsOn"], []any{made.One(t, "AWS::IAM::Policy").ID})
	})
	t.Run("does not keep its logs for ever", func(t *testing.T) {
		group := made.One(t, "AWS::Logs::LogGroup")
		check(t, group.Properties, map[string]any{"RetentionInDays": 30})
		check(t, group.All, map[string]any{"DeletionPolicy": "Delete"})
		check(t, made.One(t, "AWS::Lambda::Function").Properties, map[string]any{"LoggingConfig": map[string]any{"LogGroup": "${" + group.ID + "}"}})
	})
}

func TestBeanstalkPlatformLooksAgainWhenRefreshChangesAndThenAlone(t *testing.T) {
	before, _ := beanstalkPlatform(t, "Go 1", "2026-11")
	again, _ := beanstalkPlatform(t, "Go 1", "2026-11")
	same(t, again, before)

	after, _ := beanstalkPlatform(t, "Go 1", "2027-02")
	changed := cdktest.JSON(after)
	if want := strings.ReplaceAll(cdktest.JSON(before), `{\"id\":\"platform-2026-11\"}`, `{\"id\":\"platform-2027-02\"}`); changed != want {
		t.Errorf("\n got %s\nwant %s", changed, want)
	}
	if changed == cdktest.JSON(before) {
		t.Error("another Refresh changes nothing: CloudFormation would not look again")
	}
}
