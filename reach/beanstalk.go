package reach

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Ports of the web app.
const (
	httpPort  = 80
	httpsPort = 443
)

// Namespaces of option settings ("General options for all environments", AWS Elastic Beanstalk Developer Guide).
const (
	inVPC        = "aws:ec2:vpc"
	onInstances  = "aws:autoscaling:launchconfiguration"
	ofEnv        = "aws:elasticbeanstalk:environment"
	loadBalancer = "aws:elbv2:loadbalancer"
	listener     = "aws:elbv2:listener:"
	database     = "aws:rds:dbinstance"
)

// settings are the option settings of one environment, by namespace and name.
type settings map[[2]string]properties

// get is a setting, and otherwise if it is not there.
func (s settings) get(namespace, name, otherwise string) (string, error) {
	text, err := s[[2]string{namespace, name}].text("Value")
	if text == "" && err == nil {
		return otherwise, nil
	}
	return text, err
}

// any says that there is any setting of a namespace.
func (s settings) any(namespace string) bool {
	for key := range s {
		if key[0] == namespace {
			return true
		}
	}
	return false
}

// list is a setting that holds ids with commas between them.
func (s settings) list(namespace, name string) ([]string, error) {
	text, err := s.get(namespace, name, "")
	var ids []string
	for _, id := range strings.Split(text, ",") {
		if id = strings.TrimSpace(id); id != "" {
			ids = append(ids, id)
		}
	}
	return ids, err
}

func (s settings) truth(namespace, name string, otherwise Answer) Answer {
	return s[[2]string{namespace, name}].truth("Value", otherwise)
}

// readBeanstalk reads an environment of Elastic Beanstalk: one host, or a load balancer and its instances.
func (n *network) readBeanstalk(r resource) (hosts []*host) {
	h := &host{stack: r.stack.id, id: r.id, kind: isWebApp, isSource: true, ports: []int{httpPort, httpsPort}}
	s := h.readSettings(r)
	if s.any(database) {
		n.doubt(r, "the database that Elastic Beanstalk makes for it ("+database+") is not modelled", opens)
	}
	ids, err := s.list(inVPC, "Subnets")
	n.liesIn(h, ids, err)
	ids, err = s.list(onInstances, "SecurityGroups")
	n.wear(h, ids, err)
	h.tier = n.tierOf(h)

	var balancer *host
	switch kind, err := s.get(ofEnv, "EnvironmentType", "LoadBalanced"); {
	case err == nil && kind == "SingleInstance":
	case err == nil && kind == "LoadBalanced":
		h.kind, h.ports = isWebAppInstances, []int{httpPort}
		balancer = n.readLoadBalancer(r, s)
		balancer.doubts = append(balancer.doubts, h.doubts...)
		hosts = append(hosts, balancer)
	default:
		h.doubt(r, "its EnvironmentType cannot be told from the templates")
	}
	n.addBeanstalksGroup(h, balancer, r, s)
	h.public = instanceAddress(r, s, balancer != nil)
	return append(hosts, h)
}

func (h *host) readSettings(r resource) settings {
	s := settings{}
	parts, err := r.parts("OptionSettings")
	for _, p := range parts {
		namespace, err1 := p.text("Namespace")
		name, err2 := p.text("OptionName")
		if err1 != nil || err2 != nil {
			err = errNotTold
			continue
		}
		s[[2]string{namespace, name}] = p
	}
	if err != nil {
		h.doubt(r, "not all of its settings can be told from the templates")
	}
	if r.has("TemplateName") {
		h.doubt(r, "settings from a configuration template are not modelled")
	}
	return s
}

// instanceAddress says whether instances have public addresses.
func instanceAddress(r resource, s settings, balanced bool) Reason {
	answer := s.truth(inVPC, "AssociatePublicIpAddress", "")
	if !balanced && answer != Yes {
		// An environment with one instance has an Elastic IP ("Environment types", AWS Elastic Beanstalk Developer Guide),
		// which this setting contradicts.
		answer = CannotTell
	}
	return Reason{Answer: answer, Where: r.symbol()}
}

// addBeanstalksGroup adds the group that Beanstalk makes for instances, unless it is told not to: it lets everybody in on
// port 80, or the load balancer where there is one, and on the SSH port where there is a key
// ("aws:autoscaling:launchconfiguration", AWS Elastic Beanstalk Developer Guide).
func (n *network) addBeanstalksGroup(h, balancer *host, r resource, s settings) {
	disabled := s.truth(onInstances, "DisableDefaultEC2SecurityGroup", No)
	if disabled == Yes {
		return
	}
	g := &securityGroup{where: r.symbol(), egress: []rule{allEgress(r.symbol())}}
	own := rule{portsKnown: true, where: r.symbol(), description: "the group that Elastic Beanstalk makes"}
	http := own
	http.ports, http.block = portRange{httpPort, httpPort}, everything
	if balancer == nil {
		g.ingress = append(g.ingress, http)
	} else {
		http.block = netip.Prefix{}
		for _, from := range balancer.groups {
			http.group = from.where
			g.ingress = append(g.ingress, http)
		}
	}
	if _, key := s[[2]string{onInstances, "EC2KeyName"}]; key {
		g.ingress = append(g.ingress, sshRule(own, s))
	}
	if disabled == CannotTell {
		for i := range g.ingress {
			g.ingress[i].unknown = "whether Elastic Beanstalk makes its own group cannot be told from the templates"
		}
		g.egress[0].unknown = g.ingress[0].unknown
	}
	// Beanstalk's group is worn besides those that are named: not the VPC's default group.
	if ids, err := s.list(onInstances, "SecurityGroups"); err == nil && len(ids) == 0 && disabled == No {
		h.groups = nil
	}
	h.groups = append(h.groups, g)
}

// sshRule is what SSHSourceRestriction says: tcp, 22, 22, and a block or group.
func sshRule(own rule, s settings) rule {
	own.ports, own.block = portRange{sshPort, sshPort}, everything
	text, err := s.get(onInstances, "SSHSourceRestriction", "tcp,22,22,0.0.0.0/0")
	fields := strings.Split(text, ",")
	if err == nil && len(fields) == 4 {
		from, err1 := strconv.Atoi(strings.TrimSpace(fields[1]))
		to, err2 := strconv.Atoi(strings.TrimSpace(fields[2]))
		block, err3 := netip.ParsePrefix(strings.TrimSpace(fields[3]))
		if err1 == nil && err2 == nil && err3 == nil && block.Addr().Is4() {
			own.ports, own.block = portRange{from, to}, block.Masked()
			return own
		}
	}
	own.unknown = "its SSHSourceRestriction cannot be told from the templates"
	return own
}

// readLoadBalancer reads the Application Load Balancer of an environment. It lies in all its subnets at once.
func (n *network) readLoadBalancer(r resource, s settings) *host {
	h := &host{stack: r.stack.id, id: r.id, kind: isWebApp, ports: []int{httpPort, httpsPort}, listeners: map[int]Answer{}}
	ids, err := s.list(inVPC, "ELBSubnets")
	n.liesIn(h, ids, err)
	h.tier = n.tierOf(h)
	if kind, err := s.get(ofEnv, "LoadBalancerType", "classic"); err != nil || kind != "application" {
		h.doubt(r, "a load balancer of this type is not modelled")
	}
	if s.truth(ofEnv, "LoadBalancerIsShared", No) != No {
		h.doubt(r, "a shared load balancer is not modelled")
	}
	h.public = Reason{Answer: CannotTell, Where: r.symbol()}
	switch scheme, err := s.get(inVPC, "ELBScheme", "public"); {
	case err != nil:
	case scheme == "public":
		h.public.Answer = Yes
	case scheme == "internal":
		h.public.Answer = No
	}
	h.readListeners(s)

	ids, err = s.list(loadBalancer, "SecurityGroups")
	managed, managedErr := s.get(loadBalancer, "ManagedSecurityGroup", "")
	if managed != "" && !slices.Contains(ids, managed) {
		ids = append(ids, managed)
	}
	if err == nil {
		err = managedErr
	}
	if len(ids) > 0 || err != nil {
		n.wear(h, ids, err)
	}
	if managed == "" && managedErr == nil || len(ids) == 0 {
		h.groups = append(h.groups, h.beanstalksBalancerGroup(r, len(ids) == 0))
	}
	return h
}

// readListeners reads on which ports the load balancer listens ("aws:elbv2:listener:default" and
// "aws:elbv2:listener:listener_port", AWS Elastic Beanstalk Developer Guide).
func (h *host) readListeners(s settings) {
	h.listeners[httpPort] = Yes
	for key := range s {
		name, is := strings.CutPrefix(key[0], listener)
		if !is {
			continue
		}
		port, err := strconv.Atoi(name)
		if name == "default" {
			port = httpPort
		} else if err != nil {
			continue
		}
		h.listeners[port] = s.truth(key[0], "ListenerEnabled", Yes)
	}
}

// beanstalksBalancerGroup is the group that Beanstalk makes when ManagedSecurityGroup names none: it lets everybody in
// wherever the load balancer listens. Beside other groups it is not certain whether the load balancer wears it.
func (h *host) beanstalksBalancerGroup(r resource, alone bool) *securityGroup {
	g := &securityGroup{where: r.symbol(), egress: []rule{allEgress(r.symbol())}}
	for port, answer := range h.listeners {
		if answer == No {
			continue
		}
		open := rule{
			ports: portRange{port, port}, portsKnown: true, block: everything, where: r.symbol(),
			description: "the group that Elastic Beanstalk makes for its load balancer",
		}
		if !alone {
			open.unknown = "Elastic Beanstalk makes a group for its load balancer, as ManagedSecurityGroup names none"
		}
		g.ingress = append(g.ingress, open)
	}
	return g
}
