// Package awstest is for the tests of services that are made with the package awsapi.
package awstest

import (
	"errors"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"

	"drawbridge/rehearsal/awsapi"
	"drawbridge/rehearsal/iam"
)

// Role is the ARN of a role, Nobody of one without policies.
const (
	Role   = "arn:aws:iam::123456789012:role/host"
	Nobody = "arn:aws:iam::123456789012:role/nobody"
)

// Options are those of an account where Role may do what the statement says, such as {"Effect": "Allow", …}.
func Options(t *testing.T, statement map[string]any) awsapi.Options {
	t.Helper()
	policy, err := iam.ParsePolicy(map[string]any{"Statement": statement})
	if err != nil {
		t.Fatal(err)
	}
	roles := &iam.Directory{}
	roles.Attach(Role, "test", policy)
	return awsapi.Options{AccountID: "123456789012", Region: "eu-west-1", Roles: roles, Issuer: &awsapi.Issuer{}}
}

// Serve serves a handler until the test ends, and says where.
func Serve(t *testing.T, handler http.Handler) (url string) {
	t.Helper()
	address, err := awsapi.Listen(handler)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := address.Close(); err != nil {
			t.Error(err)
		}
	})
	return address.URL
}

// Config is the SDK's configuration for a client with these credentials, which does not try again.
func Config(url string, c awsapi.Credentials) aws.Config {
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: &url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken),
	}
}

// Strangers are configurations that are refused, by the code of the error: of a role that may do nothing, with
// credentials that nobody issued, and with a wrong secret key.
func Strangers(url string, issuer *awsapi.Issuer) map[string]aws.Config {
	wrong := issuer.Issue(Role, 0)
	wrong.SecretAccessKey += "x"
	expired := issuer.Issue(Role, 1) // a nanosecond
	return map[string]aws.Config{
		awsapi.Denied:         Config(url, issuer.Issue(Nobody, 0)),
		awsapi.UnknownClient:  Config(url, awsapi.Credentials{AccessKeyID: "ASIAXXXXXXXXXXXXXXXX", SecretAccessKey: "x", SessionToken: "y"}),
		awsapi.WrongSignature: Config(url, wrong),
		awsapi.Expired:        Config(url, expired),
	}
}

// WantCode fails the test unless the error is one that a service answered with this code.
func WantCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("the error is %v, want %s", err, code)
	}
}
