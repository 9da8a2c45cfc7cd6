package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/go-sql-driver/mysql"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/readonlyuser"
)

// errNoHost is wrapped by the errors of secrets that say who but not where.
var errNoHost = errors.New("the secret names no host")

// open prepares connections with the log-in that was read from the secret arn. They start in no schema: what the user
// may read is asked schema by schema.
func (f *function) open(arn string, secret mysqldb.Secret) (*sql.DB, error) {
	if secret.Host == "" {
		return nil, fmt.Errorf("%w (%s): attach it to the database (AWS::SecretsManager::SecretTargetAttachment)", errNoHost, arn)
	}
	settings := secret.Settings(f.caFile)
	settings.Database = ""
	return mysqldb.Open(settings)
}

// openMaster prepares connections as the master user.
func (f *function) openMaster(ctx context.Context) (*sql.DB, error) {
	if !mysqldb.IsSecretARN(f.masterSecretARN) {
		return nil, errors.New("DRAWBRIDGE_MASTER_SECRET_ARN in the function's environment is not the ARN of a secret: " +
			"set it to that of the master user's")
	}
	secret, err := f.readSecret(ctx, f.masterSecretARN)
	if err != nil {
		return nil, err
	}
	return f.open(f.masterSecretARN, secret)
}

// inSession runs work with the right to change accounts, which one caller has at a time.
func (f *function) inSession(ctx context.Context, work func(*readonlyuser.Session) error) error {
	db, err := f.openMaster(ctx)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing is buffered
	session, err := readonlyuser.Begin(ctx, db)
	if err != nil {
		return err
	}
	defer session.Close() //nolint:errcheck // a broken connection gives the right back too
	return work(session)
}

// Numbers of the MySQL reference manual's "Server Error Message Reference".
const (
	tooManyUserConnections = 1203
	userLimitReached       = 1226
	mustChangePassword     = 1862
)

// logsIn reports whether MySQL takes the log-in that was read from the secret arn.
func (f *function) logsIn(ctx context.Context, arn string, secret mysqldb.Secret) (bool, error) {
	db, err := f.open(arn, secret)
	if err != nil {
		return false, err
	}
	defer db.Close() //nolint:errcheck // nothing is buffered
	err = db.PingContext(ctx)
	if refused, ok := errors.AsType[*mysql.MySQLError](err); ok {
		switch refused.Number {
		case tooManyUserConnections, userLimitReached:
			return true, nil // MySQL counts after it has checked the password
		case mustChangePassword:
			return false, nil
		}
	}
	if err != nil && mysqldb.Explain(err).Kind != mysqldb.AccessDenied {
		return false, err
	}
	return err == nil, nil
}

// readUserSecret reads the log-in of a user from a secret that must be that user's.
func (f *function) readUserSecret(ctx context.Context, arn, username string) (mysqldb.Secret, error) {
	secret, err := f.readSecret(ctx, arn)
	if err == nil && secret.Username != username {
		err = fmt.Errorf("the secret %s is for another user than %s: correct its username, or the resource's Username", arn, username)
	}
	return secret, err
}

// prove logs in with what was read from the secret arn and proves that the user can read and can do nothing else.
func (f *function) prove(ctx context.Context, arn string, secret mysqldb.Secret, user readonlyuser.User) error {
	db, err := f.open(arn, secret)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing is buffered
	if err := db.PingContext(ctx); err != nil {
		return fmt.Errorf("logging in as the MySQL user %s with the secret %s: %w", user.Username, arn, err)
	}
	if err := readonlyuser.Prove(ctx, db, user); err != nil {
		return err
	}
	master, err := f.openMaster(ctx)
	if err != nil {
		return err
	}
	defer master.Close() //nolint:errcheck // only read
	return readonlyuser.ProveAlone(ctx, master, user)
}
