package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/cfn"

	"drawbridge/internal/readonlyuser"
)

// notCreated begins the physical id of a resource whose Create failed before it changed anything.
const notCreated = "not-created:"

// request is one event of CloudFormation.
type request struct {
	cfn.Event
	// id is the physical id that the answer gives, also when the request fails. A handler changes it as soon as it has
	// made something that CloudFormation has to delete by that id.
	id string
}

// resource is a kind of custom resource. Each call may come more than once, and one that failed half-way may be followed
// by any other. A delete must get along with properties of any form.
type resource interface {
	create(context.Context, *request) (data map[string]any, err error)
	update(context.Context, *request) (data map[string]any, err error)
	delete(context.Context, *request) error
}

// resource returns the resource of a type, or nil.
func (f *function) resource(resourceType string) resource {
	switch resourceType {
	case "Custom::ReadOnlyUser":
		return userResource{f}
	case "Custom::FlipGate":
		return gateResource{f}
	case "Custom::SampleData":
		return sampleDataResource{f}
	case "Custom::SSHKeyPair":
		return keyPairResource{f}
	}
	return nil
}

// customResource is a cfn.CustomResourceFunction.
func (f *function) customResource(ctx context.Context, event cfn.Event) (id string, data map[string]any, err error) {
	started := time.Now()
	r := &request{Event: event, id: event.PhysicalResourceID}
	if event.RequestType == cfn.RequestCreate {
		r.id = notCreated + event.RequestID
	}
	err = unpanicked(func() (err error) {
		data, err = f.dispatch(ctx, r)
		return err
	})
	logResult(started, err, "requestType", string(event.RequestType), "resourceType", event.ResourceType,
		"logicalId", event.LogicalResourceID, "requestId", event.RequestID)
	if err != nil {
		return r.id, nil, errors.New(bounded(err.Error()))
	}
	return r.id, data, nil
}

func (f *function) dispatch(ctx context.Context, r *request) (map[string]any, error) {
	if r.RequestType == cfn.RequestDelete && strings.HasPrefix(r.PhysicalResourceID, notCreated) {
		return nil, nil
	}
	resource := f.resource(r.ResourceType)
	if resource == nil {
		return nil, fmt.Errorf("%.80q is not a type of custom resource that this function knows: deploy a newer function, or correct the type", r.ResourceType)
	}
	switch r.RequestType {
	case cfn.RequestCreate:
		return resource.create(ctx, r)
	case cfn.RequestUpdate:
		return resource.update(ctx, r)
	case cfn.RequestDelete:
		return nil, resource.delete(ctx, r)
	}
	return nil, fmt.Errorf("%.80q is not a request type of CloudFormation", r.RequestType)
}

// owner is the request's resource as the owner of accounts.
func (r *request) owner() readonlyuser.Owner {
	return readonlyuser.Owner{Stack: r.StackID, Resource: r.LogicalResourceID}
}

// stackName is the name in the stack's id, arn:…:stack/<name>/<uuid>.
func (r *request) stackName() string {
	if parts := strings.Split(r.StackID, "/"); len(parts) == 3 {
		return parts[1]
	}
	return r.StackID
}
