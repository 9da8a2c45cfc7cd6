package reach

import (
	"cmp"
	"slices"
	"strings"
)

// host is what connections come from or go to: an instance, a database, a function, a load balancer.
type host struct {
	stack, id string

	// name is what it is called as a source, doorName as a target.
	name, doorName string

	kind      kind
	isSource  bool
	isReplica bool // of a database that is another host
	tier      tier

	// subnets are those in one of which it lies; groups are what it wears.
	subnets []*subnet
	groups  []*securityGroup

	// public says whether it has a public address, with the reason. When that is left to the subnet, public is "".
	public Reason

	// ports are its doors, whatever the rules say.
	ports []int

	// listeners are the ports on which a load balancer listens; nil for a host, of which the templates do not say it.
	listeners map[int]Answer

	// caller is why the internet may make a function run; nil if it may not.
	caller *Reason

	// doubts are about this host alone.
	doubts []doubt
}

// kind is the order of hosts in the table.
type kind int

const (
	isDatabase kind = iota
	isInstance
	isWebApp
	isWebAppInstances
	isFunction
)

// known are the names of what Drawbridge's stacks hold, by the stack and the kind of host.
var known = map[string]map[kind]string{
	"Database": {isDatabase: "database", isFunction: "Lambda function"},
	"Bastion":  {isInstance: "jump server"},
	"Tunnel":   {isInstance: "tunnel host"},
	"WebApp":   {isWebApp: "web app", isWebAppInstances: "web app instances"},
}

// order is the order of the names in the table; others follow.
var order = []string{"database", "web app", "web app instances", "jump server", "tunnel host", "Lambda function"}

// where is the symbol of the host's resource.
func (h *host) where() string { return h.stack + "/" + h.id }

// named is the host's name in a sentence.
func (h *host) named() string {
	if strings.Contains(h.doorName, "/") {
		return h.doorName
	}
	return "the " + h.doorName
}

// groupsNamed are the host's security groups in a sentence.
func (h *host) groupsNamed() string {
	name := h.named() + "'"
	if !strings.HasSuffix(h.doorName, "s") {
		name += "s"
	}
	return name + " security groups"
}

func readHosts(n *network) []*host {
	hosts := slices.Concat(
		n.mayBeThere("AWS::RDS::DBInstance", n.readDatabase),
		n.mayBeThere("AWS::EC2::Instance", n.readInstance),
		n.mayBeThere("AWS::ElasticBeanstalk::Environment", n.readBeanstalk),
		n.mayBeThere("AWS::Lambda::Function", n.readFunction),
	)
	for _, h := range hosts {
		h.doorName = known[h.stack][h.kind]
		if h.doorName == "" || !isOnlyOne(h, hosts) {
			h.doorName = h.where()
			if h.kind == isWebAppInstances {
				h.doorName += " instances"
			}
		}
		h.name = h.doorName
		if h.kind == isWebAppInstances {
			h.name = strings.TrimSuffix(h.doorName, " instances")
		}
	}
	rank := func(h *host) int {
		if i := slices.Index(order, h.doorName); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortStableFunc(hosts, func(a, b *host) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.kind, b.kind), cmp.Compare(a.where(), b.where()))
	})
	return hosts
}

// isOnlyOne says that the host is what a name such as database means: there is no other of its kind in its stack. A
// replica does not take the name from its source.
func isOnlyOne(h *host, hosts []*host) bool {
	twins := slices.ContainsFunc(hosts, func(other *host) bool {
		// An environment's load balancer and its instances are one resource.
		return other.stack == h.stack && other.id != h.id && !other.isReplica &&
			(other.kind == h.kind || other.ofBeanstalk() && h.ofBeanstalk())
	})
	return !twins && !h.isReplica
}

func (h *host) ofBeanstalk() bool { return h.kind == isWebApp || h.kind == isWebAppInstances }

// wear gives a host its groups, and the default group of its VPC if it names none.
func (n *network) wear(h *host, ids []string, err error) {
	for _, id := range ids {
		h.groups = append(h.groups, n.group(id))
	}
	switch {
	case err != nil:
		h.groups = append(h.groups, &securityGroup{where: h.where(), unknown: "not all of its groups can be told from the templates", anonymous: true})
	case len(ids) == 0 && len(h.subnets) > 0 && h.subnets[0].vpc != nil:
		h.groups = append(h.groups, h.subnets[0].vpc.defaultGroup)
	case len(ids) == 0:
		h.groups = append(h.groups, &securityGroup{where: h.where(), unknown: "it wears the default group of an unknown VPC", anonymous: true})
	}
}

// liesIn gives a host its subnets.
func (n *network) liesIn(h *host, ids []string, err error) {
	for _, id := range ids {
		h.subnets = append(h.subnets, n.subnet(id))
	}
	if err != nil || len(ids) == 0 {
		h.subnets = append(h.subnets, n.subnet(h.where()))
	}
}

// publicAddress says whether the host has a public address when it lies in this subnet.
func (h *host) publicAddress(in *subnet) link {
	r := h.public
	if r.Answer == "" {
		r = Reason{in.mapsPublic, "", in.where}
	}
	r.Text = map[Answer]string{
		Yes: "there is a public address for " + h.named(), No: "there is no public address for " + h.named(),
		CannotTell: "whether there is a public address for " + h.named() + " cannot be told from the templates",
	}[r.Answer]
	return link{Reason: r}
}

// listens says whether a load balancer listens on a port.
func (h *host) listens(port int) chain {
	if h.listeners == nil {
		return nil
	}
	switch h.listeners[port] {
	case Yes:
		return nil
	case CannotTell:
		return chain{{Reason: Reason{CannotTell, "whether the load balancer listens there cannot be told from the templates", h.where()}}}
	}
	return chain{{Reason: Reason{No, "the load balancer does not listen there", h.where()}}}
}

// doubt notes what is not understood about the host alone.
func (h *host) doubt(r resource, text string) {
	h.doubts = append(h.doubts, doubt{Reason{CannotTell, r.typ + ": " + text, r.symbol()}, mayBeAll})
}

// mayBeThere are the resources of a type that makes hosts. One that is not there for certain makes a host with a doubt.
func (n *network) mayBeThere(typ string, read func(resource) []*host) (hosts []*host) {
	for _, r := range n.world.possible(typ) {
		for _, h := range read(r) {
			if r.uncertain {
				h.doubt(r, "whether it is there cannot be told from the templates")
			}
			hosts = append(hosts, h)
		}
	}
	return hosts
}
