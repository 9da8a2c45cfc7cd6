package reach

import (
	"cmp"
	"fmt"
	"slices"
)

// portRange is a range of TCP ports, both ends included.
type portRange struct{ from, to int }

// allPorts are those of a rule that names none. Nothing listens on port 0, but rules may name it.
var allPorts = portRange{0, 65535}

// ephemeral are the ports that a client's system chooses from, on Linux, macOS and Windows ("Network ACLs", "Ephemeral
// ports", Amazon VPC User Guide). Answers go to them.
var ephemeral = portRange{32768, 65535}

// functionEphemeral are those of Lambda functions, by the same page.
var functionEphemeral = portRange{1024, 65535}

func (h *host) ephemeral() portRange {
	if h.kind == isFunction {
		return functionEphemeral
	}
	return ephemeral
}

func (p portRange) String() string {
	switch {
	case p == allPorts:
		return "all ports"
	case p.from == p.to:
		return fmt.Sprint(p.from)
	}
	return fmt.Sprintf("%d-%d", p.from, p.to)
}

func (p portRange) contains(port int) bool { return p.from <= port && port <= p.to }

func (p portRange) narrowerThan(other portRange) bool { return p.to-p.from < other.to-other.from }

// doors are a host's own ports, and the ranges that any rule opens on it.
func (n *network) doors(h *host) (doors []portRange) {
	if len(h.ports) == 0 {
		return nil
	}
	for _, port := range h.ports {
		doors = append(doors, portRange{port, port})
	}
	for _, g := range h.groups {
		for _, r := range g.ingress {
			if r.portsKnown && !slices.Contains(doors, r.ports) {
				doors = append(doors, r.ports)
			}
		}
	}
	slices.SortFunc(doors, func(a, b portRange) int {
		return cmp.Or(cmp.Compare(a.to-a.from, b.to-b.from), cmp.Compare(a.from, b.from))
	})
	all := slices.Clone(doors)
	return slices.DeleteFunc(doors, func(d portRange) bool { return len(n.uncovered(d, all)) == 0 })
}

// points are the ports at which a door is tried: one of each part of it that all rules treat in one way, without those
// parts that are doors of their own.
func (n *network) points(h *host, door portRange) []int { return n.uncovered(door, n.doors(h)) }

func (n *network) uncovered(door portRange, doors []portRange) []int {
	points := []int{max(door.from, 1)}
	edge := func(p portRange) { points = append(points, p.from, p.to+1) }
	for _, g := range n.groups {
		for _, r := range slices.Concat(g.ingress, g.egress) {
			edge(r.ports)
		}
	}
	for _, r := range slices.Concat(n.floating.ingress, n.floating.egress) {
		edge(r.ports)
	}
	for _, a := range n.acls {
		for _, e := range slices.Concat(a.ingress, a.egress) {
			edge(e.ports)
		}
	}
	for _, d := range doors {
		edge(d)
	}
	slices.Sort(points)
	return slices.DeleteFunc(slices.Compact(points), func(port int) bool {
		return port == 0 || !door.contains(port) ||
			slices.ContainsFunc(doors, func(d portRange) bool { return d.narrowerThan(door) && d.contains(port) })
	})
}
