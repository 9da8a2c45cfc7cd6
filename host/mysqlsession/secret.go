package mysqlsession

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"drawbridge/internal/mysqldb"
)

// secretTimeout bounds the reading of the secret, with the SDK's retries.
const secretTimeout = 20 * time.Second

// readSecret reads the master user's log-in.
func readSecret(ctx context.Context, reader mysqldb.SecretReader, arn string) (mysqldb.Secret, error) {
	ctx, cancel := context.WithTimeout(ctx, secretTimeout)
	defer cancel()
	out, err := reader.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
	if err != nil {
		do := "check this host's way to Secrets Manager"
		if api, ok := errors.AsType[smithy.APIError](err); ok {
			do = "allow secretsmanager:GetSecretValue on it for this host's role, and see that it exists: Secrets Manager answered " + api.ErrorCode()
		}
		return mysqldb.Secret{}, fmt.Errorf("the secret %s cannot be read: %s", arn, do)
	}
	return mysqldb.ParseSecret(arn, out.SecretString)
}
