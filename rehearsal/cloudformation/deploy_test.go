package cloudformation

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"drawbridge/rehearsal/template"
)

func TestResourcesAreMadeInTheOrderOfDependencies(t *testing.T) {
	a := newAccount(t, nil)
	a.mustDeploy(`{
		"A": {"Type": "T", "Properties": {"Of": {"Fn::GetAtt": ["B", "Arn"]}}},
		"B": {"Type": "T", "Properties": {"Of": {"Fn::Sub": "x${C}x"}}},
		"C": {"Type": "T"},
		"AA": {"Type": "T", "DependsOn": "B"}
	}`, `{"Out": {"Value": {"Ref": "A"}}}`)
	a.want("deploy: Create C", "deploy: Create B", "deploy: Create A", "deploy: Create AA")
	a.wantStatus(CreateComplete)
	if got, _ := a.Resource("stack", "A"); got.Properties["Of"] != "arn:of:b-2" {
		t.Errorf("A is %+v", got)
	}
	if got := a.Outputs("stack")["Out"]; got != "a-3" {
		t.Errorf("the output is %q", got)
	}
	if err := a.Deployer.Delete(t.Context(), "stack"); err != nil {
		t.Fatal(err)
	}
	a.want("delete: Delete AA", "delete: Delete A", "delete: Delete B", "delete: Delete C")
	if a.wantStatus(DeleteComplete); len(a.made) > 0 {
		t.Errorf("left: %v", a.made)
	}
}

func TestUpdate(t *testing.T) {
	const before = `{
		"A": {"Type": "T", "Properties": {"Word": "a", "Replace": "1"}},
		"B": {"Type": "T", "Properties": {"Of": {"Ref": "A"}}},
		"C": {"Type": "T", "Properties": {"Of": {"Fn::GetAtt": ["A", "Word"]}}},
		"Gone": {"Type": "T", "DependsOn": "A"}
	}`
	t.Run("touches only what changed", func(t *testing.T) {
		a := newAccount(t, nil)
		a.mustDeploy(before)
		a.want("deploy: Create A", "deploy: Create B", "deploy: Create C", "deploy: Create Gone")
		a.mustDeploy(before)
		a.want()
		a.mustDeploy(strings.Replace(before, `"a"`, `"b"`, 1))
		a.want("deploy: Update A", "deploy: Update C")
		a.wantStatus(UpdateComplete)
	})
	t.Run("replaces, and deletes the old one at the end", func(t *testing.T) {
		a := newAccount(t, nil)
		a.mustDeploy(before)
		a.want("deploy: Create A", "deploy: Create B", "deploy: Create C", "deploy: Create Gone")
		after := strings.Replace(strings.Replace(before, `"1"`, `"2"`, 1), `"Gone"`, `"New"`, 1)
		a.mustDeploy(after)
		a.want("deploy: Update A a-1 > a-5", "deploy: Update B", "deploy: Create New", "clean-up: Delete Gone", "clean-up: Delete A")
		if a.made["a-1"] != nil || a.made["a-5"] == nil {
			t.Errorf("made: %v", a.made)
		}
	})
	t.Run("keeps what its policies say", func(t *testing.T) {
		a := newAccount(t, nil)
		kept := strings.Replace(before, `"Gone": {`, `"Gone": {"DeletionPolicy": "Retain", `, 1)
		kept = strings.Replace(kept, `"A": {`, `"A": {"UpdateReplacePolicy": "Retain", `, 1)
		a.mustDeploy(kept)
		a.want("deploy: Create A", "deploy: Create B", "deploy: Create C", "deploy: Create Gone")
		a.mustDeploy(strings.Replace(strings.Replace(kept, `"1"`, `"2"`, 1), `"Gone"`, `"New"`, 1))
		a.want("deploy: Update A a-1 > a-5", "deploy: Update B", "deploy: Create New", "clean-up: Retain Gone", "clean-up: Retain A")
	})
	t.Run("goes well although the clean-up fails", func(t *testing.T) {
		a := newAccount(t, nil)
		a.mustDeploy(before)
		a.want("deploy: Create A", "deploy: Create B", "deploy: Create C", "deploy: Create Gone")
		a.failures["Delete Gone"] = errors.New("in use")
		a.mustDeploy(strings.Replace(before, `"Gone"`, `"New"`, 1))
		a.want("deploy: Create New", "clean-up: Delete Gone failed")
		a.wantStatus(UpdateComplete)
	})
}

func TestRollback(t *testing.T) {
	const before = `{
		"A": {"Type": "T", "Properties": {"Word": "a"}},
		"B": {"Type": "T", "Properties": {"Replace": "1"}, "DependsOn": "A"},
		"C": {"Type": "T", "Properties": {"Word": "c"}, "DependsOn": "B"}
	}`
	const after = `{
		"A": {"Type": "T", "Properties": {"Word": "A"}},
		"B": {"Type": "T", "Properties": {"Replace": "2"}, "DependsOn": "A"},
		"BB": {"Type": "T", "DependsOn": "B"},
		"C": {"Type": "T", "Properties": {"Word": "C"}, "DependsOn": "BB"}
	}`
	t.Run("of a creation deletes what was made", func(t *testing.T) {
		a := newAccount(t, nil)
		a.failures["Create C"] = errors.New("no more of these")
		err := a.deploy(before)
		wantError(t, err, "stack", "ROLLBACK_COMPLETE", "C failed: no more of these")
		a.want("deploy: Create A", "deploy: Create B", "deploy: Create C failed", "rollback: Delete B", "rollback: Delete A")
		a.wantStatus(RollbackComplete)
		if len(a.made) > 0 {
			t.Errorf("left: %v", a.made)
		}
		delete(a.failures, "Create C")
		a.mustDeploy(before)
		a.wantStatus(CreateComplete)
	})
	t.Run("of a creation that fails, too, says so", func(t *testing.T) {
		a := newAccount(t, nil)
		a.failures["Create C"], a.failures["Delete A"] = errors.New("no"), errors.New("held")
		wantError(t, a.deploy(before), "rolling back failed: A: held")
		a.wantStatus(RollbackFailed)
		wantError(t, a.deploy(before), "cannot be updated")
		delete(a.failures, "Delete A")
		if err := a.Deployer.Delete(t.Context(), "stack"); err != nil || len(a.made) > 0 {
			t.Errorf("%v, left: %v", err, a.made)
		}
	})
	for name, inOrder := range map[string]bool{"in reverse order": false, "in the order of dependencies": true} {
		t.Run("of an update goes back "+name, func(t *testing.T) {
			a := newAccount(t, func(o *Options) { o.RollbackInOrder = inOrder })
			a.mustDeploy(before)
			a.want("deploy: Create A", "deploy: Create B", "deploy: Create C")
			a.failures["Update C"] = errors.New("only once")
			a.seen = nil
			// The first update of C fails, its way back does not.
			err := a.deploy(after)
			wantError(t, err, "C failed: only once", "UPDATE_ROLLBACK_FAILED")
			delete(a.failures, "Update C")
			if err := a.ContinueUpdateRollback(t.Context(), "stack"); err != nil {
				t.Fatal(err)
			}
			if inOrder {
				a.want("deploy: Update A", "deploy: Update B b-2 > b-4", "deploy: Create BB", "deploy: Update C failed",
					"rollback: Update A", "rollback: Restore B", "rollback: Update C failed", "rollback: Update C",
					"rollback: Delete BB", "rollback: Delete B")
			} else {
				a.want("deploy: Update A", "deploy: Update B b-2 > b-4", "deploy: Create BB", "deploy: Update C failed",
					"rollback: Update C failed", "rollback: Update C", "rollback: Restore B", "rollback: Update A",
					"rollback: Delete BB", "rollback: Delete B")
			}
			a.wantStatus(UpdateRollbackComplete)
			if len(a.made) != 3 || a.made["b-2"] == nil || a.made["a-1"]["Word"] != "a" {
				t.Errorf("made: %v", a.made)
			}
			for _, r := range a.seen {
				if r.LogicalID == "A" && r.Properties["Word"] == r.OldProperties["Word"] {
					t.Errorf("old and new are the same: %+v", r)
				}
			}
			a.mustDeploy(before)
			a.want()
		})
	}
}

func TestContinueUpdateRollback(t *testing.T) {
	a := newAccount(t, nil)
	const text = `{"A": {"Type": "T", "Properties": {"Word": "a"}}, "B": {"Type": "T", "Properties": {"Word": "b"}, "DependsOn": "A"}}`
	a.mustDeploy(text)
	a.want("deploy: Create A", "deploy: Create B")
	if err := a.ContinueUpdateRollback(t.Context(), "stack"); err == nil {
		t.Error("a stack without a rollback goes on with it")
	}
	a.failures["Update B"] = errors.New("stuck")
	wantError(t, a.deploy(strings.NewReplacer(`"a"`, `"A"`, `"b"`, `"B"`).Replace(text)), "B failed: stuck", "rolling back failed: B: stuck")
	wantError(t, a.ContinueUpdateRollback(t.Context(), "stack", "Z"), "Z cannot be skipped")
	wantError(t, a.ContinueUpdateRollback(t.Context(), "stack"), "B failed: stuck")
	if err := a.ContinueUpdateRollback(t.Context(), "stack", "B"); err != nil {
		t.Fatal(err)
	}
	a.want("deploy: Update A", "deploy: Update B failed", "rollback: Update B failed", "rollback: Update B failed", "rollback: Skip B", "rollback: Update A")
	a.wantStatus(UpdateRollbackComplete)
}

func TestTemplatesThatChangeNothing(t *testing.T) {
	a := newAccount(t, nil)
	a.mustDeploy(`{"A": {"Type": "T"}}`)
	a.want("deploy: Create A")
	wantError(t, a.deploy(`{"A": {"Type": "Other"}}`), "not touched", "cannot become")
	a.want()
	a.wantStatus(CreateComplete)
	wantError(t, a.deploy(`{"A": {"Type": "T"}, "B": {"Type": "T", "Properties": {"X": {"Fn::GetAtt": ["A", "Absent"]}}}}`), "no attribute Absent")
	a.want()
	wantError(t, a.deployStack("other", `{"A": {"Type": "T", "Properties": {"X": {"Fn::Transform": {}}}}}`), "Fn::Transform is not known")
}

func TestCrossStackReferences(t *testing.T) {
	a := newAccount(t, nil)
	const producer = `{"A": {"Type": "T", "Properties": {"Word": "one"}}}`
	outputs := func(word string) string {
		return `{"Strong": {"Value": ` + word + `, "Export": {"Name": "the-export"}}, "Weak": {"Value": "weak value"}}`
	}
	word := `{"Fn::GetAtt": ["A", "Word"]}`
	if err := a.deployStack("producer", producer, outputs(word)); err != nil {
		t.Fatal(err)
	}
	a.mustDeploy(`{"B": {"Type": "T", "Properties": {
		"S": {"Fn::ImportValue": "the-export"},
		"W": {"Fn::GetStackOutput": {"StackName": "producer", "Region": {"Ref": "AWS::Region"}, "OutputName": "Weak"}}}}}`)
	if got, _ := a.Resource("stack", "B"); !reflect.DeepEqual(got.Properties, map[string]any{"S": "one", "W": "weak value"}) {
		t.Errorf("%+v", got)
	}
	wantError(t, a.Deployer.Delete(t.Context(), "producer"), "the-export", "in use by the stack stack")
	wantError(t, a.deployStack("producer", strings.Replace(producer, "one", "two", 1), outputs(word)), "the-export", "the stack stack uses it")
	if got := a.made["a-1"]["Word"]; got != "one" {
		t.Errorf("it was not rolled back: %v", got)
	}
	wantError(t, a.deployStack("producer", producer), "the-export cannot be changed or removed")
	wantError(t, a.deployStack("third", producer, outputs(word)), "is the stack producer's already")
	for reference, want := range map[string]string{
		`{"Fn::ImportValue": "absent"}`:                                                                   "no stack exports absent",
		`{"Fn::GetStackOutput": {"StackName": "absent", "OutputName": "Weak"}}`:                           "no stack absent",
		`{"Fn::GetStackOutput": {"StackName": "producer", "OutputName": "X"}}`:                            "no output X",
		`{"Fn::GetStackOutput": {"StackName": "producer", "OutputName": "Weak", "Region": "us-east-1"}}`:  "us-east-1",
		`{"Fn::GetStackOutput": {"StackName": "producer", "OutputName": "Weak", "RoleArn": "arn:aws:x"}}`: "RoleArn is not known",
	} {
		wantError(t, a.deployStack("fourth", `{"C": {"Type": "T", "Properties": {"X": `+reference+`}}}`), want)
	}
	a.mustDeploy(`{"B": {"Type": "T"}}`)
	if err := a.Deployer.Delete(t.Context(), "producer"); err != nil {
		t.Errorf("after the import is gone: %v", err)
	}
}

func TestDynamicReferencesReachTheProviderAlone(t *testing.T) {
	a := newAccount(t, nil)
	a.mustDeploy(`{"A": {"Type": "T", "Properties": {"Password": "{{resolve:secretsmanager:arn:x}}"}}}`)
	if got := a.seen[0].Properties["Password"]; got != "value of arn:x" {
		t.Errorf("the provider got %v", got)
	}
	if got, _ := a.Resource("stack", "A"); got.Properties["Password"] != "{{resolve:secretsmanager:arn:x}}" {
		t.Errorf("the stack keeps %v", got.Properties)
	}
}

func TestDeleteLeavesWhatIsStillNeeded(t *testing.T) {
	a := newAccount(t, nil)
	a.mustDeploy(`{"A": {"Type": "T"}, "B": {"Type": "T", "DependsOn": "A"}, "C": {"Type": "T", "DependsOn": "B"}, "D": {"Type": "T", "DependsOn": "A"}}`)
	a.want("deploy: Create A", "deploy: Create B", "deploy: Create C", "deploy: Create D")
	a.failures["Delete C"] = errors.New("held")
	wantError(t, a.Deployer.Delete(t.Context(), "stack"), "C failed: held", "DELETE_FAILED")
	a.want("delete: Delete D", "delete: Delete C failed")
	a.wantStatus(DeleteFailed)
	delete(a.failures, "Delete C")
	if err := a.Deployer.Delete(t.Context(), "stack"); err != nil {
		t.Fatal(err)
	}
	a.want("delete: Delete C", "delete: Delete B", "delete: Delete A")
	if err := a.Deployer.Delete(t.Context(), "stack"); err != nil {
		t.Errorf("a stack that is not there: %v", err)
	}
}

func TestDeploymentThatIsCutOff(t *testing.T) {
	a := newAccount(t, nil)
	a.answer = func(map[string]any) map[string]any { return nil }
	ctx, cancel := context.WithCancel(t.Context())
	stack := &template.Stack{Name: "stack", Template: parse(t, `{"R": {"Type": "Custom::R", "Properties": {"ServiceToken": "OURS"}}}`)}
	go func() {
		for {
			a.mu.Lock()
			begun := len(a.events) > 0
			a.mu.Unlock()
			if begun {
				cancel()
				return
			}
		}
	}()
	if err := a.Deploy(ctx, stack, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestNewNeedsAProviderForOtherTypes(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("no error")
	}
}
