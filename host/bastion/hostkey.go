package bastion

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/crypto/ssh"

	"drawbridge/host/secrets"
	"drawbridge/internal/mysqldb"
)

// hostKey reads sshd's host key, which outlives the instance, as the text of a file in OpenSSH's format. Its errors do not
// quote it.
func hostKey(ctx context.Context, reader mysqldb.SecretReader, arn string) (string, error) {
	secret, err := secrets.Read(ctx, reader, arn)
	if err != nil {
		return "", err
	}
	// sshd does not take a key whose last line has no end.
	text := strings.TrimSpace(strings.ReplaceAll(aws.ToString(secret), "\r\n", "\n")) + "\n"
	key, err := ssh.ParseRawPrivateKey([]byte(text))
	if _, ok := key.(*ed25519.PrivateKey); err != nil || !ok || !strings.HasPrefix(text, "-----BEGIN OPENSSH PRIVATE KEY-----\n") {
		return "", fmt.Errorf("the secret %s holds no Ed25519 private key in OpenSSH's format without a passphrase: "+
			"put such a key there, as 'ssh-keygen -t ed25519' makes it", arn)
	}
	return text, nil
}
