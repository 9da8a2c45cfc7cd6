package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"

	"drawbridge/internal/mysqldb"
)

// secretsManager is what this function calls of Secrets Manager; a *secretsmanager.Client is one.
type secretsManager interface {
	mysqldb.SecretReader
	PutSecretValue(context.Context, *secretsmanager.PutSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error)
	DescribeSecret(context.Context, *secretsmanager.DescribeSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error)
	UpdateSecretVersionStage(context.Context, *secretsmanager.UpdateSecretVersionStageInput, ...func(*secretsmanager.Options)) (*secretsmanager.UpdateSecretVersionStageOutput, error)
}

// awsSecretsManager is the client of the AWS SDK.
var awsSecretsManager = sync.OnceValues(func() (secretsManager, error) {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		return nil, fmt.Errorf("the AWS settings in the function's environment cannot be used: %w", err)
	}
	return secretsmanager.NewFromConfig(cfg), nil
})

// Staging labels of a secret's versions ("What's in a Secrets Manager secret?").
const (
	current = "AWSCURRENT"
	pending = "AWSPENDING"
)

// callTimeout bounds one call with the SDK's own retries.
const callTimeout = 15 * time.Second

// secretVersion is a version of a secret with its value.
type secretVersion struct {
	id     string
	stages []string
	text   *string // nil where the value is bytes
}

// getVersion reads the version of a secret that in names. A version, or a whole secret, that is not there is a
// *types.ResourceNotFoundException.
func (f *function) getVersion(ctx context.Context, in *secretsmanager.GetSecretValueInput) (*secretVersion, error) {
	out, err := call(ctx, f, "GetSecretValue", in.SecretId, secretsManager.GetSecretValue, in)
	if err != nil {
		return nil, err
	}
	return &secretVersion{aws.ToString(out.VersionId), out.VersionStages, out.SecretString}, nil
}

// readSecret reads the log-in that a secret holds now.
func (f *function) readSecret(ctx context.Context, arn string) (mysqldb.Secret, error) {
	version, err := f.getVersion(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
	if err != nil {
		return mysqldb.Secret{}, err
	}
	secret, err := mysqldb.ParseSecret(arn, version.text)
	if err != nil {
		return mysqldb.Secret{}, fmt.Errorf("%w: put a value with these keys into it, or delete and deploy what made it", err)
	}
	return secret, nil
}

// putVersion writes a version of a secret, once: where that version exists with another value the error is a
// *types.ResourceExistsException.
func (f *function) putVersion(ctx context.Context, arn, version, text, stage string) error {
	_, err := call(ctx, f, "PutSecretValue", &arn, secretsManager.PutSecretValue, &secretsmanager.PutSecretValueInput{
		SecretId: &arn, ClientRequestToken: &version, SecretString: &text, VersionStages: []string{stage},
	})
	return err
}

// describe reads what is known of a secret without its values.
func (f *function) describe(ctx context.Context, arn string) (*secretsmanager.DescribeSecretOutput, error) {
	return call(ctx, f, "DescribeSecret", &arn, secretsManager.DescribeSecret, &secretsmanager.DescribeSecretInput{SecretId: &arn})
}

// makeCurrent moves AWSCURRENT to a version. from is the version that has it, empty where none has.
func (f *function) makeCurrent(ctx context.Context, arn, version, from string) error {
	in := &secretsmanager.UpdateSecretVersionStageInput{SecretId: &arn, VersionStage: aws.String(current), MoveToVersionId: &version}
	if from != "" {
		in.RemoveFromVersionId = &from
	}
	_, err := call(ctx, f, "UpdateSecretVersionStage", &arn, secretsManager.UpdateSecretVersionStage, in)
	return err
}

// call makes one call, with a time limit and errors in words for a person.
func call[In, Out any](ctx context.Context, f *function, name string, arn *string,
	method func(secretsManager, context.Context, *In, ...func(*secretsmanager.Options)) (*Out, error), in *In,
) (*Out, error) {
	manager, err := f.secretsManager()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	out, err := method(manager, ctx, in)
	if err != nil {
		return nil, &secretError{secretSentence(name, aws.ToString(arn), err), err}
	}
	return out, nil
}

// secretError is an error of Secrets Manager in words for a person. The SDK's own words are not in it: they may quote
// what was sent.
type secretError struct {
	sentence string
	cause    error
}

func (e *secretError) Error() string { return e.sentence }

func (e *secretError) Unwrap() error { return e.cause }

func secretSentence(call, arn string, err error) string {
	reason := "Secrets Manager cannot be reached: check the VPC endpoint, its security group and AWS_ENDPOINT_URL_SECRETS_MANAGER"
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		reason = "Secrets Manager answered " + api.ErrorCode()
		switch {
		case api.ErrorCode() == "AccessDeniedException":
			reason += ": allow secretsmanager:" + call + " on it for the function's role, and in the VPC endpoint's policy"
		case isNotFound(err):
			reason += ": it was deleted, or has no such version, so check the ARN, or deploy what makes it"
		case isScheduledForDeletion(err):
			reason += ": it may be scheduled for deletion, so restore it"
		case isRetryable(err):
			reason += ": try again in a few minutes"
		default:
			reason += ": see " + call + " in Secrets Manager's API reference"
		}
	} else if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		reason = "Secrets Manager did not answer in time: check the VPC endpoint and its security group"
	}
	return fmt.Sprintf("%s of the secret %s failed: %s", call, arn, reason)
}

func isNotFound(err error) bool {
	_, ok := errors.AsType[*types.ResourceNotFoundException](err)
	return ok
}

func isExisting(err error) bool {
	_, ok := errors.AsType[*types.ResourceExistsException](err)
	return ok
}

// isScheduledForDeletion is what GetSecretValue says of a secret that is being deleted. It has no other use for this
// error where the secret is one of ours.
func isScheduledForDeletion(err error) bool {
	_, ok := errors.AsType[*types.InvalidRequestException](err)
	return ok
}
