package cloudformation

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"drawbridge/rehearsal/template"
)

// Status is the state of a stack ("Understand CloudFormation stack status", AWS CloudFormation User Guide).
type Status string

// The states that a stack can be in when nothing is under way, and the three under way.
const (
	CreateInProgress       Status = "CREATE_IN_PROGRESS"
	CreateComplete         Status = "CREATE_COMPLETE"
	RollbackComplete       Status = "ROLLBACK_COMPLETE"
	RollbackFailed         Status = "ROLLBACK_FAILED"
	UpdateInProgress       Status = "UPDATE_IN_PROGRESS"
	UpdateComplete         Status = "UPDATE_COMPLETE"
	UpdateRollbackComplete Status = "UPDATE_ROLLBACK_COMPLETE"
	UpdateRollbackFailed   Status = "UPDATE_ROLLBACK_FAILED"
	DeleteInProgress       Status = "DELETE_IN_PROGRESS"
	DeleteComplete         Status = "DELETE_COMPLETE"
	DeleteFailed           Status = "DELETE_FAILED"
)

func (s Status) updatable() bool {
	return s == CreateComplete || s == UpdateComplete || s == UpdateRollbackComplete
}

// stack is a stack's state.
type stack struct {
	name, id  string
	status    Status
	info      StackInfo
	resources map[string]*resource // by logical id
	outputs   map[string]template.OutputValue
	imports   map[string]bool // names of the exports that it uses

	rollback *rollback // what UPDATE_ROLLBACK_FAILED left to do
}

// resource is a resource's state. It is never changed, but replaced by another.
type resource struct {
	logicalID, kind string
	Resource
	properties     map[string]any // resolved; dynamic references are not
	dependencies   []string
	custom         bool
	deletionPolicy string
	replacePolicy  string
	serviceTimeout time.Duration
}

func (s *stack) exports() map[string]string {
	exports := map[string]string{}
	for _, output := range s.outputs {
		if output.Export != "" {
			exports[output.Export] = output.Value
		}
	}
	return exports
}

// Status is a stack's state; DELETE_COMPLETE if there is none of this name.
func (d *Deployer) Status(name string) Status {
	if s := d.stack(name); s != nil {
		return s.status
	}
	return DeleteComplete
}

// StackID is a stack's ARN; "" if there is none of this name.
func (d *Deployer) StackID(name string) string {
	if s := d.stack(name); s != nil {
		return s.id
	}
	return ""
}

// Outputs are a stack's outputs.
func (d *Deployer) Outputs(name string) map[string]string {
	outputs := map[string]string{}
	if s := d.stack(name); s != nil {
		for id, output := range s.outputs {
			outputs[id] = output.Value
		}
	}
	return outputs
}

// State is a resource as a stack knows it.
type State struct {
	LogicalID, Type string
	Resource

	// Properties are resolved; dynamic references stand as they are.
	Properties map[string]any
}

// Resource is a resource of a stack by its logical id.
func (d *Deployer) Resource(stack, logicalID string) (State, error) {
	s := d.stack(stack)
	if s == nil || s.resources[logicalID] == nil {
		return State{}, fmt.Errorf("the stack %s has no resource %s", stack, logicalID)
	}
	return s.resources[logicalID].state(), nil
}

// Resources are the resources of a stack, sorted by their logical ids.
func (d *Deployer) Resources(stack string) []State {
	s := d.stack(stack)
	if s == nil {
		return nil
	}
	var states []State
	for _, id := range slices.Sorted(maps.Keys(s.resources)) {
		states = append(states, s.resources[id].state())
	}
	return states
}

func (r *resource) state() State {
	return State{LogicalID: r.logicalID, Type: r.kind, Resource: r.Resource, Properties: r.properties}
}

func (d *Deployer) stack(name string) *stack {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stacks[name]
}
