package secrets

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
)

// answer is a Secrets Manager that gives one answer.
type answer struct {
	text *string
	err  error
}

func (a answer) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (
	*secretsmanager.GetSecretValueOutput, error) {
	if a.err != nil {
		return nil, a.err
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: a.text}, nil
}

func TestReadGivesTheTextOfASecret(t *testing.T) {
	for _, text := range []*string{aws.String("hunter2"), nil} {
		if got, err := Read(t.Context(), answer{text: text}, "arn:s"); err != nil || got != text {
			t.Errorf("got %v, error %v", got, err)
		}
	}
}

func TestReadSaysWhatToDoInTheSameSentenceEachTime(t *testing.T) {
	for want, err := range map[string]error{
		"Secrets Manager answered AccessDeniedException": fmt.Errorf("request 1:\n%w", &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "hunter2"}),
		"check this host's way to Secrets Manager":       errors.New("dial tcp 10.0.0.1:35647:\nno route to host"),
	} {
		_, got := Read(t.Context(), answer{err: err}, "arn:s")
		if got == nil || !strings.HasSuffix(got.Error(), want) || !strings.HasPrefix(got.Error(), "the secret arn:s cannot be read: ") ||
			strings.ContainsAny(got.Error(), "\n") {
			t.Errorf("error %v, want %s", got, want)
		}
	}
}
