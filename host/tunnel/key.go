package tunnel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/cenkalti/backoff/v5"
	"golang.org/x/crypto/ssh"

	"drawbridge/host/install"
	"drawbridge/host/secrets"
	"drawbridge/host/settings"
	"drawbridge/internal/mysqldb"
)

// credential is the name of the private key's file, and of the credential that systemd hands to the units.
const credential = "tunnel-key"

// keyFolder is where the private key lies: in memory, for root only.
const keyFolder = "/run/drawbridge"

// WriteKey fetches the private key of the tunnels and writes it to memory. It waits for as long as ctx lets it: the secret
// may have no value yet, or the role's permission may not have arrived.
func WriteKey(ctx context.Context, h *install.Host, s *settings.Settings, cfg aws.Config) error {
	return writeKey(ctx, h, s.Tunnel.KeySecretARN, secretsmanager.NewFromConfig(cfg), 2*time.Second)
}

// writeKey pauses at first for the time firstPause.
func writeKey(ctx context.Context, h *install.Host, arn string, reader mysqldb.SecretReader, firstPause time.Duration) error {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = firstPause, 30*time.Second
	said := ""
	var last error
	key, err := backoff.Retry(ctx, func() (string, error) {
		var key string
		key, last = readKey(ctx, arn, reader)
		return key, last
	}, backoff.WithBackOff(pause), backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, _ time.Duration) {
		if err.Error() != said {
			said = err.Error()
			h.Say("Waiting for the private key of the tunnels: %v", err)
		}
	}))
	if err != nil {
		if last != nil {
			err = last // not only that the time was up
		}
		return fmt.Errorf("the private key of the tunnels cannot be had from Secrets Manager: %w", err)
	}
	folder := h.Path(keyFolder)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if err := os.Chmod(folder, 0o700); err != nil {
		return err
	}
	_, err = h.Write(install.File{Path: keyFolder + "/" + credential, Content: key, Mode: 0o600})
	return err
}

// readKey returns the private key as ssh takes it: with a line's end at its end. Its errors never hold the secret.
func readKey(ctx context.Context, arn string, reader mysqldb.SecretReader) (string, error) {
	secret, err := secrets.Read(ctx, reader, arn)
	if err != nil {
		return "", err
	}
	key := strings.TrimSpace(aws.ToString(secret))
	if key == "" {
		return "", fmt.Errorf("the secret %s is empty", arn)
	}
	key += "\n"
	if _, err := ssh.ParsePrivateKey([]byte(key)); err != nil {
		if missing := new(ssh.PassphraseMissingError); errors.As(err, &missing) {
			return "", fmt.Errorf("the secret %s holds a private key with a passphrase, which nobody here can type", arn)
		}
		return "", fmt.Errorf("the secret %s does not hold a private key in OpenSSH's format", arn)
	}
	return key, nil
}

func keyFile(h *install.Host) string { return filepath.Join(h.Path(keyFolder), credential) }
