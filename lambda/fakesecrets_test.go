package main

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"
	"golang.org/x/crypto/ssh"
)

// fakeSecrets is a Secrets Manager with the rules for versions and staging labels that the AWS API reference gives.
type fakeSecrets struct {
	mu      sync.Mutex
	secrets map[string]*fakeSecret
	calls   []string      // "GetSecretValue <arn>"
	fail    []error       // for the next calls, one each
	broken  error         // for all calls
	delay   time.Duration // of all calls
	ever    []string      // every value that was ever in a secret
}

type fakeSecret struct {
	versions map[string]*fakeVersion
	rotates  bool
	deleted  bool // scheduled for deletion

	neverRotated bool // DescribeSecret does not say whether it is rotated
}

type fakeVersion struct {
	text   *string // nil while it has no value
	stages []string
}

func newFakeSecrets() *fakeSecrets { return &fakeSecrets{secrets: map[string]*fakeSecret{}} }

func arnOf(name string) string {
	return "arn:aws:secretsmanager:eu-west-1:123456789012:secret:" + name + "-AbCdEf"
}

// set makes the secret with that current value, as another version than before, and returns its ARN.
func (f *fakeSecrets) set(name, text string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	arn := arnOf(name)
	s := f.secrets[arn]
	if s == nil {
		s = &fakeSecret{versions: map[string]*fakeVersion{}}
		f.secrets[arn] = s
	}
	f.ever = append(f.ever, text)
	s.put("by-hand-"+strings.Repeat("0", 24)+string(rune('a'+len(s.versions))), &text, current)
	return arn
}

// setJSON is set with RDS's keys. Values of nil are left out.
func (f *fakeSecrets) setJSON(name string, value map[string]any) string {
	maps.DeleteFunc(value, func(_ string, v any) bool { return v == nil })
	text, _ := json.Marshal(value)
	return f.set(name, string(text))
}

// empty makes a secret without a value.
func (f *fakeSecrets) empty(name string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.secrets[arnOf(name)] = &fakeSecret{versions: map[string]*fakeVersion{}}
	return arnOf(name)
}

func (f *fakeSecrets) change(arn string, change func(*fakeSecret)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f.secrets[arn])
}

// text is the value of the version with that label, or "".
func (f *fakeSecrets) text(arn, stage string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, version := range f.secrets[arn].versions {
		if slices.Contains(version.stages, stage) {
			return aws.ToString(version.text)
		}
	}
	return ""
}

// password is the password in the version with that label.
func (f *fakeSecrets) password(arn, stage string) string {
	var value struct{ Password string }
	_ = json.Unmarshal([]byte(f.text(arn, stage)), &value)
	return value.Password
}

// called counts the calls of that name; an empty one means all.
func (f *fakeSecrets) called(name string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, call := range f.calls {
		if strings.HasPrefix(call, name) {
			n++
		}
	}
	return n
}

// begin counts a call and returns its secret, locked until done is called.
func (f *fakeSecrets) begin(ctx context.Context, call string, arn *string) (s *fakeSecret, done func(), err error) {
	select {
	case <-time.After(f.delay):
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	f.mu.Lock()
	f.calls = append(f.calls, call+" "+aws.ToString(arn))
	if len(f.fail) > 0 {
		err, f.fail = f.fail[0], f.fail[1:]
	} else {
		err = f.broken
	}
	if s = f.secrets[aws.ToString(arn)]; err == nil && s == nil {
		err = &types.ResourceNotFoundException{Message: aws.String("Secrets Manager can't find the specified secret.")}
	}
	if err == nil && s.deleted && call != "DescribeSecret" {
		err = &types.InvalidRequestException{Message: aws.String("You can't perform this operation on the secret because it was marked for deletion.")}
	}
	if err != nil {
		f.mu.Unlock()
		return nil, nil, err
	}
	return s, f.mu.Unlock, nil
}

func (f *fakeSecrets) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	s, done, err := f.begin(ctx, "GetSecretValue", in.SecretId)
	if err != nil {
		return nil, err
	}
	defer done()
	stage := aws.ToString(in.VersionStage)
	if stage == "" && in.VersionId == nil {
		stage = current
	}
	for id, version := range s.versions {
		if (in.VersionId == nil || *in.VersionId == id) && (stage == "" || slices.Contains(version.stages, stage)) && version.text != nil {
			return &secretsmanager.GetSecretValueOutput{
				ARN: in.SecretId, VersionId: &id, SecretString: version.text, VersionStages: slices.Clone(version.stages),
			}, nil
		}
	}
	return nil, &types.ResourceNotFoundException{Message: aws.String("Secrets Manager can't find the specified secret value for staging label: " + stage)}
}

func (f *fakeSecrets) PutSecretValue(ctx context.Context, in *secretsmanager.PutSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error) {
	s, done, err := f.begin(ctx, "PutSecretValue", in.SecretId)
	if err != nil {
		return nil, err
	}
	defer done()
	token := aws.ToString(in.ClientRequestToken)
	if len(token) < 32 || len(token) > 64 {
		return nil, &types.InvalidParameterException{Message: aws.String("ClientRequestToken has 32 to 64 characters")}
	}
	if old := s.versions[token]; old != nil && old.text != nil {
		if *old.text == aws.ToString(in.SecretString) {
			return &secretsmanager.PutSecretValueOutput{VersionId: &token}, nil
		}
		return nil, &types.ResourceExistsException{Message: aws.String("You can't use ClientRequestToken because that value is already in use.")}
	}
	f.ever = append(f.ever, aws.ToString(in.SecretString))
	stages := in.VersionStages
	if len(stages) == 0 {
		stages = []string{current}
	}
	for _, stage := range stages {
		s.put(token, in.SecretString, stage)
	}
	return &secretsmanager.PutSecretValueOutput{VersionId: &token}, nil
}

func (f *fakeSecrets) DescribeSecret(ctx context.Context, in *secretsmanager.DescribeSecretInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error) {
	s, done, err := f.begin(ctx, "DescribeSecret", in.SecretId)
	if err != nil {
		return nil, err
	}
	defer done()
	out := &secretsmanager.DescribeSecretOutput{ARN: in.SecretId, RotationEnabled: aws.Bool(s.rotates), VersionIdsToStages: map[string][]string{}}
	if s.neverRotated {
		out.RotationEnabled = nil
	}
	for id, version := range s.versions {
		if len(version.stages) > 0 {
			out.VersionIdsToStages[id] = slices.Clone(version.stages)
		}
	}
	return out, nil
}

func (f *fakeSecrets) UpdateSecretVersionStage(ctx context.Context, in *secretsmanager.UpdateSecretVersionStageInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.UpdateSecretVersionStageOutput, error) {
	s, done, err := f.begin(ctx, "UpdateSecretVersionStage", in.SecretId)
	if err != nil {
		return nil, err
	}
	defer done()
	to, stage := aws.ToString(in.MoveToVersionId), aws.ToString(in.VersionStage)
	if s.versions[to] == nil {
		return nil, &types.ResourceNotFoundException{Message: aws.String("no such version")}
	}
	for id, version := range s.versions {
		if slices.Contains(version.stages, stage) && id != to && id != aws.ToString(in.RemoveFromVersionId) {
			return nil, &types.InvalidParameterException{Message: aws.String("RemoveFromVersionId is not the version with the label")}
		}
	}
	s.put(to, s.versions[to].text, stage)
	return &secretsmanager.UpdateSecretVersionStageOutput{}, nil
}

// put gives a version a value and takes the label from the others. AWSPREVIOUS goes to what was AWSCURRENT.
func (s *fakeSecret) put(id string, text *string, stage string) {
	if s.versions[id] == nil {
		s.versions[id] = &fakeVersion{}
	}
	s.versions[id].text = text
	for other, version := range s.versions {
		if other == id || !slices.Contains(version.stages, stage) {
			continue
		}
		version.remove(stage)
		if stage == current {
			for _, previous := range s.versions {
				previous.remove("AWSPREVIOUS")
			}
			version.stages = append(version.stages, "AWSPREVIOUS")
		}
	}
	s.versions[id].remove(stage)
	s.versions[id].stages = append(s.versions[id].stages, stage)
}

func (v *fakeVersion) remove(stage string) {
	v.stages = slices.DeleteFunc(v.stages, func(s string) bool { return s == stage })
}

// apiError is an error of Secrets Manager that has no type of its own.
func apiError(code string) error {
	fault := smithy.FaultClient
	if strings.HasPrefix(code, "Internal") {
		fault = smithy.FaultServer
	}
	return &smithy.GenericAPIError{Code: code, Message: "the SDK's own words", Fault: fault}
}

// secretsEver is every value that was in a secret, in the pieces that a leak would show.
func (f *fakeSecrets) secretsEver(t *testing.T) (pieces []string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, text := range f.ever {
		var value struct{ Password string }
		if json.Unmarshal([]byte(text), &value) == nil {
			if value.Password != "" {
				pieces = append(pieces, value.Password)
			}
			continue
		}
		// A private key is recognised by any of its lines that is not the public key's, text of another kind by each line.
		var public string
		if signer, err := ssh.ParsePrivateKey([]byte(text)); err == nil {
			public = string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
		}
		for line := range strings.SplitSeq(text, "\n") {
			if len(line) > 8 && !strings.HasPrefix(line, "-----") && !strings.Contains(public, line) {
				pieces = append(pieces, line)
			}
		}
	}
	return pieces
}
