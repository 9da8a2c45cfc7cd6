package cloudformation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"drawbridge/rehearsal/template"
)

// deployment is one creation or update of a stack.
type deployment struct {
	deployer *Deployer
	stack    *stack
	creating bool
	template *template.Template
	resolver *template.Resolver
	order    []string // of the active resources
	active   map[string]bool
	imports  map[string]bool

	journal    []change
	superseded []*resource // replaced: deleted after success
}

// change is what the deployment did to one resource, for rolling back.
type change struct {
	before *resource // nil: it was created
	after  *resource // nil: its creation made nothing
}

// prepare checks what can be checked before anything is changed.
func (d *Deployer) prepare(s *stack, in *template.Stack, parameters map[string]string) (*deployment, error) {
	t := in.Template
	dep := &deployment{deployer: d, stack: s, template: t, active: map[string]bool{}, imports: map[string]bool{}}
	resolved, err := t.ParameterValues(parameters, func(name string) (string, error) {
		if d.options.SSM == nil {
			return "", fmt.Errorf("the parameter %s of the Systems Manager is not known here", name)
		}
		return d.options.SSM(name)
	})
	if err != nil {
		return nil, err
	}
	dep.resolver = &template.Resolver{
		Template: t, Parameters: resolved, Values: values{dep},
		Pseudo: template.Pseudo{
			AccountID: d.options.AccountID, Region: d.options.Region, Partition: "aws", URLSuffix: "amazonaws.com",
			StackName: s.name, StackID: s.id, AvailabilityZones: d.options.AvailabilityZones,
		},
	}
	if err := dep.resolver.CheckRules(); err != nil {
		return nil, err
	}
	if dep.order, err = dep.resolver.Active(); err != nil {
		return nil, err
	}
	for _, id := range dep.order {
		dep.active[id] = true
		if old := s.resources[id]; old != nil && old.kind != t.Resources[id].Type {
			return nil, fmt.Errorf("the resource %s is a %s and cannot become a %s: give the new one another logical id", id, old.kind, t.Resources[id].Type)
		}
	}
	// Rolling back needs the old assets too.
	assets := map[string]template.Asset{}
	maps.Copy(assets, s.info.Assets)
	maps.Copy(assets, in.Assets)
	s.info = StackInfo{Name: s.name, ID: s.id, AccountID: d.options.AccountID, Region: d.options.Region, Assets: assets}
	return dep, nil
}

// run deploys, and cleans up or rolls back.
func (dep *deployment) run(ctx context.Context) error {
	s := dep.stack
	s.status = UpdateInProgress
	if dep.creating {
		s.status = CreateInProgress
	}
	outputs, failedID, err := dep.apply(ctx)
	if ctx.Err() != nil {
		return fmt.Errorf("the deployment of %s was cut off: %w", s.name, ctx.Err())
	}
	if err != nil {
		return dep.rollBack(ctx, &Failure{Stack: s.name, LogicalID: failedID, Reason: err.Error()})
	}
	s.outputs, s.imports = outputs, dep.imports
	gone := dep.superseded
	for id, r := range s.resources {
		if !dep.active[id] {
			gone = append(gone, r)
		}
	}
	// What cannot be deleted now does not fail the deployment, and is forgotten.
	dep.deployer.deleteAll(ctx, s, gone, PhaseCleanUp)
	if ctx.Err() != nil {
		return fmt.Errorf("the clean-up of %s was cut off: %w", s.name, ctx.Err())
	}
	for _, r := range gone {
		if s.resources[r.logicalID] == r {
			delete(s.resources, r.logicalID)
		}
	}
	s.status = UpdateComplete
	if dep.creating {
		s.status = CreateComplete
	}
	return nil
}

// apply brings every resource to what the template says. It returns the outputs, or what failed.
func (dep *deployment) apply(ctx context.Context) (outputs map[string]template.OutputValue, failedID string, err error) {
	for _, id := range dep.order {
		if err := ctx.Err(); err != nil {
			return nil, id, err
		}
		if err := dep.applyOne(ctx, id); err != nil {
			return nil, id, err
		}
	}
	if outputs, err = dep.resolver.Outputs(); err != nil {
		return nil, "", err
	}
	return outputs, "", dep.checkExports(outputs)
}

func (dep *deployment) applyOne(ctx context.Context, id string) error {
	d, s := dep.deployer, dep.stack
	properties, err := dep.resolver.Properties(id)
	if err != nil {
		return err
	}
	definition := dep.template.Resources[id]
	wanted := &resource{
		logicalID: id, kind: definition.Type, properties: properties,
		dependencies:   dep.template.Dependencies(id),
		custom:         strings.HasPrefix(definition.Type, "Custom::") || definition.Type == "AWS::CloudFormation::CustomResource",
		deletionPolicy: definition.DeletionPolicy, replacePolicy: definition.UpdateReplacePolicy,
	}
	if wanted.serviceTimeout, err = d.serviceTimeout(properties); err != nil {
		return err
	}
	before := s.resources[id]
	if before == nil {
		made, err := d.create(ctx, s, wanted)
		wanted.Resource = made
		d.record(s, PhaseDeploy, Create, wanted, "", err)
		if err != nil {
			c := change{}
			if made.PhysicalID != "" {
				c.after = wanted
			}
			dep.journal = append(dep.journal, c)
			return err
		}
		s.resources[id] = wanted
		dep.journal = append(dep.journal, change{after: wanted})
		return nil
	}
	if reflect.DeepEqual(before.properties, properties) {
		wanted.Resource = before.Resource
		s.resources[id] = wanted // its policies and dependencies may be new
		return nil
	}
	made, err := d.update(ctx, s, before, wanted, PhaseDeploy)
	if err != nil {
		// It may have been changed half-way, so rolling back asks for the old properties again.
		wanted.Resource = before.Resource
		dep.journal = append(dep.journal, change{before: before, after: wanted})
		return err
	}
	wanted.Resource = made
	s.resources[id] = wanted
	dep.journal = append(dep.journal, change{before: before, after: wanted})
	if made.PhysicalID != before.PhysicalID {
		dep.superseded = append(dep.superseded, before)
	}
	return nil
}

func (d *Deployer) create(ctx context.Context, s *stack, wanted *resource) (Resource, error) {
	provider, err := d.provider(wanted)
	if err != nil {
		return Resource{}, err
	}
	request, err := d.request(s, wanted, nil)
	if err != nil {
		return Resource{}, err
	}
	made, err := provider.Create(ctx, request)
	if err == nil && made.PhysicalID == "" {
		err = errors.New("its provider gave it no physical id")
	}
	return made, err
}

// update asks for wanted in place of before, and records it.
func (d *Deployer) update(ctx context.Context, s *stack, before, wanted *resource, phase Phase) (Resource, error) {
	made, err := func() (Resource, error) {
		provider, err := d.provider(wanted)
		if err != nil {
			return Resource{}, err
		}
		request, err := d.request(s, wanted, before)
		if err != nil {
			return Resource{}, err
		}
		made, err := provider.Update(ctx, request)
		if err == nil && made.PhysicalID == "" {
			err = errors.New("its provider gave it no physical id")
		}
		return made, err
	}()
	recorded := *wanted
	recorded.Resource = made
	if err != nil {
		recorded.PhysicalID = before.PhysicalID
	}
	d.record(s, phase, Update, &recorded, before.PhysicalID, err)
	return made, err
}

// request is what the provider of r gets. before is nil unless it is an update.
func (d *Deployer) request(s *stack, r, before *resource) (Request, error) {
	request := Request{Stack: s.info, LogicalID: r.logicalID, Type: r.kind, PhysicalID: r.PhysicalID}
	var err error
	if request.Properties, err = d.withDynamic(r); err != nil {
		return Request{}, err
	}
	if before != nil {
		request.PhysicalID = before.PhysicalID
		// What an old reference stood for may be gone, and is of no use.
		request.OldProperties = before.properties
	}
	return request, nil
}

func (d *Deployer) withDynamic(r *resource) (map[string]any, error) {
	resolved, err := template.ResolveDynamic("Resources."+r.logicalID+".Properties", r.properties, func(service, reference string) (string, error) {
		if d.options.Dynamic == nil {
			return "", errors.New("dynamic references are not known here")
		}
		return d.options.Dynamic(service, reference)
	})
	if err != nil {
		return nil, err
	}
	return resolved.(map[string]any), nil
}

func (d *Deployer) provider(r *resource) (Provider, error) {
	if r.custom {
		token, _ := r.properties["ServiceToken"].(string)
		if token == "" {
			return nil, errors.New("it is a custom resource without a ServiceToken")
		}
		if d.options.Functions != nil && d.options.Functions.Runs(token) {
			return customResource{d, r}, nil
		}
		if provider := d.options.Providers[r.kind]; provider != nil {
			return provider, nil
		}
		return nil, fmt.Errorf("its function %s does not run here, and the type %s has no provider", token, r.kind)
	}
	if provider := d.options.Providers[r.kind]; provider != nil {
		return provider, nil
	}
	return d.options.Providers[""], nil
}

func (d *Deployer) serviceTimeout(properties map[string]any) (time.Duration, error) {
	value, given := properties["ServiceTimeout"]
	if !given {
		return cmp.Or(d.options.ServiceTimeout, serviceTimeout), nil
	}
	text, _ := template.Text(value)
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds < 1 || seconds > 3600 {
		return 0, fmt.Errorf("its ServiceTimeout must be from 1 to 3600 seconds, and is %q", text)
	}
	return cmp.Or(d.options.ServiceTimeout, time.Duration(seconds)*time.Second), nil
}

// checkExports refuses what CloudFormation refuses: an export that another stack has, and the change or loss of one
// that another stack uses.
func (dep *deployment) checkExports(outputs map[string]template.OutputValue) error {
	d, s := dep.deployer, dep.stack
	after := (&stack{outputs: outputs}).exports()
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if _, owner, found := d.exported(name); found && owner != s.name {
			return fmt.Errorf("the export %s is the stack %s's already", name, owner)
		}
	}
	before := s.exports()
	for _, name := range slices.Sorted(maps.Keys(before)) {
		value, kept := after[name]
		if user := d.importer(name, s.name); user != "" && (!kept || value != before[name]) {
			return fmt.Errorf("the export %s cannot be changed or removed, as the stack %s uses it", name, user)
		}
	}
	return nil
}
