package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/cfn"

	"drawbridge/internal/readonlyuser"
)

const (
	// userPrefix begins the physical id of a user that was proved.
	userPrefix = "mysql-user:"
	// unfinishedPrefix begins that of a user whose Create failed after it began to change MySQL.
	unfinishedPrefix = "mysql-user-unfinished:"
)

// userResource is Custom::ReadOnlyUser: a MySQL account with the password of a secret.
type userResource struct{ *function }

// userProperties are the properties of a Custom::ReadOnlyUser.
type userProperties struct {
	readonlyuser.User
	SecretARN string
}

func decodeUser(values map[string]any) (userProperties, error) {
	p := readProperties(values)
	u := userProperties{
		User: readonlyuser.User{
			Username:       p.text("Username", mysqlUsername),
			Host:           p.text("Host", mysqlHost),
			Schemas:        p.texts("Schemas", mysqlSchema),
			MaxConnections: p.number("MaxConnections", 1, 100_000),
		},
		SecretARN: p.text("SecretArn", secretARN),
	}
	p.end()
	return u, p.err()
}

func (f userResource) create(ctx context.Context, r *request) (map[string]any, error) {
	want, err := decodeUser(r.ResourceProperties)
	if err != nil {
		return nil, err
	}
	if _, err := f.ensure(ctx, r, want, ""); err != nil {
		return nil, err
	}
	r.id = userPrefix + want.Username
	return nil, nil
}

func (f userResource) update(ctx context.Context, r *request) (map[string]any, error) {
	want, err := decodeUser(r.ResourceProperties)
	if err != nil {
		return nil, err
	}
	if username, _ := usernameOf(r.PhysicalResourceID); username != want.Username {
		return nil, f.rename(ctx, r, want)
	}
	// An update that renamed the user failed, and is now rolled back. What it may have left is in no physical id.
	leftover := oldText(r.OldResourceProperties, "Username")
	if leftover == want.Username {
		leftover = ""
	}
	_, err = f.ensure(ctx, r, want, leftover)
	return nil, err
}

// rename makes the user under its new name. CloudFormation then deletes the old physical id.
func (f userResource) rename(ctx context.Context, r *request, want userProperties) error {
	created, err := f.ensure(ctx, r, want, "")
	if err == nil {
		r.id = userPrefix + want.Username
		return nil
	}
	if created {
		// What fails here is left to the rollback.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := f.drop(ctx, r, want.Username); err != nil {
			slog.Warn("an account that a failed update made is still there", "username", want.Username, "reason", err.Error())
		}
	}
	return err
}

// ensure makes the account as it should be, drops the account called leftover where that is this resource's too, and
// proves what it made. created says that the account was not there before, also when an error follows.
func (f userResource) ensure(ctx context.Context, r *request, want userProperties, leftover string) (created bool, err error) {
	return created, retry(ctx, func() error {
		err := f.inSession(ctx, func(session *readonlyuser.Session) error {
			// Inside the session, so that no rotation comes between the look at the password and what follows from it.
			secret, err := f.readUserSecret(ctx, want.SecretARN, want.Username)
			if err != nil {
				return err
			}
			works, err := f.logsIn(ctx, want.SecretARN, secret)
			if err != nil {
				return err
			}
			if r.RequestType == cfn.RequestCreate {
				r.id = unfinishedPrefix + want.Username
			}
			made, err := session.Ensure(ctx, want.User, r.owner(), secret.Password, works)
			created = created || made
			if err != nil {
				return err
			}
			if leftover != "" {
				if _, err = session.Drop(ctx, leftover, r.owner()); isNotOurs(err) {
					err = nil
				}
			}
			return err
		})
		if err != nil {
			return err
		}
		secret, err := f.readUserSecret(ctx, want.SecretARN, want.Username)
		if err != nil {
			return err
		}
		err = f.prove(ctx, want.SecretARN, secret, want.User)
		if _, ok := errors.AsType[*readonlyuser.ProofError](err); ok {
			// The account's own grants were put right just now, so the rest comes from elsewhere.
			err = fmt.Errorf("%w: create each schema before a user may read it, revoke what reaches the user through roles "+
				"or anonymous accounts, then deploy again", err)
		}
		return err
	})
}

// delete drops the account that the physical id names.
func (f userResource) delete(ctx context.Context, r *request) error {
	username, finished := usernameOf(r.PhysicalResourceID)
	if username == "" {
		// CloudFormation made the id up, as a Create did not answer in time: it may have made the account.
		username = oldText(r.ResourceProperties, "Username")
	}
	err := retry(ctx, func() error {
		err := f.drop(ctx, r, username)
		if isGone(err) {
			slog.Info("there is no database any more to drop the user in", "username", username, "reason", err.Error())
			return nil
		}
		return err
	})
	if err == nil {
		return nil
	}
	if !finished {
		// The Create has failed already: its Delete must not fail as well. The account, if there is one, has this
		// resource's name on it, and the next Create takes it over.
		slog.Warn("an account that a failed Create made may still be there", "username", username, "reason", err.Error())
		return nil
	}
	if isNotOurs(err) {
		return fmt.Errorf("%s; it had the mark of this resource and has it no more, so that it is not dropped: if it "+
			"shall go, DROP USER as the master user, then delete again", cut(err.Error(), reasonBytes/2))
	}
	return fmt.Errorf("%s; the user %s is not dropped: make the database reachable and delete again, or leave the user "+
		"there with aws cloudformation delete-stack --stack-name %s --retain-resources %s",
		cut(err.Error(), reasonBytes/2), username, r.stackName(), r.LogicalResourceID)
}

// drop drops an account of this resource, if there is one.
func (f userResource) drop(ctx context.Context, r *request, username string) error {
	return f.inSession(ctx, func(session *readonlyuser.Session) error {
		dropped, err := session.Drop(ctx, username, r.owner())
		if err == nil && !dropped {
			slog.Info("there is no account of this resource to drop", "username", username)
		}
		return err
	})
}

// usernameOf is the user that a physical id names, empty where it names none.
func usernameOf(id string) (username string, finished bool) {
	if username, ok := strings.CutPrefix(id, userPrefix); ok {
		return username, true
	}
	username, _ = strings.CutPrefix(id, unfinishedPrefix)
	if username == id {
		return "", false
	}
	return username, false
}

// isGone reports whether err says that the database, or the secret that leads to it, was deleted. A name of Secrets
// Manager's that does not resolve says nothing of the kind.
func isGone(err error) bool {
	if _, ok := errors.AsType[*secretError](err); ok {
		return isNotFound(err) || isScheduledForDeletion(err)
	}
	name, ok := errors.AsType[*net.DNSError](err)
	return ok && name.IsNotFound
}

// isNotOurs reports whether err says that there is an account, and that it is not this resource's.
func isNotOurs(err error) bool {
	_, notOurs := errors.AsType[*readonlyuser.NotOursError](err)
	_, anothers := errors.AsType[*readonlyuser.OwnedByAnotherError](err)
	return notOurs || anothers
}
