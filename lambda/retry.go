package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsretry "github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/cenkalti/backoff/v5"
	"github.com/go-sql-driver/mysql"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/sampledata"
)

// retry runs operation, which can run twice, until it succeeds, fails for a reason that time does not mend, or ctx ends.
// The error is then the last one, with how long was tried.
func retry(ctx context.Context, operation func() error) error {
	started := time.Now()
	var last error
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = 200*time.Millisecond, 5*time.Second
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := operation()
		if err == nil {
			return struct{}{}, nil
		}
		// An attempt that ctx cut short says less than the one before.
		if last == nil || ctx.Err() == nil {
			last = err
		}
		if !transient(err) {
			last = err
			return struct{}{}, backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(pauses), backoff.WithMaxElapsedTime(0))
	if err == nil {
		return nil
	}
	if !transient(last) {
		return last
	}
	return fmt.Errorf("%w (tried for %v)", last, max(time.Since(started).Round(time.Second), time.Second))
}

const (
	lockWaitTimeout = 1205
	deadlock        = 1213
)

// transient reports whether trying again later may help.
func transient(err error) bool {
	if errors.Is(err, mysqldb.ErrSecretContent) {
		return false
	}
	if isExisting(err) {
		return true // another delivery of the same event was faster: the next try finds what it made
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		// A policy that was just made may take a while to be everywhere ("Troubleshoot IAM", eventual consistency).
		return api.ErrorCode() == "AccessDeniedException" || isRetryable(err)
	}
	if refused, ok := errors.AsType[*mysql.MySQLError](err); ok && (refused.Number == lockWaitTimeout || refused.Number == deadlock) {
		return true
	}
	if errors.Is(err, sampledata.ErrBusy) {
		return true
	}
	kind := mysqldb.Explain(err).Kind
	return kind == mysqldb.Unreachable || kind == mysqldb.Full || kind == mysqldb.TimedOut
}

// isRetryable reports whether err is an error of AWS that another try may not meet: throttling, or a fault of its own.
func isRetryable(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && (api.ErrorFault() == smithy.FaultServer ||
		awsretry.IsErrorRetryables(awsretry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary)
}
