package resources

import (
	"context"
	"fmt"

	"drawbridge/rehearsal/cloudformation"
)

// permission says who may invoke a function.
type permission struct{ function, action, principal, sourceARN, sourceAccount string }

// functionPermission plays AWS::Lambda::Permission.
type functionPermission struct{ *Account }

func (p functionPermission) Create(_ context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	in := properties{values: r.Properties}
	granted := permission{
		function: in.text("FunctionName", true), action: in.text("Action", true), principal: in.text("Principal", true),
		sourceARN: in.text("SourceArn", false), sourceAccount: in.text("SourceAccount", false),
	}
	if in.err != nil {
		return cloudformation.Resource{}, in.err
	}
	for name := range r.Properties {
		switch name {
		case "FunctionName", "Action", "Principal", "SourceArn", "SourceAccount":
		default:
			return cloudformation.Resource{}, fmt.Errorf("its property %s is not played here", name)
		}
	}
	id := generatedName(r)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.permissions[id] = granted
	return cloudformation.Resource{PhysicalID: id, Attributes: map[string]any{"Id": id}}, nil
}

// Update makes another one, as every property of a permission replaces it.
func (p functionPermission) Update(ctx context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	return p.Create(ctx, r)
}

func (p functionPermission) Delete(_ context.Context, r cloudformation.Request) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.permissions, r.PhysicalID)
	return nil
}

// permitted says whether a service may invoke a function on behalf of a resource.
func (a *Account) permitted(functionARN, service, sourceARN string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range a.permissions {
		if (p.function == functionARN || a.arn("lambda", "function:"+p.function) == functionARN) &&
			(p.action == "lambda:InvokeFunction" || p.action == "lambda:*") && p.principal == service &&
			(p.sourceARN == "" || p.sourceARN == sourceARN) && (p.sourceAccount == "" || p.sourceAccount == a.options.AccountID) {
			return true
		}
	}
	return false
}
