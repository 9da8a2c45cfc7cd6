package cloudformation

import "fmt"

// Operation is one thing done to one resource.
type Operation struct {
	Stack      string // its name
	Phase      Phase
	Action     Action
	LogicalID  string
	Type       string
	PhysicalID string // after the operation
	OldID      string // before an Update that replaced
	Err        string // "" if it went well
}

// String is the operation without the stack, such as "deploy: Create Vpc (AWS::EC2::VPC)".
func (o Operation) String() string {
	text := fmt.Sprintf("%s: %s %s (%s)", o.Phase, o.Action, o.LogicalID, o.Type)
	if o.Err != "" {
		text += " failed: " + o.Err
	}
	return text
}

// Action is what was done.
type Action string

// What can be done to a resource. Retain is a delete that the resource's DeletionPolicy forbids, Restore a rollback
// that has nothing to do but to know the old resource again.
const (
	Create  Action = "Create"
	Update  Action = "Update"
	Delete  Action = "Delete"
	Retain  Action = "Retain"
	Restore Action = "Restore"
	Skip    Action = "Skip"
)

// Phase is why it was done.
type Phase string

// The phases of a deployment, in order, and the deletion of a stack.
const (
	PhaseDeploy   Phase = "deploy"
	PhaseRollback Phase = "rollback"
	PhaseCleanUp  Phase = "clean-up"
	PhaseDelete   Phase = "delete"
)

// Operations are all operations so far, in order.
func (d *Deployer) Operations() []Operation {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]Operation(nil), d.operations...)
}

func (d *Deployer) record(s *stack, phase Phase, action Action, r *resource, oldID string, err error) {
	o := Operation{
		Stack: s.name, Phase: phase, Action: action, LogicalID: r.logicalID, Type: r.kind, PhysicalID: r.PhysicalID,
	}
	if oldID != r.PhysicalID {
		o.OldID = oldID
	}
	if err != nil {
		o.Err = err.Error()
	}
	d.mu.Lock()
	d.operations = append(d.operations, o)
	d.mu.Unlock()
	if d.options.Observe != nil && err == nil {
		d.options.Observe(o, r.state())
	}
}

// Failure is a deployment or deletion that failed.
type Failure struct {
	Stack     string
	Status    Status // after it; "" if nothing was touched
	LogicalID string // of the resource that failed; "" if it was none
	Reason    string

	// RollbackReason says why rolling back failed as well; "" if it did not.
	RollbackReason string
}

func (f *Failure) Error() string {
	text := "the stack " + f.Stack + " is " + string(f.Status) + ": "
	if f.Status == "" {
		text = "the stack " + f.Stack + " was not touched: "
	}
	if f.LogicalID != "" {
		text += f.LogicalID + " failed: "
	}
	text += f.Reason
	if f.RollbackReason != "" {
		text += "; and rolling back failed: " + f.RollbackReason
	}
	return text
}
