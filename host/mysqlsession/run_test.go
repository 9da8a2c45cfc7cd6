package mysqlsession

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"drawbridge/host/settings"
)

// fakeSecrets is a Secrets Manager with one secret.
type fakeSecrets struct {
	text *string
	err  error
}

func (s fakeSecrets) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	if s.err != nil {
		return nil, s.err
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: s.text}, nil
}

const arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:master-AbCdEf"

func TestASecretThatIsOfNoUseIsSaidInOneSentence(t *testing.T) {
	bad, half := `password=hunter2`, `{"username":"admin"}`
	for name, s := range map[string]fakeSecrets{
		"not there":     {err: &smithy.GenericAPIError{Code: "ResourceNotFoundException", Message: "hunter2"}},
		"out of reach":  {err: errors.New("dial tcp: no route\nto host")},
		"not allowed":   {err: &smithy.GenericAPIError{Code: "AccessDeniedException"}},
		"bytes":         {},
		"another text":  {text: &bad},
		"half a log-in": {text: &half},
	} {
		_, err := readLogin(context.Background(), s, arn)
		if err == nil || !strings.Contains(err.Error(), arn) || strings.ContainsAny(err.Error(), "\n") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestTheClientIsNotAskedToPrintThePassword(t *testing.T) {
	for _, args := range [][]string{{"--print-defaults"}, {"--print-defaults", "x"}} {
		err := Run(t.Context(), &settings.Settings{Bastion: &settings.Bastion{}}, aws.Config{}, args)
		if err == nil || !strings.Contains(err.Error(), "--print-defaults would show the password") {
			t.Errorf("%q: error %v", args, err)
		}
	}
}

func TestOnlyTheJumpServerHasTheClient(t *testing.T) {
	var said bytes.Buffer
	if err := (session{stderr: &said}).run(context.Background(), &settings.Settings{}, nil); err == nil {
		t.Error("no error")
	}
}

func TestSomebodyWhoIsNotRootIsToldAboutTheWrapper(t *testing.T) {
	if os.Geteuid() == 0 {
		return // TestTheClient… is root's
	}
	err := session{}.run(context.Background(), &settings.Settings{Bastion: &settings.Bastion{}}, nil)
	if !errors.Is(err, errNotRoot) {
		t.Errorf("error %v", err)
	}
}
