package bastion

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	"golang.org/x/crypto/ssh"

	"drawbridge/internal/mysqldb"
)

// secretTimeout bounds the reading of the host key, with the SDK's retries.
const secretTimeout = time.Minute

// hostKey reads sshd's host key, which outlives the instance, as the text of a file in OpenSSH's format. Its errors do not
// quote it.
func hostKey(ctx context.Context, secrets mysqldb.SecretReader, arn string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, secretTimeout)
	defer cancel()
	out, err := secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
	if err != nil {
		do := "check this host's way to Secrets Manager"
		if api, ok := errors.AsType[smithy.APIError](err); ok {
			do = "allow secretsmanager:GetSecretValue on it for this host's role, and see that it exists: Secrets Manager answered " + api.ErrorCode()
		}
		return "", fmt.Errorf("the host key in the secret %s cannot be read: %s", arn, do)
	}
	// sshd does not take a key whose last line has no end.
	text := strings.TrimSpace(strings.ReplaceAll(aws.ToString(out.SecretString), "\r\n", "\n")) + "\n"
	key, err := ssh.ParseRawPrivateKey([]byte(text))
	if _, ok := key.(*ed25519.PrivateKey); err != nil || !ok || !strings.HasPrefix(text, "-----BEGIN OPENSSH PRIVATE KEY-----\n") {
		return "", fmt.Errorf("the secret %s holds no Ed25519 private key in OpenSSH's format without a passphrase: "+
			"put such a key there, as 'ssh-keygen -t ed25519' makes it", arn)
	}
	return text, nil
}
