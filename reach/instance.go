package reach

// sshPort is the door of every instance.
const sshPort = 22

func (n *network) readInstance(r resource) []*host {
	h := &host{stack: r.stack.id, id: r.id, kind: isInstance, isSource: true, ports: []int{sshPort}}
	if r.has("NetworkInterfaces") {
		n.readInterfaces(h, r)
	} else {
		n.readInterface(h, r.properties, "SecurityGroupIds")
	}
	if r.has("LaunchTemplate") && !(r.has("NetworkInterfaces") || r.has("SubnetId") && r.has("SecurityGroupIds")) {
		h.doubt(r, "what its launch template says about the network is not modelled")
	}
	if r.has("SecurityGroups") || r.has("Ipv6AddressCount") || r.has("Ipv6Addresses") {
		h.doubt(r, "groups by their names and IPv6 addresses are not modelled")
	}
	if address, ok := n.elasticIP(h); ok {
		h.public = address
	}
	h.tier = n.tierOf(h)
	return []*host{h}
}

// readInterfaces reads the network interfaces that are made with an instance, of which one is modelled.
func (n *network) readInterfaces(h *host, r resource) {
	interfaces, err := r.parts("NetworkInterfaces")
	if err != nil || len(interfaces) != 1 || interfaces[0].has("NetworkInterfaceId") {
		h.doubt(r, "network interfaces beside the one that is made with an instance are not modelled")
	}
	if len(interfaces) == 0 {
		interfaces = []properties{r.properties}
	}
	n.readInterface(h, interfaces[0], "GroupSet")
	h.public = Reason{Answer: interfaces[0].truth("AssociatePublicIpAddress", ""), Where: r.symbol()}
}

func (n *network) readInterface(h *host, p properties, groups string) {
	id, err := p.text("SubnetId")
	var ids []string
	if id != "" {
		ids = []string{id}
	}
	n.liesIn(h, ids, err)
	worn, err := p.texts(groups)
	n.wear(h, worn, err)
}

// elasticIP is an Elastic IP of an instance, or one that may be its.
func (n *network) elasticIP(h *host) (Reason, bool) {
	var unsure *Reason
	for _, typ := range []string{"AWS::EC2::EIP", "AWS::EC2::EIPAssociation"} {
		for _, r := range n.world.all(typ) {
			id, err := r.text("InstanceId")
			if err == nil && id == h.where() {
				return Reason{Answer: Yes, Where: r.symbol()}, true
			}
			if err != nil || r.has("NetworkInterfaceId") {
				unsure = &Reason{Answer: CannotTell, Where: r.symbol()}
			}
		}
	}
	if unsure == nil || h.public.Answer == Yes {
		return Reason{}, false
	}
	return *unsure, true
}
