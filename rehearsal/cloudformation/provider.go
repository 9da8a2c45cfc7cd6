package cloudformation

import (
	"context"
	"time"

	"drawbridge/rehearsal/template"
)

// Provider plays one type of resource.
type Provider interface {
	// Create makes the resource. With an error, a physical id says that something was made, which rolling back deletes.
	Create(ctx context.Context, r Request) (Resource, error)
	// Update changes the resource. Another physical id says that a new one was made in its place: the old one is
	// deleted when the whole deployment has gone well.
	Update(ctx context.Context, r Request) (Resource, error)
	// Delete removes the resource. One that is not there any more is no error.
	Delete(ctx context.Context, r Request) error
}

// Request is what a provider is to do.
type Request struct {
	Stack      StackInfo
	LogicalID  string
	Type       string
	PhysicalID string // "" on Create

	// Properties are resolved, with the values of dynamic references such as passwords in them.
	Properties    map[string]any
	OldProperties map[string]any // on Update
}

// StackInfo is the stack that a resource belongs to.
type StackInfo struct {
	Name, ID, AccountID, Region string

	Assets map[string]template.Asset // by the key of their S3 object
}

// Resource is what a provider made.
type Resource struct {
	PhysicalID string
	Ref        string // what Ref gives; "" means the physical id

	// Attributes are what Fn::GetAtt gives, by name. Values are strings, or lists of them.
	Attributes map[string]any
}

// Functions are the Lambda functions that run here.
type Functions interface {
	// Runs says whether the function with this ARN has a program that runs here. CDK's own handlers, in Node.js, do not.
	Runs(functionARN string) bool
	// InvokeAsync hands a function that runs here an event, as an asynchronous invocation does.
	InvokeAsync(functionARN string, event []byte)
}

// serviceTimeout is how long CloudFormation waits for a custom resource that does not say (AWS::CloudFormation::CustomResource,
// property ServiceTimeout, AWS CloudFormation Template Reference Guide).
const serviceTimeout = time.Hour
