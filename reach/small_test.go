package reach_test

import (
	"encoding/json"
	"testing"

	"drawbridge/reach"
	"drawbridge/rehearsal/template"
)

// small is an assembly of one stack, Lab: a VPC with an internet gateway, a public and an isolated subnet, and an instance
// in each. Both wear the same group, which lets SSH in from everywhere and everything out.
func small(t *testing.T) editor {
	t.Helper()
	resources := m{
		"Vpc":     resource("AWS::EC2::VPC", m{"CidrBlock": "10.9.0.0/16"}),
		"Gateway": resource("AWS::EC2::InternetGateway", m{}),
		"Attach":  resource("AWS::EC2::VPCGatewayAttachment", m{"VpcId": m{"Ref": "Vpc"}, "InternetGatewayId": m{"Ref": "Gateway"}}),
		"Group":   resource(aGroup, m{"VpcId": m{"Ref": "Vpc"}, "SecurityGroupIngress": []any{ssh("CidrIp", "0.0.0.0/0")}}),
		"Front":   resource(aSubnet, m{"VpcId": m{"Ref": "Vpc"}, "CidrBlock": "10.9.0.0/24", "MapPublicIpOnLaunch": true}),
		"Back":    resource(aSubnet, m{"VpcId": m{"Ref": "Vpc"}, "CidrBlock": "10.9.1.0/24"}),
		"Table":   resource(aTable, m{"VpcId": m{"Ref": "Vpc"}}),
		"Out":     resource(aRoute, m{"RouteTableId": m{"Ref": "Table"}, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": m{"Ref": "Gateway"}}),
		"Joins":   resource("AWS::EC2::SubnetRouteTableAssociation", m{"RouteTableId": m{"Ref": "Table"}, "SubnetId": m{"Ref": "Front"}}),
		"Edge":    resource(instance, m{"SubnetId": m{"Ref": "Front"}, "SecurityGroupIds": []any{m{"Ref": "Group"}}}),
		"Core":    resource(instance, m{"SubnetId": m{"Ref": "Back"}, "SecurityGroupIds": []any{m{"Fn::GetAtt": []any{"Group", "GroupId"}}}}),
	}
	text, err := json.Marshal(m{"Resources": resources})
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := template.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return editor{t, &template.Assembly{Dir: "small", Stacks: []*template.Stack{{ID: "Lab", Name: "small-Lab", Template: parsed}}}}
}

func resource(typ string, properties m) m { return m{"Type": typ, "Properties": properties} }

func (e editor) read() *reach.Table {
	e.t.Helper()
	found, err := reach.Read(e.a, reach.Options{})
	if err != nil {
		e.t.Fatal(err)
	}
	return found
}

const (
	edge = "Lab/Edge"
	core = "Lab/Core"
)

func TestHostsOfOtherStacksAreNamedByTheirResource(t *testing.T) {
	isText(t, small(t).read(), `
small     Lab/Core  Lab/Edge
          :22       :22
internet  no        yes
Lab/Core  -         yes
Lab/Edge  yes       -
`)
}

var smallCases = []struct {
	name string
	edit func(e editor)
	want []string
}{
	// Where a host gets its public address from.
	{
		"the subnet gives no public addresses",
		func(e editor) { e.set("Lab", aSubnet, "Front", "MapPublicIpOnLaunch", nil) },
		[]string{"internet -> Lab/Edge:22: yes -> no"},
	},
	{
		"an Elastic IP by its association",
		func(e editor) {
			e.set("Lab", aSubnet, "Front", "MapPublicIpOnLaunch", nil)
			e.add("Lab", "Address", "AWS::EC2::EIP", m{})
			e.add("Lab", "Gets", "AWS::EC2::EIPAssociation", m{"InstanceId": m{"Ref": "Edge"}, "AllocationId": m{"Fn::GetAtt": []any{"Address", "AllocationId"}}})
		},
		nil,
	},
	{
		"an Elastic IP of somebody else",
		func(e editor) {
			e.set("Lab", aSubnet, "Front", "MapPublicIpOnLaunch", nil)
			e.add("Lab", "Address", "AWS::EC2::EIP", m{"InstanceId": m{"Ref": "Core"}})
		},
		[]string{"internet -> Lab/Edge:22: yes -> no"},
	},
	{
		"an Elastic IP of a network interface, which may be any instance's",
		func(e editor) {
			e.set("Lab", aSubnet, "Front", "MapPublicIpOnLaunch", nil)
			e.add("Lab", "Gets", "AWS::EC2::EIPAssociation", m{"NetworkInterfaceId": "eni-0123"})
		},
		[]string{"internet -> Lab/Edge:22: yes -> cannot tell"},
	},
	{
		"the instance's interface says that it has none",
		func(e editor) {
			e.set("Lab", instance, "Edge", "SubnetId", nil)
			e.set("Lab", instance, "Edge", "NetworkInterfaces", []any{m{"DeviceIndex": "0", "AssociatePublicIpAddress": false, "SubnetId": m{"Ref": "Front"}, "GroupSet": []any{m{"Ref": "Group"}}}})
		},
		[]string{"internet -> Lab/Edge:22: yes -> no"},
	},
	{
		"an address without a route is of no use",
		func(e editor) { e.set("Lab", aSubnet, "Back", "MapPublicIpOnLaunch", true) },
		nil,
	},

	// Routes.
	{
		"the longest prefix decides",
		func(e editor) {
			e.add("Lab", "Short", aRoute, m{"RouteTableId": m{"Ref": "Table"}, "DestinationCidrBlock": "198.51.100.0/24", "NatGatewayId": "nat-0123"})
		},
		[]string{ // the block that the route names is not the internet any more
			"198.51.100.0/24 -> Lab/Core:22: none -> no", "198.51.100.0/24 -> Lab/Edge:22: none -> no",
		},
	},
	{
		"a route to a prefix list may be the one that answers take",
		func(e editor) {
			e.add("Lab", "List", aRoute, m{"RouteTableId": m{"Ref": "Table"}, "DestinationPrefixListId": "pl-0123", "TransitGatewayId": "tgw-0123"})
		},
		[]string{
			"Lab/Core -> Lab/Edge:22: yes -> cannot tell", "Lab/Edge -> Lab/Core:22: yes -> cannot tell",
			"internet -> Lab/Edge:22: yes -> cannot tell",
		},
	},
	{
		"a gateway of another environment",
		func(e editor) { e.set("Lab", aRoute, "Out", "GatewayId", "igw-0123") },
		[]string{"internet -> Lab/Edge:22: yes -> cannot tell"},
	},
	{
		"a host in a VPC of its own is not reached by private addresses, but by public ones",
		func(e editor) {
			e.add("Lab", "Other", aVPC, m{"CidrBlock": "10.10.0.0/16"})
			e.set("Lab", aSubnet, "Back", "VpcId", m{"Ref": "Other"})
			e.set("Lab", aSubnet, "Back", "CidrBlock", "10.10.1.0/24")
		},
		[]string{"Lab/Core -> Lab/Edge:22: yes -> no", "Lab/Edge -> Lab/Core:22: yes -> no"},
	},
	{
		"a NAT gateway lends an address on the way out, of which the rest is not modelled",
		func(e editor) {
			e.add("Lab", "Other", aVPC, m{"CidrBlock": "10.10.0.0/16"})
			e.set("Lab", aSubnet, "Back", "VpcId", m{"Ref": "Other"})
			e.set("Lab", aSubnet, "Back", "CidrBlock", "10.10.1.0/24")
			e.add("Lab", "Table2", aTable, m{"VpcId": m{"Ref": "Other"}})
			e.add("Lab", "Joins2", "AWS::EC2::SubnetRouteTableAssociation", m{"RouteTableId": m{"Ref": "Table2"}, "SubnetId": m{"Ref": "Back"}})
			e.add("Lab", "Nat", "AWS::EC2::NatGateway", m{})
			e.add("Lab", "Out2", aRoute, m{"RouteTableId": m{"Ref": "Table2"}, "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": m{"Ref": "Nat"}})
		},
		[]string{"Lab/Core -> Lab/Edge:22: yes -> cannot tell", "Lab/Edge -> Lab/Core:22: yes -> no"},
	},
	{
		"a NAT gateway may lend an address where it cannot be told which route is taken",
		func(e editor) {
			e.add("Lab", "Other", aVPC, m{"CidrBlock": "10.10.0.0/16"})
			e.set("Lab", aSubnet, "Back", "VpcId", m{"Ref": "Other"})
			e.set("Lab", aSubnet, "Back", "CidrBlock", "10.10.1.0/24")
			e.add("Lab", "Table2", aTable, m{"VpcId": m{"Ref": "Other"}})
			e.add("Lab", "Joins2", "AWS::EC2::SubnetRouteTableAssociation", m{"RouteTableId": m{"Ref": "Table2"}, "SubnetId": m{"Ref": "Back"}})
			e.add("Lab", "Out2", aRoute, m{"RouteTableId": m{"Ref": "Table2"}, "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-0123"})
			e.add("Lab", "List2", aRoute, m{"RouteTableId": m{"Ref": "Table2"}, "DestinationPrefixListId": "pl-0123", "GatewayId": m{"Ref": "Gateway"}})
		},
		[]string{"Lab/Core -> Lab/Edge:22: yes -> cannot tell", "Lab/Edge -> Lab/Core:22: yes -> no"},
	},
	{
		"two VPCs with public hosts: by public addresses alone",
		func(e editor) {
			e.add("Lab", "Other", aVPC, m{"CidrBlock": "10.10.0.0/16"})
			e.add("Lab", "Attach2", "AWS::EC2::VPCGatewayAttachment", m{"VpcId": m{"Ref": "Other"}, "InternetGatewayId": m{"Ref": "Gateway"}})
			e.set("Lab", aSubnet, "Back", "VpcId", m{"Ref": "Other"})
			e.set("Lab", aSubnet, "Back", "CidrBlock", "10.10.1.0/24")
			e.set("Lab", aSubnet, "Back", "MapPublicIpOnLaunch", true)
			e.add("Lab", "Table2", aTable, m{"VpcId": m{"Ref": "Other"}})
			e.add("Lab", "Joins2", "AWS::EC2::SubnetRouteTableAssociation", m{"RouteTableId": m{"Ref": "Table2"}, "SubnetId": m{"Ref": "Back"}})
			e.add("Lab", "Out2", aRoute, m{"RouteTableId": m{"Ref": "Table2"}, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": m{"Ref": "Gateway"}})
		},
		[]string{"internet -> Lab/Core:22: no -> yes"},
	},

	// Security groups.
	{
		"a rule for a group counts by private addresses only",
		func(e editor) {
			e.set("Lab", aGroup, "", "SecurityGroupIngress", []any{ssh("SourceSecurityGroupId", m{"Ref": "Vpc"})})
			e.set("Lab", aGroup, "", "SecurityGroupIngress", nil)
			e.add("Lab", "Own", anIn, with(ssh("SourceSecurityGroupId", m{"Ref": "Group"}), "GroupId", m{"Ref": "Group"}))
		},
		[]string{"internet -> Lab/Edge:22: yes -> no"},
	},
	{
		"the VPC's default group is open to itself",
		func(e editor) {
			e.set("Lab", instance, "Edge", "SecurityGroupIds", nil)
			e.set("Lab", instance, "Core", "SecurityGroupIds", nil)
		},
		[]string{
			"internet -> Lab/Edge:22: yes -> no",
			"Lab/Core -> Lab/Edge:all ports: none -> yes", "Lab/Edge -> Lab/Core:all ports: none -> yes",
			"internet -> Lab/Core:all ports: none -> no", "internet -> Lab/Edge:all ports: none -> no",
		},
	},
	{
		"a template may open the default group",
		func(e editor) {
			e.set("Lab", instance, "Edge", "SecurityGroupIds", nil)
			e.add("Lab", "Open", anIn, with(ssh("CidrIp", "0.0.0.0/0"), "GroupId", m{"Fn::GetAtt": []any{"Vpc", "DefaultSecurityGroup"}}))
		},
		[]string{
			"Lab/Core -> Lab/Edge:all ports: none -> no", "internet -> Lab/Edge:all ports: none -> no",
		},
	},
	{
		"a rule that is one function, which leaves itself out",
		func(e editor) {
			e.condition("Lab", "Never", m{"Fn::Equals": []any{"a", "b"}})
			e.set("Lab", aGroup, "", "SecurityGroupIngress", []any{m{"Fn::If": []any{"Never", ssh("CidrIp", "0.0.0.0/0"), m{"Ref": "AWS::NoValue"}}}})
		},
		[]string{
			"Lab/Core -> Lab/Edge:22: yes -> no", "Lab/Edge -> Lab/Core:22: yes -> no", "internet -> Lab/Edge:22: yes -> no",
		},
	},
	{
		"rules of which the list cannot be told",
		func(e editor) {
			e.undecide("Lab")
			e.set("Lab", aGroup, "", "SecurityGroupIngress", m{"Fn::If": []any{"NobodyKnows", []any{ssh("CidrIp", "0.0.0.0/0")}, []any{}}})
		},
		[]string{
			"Lab/Core -> Lab/Edge:22: yes -> cannot tell", "Lab/Edge -> Lab/Core:22: yes -> cannot tell", "internet -> Lab/Edge:22: yes -> cannot tell",
		},
	},
	{
		"all egress is closed by a rule for one address",
		func(e editor) {
			e.set("Lab", aGroup, "", "SecurityGroupEgress", []any{m{"IpProtocol": "-1", "CidrIp": "127.0.0.1/32"}})
		},
		[]string{"Lab/Core -> Lab/Edge:22: yes -> no", "Lab/Edge -> Lab/Core:22: yes -> no"},
	},
	{
		"an empty list of rules out leaves EC2's default rule",
		func(e editor) { e.set("Lab", aGroup, "", "SecurityGroupEgress", []any{}) },
		nil,
	},
	{
		"a list whose only rule leaves itself out is empty too",
		func(e editor) {
			e.condition("Lab", "Never", m{"Fn::Equals": []any{"a", "b"}})
			e.set("Lab", aGroup, "", "SecurityGroupEgress", []any{m{"Fn::If": []any{"Never", m{"IpProtocol": "-1", "CidrIp": "127.0.0.1/32"}, m{"Ref": "AWS::NoValue"}}}})
		},
		nil,
	},
	{
		"a list that is empty in one of two cases, of which it cannot be told which",
		func(e editor) {
			e.undecide("Lab")
			e.set("Lab", aGroup, "", "SecurityGroupEgress", m{"Fn::If": []any{"NobodyKnows", []any{}, []any{m{"IpProtocol": "-1", "CidrIp": "127.0.0.1/32"}}}})
		},
		[]string{"Lab/Core -> Lab/Edge:22: yes -> cannot tell", "Lab/Edge -> Lab/Core:22: yes -> cannot tell"},
	},
	{
		"egress to a prefix list",
		func(e editor) {
			e.set("Lab", aGroup, "", "SecurityGroupEgress", []any{m{"IpProtocol": "-1", "DestinationPrefixListId": "pl-0123"}})
		},
		[]string{"Lab/Core -> Lab/Edge:22: yes -> cannot tell", "Lab/Edge -> Lab/Core:22: yes -> cannot tell"},
	},
	{
		"the groups of an instance cannot be told",
		func(e editor) {
			e.undecide("Lab")
			e.set("Lab", instance, "Edge", "SecurityGroupIds", []any{undecided})
		},
		[]string{
			"Lab/Core -> Lab/Edge:22: yes -> cannot tell", "Lab/Edge -> Lab/Core:22: yes -> cannot tell", "internet -> Lab/Edge:22: yes -> cannot tell",
		},
	},
	{
		"the groups of an instance cannot be told: any of them may be let in",
		func(e editor) {
			e.undecide("Lab")
			e.set("Lab", instance, "Edge", "SecurityGroupIds", []any{undecided})
			e.set("Lab", aGroup, "", "SecurityGroupIngress", nil)
			e.add("Lab", "Own", anIn, with(ssh("SourceSecurityGroupId", m{"Ref": "Group"}), "GroupId", m{"Ref": "Group"}))
		},
		[]string{
			"Lab/Core -> Lab/Edge:22: yes -> cannot tell", "Lab/Edge -> Lab/Core:22: yes -> cannot tell", "internet -> Lab/Edge:22: yes -> cannot tell",
		},
	},
	{
		"whether the default group is closed cannot be told",
		func(e editor) {
			e.set("Lab", instance, "Edge", "SecurityGroupIds", nil)
			e.undecide("Lab")
			e.add("Lab", "Close", "Custom::VpcRestrictDefaultSG", m{"DefaultSecurityGroupId": undecided})
		},
		[]string{
			"Lab/Core -> Lab/Edge:22: yes -> no", "Lab/Core -> Lab/Edge:all ports: none -> no",
			"Lab/Edge -> Lab/Core:22: yes -> cannot tell", "internet -> Lab/Edge:22: yes -> no",
			"internet -> Lab/Edge:all ports: none -> no",
		},
	},
	{
		"a rule of which the condition cannot be told",
		func(e editor) {
			e.undecide("Lab")
			e.set("Lab", aGroup, "", "SecurityGroupIngress", nil)
			e.add("Lab", "Perhaps", anIn, with(ssh("CidrIp", "0.0.0.0/0"), "GroupId", m{"Ref": "Group"}))
			e.provided("Lab", "Perhaps", "NobodyKnows")
		},
		[]string{
			"Lab/Core -> Lab/Edge:22: yes -> cannot tell", "Lab/Edge -> Lab/Core:22: yes -> cannot tell",
			"internet -> Lab/Edge:22: yes -> cannot tell", "internet -> Lab/Core:22: no -> cannot tell",
		},
	},
	{
		"a rule of which the condition does not hold",
		func(e editor) {
			e.condition("Lab", "Never", m{"Fn::Equals": []any{"a", "b"}})
			e.set("Lab", aGroup, "", "SecurityGroupIngress", nil)
			e.add("Lab", "Absent", anIn, with(ssh("CidrIp", "0.0.0.0/0"), "GroupId", m{"Ref": "Group"}))
			e.provided("Lab", "Absent", "Never")
		},
		[]string{
			"Lab/Core -> Lab/Edge:22: yes -> no", "Lab/Edge -> Lab/Core:22: yes -> no", "internet -> Lab/Edge:22: yes -> no",
		},
	},

	// Networks outside.
	{
		"a private network outside has no way over the internet",
		func(e editor) {
			e.set("Lab", aGroup, "", "SecurityGroupIngress", []any{ssh("CidrIp", "192.168.7.0/24")})
		},
		[]string{
			"Lab/Core -> Lab/Edge:22: yes -> no", "Lab/Edge -> Lab/Core:22: yes -> no", "internet -> Lab/Edge:22: yes -> no",
			"192.168.7.0/24 -> Lab/Core:22: none -> no", "192.168.7.0/24 -> Lab/Edge:22: none -> no",
		},
	},
	{
		"a private network outside has a way over a transit gateway",
		func(e editor) {
			e.set("Lab", aGroup, "", "SecurityGroupIngress", []any{ssh("CidrIp", "192.168.7.0/24")})
			e.add("Lab", "Home", aRoute, m{"RouteTableId": m{"Ref": "Table"}, "DestinationCidrBlock": "192.168.0.0/16", "TransitGatewayId": "tgw-0123"})
		},
		[]string{
			"Lab/Core -> Lab/Edge:22: yes -> no", "Lab/Edge -> Lab/Core:22: yes -> no", "internet -> Lab/Edge:22: yes -> no",
			"192.168.7.0/24 -> Lab/Core:22: none -> no", "192.168.7.0/24 -> Lab/Edge:22: none -> cannot tell",
			"192.168.0.0/16 -> Lab/Core:22: none -> no", "192.168.0.0/16 -> Lab/Edge:22: none -> no",
		},
	},
	{
		"the VPC's own block is no source outside",
		func(e editor) {
			e.set("Lab", aGroup, "", "SecurityGroupIngress", []any{ssh("CidrIp", m{"Fn::GetAtt": []any{"Vpc", "CidrBlock"}})})
		},
		[]string{"internet -> Lab/Edge:22: yes -> no"},
	},

	// Network ACLs.
	{
		"a network ACL does not stand between hosts of one subnet",
		func(e editor) {
			e.set("Lab", instance, "Core", "SubnetId", m{"Ref": "Front"})
			e.add("Lab", "Guard", anACL, m{"VpcId": m{"Ref": "Vpc"}})
			e.add("Lab", "Guards", anACLFor, m{"SubnetId": m{"Ref": "Front"}, "NetworkAclId": m{"Ref": "Guard"}})
		},
		[]string{"internet -> Lab/Edge:22: yes -> no"},
	},
	{
		"an entry in the default network ACL comes before that which allows all",
		func(e editor) {
			e.add("Lab", "Deny", anEntry, with(entry(50, false, "deny", 22, 22, "0.0.0.0/0"), "NetworkAclId", m{"Fn::GetAtt": []any{"Vpc", "DefaultNetworkAcl"}}))
		},
		[]string{"Lab/Core -> Lab/Edge:22: yes -> no", "Lab/Edge -> Lab/Core:22: yes -> no", "internet -> Lab/Edge:22: yes -> no"},
	},
	{
		"an entry for a part of a subnet that does what the next one does for the rest",
		func(e editor) {
			e.add("Lab", "Allow", anEntry, with(entry(50, false, "allow", 22, 22, "10.9.1.0/25"), "NetworkAclId", m{"Fn::GetAtt": []any{"Vpc", "DefaultNetworkAcl"}}))
		},
		nil,
	},
	{
		"an entry of which the block cannot be told",
		func(e editor) {
			e.undecide("Lab")
			e.add("Lab", "Deny", anEntry, with(with(entry(50, false, "deny", 22, 22, ""), "NetworkAclId", m{"Fn::GetAtt": []any{"Vpc", "DefaultNetworkAcl"}}), "CidrBlock", undecided))
		},
		[]string{
			"Lab/Core -> Lab/Edge:22: yes -> cannot tell", "Lab/Edge -> Lab/Core:22: yes -> cannot tell", "internet -> Lab/Edge:22: yes -> cannot tell",
		},
	},
	{
		"a block that only a network ACL names is a source of its own",
		func(e editor) {
			e.add("Lab", "Deny", anEntry, with(entry(50, false, "deny", 22, 22, "192.0.2.0/24"), "NetworkAclId", m{"Fn::GetAtt": []any{"Vpc", "DefaultNetworkAcl"}}))
		},
		[]string{"192.0.2.0/24 -> Lab/Core:22: none -> no", "192.0.2.0/24 -> Lab/Edge:22: none -> no"},
	},

	// Hosts.
	{
		"an instance of which the launch template may say more",
		func(e editor) {
			e.set("Lab", instance, "Edge", "SecurityGroupIds", nil)
			e.set("Lab", instance, "Edge", "LaunchTemplate", m{"LaunchTemplateId": "lt-0123", "Version": "1"})
		},
		[]string{
			"Lab/Core -> Lab/Edge:22: yes -> cannot tell", "Lab/Edge -> Lab/Core:22: yes -> cannot tell", "internet -> Lab/Edge:22: yes -> cannot tell",
			"Lab/Core -> Lab/Edge:all ports: none -> cannot tell", "internet -> Lab/Edge:all ports: none -> cannot tell",
		},
	},
	{
		"an instance of which it cannot be told whether it is there",
		func(e editor) {
			e.undecide("Lab")
			e.provided("Lab", "Core", "NobodyKnows")
		},
		[]string{
			"Lab/Core -> Lab/Edge:22: yes -> cannot tell", "Lab/Edge -> Lab/Core:22: yes -> cannot tell", "internet -> Lab/Core:22: no -> cannot tell",
		},
	},
	{
		"an instance in a subnet of another environment",
		func(e editor) { e.set("Lab", instance, "Core", "SubnetId", "subnet-0123") },
		[]string{
			"Lab/Core -> Lab/Edge:22: yes -> cannot tell", "Lab/Edge -> Lab/Core:22: yes -> cannot tell", "internet -> Lab/Core:22: no -> cannot tell",
		},
	},
	{
		"a function without rules for the network",
		func(e editor) {
			e.add("Lab", "Function", "AWS::Lambda::Function", m{"VpcConfig": m{"SubnetIds": []any{m{"Ref": "Back"}}, "SecurityGroupIds": []any{m{"Ref": "Group"}}}})
			e.add("Lab", "Elsewhere", "AWS::Lambda::Function", m{})
		},
		[]string{"Lab/Function -> Lab/Core:22: none -> yes", "Lab/Function -> Lab/Edge:22: none -> yes"},
	},
	{
		"IPv6 may be another way, on which security groups stand too",
		func(e editor) {
			e.add("Lab", "Six", "AWS::EC2::VPCCidrBlock", m{"VpcId": m{"Ref": "Vpc"}, "AmazonProvidedIpv6CidrBlock": true})
		},
		[]string{"internet -> Lab/Core:22: no -> cannot tell"},
	},
	{
		"a second IPv4 block of the VPC is local too",
		func(e editor) {
			e.add("Lab", "More", "AWS::EC2::VPCCidrBlock", m{"VpcId": m{"Ref": "Vpc"}, "CidrBlock": "10.77.0.0/16"})
			e.set("Lab", aSubnet, "Back", "CidrBlock", "10.77.1.0/24")
		},
		nil,
	},
	{
		"a load balancer's endpoint service",
		func(e editor) {
			e.add("Lab", "Service", "AWS::EC2::VPCEndpoint", m{"VpcEndpointType": "GatewayLoadBalancer"})
		},
		[]string{"internet -> Lab/Core:22: no -> cannot tell"},
	},
}

// condition gives a stack a condition.
func (e editor) condition(stack, name string, condition m) {
	e.t.Helper()
	e.stack(stack).Conditions = map[string]any{name: plain(condition)}
}

// provided makes a resource depend on a condition.
func (e editor) provided(stack, id, condition string) {
	e.t.Helper()
	r := e.stack(stack).Resources[id]
	r.Condition = condition
	e.stack(stack).Resources[id] = r
}

func TestSmallTemplates(t *testing.T) {
	for _, test := range smallCases {
		t.Run(test.name, func(t *testing.T) {
			e := small(t)
			test.edit(e)
			areChanges(t, reach.Diff(small(t).read(), e.read()), test.want)
		})
	}
}
