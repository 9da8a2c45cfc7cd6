package cloudformation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"drawbridge/rehearsal/template"
)

// account is a deployer with one function, whose answers a test scripts, and a provider that keeps what it made.
type account struct {
	*Deployer
	t *testing.T

	mu      sync.Mutex
	events  []map[string]any
	raw     []string
	answer  func(event map[string]any) map[string]any // nil: none is sent
	pending sync.WaitGroup

	made     map[string]map[string]any // by physical id
	count    int
	failures map[string]error // by "Create A"
	seen     []Request
}

const functionARN = "arn:aws:lambda:eu-west-1:123456789012:function:ours"

func newAccount(t *testing.T, change func(*Options)) *account {
	t.Helper()
	a := &account{t: t, made: map[string]map[string]any{}, failures: map[string]error{}, answer: succeed}
	options := Options{
		AccountID: "123456789012", Region: "eu-west-1", AvailabilityZones: []string{"eu-west-1a", "eu-west-1b"},
		Providers: map[string]Provider{"": a, "Custom::Known": a}, Functions: a, ServiceTimeout: 10 * time.Second,
		Dynamic: func(_, reference string) (string, error) { return "value of " + reference, nil },
	}
	if change != nil {
		change(&options)
	}
	var err error
	if a.Deployer, err = New(options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		a.pending.Wait()
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// succeed is the answer of a function that does well: its physical id is the property Id.
func succeed(event map[string]any) map[string]any {
	properties, _ := event["ResourceProperties"].(map[string]any)
	id, ok := properties["Id"]
	if !ok {
		id = fmt.Sprint("id-of-", event["LogicalResourceId"])
	}
	if event["RequestType"] == "Delete" {
		id = event["PhysicalResourceId"]
	}
	return map[string]any{
		"Status": "SUCCESS", "RequestId": event["RequestId"], "StackId": event["StackId"],
		"LogicalResourceId": event["LogicalResourceId"], "PhysicalResourceId": id,
		"Data": map[string]any{"Word": properties["Word"], "Number": 1.50},
	}
}

// failing is succeed but for one request of one resource, such as "Update Gate".
func failing(requests ...string) func(map[string]any) map[string]any {
	return func(event map[string]any) map[string]any {
		answer := succeed(event)
		if slices.Contains(requests, fmt.Sprint(event["RequestType"], " ", event["LogicalResourceId"])) {
			answer["Status"], answer["Reason"] = "FAILED", "refused as told"
		}
		return answer
	}
}

func (a *account) Runs(arn string) bool { return arn == functionARN }

func (a *account) InvokeAsync(arn string, text []byte) {
	a.pending.Go(func() {
		var event map[string]any
		if err := json.Unmarshal(text, &event); err != nil || arn != functionARN {
			a.t.Errorf("%s got %s", arn, text)
		}
		a.mu.Lock()
		a.events = append(a.events, event)
		a.raw = append(a.raw, string(text))
		answer := a.answer
		a.mu.Unlock()
		if answer := answer(event); answer != nil {
			body, _ := json.Marshal(answer)
			a.put(fmt.Sprint(event["ResponseURL"]), body, nil)
		}
	})
}

// put answers, and gives the status; 0 if the connection was closed.
func (a *account) put(url string, body []byte, header http.Header) int {
	request, err := http.NewRequest(http.MethodPut, url, bytes.NewReader(body))
	if err != nil {
		a.t.Error(err)
		return 0
	}
	for name := range header {
		request.Header.Set(name, header.Get(name))
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// What follows plays every other resource: its attribute Same is its property Word.
func (a *account) resource(id string, r Request) Resource {
	a.made[id] = r.Properties
	attributes := map[string]any{"Arn": "arn:of:" + id}
	if word, ok := r.Properties["Word"]; ok {
		attributes["Word"] = word
	}
	return Resource{PhysicalID: id, Attributes: attributes}
}

func (a *account) Create(_ context.Context, r Request) (Resource, error) {
	a.seen = append(a.seen, r)
	if err := a.failures["Create "+r.LogicalID]; err != nil {
		return Resource{}, err
	}
	a.count++
	return a.resource(fmt.Sprintf("%s-%d", strings.ToLower(r.LogicalID), a.count), r), nil
}

func (a *account) Update(ctx context.Context, r Request) (Resource, error) {
	a.seen = append(a.seen, r)
	if err := a.failures["Update "+r.LogicalID]; err != nil {
		return Resource{}, err
	}
	if fmt.Sprint(r.Properties["Replace"]) != fmt.Sprint(r.OldProperties["Replace"]) {
		return a.Create(ctx, r)
	}
	return a.resource(r.PhysicalID, r), nil
}

func (a *account) Delete(_ context.Context, r Request) error {
	a.seen = append(a.seen, r)
	if err := a.failures["Delete "+r.LogicalID]; err != nil {
		return err
	}
	if a.made[r.PhysicalID] == nil {
		return errors.New("there is no " + r.PhysicalID)
	}
	delete(a.made, r.PhysicalID)
	return nil
}

// parse makes a template of its resources, and of outputs if they are given.
func parse(t *testing.T, resources string, outputs ...string) *template.Template {
	t.Helper()
	text := `{"Resources":` + resources
	if len(outputs) > 0 {
		text += `,"Outputs":` + outputs[0]
	}
	parsed, err := template.Parse([]byte(strings.ReplaceAll(text, "OURS", functionARN) + "}"))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func (a *account) deploy(resources string, outputs ...string) error {
	a.t.Helper()
	return a.deployStack("stack", resources, outputs...)
}

func (a *account) deployStack(name, resources string, outputs ...string) error {
	a.t.Helper()
	return a.Deploy(a.t.Context(), &template.Stack{ID: name, Name: name, Template: parse(a.t, resources, outputs...)}, nil)
}

func (a *account) mustDeploy(resources string, outputs ...string) {
	a.t.Helper()
	if err := a.deploy(resources, outputs...); err != nil {
		a.t.Fatal(err)
	}
}

// want compares the operations since the last call of want, without types.
func (a *account) want(operations ...string) {
	a.t.Helper()
	var got []string
	for _, o := range a.Operations() {
		text := fmt.Sprintf("%s: %s %s", o.Phase, o.Action, o.LogicalID)
		if o.OldID != "" {
			text += " " + o.OldID + " > " + o.PhysicalID
		}
		if o.Err != "" {
			text += " failed"
		}
		got = append(got, text)
	}
	if !slices.Equal(got, operations) {
		a.t.Errorf("operations:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(operations, "\n"))
	}
	a.Deployer.mu.Lock()
	a.operations = nil
	a.Deployer.mu.Unlock()
}

func (a *account) wantStatus(want Status) {
	a.t.Helper()
	if got := a.Status("stack"); got != want {
		a.t.Errorf("the stack is %s, want %s", got, want)
	}
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the error is %v, want something about %q", err, part)
		}
	}
}
