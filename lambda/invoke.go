package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
)

// function is what one execution environment of Lambda keeps between invocations.
type function struct {
	masterSecretARN string
	caFile          string
	secretsManager  func() (secretsManager, error)
	answer          cfn.CustomResourceLambdaFunction
}

// newFunction makes a function that answers CloudFormation through what http.DefaultClient is now. Its arguments are
// looked at when they are needed, so that what is wrong with them is answered.
func newFunction(masterSecretARN, caFile string, manager func() (secretsManager, error)) *function {
	f := &function{masterSecretARN: masterSecretARN, caFile: caFile, secretsManager: manager}
	f.answer = cfn.LambdaWrap(f.customResource)
	return f
}

// invoke handles one event, of CloudFormation ("Custom resource request and response reference" in the AWS CloudFormation
// user guide) or of a rotation ("Rotation by Lambda function" in the AWS Secrets Manager user guide). What goes wrong with
// a custom resource is answered and is no error here; an answer that cannot be given is one, and Lambda then invokes
// again.
func (f *function) invoke(ctx context.Context, event json.RawMessage) error {
	ctx, cancel := workTime(ctx)
	defer cancel()
	var sender struct{ RequestType, Step *string }
	if err := json.Unmarshal(event, &sender); err != nil || (sender.RequestType == nil) == (sender.Step == nil) {
		return errors.New("the event is neither a custom resource request of CloudFormation nor a rotation of Secrets Manager")
	}
	if sender.Step != nil {
		return f.rotate(ctx, event)
	}
	var request cfn.Event
	if err := json.Unmarshal(event, &request); err != nil {
		return errors.New("the event is not a custom resource request of CloudFormation: a field of it has the wrong type")
	}
	if _, err := f.answer(ctx, request); err != nil {
		err = withoutURL(err)
		slog.Error("CloudFormation was not answered", "requestId", request.RequestID, "reason", err.Error())
		return err
	}
	return nil
}

// workTime ends when the rest of the invocation's time is needed for the answer.
func workTime(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-time.Until(deadline)/6))
}

// unpanicked is what work returns; where it panics, an error. The panic's value may hold anything, also a password, so
// that neither the error nor the log shows it.
func unpanicked(work func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			slog.Error("panic", "type", fmt.Sprintf("%T", value), "stack", string(debug.Stack()))
			err = errors.New("the function has a fault of its own, a panic: its log shows where")
		}
	}()
	return work()
}

// logResult writes the one line that each event gets.
func logResult(started time.Time, err error, attributes ...any) {
	attributes = append(attributes, "duration", time.Since(started).Round(time.Millisecond).String())
	if err != nil {
		slog.Error("failed", append(attributes, "outcome", "FAILED", "reason", bounded(err.Error()))...)
		return
	}
	slog.Info("done", append(attributes, "outcome", "SUCCESS")...)
}
