package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/readonlyuser"
)

// rotation is one event of Secrets Manager: a step of changing the password in a secret ("Rotation by Lambda function" in
// the AWS Secrets Manager user guide). Every step may come more than once.
type rotation struct {
	SecretID           string `json:"SecretId"`
	ClientRequestToken string // the id of the new version
	Step               string
}

func (f *function) rotate(ctx context.Context, event json.RawMessage) error {
	started := time.Now()
	var r rotation
	err := unpanicked(func() error {
		if json.Unmarshal(event, &r) != nil || !mysqldb.IsSecretARN(r.SecretID) || r.ClientRequestToken == "" {
			return errors.New("the event is not a rotation of Secrets Manager: it has no ARN of a secret as SecretId, no ClientRequestToken or no Step")
		}
		return retry(ctx, func() error { return f.step(ctx, r) })
	})
	logResult(started, err, "step", r.Step, "secret", r.SecretID)
	if err != nil {
		return errors.New(bounded(err.Error()))
	}
	return nil
}

// step takes one step, if the version is one that Secrets Manager is about to make current.
func (f *function) step(ctx context.Context, r rotation) error {
	steps := map[string]func(context.Context, rotation) error{
		"createSecret": f.createSecret, "setSecret": f.setSecret, "testSecret": f.testSecret,
	}
	take, known := steps[r.Step]
	if !known && r.Step != "finishSecret" {
		return fmt.Errorf("%.40q is not a step of a rotation: it is createSecret, setSecret, testSecret or finishSecret", r.Step)
	}
	secret, err := f.describe(ctx, r.SecretID)
	if err != nil {
		return err
	}
	// It is absent until the first rotation ("DescribeSecret" in the AWS Secrets Manager API reference).
	if secret.RotationEnabled != nil && !*secret.RotationEnabled {
		return fmt.Errorf("the secret %s is not rotated: turn its rotation on", r.SecretID)
	}
	stages, ok := secret.VersionIdsToStages[r.ClientRequestToken]
	switch {
	case !ok:
		return fmt.Errorf("the secret %s has no version %.64q: start the rotation again", r.SecretID, r.ClientRequestToken)
	case slices.Contains(stages, current):
		return nil // this rotation is through
	case !slices.Contains(stages, pending):
		return fmt.Errorf("the version %.64q of the secret %s is not pending: start the rotation again", r.ClientRequestToken, r.SecretID)
	}
	if !known {
		return f.finishSecret(ctx, r, secret.VersionIdsToStages)
	}
	return take(ctx, r)
}

// createSecret writes the pending version: the current one with another password.
func (f *function) createSecret(ctx context.Context, r rotation) error {
	if _, err := f.pendingVersion(ctx, r); !isNotFound(err) {
		return err
	}
	now, err := f.getVersion(ctx, &secretsmanager.GetSecretValueInput{SecretId: &r.SecretID})
	if err != nil {
		return err
	}
	if _, err := mysqldb.ParseSecret(r.SecretID, now.text); err != nil {
		return err
	}
	// All of its keys, also those that only others know.
	var value map[string]json.RawMessage
	if err := json.Unmarshal([]byte(*now.text), &value); err != nil {
		return err // ParseSecret has taken it
	}
	password, err := newPassword()
	if err != nil {
		return err
	}
	// Decoders such as Go's take a key in any case for the password.
	maps.DeleteFunc(value, func(key string, _ json.RawMessage) bool { return strings.EqualFold(key, "password") })
	value["password"] = json.RawMessage(`"` + password + `"`)
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	err = f.putVersion(ctx, r.SecretID, r.ClientRequestToken, string(text), pending)
	if isExisting(err) {
		return nil // another delivery of the same event was faster
	}
	return err
}

// setSecret gives the account the pending password. The current one stays valid until the next rotation.
func (f *function) setSecret(ctx context.Context, r rotation) error {
	next, err := f.pendingSecret(ctx, r)
	if err != nil {
		return err
	}
	now, err := f.readSecret(ctx, r.SecretID)
	if err != nil {
		return err
	}
	if next.Username != now.Username || next.Host != now.Host {
		return fmt.Errorf("the pending version of the secret %s is for another user or host than the current one: "+
			"take AWSPENDING off it and start the rotation again", r.SecretID)
	}
	return f.inSession(ctx, func(session *readonlyuser.Session) error {
		works, err := f.logsIn(ctx, r.SecretID, next)
		if err != nil || works {
			return err
		}
		// Whoever can write into this secret must not be able to take over the account of another.
		if works, err = f.logsIn(ctx, r.SecretID, now); err != nil {
			return err
		}
		if !works {
			return fmt.Errorf("the current password in the secret %s does not log in as %s: deploy any change of that user, "+
				"which sets it, then rotate again", r.SecretID, now.Username)
		}
		return session.Rotate(ctx, next.Username, now.Password, next.Password)
	})
}

// testSecret logs in with the pending password and reads. When a schedule is made that does not rotate at once, Secrets
// Manager takes this step alone, with a pending version that may have no value: the current one is tested then
// ("RotateSecret" in the AWS Secrets Manager API reference, RotateImmediately).
func (f *function) testSecret(ctx context.Context, r rotation) error {
	secret, err := f.pendingSecret(ctx, r)
	if isNotFound(err) {
		secret, err = f.readSecret(ctx, r.SecretID)
	}
	if err != nil {
		return err
	}
	db, err := f.open(r.SecretID, secret)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing is buffered
	// Of what the user may read, any table will do.
	rows, err := db.QueryContext(ctx, "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' "+
		"AND table_schema NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema') ORDER BY 1, 2 LIMIT 1")
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err is asked
	var schema, table string
	for rows.Next() {
		if err := rows.Scan(&schema, &table); err != nil {
			return err
		}
	}
	if rows.Err() != nil || table == "" {
		return rows.Err()
	}
	read, err := db.QueryContext(ctx, "SELECT 1 FROM "+mysqldb.QuoteIdentifier(schema)+"."+mysqldb.QuoteIdentifier(table)+" LIMIT 1")
	if err != nil {
		return err
	}
	defer read.Close() //nolint:errcheck // read.Err is asked
	read.Next()
	return read.Err()
}

// finishSecret makes the pending version the current one.
func (f *function) finishSecret(ctx context.Context, r rotation, versions map[string][]string) error {
	from := ""
	for version, stages := range versions {
		if slices.Contains(stages, current) {
			from = version
		}
	}
	return f.makeCurrent(ctx, r.SecretID, r.ClientRequestToken, from)
}

func (f *function) pendingVersion(ctx context.Context, r rotation) (*secretVersion, error) {
	return f.getVersion(ctx, &secretsmanager.GetSecretValueInput{
		SecretId: &r.SecretID, VersionId: &r.ClientRequestToken, VersionStage: aws.String(pending),
	})
}

func (f *function) pendingSecret(ctx context.Context, r rotation) (mysqldb.Secret, error) {
	version, err := f.pendingVersion(ctx, r)
	if err != nil {
		return mysqldb.Secret{}, err
	}
	return mysqldb.ParseSecret(r.SecretID, version.text)
}

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

// newPassword makes a password of 32 letters and digits, some of each kind, as rules for passwords ask for.
func newPassword() (string, error) {
	const alphabet = lower + upper + digits
	for {
		password := make([]byte, 32)
		for i := range password {
			n, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
			if err != nil {
				return "", err
			}
			password[i] = alphabet[n.Int64()]
		}
		if s := string(password); strings.ContainsAny(s, lower) && strings.ContainsAny(s, upper) && strings.ContainsAny(s, digits) {
			return s, nil
		}
	}
}
