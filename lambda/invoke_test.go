package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

func TestEventsOfNobody(t *testing.T) {
	r := newRig(t)
	for _, event := range []any{
		nil, "hello", []any{}, map[string]any{}, map[string]any{"RequestType": "Create", "Step": "setSecret"},
		map[string]any{"RequestType": 7}, map[string]any{"detail-type": "Scheduled Event"},
	} {
		if err := r.invoke(event); err == nil || !strings.HasPrefix(err.Error(), "the event is neither") {
			t.Errorf("%v: got %v", event, err)
		}
	}
	if err := r.invoke(map[string]any{"RequestType": "Create", "StackId": 7}); err == nil || !strings.Contains(err.Error(), "wrong type") {
		t.Errorf("got %v", err)
	}
}

func TestUnknownResourcesAndRequests(t *testing.T) {
	r := newRig(t)
	made := r.create("Custom::Moat", nil)
	r.failed(made, "not-created:5c7cf1a9-1111", `"Custom::Moat" is not a type of custom resource that this function knows`)
	r.succeeded(r.delete("Custom::Moat", made.PhysicalResourceID, nil), made.PhysicalResourceID)
	r.failed(r.delete("Custom::Moat", "moat", nil), "moat", "is not a type")
	r.failed(r.create(strings.Repeat("€", 5000), nil), "not-created:5c7cf1a9-1111", "is not a type")
	r.failed(r.request(r.event("Look", "Custom::FlipGate", goodProperties("Custom::FlipGate"), "PhysicalResourceId", "x")), "x", `"Look" is not a request type`)
}

func TestFaultsOfTheEnvironmentAreAnswered(t *testing.T) {
	t.Run("no master secret", func(t *testing.T) {
		r := newRig(t)
		r.f.masterSecretARN = ""
		r.failed(r.create("Custom::SampleData", goodProperties("Custom::SampleData")), "not-created:5c7cf1a9-1111",
			"DRAWBRIDGE_MASTER_SECRET_ARN in the function's environment is not the ARN of a secret")
	})
	t.Run("AWS settings that cannot be used", func(t *testing.T) {
		r := newRig(t)
		r.f.secretsManager = func() (secretsManager, error) { return nil, errors.New("the AWS settings are wrong") }
		r.failed(r.create("Custom::SampleData", goodProperties("Custom::SampleData")), "not-created:5c7cf1a9-1111", "the AWS settings are wrong")
	})
	t.Run("a certificate authority that is not there", func(t *testing.T) {
		r := newDatabaseRig(t)
		r.f.caFile = "/nowhere/ca.pem"
		r.failed(r.create("Custom::SampleData", goodProperties("Custom::SampleData")), "not-created:5c7cf1a9-1111", "/nowhere/ca.pem")
	})
	t.Run("a certificate authority that is another", func(t *testing.T) {
		r := newDatabaseRig(t)
		r.f.caFile = ""
		r.failed(r.create("Custom::SampleData", goodProperties("Custom::SampleData")), "not-created:5c7cf1a9-1111", "an authority that is not trusted")
	})
}

// panicking is a Secrets Manager whose every call panics with a password.
type panicking struct{ secretsManager }

func (panicking) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	panic(fmt.Sprintf("the password is %s", "hunter2-in-a-panic"))
}

func (panicking) DescribeSecret(context.Context, *secretsmanager.DescribeSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error) {
	panic(errors.New("hunter2-in-a-panic"))
}

func TestPanics(t *testing.T) {
	r := newRig(t)
	r.private = append(r.private, "hunter2-in-a-panic")
	r.f.secretsManager = func() (secretsManager, error) { return panicking{}, nil }
	for _, resourceType := range []string{"Custom::ReadOnlyUser", "Custom::SampleData", "Custom::SSHKeyPair"} {
		r.failed(r.create(resourceType, goodProperties(resourceType)), "not-created:5c7cf1a9-1111", "a fault of its own, a panic")
		r.failed(r.update(resourceType, "the-id", nil, goodProperties(resourceType)), "the-id", "a fault of its own, a panic")
	}
	r.failed(r.update("Custom::FlipGate", gateID, map[string]any{"Exposure": "public"}, goodProperties("Custom::FlipGate")), gateID,
		"bi (MySQL user tester): the function has a fault of its own, a panic")
	if err := r.invoke(map[string]any{"Step": "setSecret", "SecretId": arnOf("x"), "ClientRequestToken": "t"}); err == nil || !strings.Contains(err.Error(), "a panic") {
		t.Errorf("a rotation: %v", err)
	}
	if log := r.log(); !strings.Contains(log, "invoke_test.go") || !strings.Contains(log, `"type":"string"`) {
		t.Errorf("the log does not say where the panic was: %s", log)
	}
}

func TestWorkLeavesTimeForTheAnswer(t *testing.T) {
	for _, limit := range []time.Duration{180 * time.Second, 6 * time.Second} {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		work, done := workTime(ctx)
		whole, _ := ctx.Deadline()
		part, ok := work.Deadline()
		if left := whole.Sub(part); !ok || left < limit/7 || left > limit/5 {
			t.Errorf("%v of %v are left for the answer, want a sixth", left, limit)
		}
		done()
		cancel()
	}
	unlimited, done := workTime(context.Background())
	defer done()
	if _, ok := unlimited.Deadline(); ok {
		t.Error("an invocation without a limit got one")
	}
	if rest := 30 * time.Second; patience.all+5*time.Second > rest {
		t.Errorf("answering may take %v, and dropping a half-made user 5s before it: %v are left", patience.all, rest)
	}
}

func TestAnswersBeforeItsTimeRunsOut(t *testing.T) {
	r := newRig(t)
	r.secrets.delay = time.Hour
	r.limit = 6 * time.Second
	started := time.Now()
	r.failed(r.create("Custom::SampleData", goodProperties("Custom::SampleData")), "not-created:5c7cf1a9-1111",
		"GetSecretValue of the secret "+arnOf("master")+" failed: Secrets Manager did not answer in time", "(tried for ")
	if took := time.Since(started); took >= r.limit {
		t.Errorf("answered after %v, and Lambda ends it after %v", took, r.limit)
	}
}

func TestEachEventHasOneLineInTheLog(t *testing.T) {
	r := newRig(t)
	r.create("Custom::FlipGate", goodProperties("Custom::FlipGate"))
	r.create("Custom::FlipGate", map[string]any{"Exposure": "open", "Users": []any{}})
	_ = r.invoke(map[string]any{"Step": "setSecret", "SecretId": arnOf("x"), "ClientRequestToken": "t"})
	type line struct {
		Level, RequestType, ResourceType, LogicalID, RequestID, Outcome, Duration, Reason, Step, Secret string
	}
	var lines []line
	for text := range strings.Lines(r.log()) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		if _, err := time.ParseDuration(l.Duration); l.Outcome != "" && err != nil {
			t.Errorf("the duration %q is none", l.Duration)
		}
		if l.Duration = ""; l.Outcome != "" {
			lines = append(lines, l)
		}
	}
	want := []line{
		{Level: "INFO", RequestType: "Create", ResourceType: "Custom::FlipGate", LogicalID: "TheResource", RequestID: "5c7cf1a9-1111", Outcome: "SUCCESS"},
		{Level: "ERROR", RequestType: "Create", ResourceType: "Custom::FlipGate", LogicalID: "TheResource", RequestID: "5c7cf1a9-1111", Outcome: "FAILED",
			Reason: "the resource's properties are wrong: Exposure is not public or private"},
		{Level: "ERROR", Step: "setSecret", Secret: arnOf("x"), Outcome: "FAILED",
			Reason: "DescribeSecret of the secret " + arnOf("x") + " failed: Secrets Manager answered ResourceNotFoundException: it was deleted, or has no such version, so check the ARN, or deploy what makes it"},
	}
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d: %s", len(lines), len(want), r.log())
	}
	for i := range want {
		if lines[i] != want[i] {
			t.Errorf("line %d:\n got %+v\nwant %+v", i, lines[i], want[i])
		}
	}
	if strings.Contains(r.log(), "10.0.0.0/16") {
		t.Error("the log holds properties")
	}
}

func TestSecretsManagersErrorsAreSentences(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"not there":     {nil, "Secrets Manager answered ResourceNotFoundException: it was deleted, or has no such version, so check the ARN, or deploy what makes it"},
		"may not":       {apiError("AccessDeniedException"), "Secrets Manager answered AccessDeniedException: allow secretsmanager:GetSecretValue on it for the function's role, and in the VPC endpoint's policy"},
		"throttled":     {apiError("ThrottlingException"), "Secrets Manager answered ThrottlingException: try again in a few minutes"},
		"wrong":         {apiError("ValidationException"), "Secrets Manager answered ValidationException: see GetSecretValue in Secrets Manager's API reference"},
		"out of reach":  {errors.New("dial tcp: no route"), "Secrets Manager cannot be reached: check the VPC endpoint, its security group and AWS_ENDPOINT_URL_SECRETS_MANAGER"},
		"out of time":   {context.DeadlineExceeded, "Secrets Manager did not answer in time: check the VPC endpoint and its security group"},
		"being deleted": {secretIsGone(), "Secrets Manager answered InvalidRequestException: it may be scheduled for deletion, so restore it"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.secrets.broken = test.err
			_, err := r.f.readSecret(t.Context(), arnOf("x"))
			if want := "GetSecretValue of the secret " + arnOf("x") + " failed: " + test.want; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			if test.err != nil && !errors.Is(err, test.err) {
				t.Error("the SDK's error is lost")
			}
		})
	}
}

// secretIsGone is the error for a secret that is scheduled for deletion.
func secretIsGone() error {
	f := newFakeSecrets()
	arn := f.set("x", "{}")
	f.change(arn, func(s *fakeSecret) { s.deleted = true })
	_, err := f.GetSecretValue(context.Background(), &secretsmanager.GetSecretValueInput{SecretId: aws.String(arn)})
	return err
}
