package mysqldb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/singleflight"
)

// SecretReader is the one call to Secrets Manager that this package makes; a
// *secretsmanager.Client is one.
type SecretReader interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

const (
	// secretTimeout bounds one reading of the secret, with the SDK's retries.
	secretTimeout = 10 * time.Second
	// unchangedPause is how long a secret that was read again and had not
	// changed is left alone, so that a wrong password does not turn every
	// connection into a paid call.
	unchangedPause = time.Second
)

// newSecretReader makes the AWS client for the region that the ARN names:
// Elastic Beanstalk sets no AWS_REGION for the programs that it runs. The
// client finds its credentials, and an endpoint other than AWS's
// (AWS_ENDPOINT_URL_SECRETS_MANAGER), by itself. It makes no call yet.
func newSecretReader(arn string) (SecretReader, error) {
	region, err := secretRegion(arn)
	if err != nil {
		return nil, err
	}
	cfg, err := config.LoadDefaultConfig(context.Background(), config.WithRegion(region))
	if err != nil {
		return nil, fmt.Errorf("the AWS settings of this machine cannot be used: %w", err)
	}
	return secretsmanager.NewFromConfig(cfg), nil
}

// Secret is a log-in in the JSON that RDS's own secrets hold ("JSON structure of
// AWS Secrets Manager secrets" in the AWS Secrets Manager user guide).
//
// Printing a Secret, in any way, does not print the password.
type Secret struct {
	// Host is the server's name or address, empty where the secret is not (yet)
	// attached to a database.
	Host string
	// Port is the server's TCP port, 0 where the secret names none.
	Port     int
	Username string
	Password string
	// Database is the schema (dbname), empty where the secret names none.
	Database string
}

// ErrSecretContent is wrapped by the errors of secrets that could be read but
// are of no use: reading them again gives the same, until somebody writes them.
var ErrSecretContent = errors.New("the secret's content cannot be used")

// ParseSecret reads the text of the secret called arn: a JSON object with the
// keys username and password, and optionally host, port and dbname. nil stands
// for a secret that holds bytes. The error is an *Error of the kind
// SecretUnreadable that wraps [ErrSecretContent]; it does not quote the text.
func ParseSecret(arn string, text *string) (Secret, error) {
	if text == nil {
		return Secret{}, secretContent(arn, "it holds bytes, not text")
	}
	var value struct {
		Host     string     `json:"host"`
		Port     secretPort `json:"port"`
		Username string     `json:"username"`
		Password string     `json:"password"`
		Database string     `json:"dbname"`
	}
	if err := json.Unmarshal([]byte(*text), &value); err != nil {
		// The decoder's own words may quote the value.
		return Secret{}, secretContent(arn, "it is not JSON with the keys host, port, username, password and dbname")
	}
	if value.Username == "" || value.Password == "" {
		return Secret{}, secretContent(arn, "it has no username or no password")
	}
	return Secret{value.Host, int(value.Port), value.Username, value.Password, value.Database}, nil
}

// Settings are how to connect with the secret as it is now: a password that is
// rotated later is not picked up. caFile is as in [Settings].
func (s Secret) Settings(caFile string) Settings {
	return Settings{Host: s.Host, Port: s.Port, Database: s.Database, Username: s.Username, Password: s.Password, CAFile: caFile}
}

// String describes the secret without the password.
func (s Secret) String() string { return s.Settings("").String() }

// GoString is what %#v prints: the same as String.
func (s Secret) GoString() string { return s.String() }

// MarshalText is what encoding/json and the like write: the same as String.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue is what log/slog writes.
func (s Secret) LogValue() slog.Value { return s.Settings("").LogValue() }

// IsSecretARN reports whether text is the whole ARN of a Secrets Manager secret.
func IsSecretARN(text string) bool {
	_, err := secretRegion(text)
	return err == nil
}

// secretPort is a port written as a number, as RDS does, or as a string, as
// people do.
type secretPort int

func (p *secretPort) UnmarshalJSON(data []byte) error {
	text := string(data)
	if unquoted, err := strconv.Unquote(text); err == nil {
		text = unquoted
	}
	if text == "" || text == "null" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 65535 {
		return errors.New("its port is not a number from 1 to 65535")
	}
	*p = secretPort(n)
	return nil
}

// secretCache holds the newest value of one secret.
type secretCache struct {
	reader SecretReader
	arn    string
	group  singleflight.Group

	mu          sync.Mutex
	current     *Secret
	unchangedAt time.Time
}

// get returns the cached value, or reads the secret the first time.
func (c *secretCache) get(ctx context.Context) (*Secret, error) {
	c.mu.Lock()
	current := c.current
	c.mu.Unlock()
	if current != nil {
		return current, nil
	}
	return c.fetch(ctx)
}

// newerThan returns a value that replaced refused, which MySQL did not accept.
// It reads the secret again unless somebody else has just done so. The same
// pointer comes back when the secret has not changed.
func (c *secretCache) newerThan(ctx context.Context, refused *Secret) (*Secret, error) {
	c.mu.Lock()
	current, unchanged := c.current, time.Since(c.unchangedAt) < unchangedPause
	c.mu.Unlock()
	if current != refused || unchanged {
		return current, nil
	}
	return c.fetch(ctx)
}

// fetch reads the secret once for all who ask at the same time. A caller whose
// ctx ends does not end the reading, on which others wait.
func (c *secretCache) fetch(ctx context.Context) (*Secret, error) {
	result := c.group.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), secretTimeout)
		defer cancel()
		value, err := c.read(ctx)
		if err != nil {
			return nil, err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.current != nil && *c.current == *value {
			c.unchangedAt = time.Now()
		} else {
			c.current = value
		}
		return c.current, nil
	})
	select {
	case <-ctx.Done():
		return nil, c.failure(ctx.Err())
	case r := <-result:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*Secret), nil
	}
}

func (c *secretCache) read(ctx context.Context) (*Secret, error) {
	out, err := c.reader.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(c.arn)})
	if err != nil {
		return nil, c.failure(err)
	}
	value, err := ParseSecret(c.arn, out.SecretString)
	if err != nil {
		return nil, err
	}
	return &value, nil
}

// secretContent is the error for a secret that was read but is of no use.
func secretContent(arn, reason string) *Error {
	return &Error{SecretUnreadable, fmt.Sprintf("the secret %s cannot be used: %s", arn, reason), ErrSecretContent}
}

// failure is the error for a secret that could not be read.
func (c *secretCache) failure(err error) *Error {
	reason := "Secrets Manager cannot be reached: check the network and AWS_ENDPOINT_URL_SECRETS_MANAGER"
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		reason = fmt.Sprintf("Secrets Manager answered %s", api.ErrorCode())
		switch api.ErrorCode() {
		case "ResourceNotFoundException":
			reason += ": check the ARN"
		case "AccessDeniedException":
			reason += ": allow secretsmanager:GetSecretValue on it for this program's role"
		case "InvalidRequestException":
			reason += ": it may be scheduled for deletion"
		}
	} else if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		reason = "Secrets Manager did not answer in time: check the network"
	}
	return &Error{SecretUnreadable, fmt.Sprintf("the secret %s cannot be read: %s", c.arn, reason), err}
}
