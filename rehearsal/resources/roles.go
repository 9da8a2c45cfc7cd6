package resources

import (
	"context"
	"fmt"

	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/iam"
)

// role plays AWS::IAM::Role.
type role struct{ *Account }

func (p role) Create(_ context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	in := properties{values: r.Properties}
	name := in.text("RoleName", false)
	if in.err != nil {
		return cloudformation.Resource{}, in.err
	}
	if name == "" {
		name = generatedName(r)
	}
	return p.write(name, r)
}

func (p role) Update(ctx context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	if r.Properties["RoleName"] != r.OldProperties["RoleName"] {
		return p.Create(ctx, r)
	}
	p.clear(r.PhysicalID, r.OldProperties)
	return p.write(r.PhysicalID, r)
}

func (p role) Delete(_ context.Context, r cloudformation.Request) error {
	p.clear(r.PhysicalID, r.Properties)
	return nil
}

// write gives the role the policies in its properties.
func (p role) write(name string, r cloudformation.Request) (cloudformation.Resource, error) {
	arn := p.arn("iam", "role/"+name)
	made := cloudformation.Resource{PhysicalID: name, Attributes: map[string]any{"Arn": arn, "RoleId": generatedID("AROA")}}
	in := properties{values: r.Properties}
	if r.Properties["PermissionsBoundary"] != nil {
		return made, fmt.Errorf("its property PermissionsBoundary is not played here")
	}
	for _, managed := range in.texts("ManagedPolicyArns") {
		policy, err := iam.Managed(managed)
		if err != nil {
			return made, err
		}
		p.options.Roles.Attach(arn, managed, policy)
	}
	inline, _ := r.Properties["Policies"].([]any)
	for _, item := range inline {
		fields, _ := item.(map[string]any)
		policy, err := iam.ParsePolicy(fields["PolicyDocument"])
		if err != nil {
			return made, err
		}
		p.options.Roles.Attach(arn, inlineName(fields), policy)
	}
	return made, in.err
}

// clear takes the policies in the properties away from the role; those of AWS::IAM::Policy stay.
func (p role) clear(name string, values map[string]any) {
	arn := p.arn("iam", "role/"+name)
	in := properties{values: values}
	for _, managed := range in.texts("ManagedPolicyArns") {
		p.options.Roles.Detach(arn, managed)
	}
	inline, _ := values["Policies"].([]any)
	for _, item := range inline {
		fields, _ := item.(map[string]any)
		p.options.Roles.Detach(arn, inlineName(fields))
	}
}

func inlineName(fields map[string]any) string { return fmt.Sprint("inline:", fields["PolicyName"]) }

// rolePolicy plays AWS::IAM::Policy, on roles.
type rolePolicy struct{ *Account }

func (p rolePolicy) Create(_ context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	id := generatedName(r)
	return cloudformation.Resource{PhysicalID: id, Attributes: map[string]any{"Id": id}}, p.attach(id, r)
}

func (p rolePolicy) Update(_ context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	p.detach(r.PhysicalID, r.OldProperties)
	return cloudformation.Resource{PhysicalID: r.PhysicalID, Attributes: map[string]any{"Id": r.PhysicalID}}, p.attach(r.PhysicalID, r)
}

func (p rolePolicy) Delete(_ context.Context, r cloudformation.Request) error {
	p.detach(r.PhysicalID, r.Properties)
	return nil
}

func (p rolePolicy) attach(id string, r cloudformation.Request) error {
	policy, err := iam.ParsePolicy(r.Properties["PolicyDocument"])
	if err != nil {
		return err
	}
	if r.Properties["Users"] != nil || r.Properties["Groups"] != nil {
		return fmt.Errorf("it is attached to users or groups, which are not played here")
	}
	in := properties{values: r.Properties}
	for _, name := range in.texts("Roles") {
		p.options.Roles.Attach(p.arn("iam", "role/"+name), id, policy)
	}
	return in.err
}

func (p rolePolicy) detach(id string, values map[string]any) {
	in := properties{values: values}
	for _, name := range in.texts("Roles") {
		p.options.Roles.Detach(p.arn("iam", "role/"+name), id)
	}
}
