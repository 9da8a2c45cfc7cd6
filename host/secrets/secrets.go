// Package secrets reads what a host keeps in Secrets Manager.
package secrets

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"drawbridge/internal/mysqldb"
)

// timeout bounds one reading, with the SDK's retries.
const timeout = 30 * time.Second

// Read returns the text of a secret, or nil where it has none. The error says what to do. It is the same each time for the
// same cause: what AWS says holds the id of the request.
func Read(ctx context.Context, reader mysqldb.SecretReader, arn string) (*string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out, err := reader.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
	if err == nil {
		return out.SecretString, nil
	}
	do := "check this host's way to Secrets Manager"
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		do = "allow secretsmanager:GetSecretValue on it for this host's role, and see that it exists: Secrets Manager answered " + api.ErrorCode()
	}
	return nil, fmt.Errorf("the secret %s cannot be read: %s", arn, do)
}
