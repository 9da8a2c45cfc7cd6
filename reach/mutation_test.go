package reach_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"drawbridge/reach"
	"drawbridge/rehearsal/rehearsaltest"
	"drawbridge/rehearsal/template"
)

// Names of what the real templates hold, as the tests look for it.
const (
	aGroup   = "AWS::EC2::SecurityGroup"
	anIn     = "AWS::EC2::SecurityGroupIngress"
	anOut    = "AWS::EC2::SecurityGroupEgress"
	aRoute   = "AWS::EC2::Route"
	aTable   = "AWS::EC2::RouteTable"
	aSubnet  = "AWS::EC2::Subnet"
	aVPC     = "AWS::EC2::VPC"
	anACL    = "AWS::EC2::NetworkAcl"
	anEntry  = "AWS::EC2::NetworkAclEntry"
	anACLFor = "AWS::EC2::SubnetNetworkAclAssociation"
	instance = "AWS::EC2::Instance"
	dbms     = "AWS::RDS::DBInstance"
)

// ssh is a rule for port 22, with who is meant added.
func ssh(who string, whom any) m { return tcp(22, 22, who, whom) }

func tcp(from, to int, who string, whom any) m {
	return m{"IpProtocol": "tcp", "FromPort": from, "ToPort": to, who: whom}
}

// entry is a network ACL entry of the ACL Guard.
func entry(number int, egress bool, action string, from, to int, block string) m {
	return m{"NetworkAclId": m{"Ref": "Guard"}, "RuleNumber": number, "Egress": egress, "RuleAction": action, "Protocol": 6,
		"PortRange": m{"From": from, "To": to}, "CidrBlock": block}
}

// guard puts the database tier behind a network ACL, with entries.
func guard(e editor, entries ...m) {
	e.add("Network", "Guard", anACL, m{"VpcId": m{"Ref": e.id("Network", aVPC, "")}})
	for i, subnet := range []string{"NetworkVpcDatabaseSubnet1", "NetworkVpcDatabaseSubnet2"} {
		e.add("Network", "Guards"+string(rune('A'+i)), anACLFor, m{"SubnetId": m{"Ref": e.id("Network", aSubnet, subnet)}, "NetworkAclId": m{"Ref": "Guard"}})
	}
	for i, properties := range entries {
		e.add("Network", "Entry"+string(rune('A'+i)), anEntry, properties)
	}
}

// Each mutation changes the templates of dev and says what that changes in the table.
var mutations = []struct {
	name   string
	config func(rehearsaltest.Config) // nil: as it is
	edit   func(e editor)
	want   []string
}{
	// Routes and gateways.
	{
		"public: one of the database tier's two routes is gone", public,
		func(e editor) { e.remove("Database", aRoute, "PublicAccessRoute1") },
		[]string{"203.0.113.0/24 -> database:3306: yes -> cannot tell"},
	},
	{
		"public: both of the database tier's routes are gone", public,
		func(e editor) {
			e.remove("Database", aRoute, "PublicAccessRoute1")
			e.remove("Database", aRoute, "PublicAccessRoute2")
		},
		[]string{"203.0.113.0/24 -> database:3306: yes -> no"},
	},
	{
		"public: the internet gateway is not attached", public,
		func(e editor) { e.remove("Network", "AWS::EC2::VPCGatewayAttachment", "") },
		[]string{
			"203.0.113.0/24 -> database:3306: yes -> no", "203.0.113.0/24 -> jump server:22: yes -> no",
			"203.0.113.0/24 -> web app:80: yes -> no", "internet -> web app:80: yes -> no",
		},
	},
	{
		"where the internet gateway is attached cannot be told", nil,
		func(e editor) {
			e.undecide("Network")
			e.set("Network", "AWS::EC2::VPCGatewayAttachment", "", "VpcId", undecided)
		},
		[]string{
			"203.0.113.0/24 -> jump server:22: yes -> cannot tell", "203.0.113.0/24 -> web app:80: yes -> cannot tell",
			"internet -> web app:80: yes -> cannot tell",
		},
	},
	{
		"a subnet without a route table uses the main one, which knows the VPC only", nil,
		func(e editor) {
			e.remove("Network", "AWS::EC2::SubnetRouteTableAssociation", "NetworkVpcPublicSubnet1")
		},
		[]string{
			"203.0.113.0/24 -> jump server:22: yes -> no", "203.0.113.0/24 -> web app:80: yes -> cannot tell",
			"internet -> web app:80: yes -> cannot tell",
		},
	},
	{
		"the public tier's way out is a NAT gateway", nil,
		func(e editor) {
			for _, subnet := range []string{"NetworkVpcPublicSubnet1", "NetworkVpcPublicSubnet2"} {
				e.set("Network", aRoute, subnet, "GatewayId", nil)
				e.set("Network", aRoute, subnet, "NatGatewayId", "nat-0123")
			}
		},
		[]string{
			"203.0.113.0/24 -> jump server:22: yes -> no", "203.0.113.0/24 -> web app:80: yes -> no",
			"internet -> web app:80: yes -> no",
		},
	},
	{
		"public: the database's answers go to a transit gateway", public,
		func(e editor) {
			for _, route := range []string{"PublicAccessRoute1", "PublicAccessRoute2"} {
				e.set("Database", aRoute, route, "GatewayId", nil)
				e.set("Database", aRoute, route, "TransitGatewayId", "tgw-0123")
			}
		},
		[]string{"203.0.113.0/24 -> database:3306: yes -> cannot tell"},
	},
	{
		"a longer route inside the VPC leads to a network interface", nil,
		func(e editor) {
			e.add("Network", "Detour", aRoute, m{
				"RouteTableId":         m{"Ref": e.id("Network", aTable, "NetworkVpcPublicSubnet1")},
				"DestinationCidrBlock": "10.0.32.0/20", "NetworkInterfaceId": "eni-0123",
			})
		},
		[]string{
			"jump server -> database:3306: yes -> cannot tell", "tunnel host -> database:3306: yes -> cannot tell",
			"web app -> database:3306: yes -> cannot tell",
		},
	},
	{
		"which table a route is in cannot be told", nil,
		func(e editor) {
			e.undecide("Network")
			e.set("Network", aRoute, "NetworkVpcPublicSubnet1", "RouteTableId", undecided)
		},
		[]string{
			"203.0.113.0/24 -> jump server:22: yes -> cannot tell", "203.0.113.0/24 -> web app:80: yes -> cannot tell",
			"internet -> web app:80: yes -> cannot tell", "Lambda function -> database:3306: yes -> cannot tell",
			"jump server -> database:3306: yes -> cannot tell", "tunnel host -> database:3306: yes -> cannot tell",
			"tunnel host -> web app:80: yes -> cannot tell", "web app -> database:3306: yes -> cannot tell",
		},
	},

	// Public addresses.
	{
		"private: the database is open to everybody, but has neither address nor route", nil,
		func(e editor) {
			e.add("Database", "Open", anIn, with(tcp(3306, 3306, "CidrIp", "0.0.0.0/0"), "GroupId", m{"Ref": e.id("Database", aGroup, "")}))
		},
		nil,
	},
	{
		"private: the database has an address, but neither rule nor route", nil,
		func(e editor) { e.set("Database", dbms, "", "PubliclyAccessible", true) },
		nil,
	},
	{
		"public: the database has no address", public,
		func(e editor) { e.set("Database", dbms, "", "PubliclyAccessible", false) },
		[]string{"203.0.113.0/24 -> database:3306: yes -> no"},
	},
	{
		"public: whether the database has an address is left to RDS", public,
		func(e editor) { e.set("Database", dbms, "", "PubliclyAccessible", nil) },
		[]string{"203.0.113.0/24 -> database:3306: yes -> cannot tell"},
	},
	{
		"public: whether the database has an address depends on the region", public,
		func(e editor) {
			e.undecide("Database")
			e.set("Database", dbms, "", "PubliclyAccessible", undecided)
		},
		[]string{"203.0.113.0/24 -> database:3306: yes -> cannot tell"},
	},
	{
		"public: the database is open to the internet, with a route", public,
		func(e editor) {
			for _, route := range []string{"PublicAccessRoute1", "PublicAccessRoute2"} {
				e.set("Database", aRoute, route, "DestinationCidrBlock", "0.0.0.0/0")
			}
			e.set("Database", anIn, "PublicAccessIngress", "CidrIp", "0.0.0.0/0")
		},
		[]string{"internet -> database:3306: no -> yes"},
	},
	{
		"the jump server has neither an Elastic IP nor an automatic address", nil,
		func(e editor) {
			e.remove("Bastion", "AWS::EC2::EIP", "")
			e.stack("Bastion").Resources[e.id("Bastion", instance, "")].Properties["NetworkInterfaces"].([]any)[0].(m)["AssociatePublicIpAddress"] = false
		},
		[]string{"203.0.113.0/24 -> jump server:22: yes -> no"},
	},
	{
		"the jump server has its automatic address only", nil,
		func(e editor) { e.remove("Bastion", "AWS::EC2::EIP", "") },
		nil,
	},
	{
		"the single instance of the web app is to have no address, which Beanstalk gives it", nil,
		func(e editor) { e.setting("aws:ec2:vpc", "AssociatePublicIpAddress", "false") },
		[]string{"203.0.113.0/24 -> web app:80: yes -> cannot tell", "internet -> web app:80: yes -> cannot tell"},
	},
	{
		"the web app lies in the database tier", nil,
		func(e editor) {
			e.setting("aws:ec2:vpc", "Subnets", e.link("Network", aSubnet, "NetworkVpcDatabaseSubnet1"))
		},
		[]string{"203.0.113.0/24 -> web app:80: yes -> no", "internet -> web app:80: yes -> no"},
	},

	// Security groups.
	{
		"SSH from everybody", nil,
		func(e editor) {
			e.set("Bastion", aGroup, "", "SecurityGroupIngress", []any{ssh("CidrIp", "0.0.0.0/0")})
		},
		[]string{"internet -> jump server:22: no -> yes", "tunnel host -> jump server:22: no -> yes"},
	},
	{
		"SSH from the two halves of the internet", nil,
		func(e editor) {
			e.set("Bastion", aGroup, "", "SecurityGroupIngress", []any{ssh("CidrIp", "0.0.0.0/1"), ssh("CidrIp", "128.0.0.0/1")})
		},
		[]string{"internet -> jump server:22: no -> yes", "tunnel host -> jump server:22: no -> yes"},
	},
	{
		"SSH from the upper half of the internet: an address that AWS gives may be in it", nil,
		func(e editor) {
			e.set("Bastion", aGroup, "", "SecurityGroupIngress", []any{ssh("CidrIp", "128.0.0.0/1")})
		},
		[]string{"internet -> jump server:22: no -> yes", "tunnel host -> jump server:22: no -> cannot tell"},
	},
	{
		"SSH from the lower half of the internet alone", nil,
		func(e editor) {
			e.set("Bastion", aGroup, "", "SecurityGroupIngress", []any{ssh("CidrIp", "0.0.0.0/1")})
		},
		[]string{
			"203.0.113.0/24 -> jump server:22: yes -> no", "internet -> jump server:22: no -> yes",
			"tunnel host -> jump server:22: no -> yes", // by its private address, which is in that half
		},
	},
	{
		"SSH from a part of the administrators' block: the rest is left outside", nil,
		func(e editor) {
			e.set("Bastion", aGroup, "", "SecurityGroupIngress", []any{ssh("CidrIp", "203.0.113.64/26")})
		},
		[]string{
			"203.0.113.0/24 -> jump server:22: yes -> no", "203.0.113.64/26 -> database:3306: none -> no",
			"203.0.113.64/26 -> jump server:22: none -> yes", "203.0.113.64/26 -> tunnel host:22: none -> no",
			"203.0.113.64/26 -> web app:443: none -> no", "203.0.113.64/26 -> web app:80: none -> yes",
		},
	},
	{
		"SSH from a prefix list", nil,
		func(e editor) {
			e.set("Bastion", aGroup, "", "SecurityGroupIngress", []any{ssh("SourcePrefixListId", "pl-0123")})
		},
		[]string{
			"203.0.113.0/24 -> jump server:22: yes -> cannot tell", "internet -> jump server:22: no -> cannot tell",
			"tunnel host -> jump server:22: no -> cannot tell",
		},
	},
	{
		"SSH from all of IPv6, beside the administrators", nil,
		func(e editor) {
			e.set("Bastion", aGroup, "", "SecurityGroupIngress", []any{ssh("CidrIp", "203.0.113.0/24"), ssh("CidrIpv6", "::/0")})
		},
		[]string{"internet -> jump server:22: no -> cannot tell", "tunnel host -> jump server:22: no -> cannot tell"},
	},
	{
		"SSH from a block that cannot be told", nil,
		func(e editor) {
			e.set("Bastion", aGroup, "", "SecurityGroupIngress", []any{ssh("CidrIp", m{"Fn::GetAtt": []any{e.id("Bastion", "AWS::EC2::EIP", ""), "PublicIp"}})})
		},
		[]string{
			"203.0.113.0/24 -> jump server:22: yes -> cannot tell", "internet -> jump server:22: no -> cannot tell",
			"tunnel host -> jump server:22: no -> cannot tell",
		},
	},
	{
		"the jump server may be logged in to from the tunnel host's group", nil,
		func(e editor) {
			e.add("Bastion", "Hop", anIn, with(ssh("SourceSecurityGroupId", e.link("Tunnel", aGroup, "")), "GroupId", m{"Ref": e.id("Bastion", aGroup, "")}))
		},
		[]string{"tunnel host -> jump server:22: no -> yes"},
	},
	{
		"the tunnel host may be logged in to from the jump server, which lets nothing out on 22", nil,
		func(e editor) {
			e.add("Tunnel", "Hop", anIn, with(ssh("SourceSecurityGroupId", e.link("Bastion", aGroup, "")), "GroupId", m{"Ref": e.id("Tunnel", aGroup, "")}))
		},
		nil,
	},
	{
		"the tunnel host may be logged in to from the jump server, which lets 22 out to it", nil,
		func(e editor) {
			e.add("Tunnel", "Hop", anIn, with(ssh("SourceSecurityGroupId", e.link("Bastion", aGroup, "")), "GroupId", m{"Ref": e.id("Tunnel", aGroup, "")}))
			e.add("Bastion", "HopOut", anOut, with(ssh("DestinationSecurityGroupId", e.link("Tunnel", aGroup, "")), "GroupId", m{"Ref": e.id("Bastion", aGroup, "")}))
		},
		[]string{"jump server -> tunnel host:22: no -> yes"},
	},
	{
		"a rule for a group that no template tells of", nil,
		func(e editor) {
			e.add("Tunnel", "Hop", anIn, with(ssh("SourceSecurityGroupId", "sg-0123"), "GroupId", m{"Ref": e.id("Tunnel", aGroup, "")}))
			e.add("Bastion", "HopOut", anOut, with(ssh("CidrIp", "0.0.0.0/0"), "GroupId", m{"Ref": e.id("Bastion", aGroup, "")}))
		},
		[]string{"jump server -> tunnel host:22: no -> cannot tell", "security group sg-0123 -> tunnel host:22: none -> yes"},
	},
	{
		"in which group a rule stands cannot be told", nil,
		func(e editor) {
			e.undecide("Tunnel")
			e.add("Tunnel", "Hop", anIn, with(ssh("CidrIp", "0.0.0.0/0"), "GroupId", undecided))
		},
		[]string{
			"internet -> jump server:22: no -> cannot tell", "internet -> tunnel host:22: no -> cannot tell",
			"203.0.113.0/24 -> tunnel host:22: no -> cannot tell", "tunnel host -> jump server:22: no -> cannot tell",
		},
	},
	{
		"port 22 of the web app is open: a door of its own", nil,
		func(e editor) {
			e.add("WebApp", "Shell", anIn, with(ssh("CidrIp", "0.0.0.0/0"), "GroupId", m{"Ref": e.id("WebApp", aGroup, "")}))
		},
		[]string{
			"203.0.113.0/24 -> web app:22: none -> yes", "Lambda function -> web app:22: none -> no",
			"internet -> web app:22: none -> yes", "jump server -> web app:22: none -> no",
			"tunnel host -> web app:22: none -> yes",
		},
	},
	{
		"a range of ports of the web app is open", nil,
		func(e editor) {
			e.add("WebApp", "Range", anIn, with(tcp(8000, 8100, "CidrIp", "203.0.113.0/24"), "GroupId", m{"Ref": e.id("WebApp", aGroup, "")}))
		},
		[]string{
			"203.0.113.0/24 -> web app:8000-8100: none -> yes", "Lambda function -> web app:8000-8100: none -> no",
			"internet -> web app:8000-8100: none -> no", "jump server -> web app:8000-8100: none -> no",
			"tunnel host -> web app:8000-8100: none -> no",
		},
	},
	{
		"all protocols of the web app are open to the administrators", nil,
		func(e editor) {
			e.add("WebApp", "All", anIn, m{"IpProtocol": "-1", "CidrIp": "203.0.113.0/24", "GroupId": m{"Ref": e.id("WebApp", aGroup, "")}})
		},
		[]string{
			"203.0.113.0/24 -> web app:443: no -> yes", "203.0.113.0/24 -> web app:all ports: none -> yes",
			"Lambda function -> web app:all ports: none -> no", "internet -> web app:all ports: none -> no",
			"jump server -> web app:all ports: none -> no", "tunnel host -> web app:all ports: none -> no",
		},
	},
	{
		"UDP and ICMP open nothing", nil,
		func(e editor) {
			e.add("WebApp", "Ping", anIn, m{"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "CidrIp": "0.0.0.0/0", "GroupId": m{"Ref": e.id("WebApp", aGroup, "")}})
			e.add("WebApp", "DNS", anIn, m{"IpProtocol": "17", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0", "GroupId": m{"Ref": e.id("WebApp", aGroup, "")}})
		},
		nil,
	},
	{
		"the web app's rule out to the database is gone", nil,
		func(e editor) { e.remove("WebApp", anOut, "WebAppDatabaseAccessEgress") },
		[]string{"web app -> database:3306: yes -> no"},
	},
	{
		"the database's rule for the tunnel host is gone", nil,
		func(e editor) { e.remove("Tunnel", anIn, "TunnelHostDatabaseAccessIngress") },
		[]string{"tunnel host -> database:3306: yes -> no"},
	},
	{
		"the database lets in the VPC's block instead of groups", nil,
		func(e editor) {
			e.remove("Tunnel", anIn, "TunnelHostDatabaseAccessIngress")
			e.add("Database", "Inside", anIn, with(tcp(3306, 3306, "CidrIp", "10.0.0.0/16"), "GroupId", m{"Ref": e.id("Database", aGroup, "")}))
		},
		nil,
	},
	{
		"a rule takes its port from the database", nil,
		func(e editor) {
			port := m{"Fn::GetAtt": []any{e.id("Database", dbms, ""), "Endpoint.Port"}}
			e.set("Database", anIn, "DatabaseFunctionDatabaseAccessIngress", "FromPort", port)
			e.set("Database", anIn, "DatabaseFunctionDatabaseAccessIngress", "ToPort", port)
		},
		nil,
	},
	{
		"the database lets in half of the public tier's first subnet", nil,
		func(e editor) {
			e.remove("Tunnel", anIn, "TunnelHostDatabaseAccessIngress")
			e.add("Database", "Inside", anIn, with(tcp(3306, 3306, "CidrIp", "10.0.0.0/21"), "GroupId", m{"Ref": e.id("Database", aGroup, "")}))
		},
		[]string{"tunnel host -> database:3306: yes -> cannot tell"},
	},
	{
		"without rules of its own a group lets everything out", nil,
		func(e editor) {
			e.set("Bastion", aGroup, "", "SecurityGroupEgress", nil)
			e.remove("Bastion", anOut, "BastionDatabaseAccessEgress")
		},
		[]string{"jump server -> web app:80: no -> yes"},
	},
	{
		"with one rule that is its own resource, EC2's rule out may be left", nil,
		func(e editor) { e.set("Bastion", aGroup, "", "SecurityGroupEgress", nil) },
		[]string{"jump server -> web app:80: no -> cannot tell"},
	},
	{
		"the database wears the VPC's default group, which is closed", nil,
		func(e editor) { e.set("Database", dbms, "", "VPCSecurityGroups", nil) },
		[]string{
			"Lambda function -> database:3306: yes -> no", "jump server -> database:3306: yes -> no",
			"tunnel host -> database:3306: yes -> no", "web app -> database:3306: yes -> no",
		},
	},
	{
		"the Lambda function wears the VPC's default group, which lets nothing out either", nil,
		func(e editor) {
			config := e.stack("Database").Resources[e.id("Database", "AWS::Lambda::Function", "")].Properties["VpcConfig"].(m)
			delete(config, "SecurityGroupIds")
		},
		[]string{
			"Lambda function -> database:3306: yes -> no",
			"security group Network/NetworkFunctionsSecurityGroup -> database:3306: none -> yes",
		},
	},
	{
		"the database and the Lambda function wear the default group, which nobody has closed", nil,
		func(e editor) {
			e.remove("Network", "Custom::VpcRestrictDefaultSG", "")
			e.set("Database", dbms, "", "VPCSecurityGroups", nil)
			config := e.stack("Database").Resources[e.id("Database", "AWS::Lambda::Function", "")].Properties["VpcConfig"].(m)
			delete(config, "SecurityGroupIds")
		},
		[]string{
			"jump server -> database:3306: yes -> no", "tunnel host -> database:3306: yes -> no", "web app -> database:3306: yes -> no",
			"203.0.113.0/24 -> database:all ports: none -> no", "Lambda function -> database:all ports: none -> yes",
			"internet -> database:all ports: none -> no", "jump server -> database:all ports: none -> no",
			"tunnel host -> database:all ports: none -> no", "web app -> database:all ports: none -> no",
			"Lambda function -> web app:80: no -> yes", // by the default group's rule out
		},
	},
	{
		"the group ids come from the other stack by Fn::GetStackOutput", nil,
		func(e editor) {
			e.link("Database", aGroup, "")
			e.set("WebApp", anIn, "WebAppDatabaseAccessIngress", "GroupId", m{"Fn::GetStackOutput": m{
				"StackName": "drawbridge-dev-Database", "OutputName": "Test" + e.id("Database", aGroup, ""), "Region": m{"Ref": "AWS::Region"},
			}})
		},
		nil,
	},

	// Network ACLs.
	{
		"a network ACL without entries stands before the database", nil,
		func(e editor) { guard(e) },
		[]string{
			"Lambda function -> database:3306: yes -> no", "jump server -> database:3306: yes -> no",
			"tunnel host -> database:3306: yes -> no", "web app -> database:3306: yes -> no",
		},
	},
	{
		"a network ACL lets connections in, but no answers out", nil,
		func(e editor) { guard(e, entry(100, false, "allow", 3306, 3306, "10.0.0.0/16")) },
		[]string{
			"Lambda function -> database:3306: yes -> no", "jump server -> database:3306: yes -> no",
			"tunnel host -> database:3306: yes -> no", "web app -> database:3306: yes -> no",
		},
	},
	{
		"a network ACL lets answers out to the ports of Linux hosts, of which Lambda functions use more", nil,
		func(e editor) {
			guard(e, entry(100, false, "allow", 3306, 3306, "10.0.0.0/16"), entry(100, true, "allow", 32768, 65535, "10.0.0.0/16"))
		},
		[]string{"Lambda function -> database:3306: yes -> cannot tell"},
	},
	{
		"a network ACL denies one subnet before it allows the VPC", nil,
		func(e editor) {
			guard(e, entry(200, false, "allow", 3306, 3306, "10.0.0.0/16"), entry(100, false, "deny", 1, 65535, "10.0.0.0/20"),
				entry(100, true, "allow", 1024, 65535, "10.0.0.0/16"))
		},
		[]string{
			"jump server -> database:3306: yes -> no", "tunnel host -> database:3306: yes -> no",
			"web app -> database:3306: yes -> cannot tell", // it may lie in the public tier's other subnet
		},
	},
	{
		"public: a network ACL lets the VPC in, and not the developers", public,
		func(e editor) {
			guard(e, entry(100, false, "allow", 3306, 3306, "10.0.0.0/16"), entry(100, true, "allow", 1024, 65535, "0.0.0.0/0"))
		},
		[]string{"203.0.113.0/24 -> database:3306: yes -> no"},
	},

	// Elastic Beanstalk.
	{
		"Beanstalk makes its own group, which lets everybody in", func(dev rehearsaltest.Config) {
			dev["webapp"].(m)["visitorCidrs"] = []any{"203.0.113.0/24"}
		},
		func(e editor) {
			e.setting("aws:autoscaling:launchconfiguration", "DisableDefaultEC2SecurityGroup", nil)
		},
		[]string{"internet -> web app:80: no -> yes", "tunnel host -> web app:80: no -> yes"},
	},
	{
		"Beanstalk's own group is the only one, and not the VPC's default group, which nobody has closed", nil,
		func(e editor) {
			e.remove("Network", "Custom::VpcRestrictDefaultSG", "")
			e.setting("aws:autoscaling:launchconfiguration", "DisableDefaultEC2SecurityGroup", nil)
			e.setting("aws:autoscaling:launchconfiguration", "SecurityGroups", nil)
		},
		[]string{
			"web app -> database:3306: yes -> no",
			"security group WebApp/WebAppInstanceSecurityGroup -> database:3306: none -> yes",
		},
	},
	{
		"Beanstalk's own group opens SSH when there is a key", nil,
		func(e editor) {
			e.setting("aws:autoscaling:launchconfiguration", "DisableDefaultEC2SecurityGroup", "false")
			e.setting("aws:autoscaling:launchconfiguration", "EC2KeyName", "somebody")
			e.setting("aws:autoscaling:launchconfiguration", "SSHSourceRestriction", "tcp, 22, 22, 203.0.113.0/24")
		},
		[]string{
			"203.0.113.0/24 -> web app:22: none -> yes", "Lambda function -> web app:22: none -> no", "internet -> web app:22: none -> no",
			"jump server -> web app:22: none -> no", "tunnel host -> web app:22: none -> no",
		},
	},
	{
		"load balanced: the default listener is off", balanced,
		func(e editor) { e.setting("aws:elbv2:listener:default", "ListenerEnabled", "false") },
		[]string{
			"203.0.113.0/24 -> web app:80: yes -> no", "internet -> web app:80: yes -> no", "tunnel host -> web app:80: yes -> no",
		},
	},
	{
		"load balanced: the scheme is internal", balanced,
		func(e editor) { e.setting("aws:ec2:vpc", "ELBScheme", "internal") },
		[]string{"203.0.113.0/24 -> web app:80: yes -> no", "internet -> web app:80: yes -> no"},
	},
	{
		"load balanced: the balancer is of another type", balanced,
		func(e editor) { e.setting("aws:elasticbeanstalk:environment", "LoadBalancerType", "network") },
		[]string{
			"203.0.113.0/24 -> web app:443: no -> cannot tell", "203.0.113.0/24 -> web app:80: yes -> cannot tell",
			"Lambda function -> web app:443: no -> cannot tell", "Lambda function -> web app:80: no -> cannot tell",
			"internet -> web app:443: no -> cannot tell", "internet -> web app:80: yes -> cannot tell",
			"jump server -> web app:443: no -> cannot tell", "jump server -> web app:80: no -> cannot tell",
			"tunnel host -> web app:443: no -> cannot tell", "tunnel host -> web app:80: yes -> cannot tell",
		},
	},
	{
		"load balanced: Beanstalk manages the balancer's group, beside one for named visitors", func(dev rehearsaltest.Config) {
			balanced(dev)
			dev["webapp"].(m)["visitorCidrs"] = []any{"203.0.113.0/24"}
		},
		func(e editor) { e.setting("aws:elbv2:loadbalancer", "ManagedSecurityGroup", nil) },
		[]string{"internet -> web app:80: no -> cannot tell", "tunnel host -> web app:80: no -> cannot tell"},
	},
	{
		"load balanced: Beanstalk makes the balancer's only group", func(dev rehearsaltest.Config) {
			balanced(dev)
			dev["webapp"].(m)["visitorCidrs"] = []any{"203.0.113.0/24"}
		},
		func(e editor) {
			e.setting("aws:elbv2:loadbalancer", "ManagedSecurityGroup", nil)
			e.setting("aws:elbv2:loadbalancer", "SecurityGroups", nil)
		},
		[]string{
			"internet -> web app:80: no -> yes", "tunnel host -> web app:80: no -> yes",
			"security group WebApp/WebAppLoadBalancerSecurityGroup -> web app instances:80: none -> yes",
		},
	},
	{
		"load balanced: the instances are open to everybody, past the balancer", balanced,
		func(e editor) {
			e.add("WebApp", "Past", anIn, with(tcp(80, 80, "CidrIp", "0.0.0.0/0"), "GroupId", m{"Ref": e.id("WebApp", aGroup, "WebAppInstance")}))
		},
		[]string{
			"203.0.113.0/24 -> web app instances:80: no -> yes", "internet -> web app instances:80: no -> yes",
			"tunnel host -> web app instances:80: no -> yes",
		},
	},

	// Hosts.
	{
		"the Lambda function has left the VPC", nil,
		func(e editor) { e.set("Database", "AWS::Lambda::Function", "", "VpcConfig", nil) },
		[]string{
			"security group Network/NetworkFunctionsSecurityGroup -> database:3306: none -> yes",
			"Lambda function -> database:3306: yes -> none", "Lambda function -> jump server:22: no -> none",
			"Lambda function -> tunnel host:22: no -> none", "Lambda function -> web app:443: no -> none", "Lambda function -> web app:80: no -> none",
		},
	},
	{
		"a read replica with a public address, in the database's subnets and group", public,
		func(e editor) {
			e.add("Database", "Copy", dbms, m{
				"SourceDBInstanceIdentifier": m{"Ref": e.id("Database", dbms, "")}, "PubliclyAccessible": true,
				"VPCSecurityGroups": []any{m{"Fn::GetAtt": []any{e.id("Database", aGroup, ""), "GroupId"}}},
			})
		},
		[]string{
			"203.0.113.0/24 -> Database/Copy:3306: none -> yes", "Lambda function -> Database/Copy:3306: none -> yes",
			"internet -> Database/Copy:3306: none -> no", "jump server -> Database/Copy:3306: none -> yes",
			"tunnel host -> Database/Copy:3306: none -> yes", "web app -> Database/Copy:3306: none -> yes",
		},
	},

	// What is not understood.
	{
		"another way into the VPC: what a security group denies stays no", nil,
		func(e editor) { e.add("Network", "Hub", "AWS::EC2::TransitGateway", m{}) },
		nil,
	},
	{
		"public: another way into the VPC, and no route", public,
		func(e editor) {
			e.remove("Database", aRoute, "PublicAccessRoute1")
			e.remove("Database", aRoute, "PublicAccessRoute2")
			e.add("Network", "Peers", "AWS::EC2::VPCPeeringConnection", m{})
		},
		[]string{"203.0.113.0/24 -> database:3306: yes -> cannot tell"},
	},
	{
		"public access to VPCs may be blocked", nil,
		func(e editor) { e.add("Network", "Block", "AWS::EC2::VPCBlockPublicAccessOptions", m{}) },
		[]string{
			"203.0.113.0/24 -> jump server:22: yes -> cannot tell", "203.0.113.0/24 -> web app:80: yes -> cannot tell",
			"internet -> web app:80: yes -> cannot tell",
		},
	},
	{
		"a custom resource that only reads EC2", nil,
		func(e editor) {
			e.add("Network", "Call", "Custom::AWS", m{"Create": `{"service":"EC2","action":"DescribeInstances"}`})
		},
		nil,
	},
	{
		"types that have no effect on reach", nil,
		func(e editor) {
			e.add("Network", "Template", "AWS::EC2::LaunchTemplate", m{})
			e.add("Network", "Log", "AWS::EC2::FlowLog", m{})
			e.add("Database", "Group", "AWS::RDS::DBClusterParameterGroup", m{})
		},
		nil,
	},
}

func with(properties m, name string, value any) m {
	properties[name] = value
	return properties
}

func TestMutations(t *testing.T) {
	for _, test := range mutations {
		t.Run(test.name, func(t *testing.T) {
			areChanges(t, ofStrangers(mutated(t, test.config, test.edit)), test.want)
		})
	}
}

// ofStrangers are changes without the cells of security groups that nobody wears of which nothing is known; the others
// have the groups' names without the hashes of their logical ids.
func ofStrangers(changes []reach.Change) (kept []reach.Change) {
	for _, c := range changes {
		if strings.HasPrefix(c.From, "security group ") {
			if c.After == reach.CannotTell {
				continue
			}
			c.From = hash.ReplaceAllString(c.From, "")
		}
		kept = append(kept, c)
	}
	return kept
}

var hash = regexp.MustCompile(`[0-9A-F]{8}$`)

// mutated is what an edit changes in the table. The administrators' block has its row whatever the rules say.
func mutated(t *testing.T, config func(rehearsaltest.Config), edit func(editor)) []reach.Change {
	t.Helper()
	read := func(a *template.Assembly) *reach.Table {
		found, err := reach.Read(a, reach.Options{Blocks: []string{"203.0.113.0/24"}})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	before := read(rehearsaltest.Synthesize(t, config))
	a := rehearsaltest.Synthesize(t, config)
	edit(editor{t, a})
	return reach.Diff(before, read(a))
}

func TestWhatIsNotModelledLeavesNoNo(t *testing.T) {
	for _, typ := range []string{
		"AWS::EC2::NetworkInterface", "AWS::EC2::InstanceConnectEndpoint", "AWS::EC2::ClientVpnEndpoint", "AWS::EC2::SomethingNew",
		"AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ElasticLoadBalancing::LoadBalancer", "AWS::RDS::DBProxy",
		"AWS::RDS::DBCluster", "AWS::CloudFormation::Stack",
	} {
		t.Run(typ, func(t *testing.T) {
			areChanges(t, mutated(t, nil, func(e editor) { e.add("Database", "Unknown", typ, m{}) }), becomeUncertain(t, reach.No))
		})
	}
}

func TestACustomResourceThatCallsEC2LeavesNothingCertain(t *testing.T) {
	areChanges(t, mutated(t, nil, func(e editor) {
		e.add("Network", "Call", "Custom::AWS", m{
			"Create": m{"Fn::Join": []any{"", []any{`{"service":"EC2","action":"authorizeSecurityGroupIngress","parameters":{"GroupId":"`, m{"Ref": "AWS::StackId"}, `"}}`}}},
		})
	}), becomeUncertain(t, reach.No, reach.Yes))
}

// becomeUncertain are the cells of dev with one of these answers, each with the change to cannot tell.
func becomeUncertain(t *testing.T, answers ...reach.Answer) (changes []string) {
	t.Helper()
	for _, c := range table(t, nil).Cells {
		if slices.Contains(answers, c.Answer) {
			changes = append(changes, c.From+" -> "+c.To+": "+string(c.Answer)+" -> cannot tell")
		}
	}
	return changes
}
