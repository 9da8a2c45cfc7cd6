package play

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"drawbridge/host/settings"
	"drawbridge/internal/progress"
	"drawbridge/reach"
	"drawbridge/rehearsal/machine"
	"drawbridge/rehearsal/template"
)

// Options say what is played.
type Options struct {
	// Private is the environment as it is meant to be, Public the same in the public phase; nil where its config refuses
	// that, as prod's does. Keys of other people are replaced in both.
	Private, Public *template.Assembly

	Out  io.Writer // where the steps are told
	Logs string    // the folder that gets what the programs wrote

	// Without are the ids of stacks that are left out, such as "Tunnel".
	Without []string

	// FunctionTimeout and ServiceTimeout: see [rehearsal.Options].
	FunctionTimeout, ServiceTimeout time.Duration

	// Until is the name of the step after which the play ends; "" is the last.
	Until string
	// Keep leaves everything running after the last step, until ctx ends.
	Keep bool
}

// ErrStopped is the error of a play whose context ended.
var ErrStopped = errors.New("stopped")

// play is one play that goes on.
type play struct {
	*world
	o         Options
	report    *progress.Report
	temporary string

	tunnels []settings.Tunnel
	people  []visitor
	now     *template.Assembly // what is deployed
	reached *reach.Table       // of that
	blocks  []string           // that the rules of either phase name
}

// Run plays an environment. It returns an error if a step failed; then, too, everything has been taken down. When ctx ends
// that is an [ErrStopped], with what could not be taken down.
func Run(ctx context.Context, o Options) (err error) {
	o.Private, o.Public = without(o.Private, o.Without), without(o.Public, o.Without)
	p := &play{o: o}
	steps, err := p.upTo(o.Until)
	if err != nil {
		return err
	}
	p.report = &progress.Report{Out: o.Out, Total: len(steps)}
	if p.temporary, err = os.MkdirTemp("", "play-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(p.temporary)) }()
	// The web app's own user passes through.
	if err := os.Chmod(p.temporary, 0o711); err != nil {
		return err
	}
	if err := p.prepare(); err != nil {
		return err
	}
	defer func() {
		fmt.Fprint(o.Out, "Taking everything down ... ")
		start := time.Now()
		closed := errors.Join(p.writeLogs(o.Logs), p.close())
		fmt.Fprintf(o.Out, "%.1f s\n", time.Since(start).Seconds())
		err = errors.Join(err, closed)
	}()
	failed := p.perform(ctx, steps)
	if ctx.Err() != nil {
		return ErrStopped
	}
	p.sum(failed)
	if o.Keep {
		return errors.Join(failed, p.keep(ctx))
	}
	return failed
}

// prepare reads what the play needs of the templates, and puts its own keys into them.
func (p *play) prepare() (err error) {
	stack, err := p.o.Private.Stack("Tunnel")
	if err == nil { // else there are none
		if p.tunnels, err = tunnels(stack.Template); err != nil {
			return err
		}
	}
	for _, a := range p.assemblies() {
		table, err := reach.Read(a, reach.Options{})
		if err != nil {
			return err
		}
		for _, s := range table.Sources {
			if s.Block != "" && !slices.Contains(p.blocks, s.Block) {
				p.blocks = append(p.blocks, s.Block)
			}
		}
	}
	if err := p.giveKeys(); err != nil {
		return err
	}
	if p.world, err = newWorld(p.o, p.temporary, p.tunnels); err != nil {
		return err
	}
	for _, a := range p.assemblies() {
		if stack, err := a.Stack("Tunnel"); err == nil {
			withHostKey(stack.Template, p.hostKey.Public)
		}
	}
	return nil
}

// without is an assembly without some of its stacks.
func without(a *template.Assembly, ids []string) *template.Assembly {
	if a == nil || len(ids) == 0 {
		return a
	}
	rest := *a
	rest.Stacks = slices.DeleteFunc(slices.Clone(a.Stacks), func(s *template.Stack) bool { return slices.Contains(ids, s.ID) })
	return &rest
}

// has says that a stack is played.
func (p *play) has(id string) bool {
	_, err := p.o.Private.Stack(id)
	return err == nil
}

// assemblies are those of both phases, as far as there are two.
func (p *play) assemblies() []*template.Assembly {
	if p.o.Public == nil {
		return []*template.Assembly{p.o.Private}
	}
	return []*template.Assembly{p.o.Public, p.o.Private}
}

// perform runs steps up to the first that others need and that fails.
func (p *play) perform(ctx context.Context, steps []step) error {
	var failures []error
	for _, s := range steps {
		err := p.report.Step(s.what, func() (string, error) {
			said, err := s.run(p, ctx)
			return said, errors.Join(err, p.vpc.Err())
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", s.name, err)
			for line := range strings.SplitSeq(err.Error(), "\n") {
				fmt.Fprintln(p.o.Out, "      "+line)
			}
			failures = append(failures, err)
			if s.needed {
				break
			}
		}
	}
	return errors.Join(failures...)
}

// sum prints what was proved.
func (p *play) sum(failed error) {
	fmt.Fprintf(p.o.Out, "\n%-6s  %7s  %s\n", "", "seconds", "what was shown")
	for _, r := range p.report.Results() {
		mark := "ok"
		if r.Err != nil {
			mark = "FAILED"
		}
		fmt.Fprintf(p.o.Out, "%-6s  %7.1f  %s\n", mark, r.Took.Seconds(), r.What)
	}
	fmt.Fprint(p.o.Out, notShown)
	if failed != nil {
		fmt.Fprintf(p.o.Out, "What the programs wrote is in %s.\n", p.o.Logs)
	}
}

// notShown is what no play on one machine can show.
const notShown = `
Not shown, as only AWS can: that it takes these templates, in its own order; RDS itself (MySQL 8.4, snapshots, Multi-AZ);
Lambda's, EC2's and Elastic Beanstalk's machines and their Amazon Linux; IAM beyond the policies of functions and hosts;
DNS names; how long anything takes. See docs/not-run-on-aws.md.
`

// stackName is the CloudFormation name of a stack by its id.
func (p *play) stackName(id string) (string, error) {
	stack, err := p.o.Private.Stack(id)
	if err != nil {
		return "", err
	}
	return stack.Name, nil
}

// outputs are those of a stack by its id.
func (p *play) outputs(id string) map[string]string {
	name, err := p.stackName(id)
	if err != nil {
		return nil
	}
	return p.Outputs(name)
}

// databaseID is the identifier of the environment's database; "" if there is none yet.
func (p *play) databaseID() string {
	name, err := p.stackName("Database")
	if err != nil {
		return ""
	}
	for _, r := range p.Resources(name) {
		if r.Type == "AWS::RDS::DBInstance" {
			return r.PhysicalID
		}
	}
	return ""
}

// databaseAddress is where the database listens inside the VPC.
func (p *play) databaseAddress() netip.AddrPort {
	s := p.database.Only()
	if s == nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(netip.MustParseAddr(s.Host), uint16(s.Port))
}

// deploy deploys stacks of an assembly by their ids, all of it where none is named.
func (p *play) deploy(ctx context.Context, a *template.Assembly, ids ...string) error {
	if err := p.DeployAll(ctx, a, ids...); err != nil {
		return err
	}
	table, err := reach.Read(a, reach.Options{Blocks: p.blocks})
	p.now, p.reached = a, table
	return err
}

// partyThatReaches is a party of the internet that the reach table lets through a door; nil if there is none.
func (p *play) partyThatReaches(door string) (*machine.Namespace, error) {
	var found *reach.Source
	for _, c := range p.reached.Cells {
		s := sourceOf(p.reached, c.From)
		// Named addresses rather than everybody.
		if c.To == door && c.Answer == reach.Yes && !s.Inside && (found == nil || found.Name == reach.Internet) {
			found = &s
		}
	}
	if found == nil {
		return nil, nil
	}
	return p.vpc.Party("party", found.Addresses[0])
}
