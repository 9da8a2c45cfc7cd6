package rehearsal

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"drawbridge/internal/notrun"
	"drawbridge/rehearsal/awsapi"
	"drawbridge/rehearsal/awsapi/awstest"
	"drawbridge/rehearsal/cloudformation"
)

// instance plays AWS::EC2::Instance: it signals as the instance would.
type instance struct {
	t      *testing.T
	signal string // the body
}

func (p instance) Create(_ context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	url, err := base64.StdEncoding.DecodeString(r.Properties["UserData"].(string))
	if err != nil {
		return cloudformation.Resource{}, err
	}
	if !strings.HasPrefix(fmt.Sprint(r.Properties["ImageId"]), "ami-") {
		return cloudformation.Resource{}, fmt.Errorf("its image is %v", r.Properties["ImageId"])
	}
	go func() {
		request, err := http.NewRequest(http.MethodPut, string(url), strings.NewReader(p.signal))
		if err != nil {
			p.t.Error(err)
			return
		}
		if response, err := http.DefaultClient.Do(request); err != nil || response.Body.Close() != nil {
			p.t.Errorf("the signal: %v", err)
		}
	}()
	return cloudformation.Resource{PhysicalID: "i-0123456789abcdef0", Attributes: map[string]any{"InstanceId": "i-0123456789abcdef0"}}, nil
}

func (p instance) Update(ctx context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	return p.Create(ctx, r)
}

func (instance) Delete(context.Context, cloudformation.Request) error { return nil }

func newHosts(t *testing.T, signal string) *stage {
	return newStage(t, func(o *Options) {
		o.WaitForSignals = true
		o.Providers = map[string]cloudformation.Provider{"AWS::EC2::Instance": instance{t, signal}}
	})
}

func TestHostsGetAndDoWhatTheirTemplateAllows(t *testing.T) {
	s := newHosts(t, `{"Status":"SUCCESS","Reason":"set up","UniqueId":"i-1","Data":"warning: x"}`)
	if err := s.deploy("hosts"); err != nil {
		t.Fatal(err)
	}
	out := s.Outputs("test-hosts")
	if out["Data"] != `{"i-1":"warning: x"}` || !strings.HasPrefix(out["Image"], "ami-") || !strings.HasPrefix(out["Address"], "198.51.100.") ||
		!strings.HasPrefix(out["Alarm"], "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:") {
		t.Errorf("%v", out)
	}
	url := awstest.Serve(t, s.Services())
	config := awstest.Config(url, s.Issuer.Issue(out["RoleArn"], 0))

	parameters := ssm.NewFromConfig(config)
	malia := func() string {
		t.Helper()
		got, err := parameters.GetParametersByPath(t.Context(), &ssm.GetParametersByPathInput{Path: aws.String("/drawbridge/test/administrators")})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Parameters) == 0 {
			return ""
		}
		return *got.Parameters[0].Value
	}
	if got := malia(); got != "the first value" {
		t.Errorf("the parameter is %q", got)
	}
	_, err := parameters.GetParametersByPath(t.Context(), &ssm.GetParametersByPathInput{Path: aws.String("/drawbridge")})
	awstest.WantCode(t, err, awsapi.Denied)

	metrics := cloudwatch.NewFromConfig(config)
	in := &cloudwatch.PutMetricDataInput{
		Namespace: aws.String("Drawbridge"), MetricData: []types.MetricDatum{{MetricName: aws.String("TunnelUp"), Value: aws.Float64(1)}},
	}
	if _, err := metrics.PutMetricData(t.Context(), in); err != nil || len(s.Metrics.Data()) != 1 {
		t.Errorf("%v, %v", err, s.Metrics.Data())
	}
	in.Namespace = aws.String("Other")
	_, err = metrics.PutMetricData(t.Context(), in)
	awstest.WantCode(t, err, awsapi.Denied)

	secrets, key := secretsmanager.NewFromConfig(config), out["HostKeyArn"]
	_, err = secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &key})
	awstest.WantCode(t, err, "ResourceNotFoundException")
	if _, err := secrets.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &key, SecretString: aws.String("made by the host")}); err != nil {
		t.Error(err)
	}
	if value, err := s.Secrets.Value(key, "AWSCURRENT"); err != nil || value != "made by the host" {
		t.Errorf("%q, %v", value, err)
	}

	t.Run("an update changes the parameter", func(t *testing.T) {
		if err := s.deploy("hosts", "the first value", "the second value"); err != nil || malia() != "the second value" {
			t.Errorf("%v, %q", err, malia())
		}
	})
	handle, err := s.Resource("test-hosts", "Handle")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("no record holds the URL for signals", func(t *testing.T) {
		said := handle.PhysicalID + fmt.Sprint(handle.Attributes)
		for _, o := range s.Operations() {
			said += fmt.Sprintf("%+v %s", o, o)
		}
		if strings.Contains(said, "X-Amz-Signature") || !strings.Contains(handle.Ref, "X-Amz-Signature") {
			t.Error("one does, or it has none")
		}
	})
	t.Run("deleting leaves nothing", func(t *testing.T) {
		if err := s.Delete(t.Context(), "test-hosts"); err != nil {
			t.Fatal(err)
		}
		if value, found := s.Parameters.Value("/drawbridge/test/administrators/malia"); found {
			t.Errorf("the parameter is still there: %q", value)
		}
		if _, err := s.Signals.Handle(handle.Ref); err == nil {
			t.Error("the handle still takes signals")
		}
	})
}

func TestAHostThatFailsRollsItsStackBack(t *testing.T) {
	s := newHosts(t, `{"Status":"FAILURE","Reason":"autossh cannot be installed: no space is left","UniqueId":"i-1","Data":""}`)
	wantError(t, s.deploy("hosts"), "ROLLBACK_COMPLETE", "Ready failed", "no space is left")
	if _, found := s.Parameters.Value("/drawbridge/test/administrators/malia"); found {
		t.Error("the parameter is left")
	}
}

func TestAHostWithoutASignalTimesOut(t *testing.T) {
	s := newHosts(t, `no signal`)
	wantError(t, s.deploy("hosts", `"600"`, `"1"`), "ROLLBACK_COMPLETE", "timed out")
	if refusals := s.Signals.Refusals(); len(refusals) != 1 {
		t.Errorf("%v", refusals)
	}
}

func TestWithoutHostsWaitConditionsAreSignalledAtOnce(t *testing.T) {
	s := newStage(t, nil)
	if err := s.deploy("hosts", `"Count": 1`, `"Count": 2`); err != nil {
		t.Fatal(err)
	}
	if data := s.Outputs("test-hosts")["Data"]; data != `{"played-1":"","played-2":""}` {
		t.Error(data)
	}
	wantError(t, s.deploy("hosts", `"Count": 1`, `"Count": 3`), "UPDATE_ROLLBACK_COMPLETE", "Ready failed", "not supported")
}

func TestHostsFetchAssets(t *testing.T) {
	program, err := exec.LookPath("aws")
	if err != nil {
		notrun.Because(t, "the AWS CLI is missing: install awscli")
	}
	s := newStage(t, nil)
	if err := s.deploy("hosts"); err != nil {
		t.Fatal(err)
	}
	c := s.Issuer.Issue(s.Outputs("test-hosts")["RoleArn"], 0)
	for key, want := range map[string]bool{"function.zip": true, "other.zip": false} {
		file := filepath.Join(t.TempDir(), "file")
		command := exec.CommandContext(t.Context(), program, "s3", "cp", "s3://"+AssetBucket("123456789012", "eu-west-1")+"/"+key, file)
		command.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+awstest.Serve(t, s.Services()), "AWS_DEFAULT_REGION=eu-west-1",
			"AWS_ACCESS_KEY_ID="+c.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+c.SecretAccessKey, "AWS_SESSION_TOKEN="+c.SessionToken)
		output, err := command.CombinedOutput()
		if info, statErr := os.Stat(file); (err == nil) != want || (statErr == nil && info.Size() > 0) != want {
			t.Errorf("%s: %v, %s", key, err, output)
		}
	}
}
