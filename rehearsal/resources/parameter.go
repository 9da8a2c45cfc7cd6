package resources

import (
	"cmp"
	"context"
	"fmt"

	"drawbridge/rehearsal/cloudformation"
)

// parameter plays AWS::SSM::Parameter.
type parameter struct{ *Account }

func (p parameter) Create(_ context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	in := properties{values: r.Properties}
	name := in.text("Name", false)
	if in.err != nil {
		return cloudformation.Resource{}, in.err
	}
	name = cmp.Or(name, generatedName(r))
	if _, taken := p.options.Parameters.Value(name); taken {
		return cloudformation.Resource{}, fmt.Errorf("there is a parameter %s already", name)
	}
	return p.put(name, r)
}

func (p parameter) Update(ctx context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	if r.Properties["Name"] != r.OldProperties["Name"] {
		return p.Create(ctx, r)
	}
	return p.put(r.PhysicalID, r)
}

func (p parameter) Delete(_ context.Context, r cloudformation.Request) error {
	p.options.Parameters.Delete(r.PhysicalID)
	return nil
}

func (p parameter) put(name string, r cloudformation.Request) (cloudformation.Resource, error) {
	in := properties{values: r.Properties}
	kind, value, tier := in.text("Type", true), in.text("Value", true), in.text("Tier", false)
	if in.err == nil && tier != "" && tier != "Standard" {
		in.err = fmt.Errorf("its Tier %s is not played here", tier)
	}
	if in.err == nil {
		in.err = p.options.Parameters.PutType(name, kind, value)
	}
	if in.err != nil {
		return cloudformation.Resource{}, in.err
	}
	return cloudformation.Resource{PhysicalID: name, Attributes: map[string]any{"Type": kind, "Value": value}}, nil
}
