package resources

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/waitcondition"
)

// waitConditionHandle plays AWS::CloudFormation::WaitConditionHandle. Its Ref is its URL, which is
// a secret; so that it stands in no record, its physical id is another.
type waitConditionHandle struct{ *Account }

func (p waitConditionHandle) Create(_ context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	if p.options.Signals == nil {
		return cloudformation.Resource{}, errors.New("this rehearsal was given no server that takes signals")
	}
	id, handle := generatedName(r), p.options.Signals.NewHandle(r.Stack.ID, r.LogicalID)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handles[id] = handle
	return cloudformation.Resource{PhysicalID: id, Ref: handle.URL, Attributes: map[string]any{"Id": id}}, nil
}

func (waitConditionHandle) Update(context.Context, cloudformation.Request) (cloudformation.Resource, error) {
	return cloudformation.Resource{}, errNoUpdate
}

func (p waitConditionHandle) Delete(_ context.Context, r cloudformation.Request) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if handle := p.handles[r.PhysicalID]; handle != nil {
		p.options.Signals.Delete(handle)
		delete(p.handles, r.PhysicalID)
	}
	return nil
}

// errNoUpdate is what CloudFormation, too, says of both types.
var errNoUpdate = errors.New("updates of this type are not supported: give the wait condition and its handle new logical ids")

// waitCondition plays AWS::CloudFormation::WaitCondition.
type waitCondition struct{ *Account }

// maxTimeout is the greatest Timeout, in seconds (AWS::CloudFormation::WaitCondition, AWS CloudFormation Template
// Reference Guide).
const maxTimeout = 43200

func (p waitCondition) Create(ctx context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	if p.options.Signals == nil {
		return cloudformation.Resource{}, errors.New("this rehearsal was given no server that takes signals")
	}
	in := properties{values: r.Properties}
	url, count := in.text("Handle", true), 1
	if text := in.text("Count", false); text != "" {
		count = number("Count", text, 1, 10000, &in)
	}
	timeout := number("Timeout", in.text("Timeout", true), 0, maxTimeout, &in)
	if in.err != nil {
		return cloudformation.Resource{}, in.err
	}
	handle, err := p.options.Signals.Handle(url)
	if err != nil {
		return cloudformation.Resource{}, err
	}
	if !p.options.WaitForSignals {
		for n := range count {
			signal := waitcondition.Signal{Status: waitcondition.Success, Reason: "played", UniqueID: fmt.Sprint("played-", n+1)}
			if err := handle.Send(signal); err != nil {
				return cloudformation.Resource{}, err
			}
		}
	}
	data, err := handle.Wait(ctx, count, time.Duration(timeout)*time.Second)
	if err != nil {
		return cloudformation.Resource{}, err
	}
	made := cloudformation.Resource{PhysicalID: generatedName(r), Attributes: map[string]any{"Data": data}}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conditions[made.PhysicalID] = metCondition{r.Properties, made}
	return made, nil
}

// Update refuses other properties. The old ones come when an update that was refused is rolled back.
func (p waitCondition) Update(_ context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	met := p.conditions[r.PhysicalID]
	if !reflect.DeepEqual(met.properties, r.Properties) {
		return cloudformation.Resource{}, errNoUpdate
	}
	return met.resource, nil
}

func (p waitCondition) Delete(_ context.Context, r cloudformation.Request) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conditions, r.PhysicalID)
	return nil
}

// metCondition is a wait condition that got its signals.
type metCondition struct {
	properties map[string]any
	resource   cloudformation.Resource
}

// number reads a property that is a whole number.
func number(name, text string, least, most int, in *properties) int {
	n, err := strconv.Atoi(text)
	if in.err == nil && (err != nil || n < least || n > most) {
		in.err = fmt.Errorf("its property %s must be from %d to %d, and is %q", name, least, most, text)
	}
	return n
}
