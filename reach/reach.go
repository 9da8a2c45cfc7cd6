package reach

import (
	"net/netip"
	"path/filepath"
	"strings"

	"drawbridge/rehearsal/template"
)

// Answer says whether a TCP connection can be made.
type Answer string

// The answers. CannotTell is the answer wherever the templates hold something that this package does not understand.
const (
	Yes        Answer = "yes"
	No         Answer = "no"
	CannotTell Answer = "cannot tell"
)

// Internet is the name of the source that is everybody whom no rule names. Where named blocks that together have more
// addresses than a /8 reach a door, it reaches that door too.
const Internet = "internet"

// Source is where a connection starts.
type Source struct {
	Name string `json:"name"`

	// Block is the IPv4 block of a source outside the VPC that a rule or the caller names; "" otherwise.
	Block string `json:"block,omitempty"`

	// Addresses stand for all of an outside source: two addresses that any rule, route or network ACL entry treats
	// differently are never both behind the same one of them.
	Addresses []netip.Addr `json:"addresses,omitempty"`

	// Group is the security group of a source that is whoever wears it, where a rule lets it in and no host of the
	// templates wears it: its stack id and logical id, or an id such as sg-0123.
	Group string `json:"group,omitempty"`

	// Inside says that the source is one of the VPC's own hosts: then Stack and LogicalID name its resource.
	Inside    bool   `json:"inside"`
	Stack     string `json:"stack,omitempty"`
	LogicalID string `json:"logicalId,omitempty"`
}

// Door is what a connection is made to: ports of one host, or of one load balancer.
type Door struct {
	Name      string `json:"name"`
	FromPort  int    `json:"fromPort"`
	ToPort    int    `json:"toPort"`
	Stack     string `json:"stack"`
	LogicalID string `json:"logicalId"`
}

// Title is the door's name with its port, such as database:3306.
func (d Door) Title() string { return d.Name + ":" + portRange{d.FromPort, d.ToPort}.String() }

// Reason is one link of the chain from a source to a door.
type Reason struct {
	Answer Answer `json:"answer"`
	Text   string `json:"text"`

	// Where is the resource that decides, as stack id and logical id: WebApp/WebAppDatabaseAccessEgress8804402B.
	Where string `json:"where,omitempty"`
}

// Cell is the answer for one source and one door.
type Cell struct {
	From   string `json:"from"` // a source's name
	To     string `json:"to"`   // a door's title
	Answer Answer `json:"answer"`

	// Why is the chain in the order in which a packet, and then its answer, meets it. For a Yes it holds every link, for
	// a No every link too, so that it also shows how many of them would have to change.
	Why []Reason `json:"why"`
}

// Table holds a cell for every source and every door, but for the doors of the source itself.
type Table struct {
	Environment string   `json:"environment"` // such as drawbridge-dev
	Sources     []Source `json:"sources"`
	Doors       []Door   `json:"doors"`
	Cells       []Cell   `json:"cells"`

	// tiers says for the pictures in which part of the VPC a host lies, by its name as a door.
	tiers map[string]tier
}

// Options say what the templates cannot.
type Options struct {
	// Blocks are IPv4 blocks that get a row of their own even if no rule names them, such as the developers' addresses
	// in the private phase.
	Blocks []string
}

// Read computes the table of one synthesized environment.
func Read(a *template.Assembly, o Options) (*Table, error) {
	extra, err := parseBlocks(o.Blocks)
	if err != nil {
		return nil, err
	}
	w, err := newWorld(a)
	if err != nil {
		return nil, err
	}
	n := readNetwork(w)
	hosts := readHosts(n)
	n.readCallers(hosts)
	t := &Table{Environment: environment(a), tiers: map[string]tier{}}
	outside := outsideSources(n, extra)
	var inside []*host
	for _, h := range hosts {
		t.tiers[h.doorName] = h.tier
		if h.isSource {
			inside = append(inside, h)
		}
	}
	t.Sources = append(t.Sources, outside...)
	for _, h := range inside {
		t.Sources = append(t.Sources, Source{Name: h.name, Inside: true, Stack: h.stack, LogicalID: h.id})
	}
	groups := strangers(hosts)
	for _, g := range groups {
		t.Sources = append(t.Sources, Source{Name: strangersName(g), Group: g})
	}
	e := evaluation{network: n, unknownAddresses: unknownAddresses(n, outside[0])}
	for _, h := range hosts {
		for _, ports := range n.doors(h) {
			d := Door{Name: h.doorName, FromPort: ports.from, ToPort: ports.to, Stack: h.stack, LogicalID: h.id}
			t.Doors = append(t.Doors, d)
			points := n.points(h, ports)
			for i, v := range e.allOutside(outside, h, points) {
				t.Cells = append(t.Cells, cell(outside[i].Name, d, e.onBehalf(v, inside, h, points)))
			}
			for _, from := range inside {
				if from.where() != h.where() {
					t.Cells = append(t.Cells, cell(from.name, d, e.inside(from, h, points)))
				}
			}
			for _, g := range groups {
				t.Cells = append(t.Cells, cell(strangersName(g), d, e.stranger(g, h, points)))
			}
		}
	}
	return t, nil
}

func cell(from string, to Door, v verdict) Cell {
	return Cell{From: from, To: to.Title(), Answer: v.answer, Why: v.chain.reasons()}
}

// Cell is the cell of a source's name and a door's title.
func (t *Table) Cell(from, to string) (Cell, bool) {
	for _, c := range t.Cells {
		if c.From == from && c.To == to {
			return c, true
		}
	}
	return Cell{}, false
}

// environment is what the CloudFormation names of all stacks start with.
func environment(a *template.Assembly) string {
	var name string
	for _, s := range a.Stacks {
		prefix, ok := strings.CutSuffix(s.Name, "-"+s.ID)
		if !ok || name != "" && prefix != name {
			return filepath.Base(a.Dir)
		}
		name = prefix
	}
	return name
}
