package vpc

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/machine"
	"drawbridge/rehearsal/resources"
)

// VPC is the network of one account: at most one VPC, and the internet around it.
type VPC struct {
	inside, outside *machine.Network

	mu         sync.Mutex
	records    records
	interfaces map[string]*Interface // by owner
	parties    map[netip.Addr]*machine.Namespace
	given      map[netip.Addr]bool // of private and public addresses
	tables     map[int]string      // what was last programmed
	rules      [2]string
	next       int
	err        error
}

// Interface is a network interface of the VPC. What runs in its namespace sees the network from there.
type Interface struct {
	*machine.Namespace

	port port
	auto netip.Addr // the public address that it has of itself
}

// Public and S3 addresses are of blocks that nobody has (RFC 2544), so that they are none of the config's.
var (
	publicBlock = netip.MustParsePrefix("198.18.0.0/16")
	partyBlock  = netip.MustParsePrefix("198.19.0.0/24")
)

// S3 is where functions put their answers to CloudFormation, on port 443 of the internet: a gateway endpoint leads there too.
var S3 = netip.MustParseAddr("198.19.1.1")

// New makes an internet without a VPC. Namespaces are called drawbridge-NAME-…. Whoever makes it closes it.
func New(name string) (*VPC, error) {
	v := &VPC{
		records: records{}, interfaces: map[string]*Interface{}, parties: map[netip.Addr]*machine.Namespace{},
		given: map[netip.Addr]bool{}, tables: map[int]string{},
	}
	var err error
	if v.inside, err = machine.NewNetwork(name + "-vpc"); err != nil {
		return nil, err
	}
	if v.outside, err = machine.NewNetwork(name + "-internet"); err != nil {
		return nil, errors.Join(err, v.inside.Close())
	}
	err = errors.Join(
		v.inside.Connect(gatewayLink, gatewayHere, v.outside, internetLink, gatewayThere),
		v.program())
	if err != nil {
		return nil, errors.Join(err, v.Close())
	}
	return v, nil
}

// Close ends what runs in the network and removes it. Machines are closed first.
func (v *VPC) Close() error { return errors.Join(v.inside.Close(), v.outside.Close()) }

// Router is where instances find what every VPC has of itself, such as the metadata service.
func (v *VPC) Router() *machine.Namespace { return v.inside.Router() }

// Listen makes a listener of this process in the internet, at an address that nobody else has.
func (v *VPC) Listen(address netip.AddrPort) (net.Listener, error) {
	router := v.outside.Router()
	if err := router.Configure("addr replace " + address.Addr().String() + "/32 dev lo"); err != nil {
		return nil, err
	}
	return router.Listen("tcp", address.String())
}

// Party is somebody of the internet with this address.
func (v *VPC) Party(name string, address netip.Addr) (*machine.Namespace, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if party := v.parties[address]; party != nil {
		return party, nil
	}
	party, err := v.outside.Host(name, address.String()+"/32")
	if err == nil {
		v.parties[address], v.given[address] = party, true
	}
	return party, err
}

// PartyAddress is an address of the internet that nobody has yet.
func (v *VPC) PartyAddress() (netip.Addr, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.give(partyBlock.Addr().Next(), partyBlock)
}

// give gives the first address of a block, from one on, that nobody has.
func (v *VPC) give(from netip.Addr, block netip.Prefix) (netip.Addr, error) {
	for address := from; block.Contains(address.Next()); address = address.Next() {
		if !v.given[address] {
			v.given[address] = true
			return address, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("the block %s has no address left", block)
}

// Add implements [resources.Interfaces].
func (v *VPC) Add(owner string, subnets, groups []string, public bool) (resources.Interface, error) {
	return v.AddInterface(owner, subnets, groups, public)
}

// AddInterface is Add.
func (v *VPC) AddInterface(owner string, subnets, groups []string, public bool) (*Interface, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if i := v.interfaces[owner]; i != nil {
		i.port.groups = groups
		if !slices.Contains(subnets, i.port.subnets[0]) {
			return nil, fmt.Errorf("the network interface of %s cannot move from %s to another subnet here", owner, i.port.subnets[0])
		}
		i.port.subnets = append([]string{i.port.subnets[0]}, slices.DeleteFunc(slices.Clone(subnets), func(s string) bool { return s == i.port.subnets[0] })...)
		return i, errors.Join(v.setPublic(i, public), v.program())
	}
	if len(subnets) == 0 {
		return nil, fmt.Errorf("the network interface of %s is in no subnet", owner)
	}
	subnet, known := v.records[subnets[0]]
	if !known || subnet.kind != "AWS::EC2::Subnet" {
		return nil, fmt.Errorf("the network interface of %s is in a subnet %s that is not there", owner, subnets[0])
	}
	block, err := subnet.block("CidrBlock")
	if err != nil {
		return nil, err
	}
	// The first four addresses are AWS's (Amazon VPC User Guide, "Subnet CIDR blocks").
	first := block.Addr()
	for range 4 {
		first = first.Next()
	}
	address, err := v.give(first, block)
	if err != nil {
		return nil, err
	}
	i := &Interface{port: port{owner: owner, ip: address, subnets: subnets, groups: groups}}
	v.next++
	if i.Namespace, err = v.inside.Host(fmt.Sprintf("eni%d", v.next), netip.PrefixFrom(address, block.Bits()).String()); err != nil {
		return nil, err
	}
	i.port.link, i.port.table = i.Link(), 1000+v.next
	if err := v.inside.Router().Configure(fmt.Sprintf("rule add pref 100 iif %s lookup %d", i.port.link, i.port.table)); err != nil {
		return nil, errors.Join(err, v.inside.Remove(i.Namespace))
	}
	v.interfaces[owner] = i
	return i, errors.Join(v.setPublic(i, public), v.program())
}

// SetPublic gives an interface a public address, or takes it away.
func (v *VPC) SetPublic(owner string, public bool) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	i := v.interfaces[owner]
	if i == nil {
		return fmt.Errorf("%s has no network interface", owner)
	}
	return errors.Join(v.setPublic(i, public), v.program())
}

func (v *VPC) setPublic(i *Interface, public bool) (err error) {
	switch {
	case public && !i.auto.IsValid():
		i.auto, err = v.give(publicBlock.Addr().Next(), publicBlock)
	case !public:
		delete(v.given, i.auto)
		i.auto = netip.Addr{}
	}
	return err
}

// Remove implements [resources.Interfaces].
func (v *VPC) Remove(owner string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	i := v.interfaces[owner]
	if i == nil {
		return nil
	}
	delete(v.interfaces, owner)
	delete(v.given, i.auto)
	delete(v.given, i.port.ip)
	delete(v.tables, i.port.table)
	return errors.Join(
		v.inside.Router().Configure(fmt.Sprintf("rule del pref 100 iif %s lookup %d", i.port.link, i.port.table)),
		v.inside.Remove(i.Namespace), v.program())
}

// Interface is the network interface of an owner; nil if it has none.
func (v *VPC) Interface(owner string) *Interface {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.interfaces[owner]
}

// PublicOf is the public address of an interface; the zero Addr if it has none.
func (v *VPC) PublicOf(i *Interface) netip.Addr {
	v.mu.Lock()
	defer v.mu.Unlock()
	return i.port.public
}

// WaysOut are the blocks outside of the VPC that the subnets of an interface's owner have routes to, S3 by an endpoint apart.
func (v *VPC) WaysOut(i *Interface) (blocks []netip.Prefix, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, subnet := range i.port.subnets {
		ways, err := v.records.ways(subnet, S3)
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, ways...)
	}
	return slices.DeleteFunc(blocks, func(to netip.Prefix) bool { return to == netip.PrefixFrom(S3, 32) }), nil
}

// LetIn are the blocks that rules of an interface's security groups let in, on any port.
func (v *VPC) LetIn(i *Interface) (blocks []netip.Prefix, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, group := range v.records.groupsOf(&i.port) {
		for _, rule := range v.records.rulesOf(group, inward) {
			if rule.text("CidrIp") == "" {
				continue
			}
			block, err := rule.block("CidrIp")
			if err != nil {
				return nil, err
			}
			blocks = append(blocks, block)
		}
	}
	return blocks, nil
}

// MapsPublicAddresses says that a subnet gives instances a public address that do not say themselves whether they want one
// (Amazon VPC User Guide, "Modify the IP addressing attributes of your subnet").
func (v *VPC) MapsPublicAddresses(subnet string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.records[subnet].text("MapPublicIpOnLaunch") == "true"
}

// Block is the VPC's.
func (v *VPC) Block() (netip.Prefix, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, id := range v.records.of("AWS::EC2::VPC") {
		return v.records[id].block("CidrBlock")
	}
	return netip.Prefix{}, errors.New("there is no VPC")
}

// NewElasticIP gives an Elastic IP address, which an AWS::EC2::EIP has as its Ref.
func (v *VPC) NewElasticIP() (netip.Addr, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.give(publicBlock.Addr().Next(), publicBlock)
}

// Observe keeps the network as the deployed resources say, for [cloudformation.Options].
func (v *VPC) Observe(o cloudformation.Operation, s cloudformation.State) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch o.Action {
	case cloudformation.Create, cloudformation.Update, cloudformation.Restore:
		v.records[s.PhysicalID] = record{kind: s.Type, properties: s.Properties, attributes: s.Attributes, ref: s.Ref}
	case cloudformation.Delete:
		delete(v.records, s.PhysicalID)
		if address, err := netip.ParseAddr(s.Ref); err == nil && s.Type == "AWS::EC2::EIP" {
			delete(v.given, address)
		}
	}
	if strings.HasPrefix(s.Type, "AWS::EC2::") || s.Type == "Custom::VpcRestrictDefaultSG" {
		if err := v.program(); err != nil && v.err == nil {
			v.err = fmt.Errorf("the network after %s: %w", o, err)
		}
	}
}

// Err is the first thing that could not be played.
func (v *VPC) Err() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.err
}

// Properties are those of a deployed resource by its physical id; nil if there is none of this type.
func (v *VPC) Properties(kind, id string) map[string]any {
	v.mu.Lock()
	defer v.mu.Unlock()
	if r := v.records[id]; r.kind == kind {
		return r.properties
	}
	return nil
}

// program makes Linux do what the records say.
func (v *VPC) program() error {
	var all []*port
	for _, i := range v.interfaces {
		i.port.public = i.auto
		for _, id := range v.records.of("AWS::EC2::EIP") {
			if v.records[id].text("InstanceId") == i.port.owner {
				i.port.public, _ = netip.ParseAddr(v.records[id].ref)
			}
		}
		all = append(all, &i.port)
	}
	slices.SortFunc(all, func(a, b *port) int { return a.table - b.table })
	inside, err := v.records.insideRules(all)
	if err != nil {
		return err
	}
	outside := v.records.outsideRules(all, S3)
	// What becomes narrower comes first, and routes, which nothing replaces at once, only where they change.
	for i, rules := range []string{inside, outside} {
		network := []*machine.Network{v.inside, v.outside}[i]
		if v.rules[i] == rules {
			continue
		}
		if err := network.Router().SetRules(rules); err != nil {
			return err
		}
		v.rules[i] = rules
	}
	for _, p := range all {
		routes, err := table(v.records, p.table, p, all, S3)
		if err != nil {
			return err
		}
		text := strings.Join(routes, "\n")
		if v.tables[p.table] == text {
			continue
		}
		if v.tables[p.table] != "" {
			routes = append([]string{fmt.Sprintf("route flush table %d", p.table)}, routes...)
		}
		if err := v.inside.Router().Configure(routes...); err != nil {
			return err
		}
		v.tables[p.table] = text
	}
	return v.routeBack()
}

// routeBack lets the internet's router find the VPC, for what its gateway has let through.
func (v *VPC) routeBack() error {
	for _, id := range v.records.of("AWS::EC2::VPC") {
		block, err := v.records[id].block("CidrBlock")
		if err != nil {
			return err
		}
		if err := v.outside.Router().Configure(fmt.Sprintf("route replace %s via %s dev %s", block, gatewayHere.Addr(), internetLink)); err != nil {
			return err
		}
	}
	return nil
}
