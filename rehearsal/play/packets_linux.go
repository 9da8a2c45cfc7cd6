package play

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"drawbridge/reach"
	"drawbridge/rehearsal/machine"
	"drawbridge/rehearsal/vpc"
)

// patienceForPackets is how long an answer is waited for. What is shut does not answer at all; what is open does within
// milliseconds, but a first packet may get lost while a namespace learns its neighbours.
const patienceForPackets = 3 * time.Second

// arrives says that an address answers on a port: a refusal too is an answer of somebody whom the packet has reached.
func arrives(ctx context.Context, from *machine.Namespace, to netip.AddrPort) bool {
	ctx, cancel := context.WithTimeout(ctx, patienceForPackets)
	defer cancel()
	conn, err := from.Dial(ctx, "tcp", to.String())
	if err == nil {
		_ = conn.Close() // it was only to be made
		return true
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// compare sends packets for every cell of a table, and says where they do not agree with it.
func (p *play) compare(ctx context.Context, table *reach.Table) (cells int, err error) {
	type result struct {
		cell    reach.Cell
		arrived atomic.Value // from where to where, a text
	}
	results := make([]result, len(table.Cells))
	var all errgroup.Group
	all.SetLimit(64)
	for i, cell := range table.Cells {
		source, door := sourceOf(table, cell.From), doorOf(table, cell.To)
		if source.Group != "" {
			continue // nobody wears it, so there is nobody to send a packet; what it may do is for promises to judge
		}
		from, err := p.namespacesOf(source)
		if err != nil {
			return 0, err
		}
		targets, err := p.targetsOf(door)
		if err != nil {
			return 0, err
		}
		results[i].cell = cell
		for _, n := range from {
			for _, to := range targets {
				all.Go(func() error {
					if arrives(ctx, n, to) {
						results[i].arrived.Store(fmt.Sprintf("from %s to %s", n.IP(), to))
					}
					return nil
				})
			}
		}
	}
	if err := errors.Join(all.Wait(), ctx.Err()); err != nil {
		return 0, err
	}
	var wrong []error
	for i := range results {
		r := &results[i]
		if r.cell.From == "" {
			continue
		}
		detail, arrived := r.arrived.Load().(string)
		switch {
		case arrived && r.cell.Answer == reach.No:
			wrong = append(wrong, fmt.Errorf("%s -> %s: a packet got through (%s), and the reach table says no: %s", r.cell.From, r.cell.To, detail, why(r.cell)))
		case !arrived && r.cell.Answer == reach.Yes:
			wrong = append(wrong, fmt.Errorf("%s -> %s: no packet got through, and the reach table says yes: %s", r.cell.From, r.cell.To, why(r.cell)))
		}
	}
	return len(results), errors.Join(wrong...)
}

// namespacesOf are where packets of a source start.
func (p *play) namespacesOf(s reach.Source) (found []*machine.Namespace, err error) {
	if !s.Inside {
		for _, address := range s.Addresses {
			party, err := p.vpc.Party("party", address)
			if err != nil {
				return nil, err
			}
			found = append(found, party)
		}
		return found, nil
	}
	interfaces, balanced, err := p.interfacesOf(s.Stack, s.LogicalID)
	if err != nil {
		return nil, err
	}
	if balanced {
		interfaces = interfaces[:len(interfaces)-1]
	}
	for _, i := range interfaces {
		found = append(found, i.Namespace)
	}
	return found, nil
}

// targetsOf are the addresses and ports that a door can be tried at: private ones, and public ones if there are any.
func (p *play) targetsOf(d reach.Door) (targets []netip.AddrPort, err error) {
	interfaces, balanced, err := p.interfacesOf(d.Stack, d.LogicalID)
	if err != nil {
		return nil, err
	}
	if balanced {
		last := len(interfaces) - 1
		if strings.HasSuffix(d.Name, "instances") {
			interfaces = interfaces[:last]
		} else {
			interfaces = interfaces[last:]
		}
	}
	for _, i := range interfaces {
		for _, port := range unique([]int{max(d.FromPort, 1), max(d.ToPort, 1)}) {
			targets = append(targets, netip.AddrPortFrom(i.IP(), uint16(port)))
			if public := p.vpc.PublicOf(i); public.IsValid() {
				targets = append(targets, netip.AddrPortFrom(public, uint16(port)))
			}
		}
	}
	return targets, nil
}

// interfacesOf are the network interfaces of a deployed resource. Of a load-balanced web app the last is the load
// balancer's.
func (p *play) interfacesOf(stack, logicalID string) (found []*vpc.Interface, balanced bool, err error) {
	name, err := p.stackName(stack)
	if err != nil {
		return nil, false, err
	}
	state, err := p.Resource(name, logicalID)
	if err != nil {
		return nil, false, err
	}
	if found, balanced := p.webApps.interfaces(state.PhysicalID); found != nil {
		return found, balanced, nil
	}
	if i := p.vpc.Interface(state.PhysicalID); i != nil {
		return []*vpc.Interface{i}, false, nil
	}
	return nil, false, fmt.Errorf("%s/%s has no network interface here", stack, logicalID)
}
