package cloudformation

import (
	"context"
	"slices"
)

type failure struct {
	id  string
	err error
}

// deleteAll deletes resources in the reverse order of their dependencies. It goes on after a failure, but leaves alone
// what a resource that could not be deleted depends on.
func (d *Deployer) deleteAll(ctx context.Context, s *stack, resources []*resource, phase Phase) (failures []failure) {
	held := map[string]bool{} // needed by something that is still there
	for _, r := range reverseOrder(resources) {
		if ctx.Err() != nil {
			return failures
		}
		if held[r.logicalID] {
			for _, dependency := range r.dependencies {
				held[dependency] = true
			}
			continue
		}
		if err := d.delete(ctx, s, r, phase); err != nil {
			failures = append(failures, failure{r.logicalID, err})
			if phase == PhaseDelete {
				for _, dependency := range r.dependencies {
					held[dependency] = true
				}
			}
			continue
		}
		if phase == PhaseDelete || phase == PhaseRollback {
			if s.resources[r.logicalID] == r {
				delete(s.resources, r.logicalID)
			}
		}
	}
	return failures
}

func (d *Deployer) delete(ctx context.Context, s *stack, r *resource, phase Phase) error {
	policy := r.deletionPolicy
	if phase == PhaseCleanUp && s.resources[r.logicalID] != nil && s.resources[r.logicalID] != r {
		policy = r.replacePolicy
	}
	// RetainExceptOnCreate deletes what a failed deployment has just made.
	if policy == "Retain" || policy == "RetainExceptOnCreate" && phase != PhaseRollback {
		d.record(s, phase, Retain, r, "", nil)
		return nil
	}
	err := func() error {
		provider, err := d.provider(r)
		if err != nil {
			return err
		}
		request, err := d.request(s, r, nil)
		if err != nil {
			return err
		}
		return provider.Delete(ctx, request)
	}()
	d.record(s, phase, Delete, r, r.PhysicalID, err)
	return err
}

// reverseOrder puts each resource before those that it depends on.
func reverseOrder(resources []*resource) []*resource {
	byID := map[string][]*resource{}
	var ids []string
	for _, r := range resources {
		if byID[r.logicalID] == nil {
			ids = append(ids, r.logicalID)
		}
		byID[r.logicalID] = append(byID[r.logicalID], r)
	}
	slices.Sort(ids)
	var order []*resource
	done := map[string]bool{}
	var visit func(id string)
	visit = func(id string) {
		if done[id] {
			return
		}
		done[id] = true
		for _, r := range byID[id] {
			for _, dependency := range r.dependencies {
				visit(dependency)
			}
		}
		order = append(order, byID[id]...)
	}
	for _, id := range ids {
		visit(id)
	}
	slices.Reverse(order)
	return order
}
