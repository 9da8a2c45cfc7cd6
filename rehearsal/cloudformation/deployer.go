package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"drawbridge/rehearsal/template"
)

// Options say where a deployer deploys and how it plays resources.
type Options struct {
	AccountID         string // 12 digits
	Region            string
	AvailabilityZones []string

	// Providers play resources, by type. The one of the type "" plays all others.
	Providers map[string]Provider
	Functions Functions // may be nil

	// SSM looks a parameter of the Systems Manager up, for templates whose parameters name one.
	SSM func(name string) (string, error)
	// Dynamic looks up what stands in a dynamic reference, {{resolve:SERVICE:REFERENCE}}.
	Dynamic func(service, reference string) (string, error)

	// ServiceTimeout is waited for a custom resource's answer in place of what its template says; 0 keeps that.
	ServiceTimeout time.Duration

	// Answers is where custom resources' functions put their answers; nil means a loopback port. The deployer closes it.
	Answers net.Listener

	// Observe hears of every operation that went well, before the next one begins; nil hears of none.
	Observe func(Operation, State)

	// RollbackInOrder rolls updates back in the order of dependencies. CloudFormation's own order is not documented;
	// the default here is the reverse.
	RollbackInOrder bool
}

// Deployer is CloudFormation of one account in one region. Deploy one stack at a time.
type Deployer struct {
	options  Options
	receiver *receiver
	ctx      context.Context
	stop     context.CancelFunc

	mu         sync.Mutex
	stacks     map[string]*stack // by name
	operations []Operation
}

// New starts a deployer, which listens for the answers of custom resources.
func New(options Options) (*Deployer, error) {
	if options.Providers[""] == nil {
		return nil, errors.New("a deployer needs a provider for resources of other types, under the type \"\"")
	}
	receiver, err := newReceiver(options.Answers)
	if err != nil {
		return nil, err
	}
	d := &Deployer{options: options, receiver: receiver, stacks: map[string]*stack{}}
	d.ctx, d.stop = context.WithCancel(context.Background())
	return d, nil
}

// Close ends what is under way. The stacks' resources are left as they are.
func (d *Deployer) Close() error {
	d.stop()
	return d.receiver.close()
}

// Deploy creates or updates a stack, as `cdk deploy` does. The parameters may be nil. An error is a [Failure], unless
// ctx ended: then everything is left as it was at that moment.
func (d *Deployer) Deploy(ctx context.Context, s *template.Stack, parameters map[string]string) error {
	ctx, cancel := d.during(ctx)
	defer cancel()
	d.mu.Lock()
	existing := d.stacks[s.Name]
	d.mu.Unlock()
	if existing != nil && existing.status == RollbackComplete {
		// Such a stack cannot be updated; the CDK CLI deletes it first.
		if err := d.Delete(ctx, s.Name); err != nil {
			return err
		}
		existing = nil
	}
	if existing != nil && !existing.status.updatable() {
		return &Failure{Stack: s.Name, Status: existing.status, Reason: "a stack in this state cannot be updated"}
	}
	creating := existing == nil
	if creating {
		existing = &stack{
			name:   s.Name,
			id:     fmt.Sprintf("arn:aws:cloudformation:%s:%s:stack/%s/%s", d.options.Region, d.options.AccountID, s.Name, uuid.NewString()),
			status: CreateInProgress, resources: map[string]*resource{},
		}
	}
	dep, err := d.prepare(existing, s, parameters)
	if err != nil {
		return &Failure{Stack: s.Name, Reason: err.Error()}
	}
	dep.creating = creating
	d.mu.Lock()
	d.stacks[s.Name] = existing
	d.mu.Unlock()
	return dep.run(ctx)
}

// Delete deletes a stack and its resources. A stack that is not there is no error.
func (d *Deployer) Delete(ctx context.Context, name string) error {
	ctx, cancel := d.during(ctx)
	defer cancel()
	d.mu.Lock()
	s := d.stacks[name]
	d.mu.Unlock()
	if s == nil {
		return nil
	}
	for export := range s.exports() {
		if user := d.importer(export, name); user != "" {
			return &Failure{Stack: name, Status: s.status, Reason: fmt.Sprintf("its export %s is in use by the stack %s: delete that one first", export, user)}
		}
	}
	s.status = DeleteInProgress
	failures := d.deleteAll(ctx, s, slices.Collect(maps.Values(s.resources)), PhaseDelete)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if len(failures) > 0 {
		s.status = DeleteFailed
		return &Failure{Stack: name, Status: s.status, LogicalID: failures[0].id, Reason: failures[0].err.Error()}
	}
	s.status = DeleteComplete
	d.mu.Lock()
	delete(d.stacks, name)
	d.mu.Unlock()
	return nil
}

// during is a context that also ends with the deployer.
func (d *Deployer) during(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(d.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// exported is the value of an export and the stack that has it.
func (d *Deployer) exported(name string) (value, stack string, found bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.stacks {
		if value, ok := s.exports()[name]; ok {
			return value, s.name, true
		}
	}
	return "", "", false
}

// importer is a stack other than the exporter that imports an export, or "".
func (d *Deployer) importer(export, exporter string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(d.stacks)) {
		if name != exporter && d.stacks[name].imports[export] {
			return name
		}
	}
	return ""
}
