package tunnel

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	"golang.org/x/crypto/ssh"

	"drawbridge/host/install"
	"drawbridge/host/install/installtest"
)

// fakeSecrets answers one call after the other; the last answer is given again and again.
type fakeSecrets struct {
	answers []any // an error or a string
	calls   int
}

func (s *fakeSecrets) GetSecretValue(_ context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (
	*secretsmanager.GetSecretValueOutput, error) {
	answer := s.answers[min(s.calls, len(s.answers)-1)]
	s.calls++
	if err, ok := answer.(error); ok {
		return nil, err
	}
	return &secretsmanager.GetSecretValueOutput{ARN: in.SecretId, SecretString: aws.String(answer.(string))}, nil
}

func TestTheKeyIsWaitedForAndWrittenForRootOnly(t *testing.T) {
	key, _ := privateKey(t)
	h := installtest.New(t, install.Debian)
	noValue := &smithy.GenericAPIError{Code: "ResourceNotFoundException", Message: "there is no value yet"}
	source := &fakeSecrets{answers: []any{noValue, noValue, "", strings.TrimSpace(key)}}
	if err := writeKey(t.Context(), h.Host, "arn:key", source, time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if got, err := h.Read("/run/drawbridge/tunnel-key"); err != nil || string(got) != key {
		t.Errorf("the file is wrong: %v", err)
	}
	for path, mode := range map[string]os.FileMode{"/run/drawbridge/tunnel-key": 0o600, "/run/drawbridge": 0o700 | os.ModeDir} {
		if info, err := os.Stat(h.Path(path)); err != nil || info.Mode() != mode {
			t.Errorf("%s is %v, %v", path, info.Mode(), err)
		}
	}
	if said := h.Said(); strings.Count(said, "Secrets Manager answered ResourceNotFoundException") != 1 || strings.Contains(said, "PRIVATE KEY") {
		t.Errorf("it says:\n%s", said)
	}
}

func TestASecretThatHoldsNoKeyIsNeitherWrittenNorShown(t *testing.T) {
	_, locked, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKeyWithPassphrase(locked, "", []byte("sesame"))
	if err != nil {
		t.Fatal(err)
	}
	key, _ := privateKey(t)
	tests := map[string]struct{ secret, want string }{
		"another text":      {`{"password":"s3cr3t"}`, "does not hold a private key"},
		"half a key":        {key[:len(key)/2], "does not hold a private key"},
		"a key with a lock": {string(pem.EncodeToMemory(block)), "passphrase"},
		"nothing":           {" \n", "is empty"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			h := installtest.New(t, install.Debian)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			err := writeKey(ctx, h.Host, "arn:key", &fakeSecrets{answers: []any{tc.secret}}, time.Millisecond)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "arn:key") {
				t.Errorf("got the error %v, want one with %q", err, tc.want)
			}
			if shown := err.Error() + h.Said(); strings.Contains(shown, "s3cr3t") || strings.Contains(shown, "BEGIN") ||
				strings.Contains(shown, key[80:120]) {
				t.Error("the secret is shown")
			}
			if _, err := h.Read("/run/drawbridge/tunnel-key"); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("a file was written: %v", err)
			}
		})
	}
}

func TestWaitingForTheKeyEndsWithTheReason(t *testing.T) {
	h := installtest.New(t, install.Debian)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := writeKey(ctx, h.Host, "arn:key", &fakeSecrets{answers: []any{&smithy.GenericAPIError{Code: "AccessDenied"}}}, time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("got the error %v", err)
	}
}

// denials is Secrets Manager that refuses, each time with another request id in its text.
type denials struct{ n int }

func (d *denials) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (
	*secretsmanager.GetSecretValueOutput, error) {
	d.n++
	return nil, fmt.Errorf("request %d: %w", d.n, &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not yet"})
}

func TestWaitingForTheKeyLogsAnErrorOnce(t *testing.T) {
	h := installtest.New(t, install.Debian)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	d := &denials{}
	if err := writeKey(ctx, h.Host, "arn:key", d, time.Millisecond); err == nil {
		t.Fatal("no error")
	}
	if n := strings.Count(h.Said(), "Waiting"); n != 1 || d.n < 2 {
		t.Errorf("%d lines for %d tries", n, d.n)
	}
}
