package cloudformation

import (
	"context"
	"fmt"
	"slices"
)

// rollback is what is left of rolling an update back.
type rollback struct {
	changes    []change    // updates to undo, the next one first
	superseded []*resource // deleted at the end, if nothing went back to them
	created    []*resource // deleted at the end
}

// rollBack undoes the deployment and returns why there was need to.
func (dep *deployment) rollBack(ctx context.Context, why *Failure) error {
	d, s := dep.deployer, dep.stack
	var created []*resource
	var updates []change
	for _, c := range slices.Backward(dep.journal) {
		switch {
		case c.before != nil:
			updates = append(updates, c)
		case c.after != nil:
			created = append(created, c.after)
		}
	}
	if dep.creating {
		failures := d.deleteAll(ctx, s, created, PhaseRollback)
		why.Status = RollbackComplete
		if len(failures) > 0 {
			why.Status, why.RollbackReason = RollbackFailed, failures[0].id+": "+failures[0].err.Error()
		}
		s.status = why.Status
		return endOr(ctx, why)
	}
	if d.options.RollbackInOrder {
		slices.Reverse(updates)
	}
	s.rollback = &rollback{changes: updates, created: created}
	if id, err := d.continueRollback(ctx, s, nil); err != nil {
		why.RollbackReason = id + ": " + err.Error()
	}
	why.Status = s.status
	return endOr(ctx, why)
}

// endOr is err, unless ctx ended.
func endOr(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("the rollback was cut off: %w", ctx.Err())
	}
	return err
}

// ContinueUpdateRollback goes on with a rollback that failed, as `aws cloudformation continue-update-rollback` does.
// The resources to skip, by logical id, are taken for rolled back without being touched.
func (d *Deployer) ContinueUpdateRollback(ctx context.Context, name string, skip ...string) error {
	ctx, cancel := d.during(ctx)
	defer cancel()
	s := d.stack(name)
	if s == nil || s.status != UpdateRollbackFailed {
		return fmt.Errorf("the stack %s is %s: only one in %s has a rollback to continue", name, d.Status(name), UpdateRollbackFailed)
	}
	for _, id := range skip {
		if !slices.ContainsFunc(s.rollback.changes, func(c change) bool { return c.after.logicalID == id }) {
			return fmt.Errorf("the resource %s cannot be skipped: it is none of those that are still to be rolled back", id)
		}
	}
	if id, err := d.continueRollback(ctx, s, skip); err != nil {
		return endOr(ctx, &Failure{Stack: name, Status: s.status, LogicalID: id, Reason: err.Error()})
	}
	return endOr(ctx, nil)
}

// continueRollback undoes updates until one cannot be undone, and then deletes what the deployment made.
func (d *Deployer) continueRollback(ctx context.Context, s *stack, skip []string) (failedID string, err error) {
	todo := s.rollback
	for len(todo.changes) > 0 && ctx.Err() == nil {
		c := todo.changes[0]
		id := c.after.logicalID
		switch {
		case slices.Contains(skip, id):
			d.record(s, PhaseRollback, Skip, c.before, "", nil)
			s.resources[id] = c.before
		case c.replaced() && !c.before.custom:
			// The old one is still there.
			d.record(s, PhaseRollback, Restore, c.before, "", nil)
			s.resources[id] = c.before
			todo.superseded = append(todo.superseded, c.after)
		default:
			back := *c.before
			made, err := d.update(ctx, s, c.after, &back, PhaseRollback)
			if err != nil {
				s.status = UpdateRollbackFailed
				return id, err
			}
			back.Resource = made
			s.resources[id] = &back
			for _, old := range []*resource{c.before, c.after} {
				if old.PhysicalID != made.PhysicalID && !slices.ContainsFunc(todo.superseded, func(r *resource) bool {
					return r.logicalID == id && r.PhysicalID == old.PhysicalID
				}) {
					todo.superseded = append(todo.superseded, old)
				}
			}
		}
		todo.changes = todo.changes[1:]
	}
	if ctx.Err() != nil {
		return "", nil
	}
	d.deleteAll(ctx, s, slices.Concat(todo.superseded, todo.created), PhaseRollback)
	for _, r := range todo.created {
		delete(s.resources, r.logicalID)
	}
	s.rollback = nil
	s.status = UpdateRollbackComplete
	return "", nil
}

func (c change) replaced() bool { return c.before.PhysicalID != c.after.PhysicalID }
