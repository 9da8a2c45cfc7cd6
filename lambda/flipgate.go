package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"drawbridge/internal/readonlyuser"
)

// The phases of a database.
const (
	public  = "public"
	private = "private"
)

// gateID is the physical id of every gate.
const gateID = "flip-gate"

// gateResource is Custom::FlipGate: it lets a database go from public to private only when its read-only users work.
type gateResource struct{ *function }

// gateProperties are the properties of a Custom::FlipGate.
type gateProperties struct {
	Exposure string
	Users    []gateUser
}

type gateUser struct {
	userProperties
	Name string // what people call the user's purpose
}

func decodeGate(values map[string]any) (gateProperties, error) {
	p := readProperties(values)
	gate := gateProperties{Exposure: p.text("Exposure", phase)}
	for _, user := range p.objects("Users") {
		gate.Users = append(gate.Users, gateUser{
			Name: user.text("Name", oneLine),
			userProperties: userProperties{
				User: readonlyuser.User{
					Username: user.text("Username", mysqlUsername),
					Host:     user.text("Host", mysqlHost),
					Schemas:  user.texts("Schemas", mysqlSchema),
				},
				SecretARN: user.text("SecretArn", secretARN),
			},
		})
		user.end()
	}
	p.end()
	return gate, p.err()
}

func (f gateResource) create(_ context.Context, r *request) (map[string]any, error) {
	if _, err := decodeGate(r.ResourceProperties); err != nil {
		return nil, err
	}
	r.id = gateID
	return nil, nil
}

func (f gateResource) update(ctx context.Context, r *request) (map[string]any, error) {
	gate, err := decodeGate(r.ResourceProperties)
	if err != nil {
		return nil, err
	}
	if oldText(r.OldResourceProperties, "Exposure") == public && gate.Exposure == private {
		if err := f.check(ctx, r, gate.Users); err != nil {
			return nil, err
		}
	}
	r.id = gateID
	return nil, nil
}

func (f gateResource) delete(context.Context, *request) error { return nil }

// check proves all users at the same time, so that each gets all the time there is.
func (f gateResource) check(ctx context.Context, r *request, users []gateUser) error {
	faults := make([]error, len(users))
	var all sync.WaitGroup
	for i, user := range users {
		all.Go(func() {
			// A panic in a goroutine would end the process, unanswered.
			faults[i] = unpanicked(func() error { return f.proveGateUser(ctx, user) })
		})
	}
	all.Wait()
	var failed []string
	for i, err := range faults {
		if err != nil {
			failed = append(failed, fmt.Sprintf("%s (MySQL user %s): %v", users[i].Name, users[i].Username, err))
		}
	}
	if len(failed) == 0 {
		return nil
	}
	refusal := fmt.Sprintf("the database stays public, as %d of %d read-only users do not work: ", len(failed), len(users))
	wayOut := fmt.Sprintf(". Mend that with -c exposure=public, then flip again. If this is the rollback of a failed return to public: "+
		"aws cloudformation continue-update-rollback --stack-name %s --resources-to-skip %s", r.stackName(), r.LogicalResourceID)
	// However long the reasons are, each gets its share of the room, and the way out stays.
	room := reasonBytes - len(refusal) - len(wayOut)
	for i := range failed {
		failed[i] = cut(failed[i], max(room/len(failed)-len("; "), 50))
	}
	return errors.New(refusal + cut(strings.Join(failed, "; "), room) + wayOut)
}

// proveGateUser proves one user with its secret. The gate runs before the instance is touched, and what the same
// deployment adds comes after the instance.
func (f gateResource) proveGateUser(ctx context.Context, user gateUser) error {
	return retry(ctx, func() error {
		secret, err := f.readUserSecret(ctx, user.SecretARN, user.Username)
		if err != nil {
			return err
		}
		if secret.Host == "" {
			return errors.New("was added in the same deployment as the flip: deploy it first with -c exposure=public, then flip")
		}
		return f.prove(ctx, user.SecretARN, secret, user.User)
	})
}
