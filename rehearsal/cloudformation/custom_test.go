package cloudformation

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"
)

const custom = `{"R": {"Type": "Custom::Thing", "Properties": {
	"ServiceToken": "OURS", "ServiceTimeout": 900, "Word": "one", "List": [1, true, {"Deep": 1.50}]}},
	"After": {"Type": "T", "Properties": {"Word": {"Fn::GetAtt": ["R", "Word"]}, "Number": {"Fn::GetAtt": ["R", "Number"]}}}}`

func TestCustomResourceGetsRealEvents(t *testing.T) {
	a := newAccount(t, nil)
	a.mustDeploy(custom)
	a.mustDeploy(strings.Replace(custom, "one", "two", 1))
	if got, _ := a.Resource("stack", "After"); got.Properties["Word"] != "two" || fmt.Sprint(got.Properties["Number"]) != "1.5" {
		t.Errorf("the answers' data became %v", got.Properties)
	}
	stackID := a.StackID("stack")
	if err := a.Deployer.Delete(t.Context(), "stack"); err != nil {
		t.Fatal(err)
	}
	properties := func(word string) map[string]any {
		return map[string]any{
			"ServiceToken": functionARN, "ServiceTimeout": "900", "Word": word, "List": []any{"1", "true", map[string]any{"Deep": "1.50"}},
		}
	}
	want := []map[string]any{
		{"RequestType": "Create", "ResourceProperties": properties("one")},
		{"RequestType": "Update", "ResourceProperties": properties("two"), "OldResourceProperties": properties("one"), "PhysicalResourceId": "id-of-R"},
		{"RequestType": "Delete", "ResourceProperties": properties("two"), "PhysicalResourceId": "id-of-R"},
	}
	ids := map[string]bool{}
	for i, event := range a.events {
		ids[fmt.Sprint(event["RequestId"])] = true
		ids[fmt.Sprint(event["ResponseURL"])] = true
		if !strings.HasPrefix(stackID, "arn:aws:cloudformation:eu-west-1:123456789012:stack/stack/") {
			t.Errorf("the stack's id is %s", stackID)
		}
		want[i]["ServiceToken"], want[i]["StackId"], want[i]["LogicalResourceId"], want[i]["ResourceType"] = functionARN, stackID, "R", "Custom::Thing"
		delete(event, "RequestId")
		delete(event, "ResponseURL")
		if !reflect.DeepEqual(event, want[i]) {
			t.Errorf("event %d is\n%v\nwant\n%v", i, event, want[i])
		}
	}
	if len(a.events) != 3 || len(ids) != 6 {
		t.Errorf("%d events with %d different ids and URLs", len(a.events), len(ids))
	}
}

func TestCustomResourceIsReplacedWhenItAnswersAnotherID(t *testing.T) {
	a := newAccount(t, nil)
	named := func(id string) string {
		return `{"R": {"Type": "Custom::Thing", "Properties": {"ServiceToken": "OURS", "Id": "` + id + `"}}}`
	}
	a.mustDeploy(named("old"))
	a.want("deploy: Create R")
	a.mustDeploy(named("new"))
	a.want("deploy: Update R old > new", "clean-up: Delete R")
	last := a.events[len(a.events)-1]
	if last["PhysicalResourceId"] != "old" || last["ResourceProperties"].(map[string]any)["Id"] != "old" {
		t.Errorf("the clean-up sent %v", last)
	}

	// The same with a failure behind it: the function goes back, and the new one is deleted.
	more := func(id string) string {
		return strings.TrimSuffix(named(id), "}") + `, "Z": {"Type": "T", "DependsOn": "R"}}`
	}
	a.failures["Create Z"] = fmt.Errorf("no")
	wantError(t, a.deploy(more("newer")), "Z failed: no", "UPDATE_ROLLBACK_COMPLETE")
	a.want("deploy: Update R new > newer", "deploy: Create Z failed", "rollback: Update R newer > new", "rollback: Delete R")
	last = a.events[len(a.events)-1]
	if last["PhysicalResourceId"] != "newer" {
		t.Errorf("the rollback deleted %v", last["PhysicalResourceId"])
	}
	back := a.events[len(a.events)-2]
	if back["OldResourceProperties"].(map[string]any)["Id"] != "newer" || back["ResourceProperties"].(map[string]any)["Id"] != "new" {
		t.Errorf("the rollback sent %v", back)
	}
}

func TestCustomResourceThatFails(t *testing.T) {
	t.Run("its creation is followed by a delete of the id that it answered", func(t *testing.T) {
		a := newAccount(t, nil)
		a.answer = failing("Create R")
		wantError(t, a.deploy(custom), "R failed: refused as told", "ROLLBACK_COMPLETE")
		a.want("deploy: Create R failed", "rollback: Delete R")
		if id := a.events[1]["PhysicalResourceId"]; id != "id-of-R" {
			t.Errorf("deleted: %v", id)
		}
	})
	t.Run("its delete fails the rollback", func(t *testing.T) {
		a := newAccount(t, nil)
		a.answer = failing("Create R", "Delete R")
		wantError(t, a.deploy(custom), "refused as told", "rolling back failed", "ROLLBACK_FAILED")
	})
	t.Run("its update is undone, and what depends on it was not touched", func(t *testing.T) {
		a := newAccount(t, nil)
		const gate = `{"Gate": {"Type": "Custom::Gate", "Properties": {"ServiceToken": "OURS", "Exposure": "public"}},
			"Instance": {"Type": "T", "Properties": {"Public": true}, "DependsOn": "Gate"}}`
		a.mustDeploy(gate)
		a.want("deploy: Create Gate", "deploy: Create Instance")
		a.answer = func(event map[string]any) map[string]any {
			answer := succeed(event)
			if event["ResourceProperties"].(map[string]any)["Exposure"] == "private" {
				answer["Status"], answer["Reason"] = "FAILED", "refused as told"
			}
			return answer
		}
		wantError(t, a.deploy(strings.NewReplacer("public", "private", "true", "false").Replace(gate)), "Gate failed: refused as told", "UPDATE_ROLLBACK_COMPLETE")
		a.want("deploy: Update Gate failed", "rollback: Update Gate")
		if old := a.events[2]["OldResourceProperties"].(map[string]any)["Exposure"]; old != "private" {
			t.Errorf("the rollback's old exposure is %v", old)
		}
	})
	t.Run("without an answer it fails after its time", func(t *testing.T) {
		a := newAccount(t, func(o *Options) { o.ServiceTimeout = 100 * time.Millisecond })
		a.answer = func(event map[string]any) map[string]any {
			if event["RequestType"] == "Create" {
				return nil
			}
			return succeed(event)
		}
		wantError(t, a.deploy(custom), "did not answer the Create within 100ms")
		a.want("deploy: Create R failed", "rollback: Delete R")
		if id := fmt.Sprint(a.events[1]["PhysicalResourceId"]); !strings.HasPrefix(id, "stack-R-") {
			t.Errorf("the id that CloudFormation makes up is %s", id)
		}
		if status := a.put(fmt.Sprint(a.events[0]["ResponseURL"]), mustJSON(succeed(a.events[0])), nil); status != http.StatusOK {
			t.Errorf("a late answer gets %d", status)
		}
		if answers := a.Answers(); answers[len(answers)-1].Outcome != Late {
			t.Errorf("%+v", answers)
		}
	})
}

func mustJSON(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}

func TestAnswersAreChecked(t *testing.T) {
	for want, change := range map[string]func(answer map[string]any){
		"its RequestId":                          func(a map[string]any) { a["RequestId"] = "another" },
		"its StackId":                            func(a map[string]any) { delete(a, "StackId") },
		"its LogicalResourceId":                  func(a map[string]any) { a["LogicalResourceId"] = "Other" },
		"neither SUCCESS nor FAILED":             func(a map[string]any) { a["Status"] = "OK" },
		"FAILED without a Reason":                func(a map[string]any) { a["Status"] = "FAILED" },
		"no PhysicalResourceId":                  func(a map[string]any) { a["PhysicalResourceId"] = "" },
		"1025 bytes, more than 1024":             func(a map[string]any) { a["PhysicalResourceId"] = strings.Repeat("x", 1025) },
		"more than 4096":                         func(a map[string]any) { a["Data"] = map[string]any{"X": strings.Repeat("x", 4096)} },
		"not a JSON object with fields of the r": func(a map[string]any) { a["Data"] = "x" },
	} {
		t.Run(want, func(t *testing.T) {
			a := newAccount(t, nil)
			a.answer = func(event map[string]any) map[string]any {
				answer := succeed(event)
				if event["RequestType"] == "Create" {
					change(answer)
				}
				return answer
			}
			wantError(t, a.deploy(custom), want)
		})
	}
}

func TestReceiver(t *testing.T) {
	a := newAccount(t, nil)
	var url string
	var body []byte
	statuses := map[string]int{}
	a.answer = func(event map[string]any) map[string]any {
		url, body = fmt.Sprint(event["ResponseURL"]), mustJSON(succeed(event))
		statuses["content type"] = a.put(url, body, http.Header{"Content-Type": {"application/json"}})
		statuses["another path"] = a.put(strings.Replace(url, "?", "x?", 1), body, nil)
		statuses["without signature"] = a.put(url[:strings.Index(url, "?")], body, nil)
		if response, err := http.Get(url); err == nil {
			statuses["GET"] = response.StatusCode
			_ = response.Body.Close()
		}
		a.FailAnswers(AnswerFault{Times: 1, Status: http.StatusServiceUnavailable})
		statuses["fault"] = a.put(url, body, nil)
		a.FailAnswers(AnswerFault{Times: 1, AfterTaken: true})
		statuses["taken, but closed"] = a.put(url, body, nil)
		statuses["second"] = a.put(url, []byte(`{"Status":"FAILED"}`), nil)
		return nil
	}
	a.mustDeploy(custom)
	a.pending.Wait()
	want := map[string]int{
		"content type": 403, "another path": 403, "without signature": 403, "GET": 403, "fault": 503, "taken, but closed": 0, "second": 200,
	}
	if !reflect.DeepEqual(statuses, want) {
		t.Errorf("statuses %v, want %v", statuses, want)
	}
	var outcomes []Outcome
	for _, answer := range a.Answers() {
		outcomes = append(outcomes, answer.Outcome)
	}
	if !reflect.DeepEqual(outcomes, []Outcome{Refused, Refused, Refused, Refused, Faulted, Taken, Ignored}) {
		t.Errorf("outcomes %v", outcomes)
	}
}

func TestCustomResourceOfOthers(t *testing.T) {
	a := newAccount(t, nil)
	a.mustDeploy(`{"R": {"Type": "Custom::Known", "Properties": {"ServiceToken": "arn:of:node"}}}`)
	a.want("deploy: Create R")
	if len(a.events) > 0 {
		t.Error("our function got an event that is not its own")
	}
	for resource, want := range map[string]string{
		`{"Type": "Custom::Unknown", "Properties": {"ServiceToken": "arn:of:node"}}`: "arn:of:node does not run here",
		`{"Type": "Custom::Thing"}`: "without a ServiceToken",
		`{"Type": "Custom::Thing", "Properties": {"ServiceToken": "OURS", "ServiceTimeout": "soon"}}`: "ServiceTimeout",
		`{"Type": "Custom::Thing", "Properties": {"ServiceToken": "OURS", "ServiceTimeout": 3601}}`:   "ServiceTimeout",
		`{"Type": "Custom::Thing", "Properties": {"ServiceToken": "OURS", "Null": null}}`:             "Null is null",
	} {
		wantError(t, a.deployStack("other", `{"R": `+resource+`}`), want)
	}
}
