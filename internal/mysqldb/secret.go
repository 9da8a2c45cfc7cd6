package mysqldb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	unchangedPause = 5 * time.Second
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

// secretValue is the JSON that RDS's own secrets hold ("JSON structure of AWS
// Secrets Manager secrets" in the AWS Secrets Manager user guide).
type secretValue struct {
	Host     string     `json:"host"`
	Port     secretPort `json:"port"`
	Username string     `json:"username"`
	Password string     `json:"password"`
	Database string     `json:"dbname"`
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
	current     *secretValue
	unchangedAt time.Time
}

// get returns the cached value, or reads the secret the first time.
func (c *secretCache) get(ctx context.Context) (*secretValue, error) {
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
func (c *secretCache) newerThan(ctx context.Context, refused *secretValue) (*secretValue, error) {
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
func (c *secretCache) fetch(ctx context.Context) (*secretValue, error) {
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
		return r.Val.(*secretValue), nil
	}
}

func (c *secretCache) read(ctx context.Context) (*secretValue, error) {
	out, err := c.reader.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(c.arn)})
	if err != nil {
		return nil, c.failure(err)
	}
	if out.SecretString == nil {
		return nil, c.content("it holds bytes, not text")
	}
	var value secretValue
	if err := json.Unmarshal([]byte(*out.SecretString), &value); err != nil {
		// The decoder's own words may quote the value.
		return nil, c.content("it is not JSON with the keys host, port, username, password and dbname")
	}
	if value.Username == "" || value.Password == "" {
		return nil, c.content("it has no username or no password")
	}
	return &value, nil
}

// content is the error for a secret that was read but is of no use.
func (c *secretCache) content(reason string) *Error {
	return &Error{Kind: SecretUnreadable, sentence: fmt.Sprintf("the secret %s cannot be used: %s", c.arn, reason)}
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
