package endtoend

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
)

// answered is the function's answer to an event that a test sent it by itself.
type answered struct {
	Status, Reason     string
	PhysicalResourceID string `json:"PhysicalResourceId"`
	Data               map[string]any
}

// send hands the function an event that no template can lead to, or one that has come before, and returns its answer.
func (p *play) send(event cfn.Event) answered {
	p.t.Helper()
	var answers []answered
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var a answered
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &a)
		}
		if err != nil || r.Method != http.MethodPut || len(body) > 4096 {
			p.t.Errorf("a %s of %d bytes, of which the JSON is %v", r.Method, len(body), err)
		}
		answers = append(answers, a)
	}))
	defer receiver.Close()
	event.ResponseURL = receiver.URL
	text, err := json.Marshal(event)
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	if _, err := p.function().Invoke(ctx, text); err != nil {
		p.t.Fatal(err)
	}
	if len(answers) != 1 {
		p.t.Fatalf("the function answered %d times", len(answers))
	}
	return answers[0]
}

// sendAgain sends an event to a resource that is there, with the properties that it has.
func (p *play) sendAgain(stack, kind, text string, request cfn.RequestType, change func(*cfn.Event)) answered {
	p.t.Helper()
	r := p.resource(stack, kind, text)
	event := cfn.Event{
		RequestType: request, RequestID: "sent-by-a-test", ResourceType: kind, StackID: p.StackID(stack), LogicalResourceID: r.LogicalID,
		ResourceProperties: leavesAsText(r.Properties).(map[string]any),
	}
	if request != cfn.RequestCreate {
		event.PhysicalResourceID = r.PhysicalID
	}
	if request == cfn.RequestUpdate {
		event.OldResourceProperties = event.ResourceProperties
	}
	if change != nil {
		change(&event)
	}
	return p.send(event)
}

// leavesAsText makes texts of numbers, as CloudFormation does.
func leavesAsText(value any) any {
	switch v := value.(type) {
	case map[string]any:
		changed := map[string]any{}
		for key, item := range v {
			changed[key] = leavesAsText(item)
		}
		return changed
	case []any:
		changed := make([]any, len(v))
		for i, item := range v {
			changed[i] = leavesAsText(item)
		}
		return changed
	case json.Number:
		return v.String()
	}
	return value
}

// must is an answer that the event was a success.
func (a answered) must(t testing.TB) answered {
	t.Helper()
	if a.Status != "SUCCESS" {
		t.Fatalf("%s: %s", a.Status, a.Reason)
	}
	return a
}
