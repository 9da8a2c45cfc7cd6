package main

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"

	"drawbridge/host/settings"
)

// Bounds on one call to AWS. The deadline of the command bounds them all.
const (
	callTimeout = 10 * time.Second // of one try
	callTries   = 4
	mostPause   = 5 * time.Second // between two tries
)

// awsConfig configures the SDK for the host's region, with the credentials of the instance's role. The SDK's own
// environment variables, such as AWS_ENDPOINT_URL, change what they do elsewhere. No call is made yet.
func awsConfig(ctx context.Context, s *settings.Settings) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithRegion(s.Region),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(callTimeout)),
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = callTries, mostPause })
		}))
	if err != nil {
		return aws.Config{}, fmt.Errorf("the AWS settings of this host cannot be used: %w", err)
	}
	return cfg, nil
}
