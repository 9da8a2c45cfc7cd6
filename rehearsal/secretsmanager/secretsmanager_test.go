package secretsmanager

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"

	"drawbridge/rehearsal/awsapi"
	"drawbridge/rehearsal/iam"
)

const role = "arn:aws:iam::123456789012:role/lambda"

// token is a ClientRequestToken with this number in it.
func token(n int) string { return fmt.Sprintf("token-%032d", n) }

func start(t *testing.T) *Server {
	t.Helper()
	var roles iam.Directory
	roles.Attach(role, "all", allow(t, "secretsmanager:*", "*"))
	s, err := Start(Options{AccountID: "123456789012", Region: "eu-west-1", Roles: &roles})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func allow(t *testing.T, action, resource string) iam.Policy {
	t.Helper()
	policy, err := iam.ParsePolicy(map[string]any{"Statement": map[string]any{
		"Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource,
	}})
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

func clientOf(c Credentials, url string) *secretsmanager.Client {
	return secretsmanager.New(secretsmanager.Options{
		Region: "eu-west-1", BaseEndpoint: &url, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}, nil
		}),
	})
}

// fixture is a secret with the value "one", and a client that may do everything.
func fixture(t *testing.T) (*Server, *secretsmanager.Client, string) {
	t.Helper()
	s := start(t)
	arn, err := s.Create("webapp", "", aws.String("one"))
	if err != nil {
		t.Fatal(err)
	}
	return s, clientOf(s.Credentials(role), s.URL()), arn
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("the error is %v, want %s", err, code)
	}
}

func get(t *testing.T, c *secretsmanager.Client, in secretsmanager.GetSecretValueInput) string {
	t.Helper()
	out, err := c.GetSecretValue(t.Context(), &in)
	if err != nil {
		t.Fatal(err)
	}
	return *out.SecretString
}

func TestGetSecretValue(t *testing.T) {
	s, c, arn := fixture(t)
	for _, id := range []string{arn, "webapp"} {
		if got := get(t, c, secretsmanager.GetSecretValueInput{SecretId: &id}); got != "one" {
			t.Errorf("%s: %q", id, got)
		}
	}
	_, err := c.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("absent")})
	var gone *types.ResourceNotFoundException
	if !errors.As(err, &gone) {
		t.Errorf("an absent secret: %v", err)
	}
	_, err = c.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &arn, VersionStage: aws.String("AWSPENDING")})
	wantCode(t, err, "ResourceNotFoundException")
	empty, err := s.Create("empty", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &empty})
	wantCode(t, err, "ResourceNotFoundException")
	if err := s.Delete(arn, false); err != nil {
		t.Fatal(err)
	}
	_, err = c.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &arn})
	wantCode(t, err, "InvalidRequestException")
	if _, err := s.Create("webapp", "", nil); err == nil {
		t.Error("the name of a secret that is scheduled for deletion is free")
	}
	if err := s.Delete(empty, true); err != nil {
		t.Fatal(err)
	}
	_, err = c.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &empty})
	wantCode(t, err, "ResourceNotFoundException")
}

func TestPutSecretValue(t *testing.T) {
	_, c, arn := fixture(t)
	put := func(n int, value string, stages ...string) error {
		_, err := c.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
			SecretId: &arn, ClientRequestToken: aws.String(token(n)), SecretString: &value, VersionStages: stages,
		})
		return err
	}
	current := func() string { return get(t, c, secretsmanager.GetSecretValueInput{SecretId: &arn}) }
	if err := put(1, "two"); err != nil || current() != "two" {
		t.Fatalf("%v, %s", err, current())
	}
	if previous := get(t, c, secretsmanager.GetSecretValueInput{SecretId: &arn, VersionStage: aws.String(Previous)}); previous != "one" {
		t.Errorf("AWSPREVIOUS is %q", previous)
	}
	if err := put(2, "three", Pending); err != nil || current() != "two" {
		t.Errorf("a version with another label: %v, AWSCURRENT is %q", err, current())
	}
	if err := put(1, "two"); err != nil || current() != "two" {
		t.Errorf("the same again: %v", err)
	}
	wantCode(t, put(1, "other"), "ResourceExistsException")
	wantCode(t, put(3, ""), "InvalidParameterException")
	_, err := c.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: &arn, ClientRequestToken: aws.String("short"), SecretString: aws.String("x"),
	})
	wantCode(t, err, "InvalidParameterException")
}

func TestFirstVersionIsCurrent(t *testing.T) {
	s, c, _ := fixture(t)
	arn, err := s.Create("key", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: &arn, ClientRequestToken: aws.String(token(1)), SecretString: aws.String("key"), VersionStages: []string{"MINE"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := get(t, c, secretsmanager.GetSecretValueInput{SecretId: &arn}); got != "key" {
		t.Errorf("AWSCURRENT is %q", got)
	}
}

func TestUpdateSecretVersionStage(t *testing.T) {
	s, c, arn := fixture(t)
	first := func() string { stages, _ := s.Stages(arn); return stages[Current] }()
	if _, err := c.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: &arn, ClientRequestToken: aws.String(token(1)), SecretString: aws.String("two"),
	}); err != nil {
		t.Fatal(err)
	}
	second := token(1)
	move := func(stage, to, from string) error {
		in := secretsmanager.UpdateSecretVersionStageInput{SecretId: &arn, VersionStage: &stage}
		if to != "" {
			in.MoveToVersionId = &to
		}
		if from != "" {
			in.RemoveFromVersionId = &from
		}
		_, err := c.UpdateSecretVersionStage(t.Context(), &in)
		return err
	}
	wantCode(t, move(Current, first, ""), "InvalidParameterException")
	wantCode(t, move(Current, first, first), "InvalidParameterException")
	wantCode(t, move(Current, "", second), "InvalidParameterException")
	wantCode(t, move(Current, "", ""), "InvalidParameterException")
	wantCode(t, move(Current, token(9), second), "ResourceNotFoundException")
	if err := move(Current, first, second); err != nil {
		t.Fatal(err)
	}
	if stages, _ := s.Stages(arn); stages[Current] != first || stages[Previous] != second {
		t.Errorf("%v", stages)
	}
	if err := move(Current, first, ""); err != nil {
		t.Errorf("to where it is: %v", err)
	}
	if err := move(Previous, "", second); err != nil {
		t.Errorf("taking a label away: %v", err)
	}
	out, err := c.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: &arn})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.VersionIdsToStages) != 1 || aws.ToBool(out.RotationEnabled) {
		t.Errorf("versions without labels are listed: %v", out.VersionIdsToStages)
	}
}

func TestRequestsThatAreNotAuthorized(t *testing.T) {
	s, good, arn := fixture(t)
	in := &secretsmanager.GetSecretValueInput{SecretId: &arn}
	for want, c := range map[string]*secretsmanager.Client{
		"AccessDeniedException":       clientOf(s.Credentials("arn:aws:iam::123456789012:role/nobody"), s.URL()),
		"UnrecognizedClientException": clientOf(Credentials{AccessKeyID: "ASIAXXXXXXXXXXXXXXXX", SecretAccessKey: "x", SessionToken: "y"}, s.URL()),
	} {
		_, err := c.GetSecretValue(t.Context(), in)
		wantCode(t, err, want)
	}
	wrong := s.Credentials(role)
	wrong.SecretAccessKey += "x"
	_, err := clientOf(wrong, s.URL()).GetSecretValue(t.Context(), in)
	wantCode(t, err, "InvalidSignatureException")

	response, err := http.Post(s.URL(), "application/x-amz-json-1.1", strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("an unsigned request gets %d", response.StatusCode)
	}
	_, err = good.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{})
	wantCode(t, err, "UnknownOperationException")

	endpoint, err := s.OpenEndpoint(allow(t, "secretsmanager:DescribeSecret", "*"), nil)
	if err != nil {
		t.Fatal(err)
	}
	through := clientOf(s.Credentials(role), endpoint.URL)
	_, err = through.GetSecretValue(t.Context(), in)
	wantCode(t, err, "AccessDeniedException")
	endpoint.SetPolicy(allow(t, "*", "*"))
	if _, err := through.GetSecretValue(t.Context(), in); err != nil {
		t.Errorf("through the endpoint: %v", err)
	}

	nobody := clientOf(s.Credentials("arn:aws:iam::123456789012:role/nobody"), s.URL())
	if err := s.SetPolicy(arn, allow(t, "secretsmanager:GetSecretValue", "*")); err != nil {
		t.Fatal(err)
	}
	if _, err := nobody.GetSecretValue(t.Context(), in); err != nil {
		t.Errorf("with the secret's own policy: %v", err)
	}
	_, err = nobody.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: &arn})
	wantCode(t, err, "AccessDeniedException")
	calls := s.Calls()
	if last := calls[len(calls)-1]; last.Operation != "DescribeSecret" || last.Code != "AccessDeniedException" || !strings.HasSuffix(last.Principal, "nobody") {
		t.Errorf("the last call is recorded as %+v", last)
	}
}

func TestFaults(t *testing.T) {
	s, c, arn := fixture(t)
	read := func() error {
		_, err := c.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &arn})
		return err
	}
	s.Inject(Fault{Operation: "GetSecretValue", Skip: 1, Times: 2, Code: "ThrottlingException"})
	if err := read(); err != nil {
		t.Errorf("the one that passes: %v", err)
	}
	wantCode(t, read(), "ThrottlingException")
	wantCode(t, read(), "ThrottlingException")
	if err := read(); err != nil {
		t.Errorf("after the fault: %v", err)
	}
	s.Inject(Fault{Resource: "another", Code: "ThrottlingException"})
	if err := read(); err != nil {
		t.Errorf("a fault of another secret: %v", err)
	}
	s.Inject(Fault{Code: "InternalServiceError", Status: 500})
	wantCode(t, read(), "InternalServiceError")
	s.ClearFaults()
	s.Inject(Fault{Times: 1, Body: []byte(`{"SecretString":"planted"}`)})
	if got := get(t, c, secretsmanager.GetSecretValueInput{SecretId: &arn}); got != "planted" {
		t.Errorf("%q", got)
	}
	s.Inject(Fault{Times: 1, Drop: true})
	if err := read(); err == nil {
		t.Error("a dropped connection is no error")
	}
	s.Inject(Fault{Times: 1, Delay: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := c.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a slow answer: %v", err)
	}
	s.Inject(Fault{Times: 1, Delay: time.Millisecond})
	if err := read(); err != nil {
		t.Errorf("a delay alone: %v", err)
	}
}

func TestCloseEndsSlowRequests(t *testing.T) {
	s, c, arn := fixture(t)
	s.Inject(Fault{Times: 1, Delay: time.Hour})
	failed := make(chan error)
	go func() {
		_, err := c.GetSecretValue(context.Background(), &secretsmanager.GetSecretValueInput{SecretId: &arn})
		failed <- err
	}()
	for s.api.PendingFaults() > 0 {
		time.Sleep(time.Millisecond)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if <-failed == nil {
		t.Error("the request went well")
	}
}

func TestRotation(t *testing.T) {
	s, c, arn := fixture(t)
	var steps []string
	failAt := ""
	invoke := func(ctx context.Context, function string, event []byte) error {
		var e RotationEvent
		if err := json.Unmarshal(event, &e); err != nil {
			return err
		}
		if function != "the function" || e.SecretId != arn || len(e.ClientRequestToken) < 32 {
			t.Errorf("%s gets %+v", function, e)
		}
		steps = append(steps, e.Step)
		if e.Step == failAt {
			return errors.New("failed as told")
		}
		switch e.Step {
		case "createSecret":
			_, err := c.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
				SecretId: &arn, ClientRequestToken: &e.ClientRequestToken, SecretString: aws.String("rotated"), VersionStages: []string{Pending},
			})
			return err
		case "testSecret":
			_, err := c.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn, VersionId: &e.ClientRequestToken, VersionStage: aws.String(Pending)})
			return err
		case "finishSecret":
			stages, _ := s.Stages(arn)
			_, err := c.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
				SecretId: &arn, VersionStage: aws.String(Current), MoveToVersionId: &e.ClientRequestToken, RemoveFromVersionId: aws.String(stages[Current]),
			})
			return err
		}
		return nil
	}
	if err := s.Rotate(t.Context(), arn, invoke); err == nil {
		t.Error("a secret without rotation is rotated")
	}
	if err := s.SetRotation(arn, "the function"); err != nil {
		t.Fatal(err)
	}

	// The test of a new schedule: the version is there and has no value.
	wantCode(t, errors.Unwrap(s.TestRotation(t.Context(), arn, invoke)), "ResourceNotFoundException")
	if stages, _ := s.Stages(arn); strings.Join(steps, " ") != "testSecret" || stages[Pending] != "" {
		t.Errorf("steps %v, stages %v", steps, stages)
	}

	steps, failAt = nil, "setSecret"
	if err := s.Rotate(t.Context(), arn, invoke); err == nil || !strings.Contains(err.Error(), "setSecret") {
		t.Errorf("a step that fails: %v", err)
	}
	pending, _ := s.Stages(arn)
	if err := s.Rotate(t.Context(), arn, invoke); err == nil || len(steps) != 2 {
		t.Errorf("a second rotation while one is unfinished: %v, %v", err, steps)
	}
	steps, failAt = nil, ""
	if err := s.RetryRotation(t.Context(), arn, invoke); err != nil {
		t.Fatal(err)
	}
	stages, _ := s.Stages(arn)
	if value, _ := s.Value(arn, Current); value != "rotated" || stages[Current] != pending[Pending] || len(steps) != 4 {
		t.Errorf("%q, %v, %v", value, stages, steps)
	}
	if err := s.RetryRotation(t.Context(), arn, invoke); err == nil {
		t.Error("a finished rotation is retried")
	}
	if err := s.Rotate(t.Context(), arn, func(context.Context, string, []byte) error { return nil }); err == nil || !strings.Contains(err.Error(), "not AWSCURRENT") {
		t.Errorf("a function that does nothing: %v", err)
	}
}

func TestGenerate(t *testing.T) {
	text, err := Generate{
		ExcludePunctuation: true, GenerateStringKey: "password", PasswordLength: 24, SecretStringTemplate: `{"username":"admin"}`,
	}.Value()
	if err != nil {
		t.Fatal(err)
	}
	var value struct{ Username, Password string }
	if err := json.NewDecoder(bytes.NewReader([]byte(text))).Decode(&value); err != nil {
		t.Fatal(err)
	}
	if value.Username != "admin" || len(value.Password) != 24 || strings.ContainsAny(value.Password, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ") {
		t.Error("the value is not what was asked for")
	}
	if !strings.ContainsAny(value.Password, awsapi.Lower) || !strings.ContainsAny(value.Password, awsapi.Upper) || !strings.ContainsAny(value.Password, awsapi.Digits) {
		t.Error("a kind of character is missing")
	}
	for _, g := range []Generate{
		{PasswordLength: 3}, {PasswordLength: 5000}, {GenerateStringKey: "x"}, {SecretStringTemplate: "no JSON", GenerateStringKey: "x"},
		{ExcludeLowercase: true, ExcludeUppercase: true, ExcludeNumbers: true, ExcludePunctuation: true},
	} {
		if _, err := g.Value(); err == nil {
			t.Errorf("%+v is no error", g)
		}
	}
}
