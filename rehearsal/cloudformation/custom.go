package cloudformation

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"drawbridge/rehearsal/template"
)

// customResource delivers events to the function of a custom resource ("Custom resource reference", AWS CloudFormation
// Template Reference Guide).
type customResource struct {
	deployer *Deployer
	resource *resource
}

// event is what the function gets.
type event struct {
	RequestType           Action
	ServiceToken          any
	ResponseURL           string
	StackID               string `json:"StackId"`
	RequestID             string `json:"RequestId"`
	ResourceType          string
	LogicalResourceID     string `json:"LogicalResourceId"`
	PhysicalResourceID    string `json:"PhysicalResourceId,omitempty"`
	ResourceProperties    any
	OldResourceProperties any `json:",omitempty"`
}

func (c customResource) Create(ctx context.Context, r Request) (Resource, error) {
	e, err := newEvent(Create, r)
	if err != nil {
		return Resource{}, err
	}
	made, err := c.deliver(ctx, e)
	if made.PhysicalID == "" {
		// A function that did not answer may have made something; CloudFormation gives that an id of its own.
		made.PhysicalID = fmt.Sprintf("%s-%s-%s", r.Stack.Name, r.LogicalID, strings.ToUpper(rand.Text()[:12]))
	}
	return made, err
}

func (c customResource) Update(ctx context.Context, r Request) (Resource, error) {
	e, err := newEvent(Update, r)
	if err != nil {
		return Resource{}, err
	}
	return c.deliver(ctx, e)
}

func (c customResource) Delete(ctx context.Context, r Request) error {
	e, err := newEvent(Delete, r)
	if err == nil {
		_, err = c.deliver(ctx, e)
	}
	return err
}

func newEvent(action Action, r Request) (event, error) {
	e := event{
		RequestType: action, StackID: r.Stack.ID, RequestID: uuid.NewString(), ResourceType: r.Type,
		LogicalResourceID: r.LogicalID, PhysicalResourceID: r.PhysicalID, ServiceToken: r.Properties["ServiceToken"],
	}
	var err error
	if e.ResourceProperties, err = leavesAsText("its Properties", r.Properties); err == nil && action == Update {
		e.OldResourceProperties, err = leavesAsText("its old Properties", r.OldProperties)
	}
	return e, err
}

// deliver invokes the function and waits for its answer, for as long as the resource's ServiceTimeout says.
func (c customResource) deliver(ctx context.Context, e event) (Resource, error) {
	expected := c.deployer.receiver.expect(e.RequestID, e.StackID, e.LogicalResourceID)
	e.ResponseURL = expected.url
	text, err := json.Marshal(e)
	if err != nil {
		return Resource{}, err
	}
	token, _ := e.ServiceToken.(string)
	c.deployer.options.Functions.InvokeAsync(token, text)

	timeout := time.NewTimer(c.resource.serviceTimeout)
	defer timeout.Stop()
	select {
	case answer := <-expected.answer:
		return answer.resource()
	case <-timeout.C:
		expected.giveUp()
		return Resource{}, fmt.Errorf("its function did not answer the %s within %v", e.RequestType, c.resource.serviceTimeout)
	case <-ctx.Done():
		expected.giveUp()
		return Resource{}, ctx.Err()
	}
}

// leavesAsText is a value with every number and boolean as text, as CloudFormation passes them to functions.
func leavesAsText(path string, value any) (any, error) {
	switch v := value.(type) {
	case map[string]any:
		result := make(map[string]any, len(v))
		for key, item := range v {
			var err error
			if result[key], err = leavesAsText(path+"."+key, item); err != nil {
				return nil, err
			}
		}
		return result, nil
	case []any:
		result := make([]any, len(v))
		for i, item := range v {
			var err error
			if result[i], err = leavesAsText(path+"["+strconv.Itoa(i)+"]", item); err != nil {
				return nil, err
			}
		}
		return result, nil
	}
	text, ok := template.Text(value)
	if !ok {
		return nil, fmt.Errorf("%s is null, which CloudFormation refuses", path)
	}
	return text, nil
}
