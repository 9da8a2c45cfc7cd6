// Command bootstrap is a Lambda function that does what its event says, well or badly. Tests of the rehearsal run it.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

func main() {
	if os.Getenv("CRASH_AT_START") != "" {
		fmt.Fprintln(os.Stderr, "crashing at the start")
		os.Exit(3)
	}
	lambda.Start(handle)
}

func handle(ctx context.Context, event json.RawMessage) (any, error) {
	var kind struct {
		Do, RequestType, Step string
	}
	if err := json.Unmarshal(event, &kind); err != nil {
		return nil, err
	}
	switch {
	case kind.Step != "":
		return nil, rotate(ctx, event)
	case kind.RequestType != "":
		return nil, customResource(ctx, event)
	}
	return do(ctx, kind.Do, event)
}

var calls int // kept while the program is warm

// do is for events of no kind.
func do(ctx context.Context, what string, event json.RawMessage) (any, error) {
	calls++
	switch what {
	case "echo":
		return event, nil
	case "count":
		return calls, nil
	case "context":
		deadline, _ := ctx.Deadline()
		lc, _ := lambdacontext.FromContext(ctx)
		return map[string]any{
			"RequestID": lc.AwsRequestID, "ARN": lc.InvokedFunctionArn, "LeftSeconds": time.Until(deadline).Seconds(),
		}, nil
	case "environment":
		return os.Environ(), nil
	case "log":
		fmt.Println("to stdout")
		fmt.Fprintln(os.Stderr, "to stderr")
		return nil, nil
	case "fail":
		return nil, errors.New("failed as told")
	case "panic":
		panic("panicked as told")
	case "exit":
		os.Exit(7)
	case "hang":
		time.Sleep(time.Hour)
	case "large":
		return strings.Repeat("x", 7<<20), nil
	case "internet":
		_, err := http.Get("https://secretsmanager.eu-west-1.amazonaws.com/")
		return nil, err
	case "temporary file":
		return nil, os.WriteFile(os.TempDir()+"/left-behind", nil, 0o600)
	case "secret":
		var in struct{ SecretID string }
		if err := json.Unmarshal(event, &in); err != nil {
			return nil, err
		}
		client, err := secrets(ctx)
		if err != nil {
			return nil, err
		}
		out, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &in.SecretID})
		if err != nil {
			return nil, err
		}
		return len(*out.SecretString), nil
	}
	return nil, fmt.Errorf("nothing is known of %q", what)
}

func secrets(ctx context.Context) (*secretsmanager.Client, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	return secretsmanager.NewFromConfig(cfg), err
}

// rotate is a rotation of text: the new value is the old one with a mark.
func rotate(ctx context.Context, event json.RawMessage) error {
	var in struct{ SecretId, ClientRequestToken, Step string }
	if err := json.Unmarshal(event, &in); err != nil {
		return err
	}
	fmt.Println("rotation step", in.Step)
	client, err := secrets(ctx)
	if err != nil {
		return err
	}
	current, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &in.SecretId})
	if err != nil {
		return err
	}
	switch in.Step {
	case "createSecret":
		_, err = client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
			SecretId: &in.SecretId, ClientRequestToken: &in.ClientRequestToken, VersionStages: []string{"AWSPENDING"},
			SecretString: aws.String(strings.Replace(*current.SecretString, "{", `{"rotated":"yes",`, 1)),
		})
	case "setSecret":
		if os.Getenv("FAIL_SET_SECRET") != "" {
			return errors.New("setSecret failed as told")
		}
	case "finishSecret":
		_, err = client.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
			SecretId: &in.SecretId, VersionStage: aws.String("AWSCURRENT"),
			MoveToVersionId: &in.ClientRequestToken, RemoveFromVersionId: current.VersionId,
		})
	}
	return err
}

// customResource answers as the property Answer says; on Delete as DeleteAnswer does.
func customResource(ctx context.Context, event json.RawMessage) error {
	var e cfn.Event
	if err := json.Unmarshal(event, &e); err != nil {
		return err
	}
	property := func(name string) string { text, _ := e.ResourceProperties[name].(string); return text }
	what := property(string(e.RequestType) + "Answer")
	if what == "" && e.RequestType != cfn.RequestDelete {
		what = property("Answer")
	}
	id := property("Id")
	if id == "" {
		id = "id-of-" + e.LogicalResourceID
	}
	if e.RequestType == cfn.RequestDelete {
		id = e.PhysicalResourceID
	}
	properties, err := json.Marshal(map[string]any{
		"RequestType": e.RequestType, "LogicalResourceId": e.LogicalResourceID, "PhysicalResourceId": e.PhysicalResourceID,
		"ResourceProperties": e.ResourceProperties, "OldResourceProperties": e.OldResourceProperties,
		"ResourceType": e.ResourceType, "StackId": e.StackID,
	})
	if err != nil {
		return err
	}
	if log := os.Getenv("EVENTS"); log != "" {
		f, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		if _, err := f.Write(append(properties, '\n')); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	answer := cfn.NewResponse(&e)
	answer.Status, answer.PhysicalResourceID = cfn.StatusSuccess, id
	answer.Data = map[string]any{"Word": property("Word"), "Number": 7}
	switch what {
	case "":
	case "fail":
		answer.Status, answer.Reason = cfn.StatusFailed, "failed as told"
	case "crash":
		os.Exit(9)
	case "hang":
		time.Sleep(time.Hour)
	case "silence":
		return nil
	case "late":
		time.Sleep(500 * time.Millisecond)
	case "wrong request":
		answer.RequestID = "another"
	case "wrong stack":
		answer.StackID = "another"
	case "wrong resource":
		answer.LogicalResourceID = "another"
	case "wrong status":
		answer.Status = "DONE"
	case "no reason":
		answer.Status = cfn.StatusFailed
	case "no id":
		answer.PhysicalResourceID = ""
	case "long id":
		answer.PhysicalResourceID = strings.Repeat("x", 1025)
	case "too long":
		answer.Data["Word"] = strings.Repeat("x", 4096)
	case "not JSON":
		return put(ctx, e.ResponseURL, []byte("SUCCESS"), "")
	case "content type":
		body, _ := json.Marshal(answer)
		return put(ctx, e.ResponseURL, body, "application/json")
	case "wrong url":
		body, _ := json.Marshal(answer)
		return put(ctx, strings.Replace(e.ResponseURL, "?", "x?", 1), body, "")
	case "twice":
		if err := answer.Send(); err != nil {
			return err
		}
		answer.Status, answer.Reason = cfn.StatusFailed, "the second answer"
	default:
		answer.Status, answer.Reason = cfn.StatusFailed, fmt.Sprintf("nothing is known of %q", what)
	}
	return answer.Send()
}

func put(ctx context.Context, url string, body []byte, contentType string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the answer got the status %d", response.StatusCode)
	}
	return response.Body.Close()
}
