//go:build linux && root

package vpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"drawbridge/internal/notrun"
	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/machine"
)

type properties = map[string]any

// deploy observes resources, as (type, id, properties).
func (s *site) deploy(kind, id string, p properties) {
	s.t.Helper()
	// As the deployer has them: numbers keep their digits.
	text, err := json.Marshal(p)
	if err != nil {
		s.t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	state := cloudformation.State{Type: kind, LogicalID: id}
	if err := decoder.Decode(&state.Properties); err != nil {
		s.t.Fatal(err)
	}
	state.PhysicalID = id
	if kind == "AWS::EC2::VPC" {
		state.Attributes = properties{"DefaultSecurityGroup": "sg-default"}
	}
	if kind == "AWS::EC2::EIP" {
		state.Ref = p["Address"].(string)
	}
	s.Observe(cloudformation.Operation{Action: cloudformation.Create, Type: kind, LogicalID: id}, state)
	if err := s.Err(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) remove(kind, id string) {
	s.t.Helper()
	state := cloudformation.State{Type: kind, LogicalID: id}
	state.PhysicalID = id
	s.Observe(cloudformation.Operation{Action: cloudformation.Delete, Type: kind, LogicalID: id}, state)
	if err := s.Err(); err != nil {
		s.t.Fatal(err)
	}
}

// site is a VPC with a public and a private subnet, a web host and a database, a gateway, and a visitor.
type site struct {
	*VPC
	t       *testing.T
	web, db *Interface
	visitor *machine.Namespace
	webIP   netip.Addr
}

func newSite(t *testing.T) *site {
	t.Helper()
	if os.Geteuid() != 0 {
		notrun.Because(t, "network namespaces take root")
	}
	v, err := New("test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &site{VPC: v, t: t}
	s.deploy("AWS::EC2::VPC", "vpc-1", properties{"CidrBlock": "10.7.0.0/16"})
	s.deploy("AWS::EC2::Subnet", "subnet-public", properties{"CidrBlock": "10.7.0.0/24", "MapPublicIpOnLaunch": true})
	s.deploy("AWS::EC2::Subnet", "subnet-private", properties{"CidrBlock": "10.7.1.0/24"})
	s.deploy("AWS::EC2::InternetGateway", "igw-1", nil)
	s.deploy("AWS::EC2::VPCGatewayAttachment", "attachment", properties{"InternetGatewayId": "igw-1", "VpcId": "vpc-1"})
	s.deploy("AWS::EC2::RouteTable", "rtb-public", properties{})
	s.deploy("AWS::EC2::SubnetRouteTableAssociation", "assoc-public", properties{"SubnetId": "subnet-public", "RouteTableId": "rtb-public"})
	s.deploy("AWS::EC2::Route", "route", properties{"RouteTableId": "rtb-public", "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"})
	s.deploy("AWS::EC2::RouteTable", "rtb-private", properties{})
	s.deploy("AWS::EC2::SubnetRouteTableAssociation", "assoc-private", properties{"SubnetId": "subnet-private", "RouteTableId": "rtb-private"})
	s.deploy("AWS::EC2::SecurityGroup", "sg-web", properties{
		"SecurityGroupIngress": []any{properties{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "0.0.0.0/0"}},
		"SecurityGroupEgress":  []any{properties{"IpProtocol": "icmp", "FromPort": 252, "ToPort": 86, "CidrIp": "255.255.255.255/32"}},
	})
	s.deploy("AWS::EC2::SecurityGroup", "sg-db", properties{})
	s.deploy("AWS::EC2::SecurityGroupEgress", "rule-out", properties{"GroupId": "sg-web", "IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306, "DestinationSecurityGroupId": "sg-db"})
	s.deploy("AWS::EC2::SecurityGroupIngress", "rule-in", properties{"GroupId": "sg-db", "IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306, "SourceSecurityGroupId": "sg-web"})
	if s.web, err = v.AddInterface("web", []string{"subnet-public"}, []string{"sg-web"}, true); err != nil {
		t.Fatal(err)
	}
	if s.db, err = v.AddInterface("db", []string{"subnet-private"}, []string{"sg-db"}, false); err != nil {
		t.Fatal(err)
	}
	if s.visitor, err = v.Party("visitor", netip.MustParseAddr("203.0.113.9")); err != nil {
		t.Fatal(err)
	}
	s.webIP = v.PublicOf(s.web)
	for _, at := range []struct {
		n interface {
			Listen(string, string) (net.Listener, error)
		}
		address string
	}{{s.web, "0.0.0.0:80"}, {s.web, "0.0.0.0:81"}, {s.db, "0.0.0.0:3306"}, {s.visitor, "0.0.0.0:443"}} {
		l, err := at.n.Listen("tcp", at.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go echo(l)
	}
	return s
}

// echo tells whoever connects where they come from.
func echo(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, conn.RemoteAddr().String())
		_ = conn.Close()
	}
}

type dialler interface {
	Dial(context.Context, string, string) (net.Conn, error)
}

// seen is the address that a connection is seen to come from; "" if there is none.
func (s *site) seen(from dialler, to netip.Addr, port uint16) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Second)
	defer cancel()
	conn, err := from.Dial(ctx, "tcp", netip.AddrPortFrom(to, port).String())
	if err != nil {
		var timeout net.Error
		if !errors.As(err, &timeout) {
			s.t.Fatal(err)
		}
		return ""
	}
	defer conn.Close()
	text, err := io.ReadAll(conn)
	if err != nil {
		s.t.Fatal(err)
	}
	host, _, _ := net.SplitHostPort(string(text))
	return host
}

func (s *site) want(what string, from dialler, to netip.Addr, port uint16, want string) {
	s.t.Helper()
	if got := s.seen(from, to, port); got != want {
		rules, _ := s.Router().Command(s.t.Context(), "nft", "list", "ruleset").CombinedOutput()
		routes, _ := s.Router().Command(s.t.Context(), "sh", "-c", "ip rule; ip route show table all").CombinedOutput()
		s.t.Errorf("%s: it is seen to come from %q, want %q\n%s\n%s", what, got, want, rules, routes)
	}
}

func TestTheNetworkDoesWhatTheResourcesSay(t *testing.T) {
	s := newSite(t)
	s.want("a visitor to the web host", s.visitor, s.webIP, 80, "203.0.113.9")
	s.want("a visitor to a port without a rule", s.visitor, s.webIP, 81, "")
	s.want("a visitor to the web host's private address", s.visitor, s.web.IP(), 80, "")
	s.want("the web host to the database", s.web, s.db.IP(), 3306, s.web.IP().String())
	s.want("the database to the web host, although it lets all out", s.db, s.web.IP(), 81, "")
	s.want("the web host to the internet, which no rule lets it", s.web, s.visitor.IP(), 443, "")
	s.want("the database to the internet, to which it has no route", s.db, s.visitor.IP(), 443, "")

	s.deploy("AWS::EC2::SecurityGroupEgress", "rule-https", properties{"GroupId": "sg-web", "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"})
	s.want("the web host to the internet, by its public address", s.web, s.visitor.IP(), 443, s.webIP.String())
	s.deploy("AWS::EC2::EIP", "eip", properties{"Address": "198.18.200.7", "InstanceId": "web"})
	s.want("and by its Elastic IP, when it has one", s.web, s.visitor.IP(), 443, "198.18.200.7")
	s.want("where visitors find it", s.visitor, netip.MustParseAddr("198.18.200.7"), 80, "203.0.113.9")
	s.want("and at the old address no more", s.visitor, s.webIP, 80, "")

	s.deploy("AWS::EC2::NetworkAcl", "acl", properties{})
	s.deploy("AWS::EC2::NetworkAclEntry", "acl-in", properties{"NetworkAclId": "acl", "RuleNumber": 100, "Protocol": -1, "RuleAction": "allow", "CidrBlock": "0.0.0.0/0"})
	s.deploy("AWS::EC2::NetworkAclEntry", "acl-out", properties{"NetworkAclId": "acl", "RuleNumber": 100, "Protocol": 6, "RuleAction": "allow", "Egress": true, "CidrBlock": "0.0.0.0/0", "PortRange": properties{"From": 1024, "To": 65535}})
	s.deploy("AWS::EC2::NetworkAclEntry", "acl-deny", properties{"NetworkAclId": "acl", "RuleNumber": 50, "Protocol": 6, "RuleAction": "deny", "Egress": true, "CidrBlock": "10.7.0.0/16", "PortRange": properties{"From": 0, "To": 65535}})
	s.deploy("AWS::EC2::SubnetNetworkAclAssociation", "acl-assoc", properties{"SubnetId": "subnet-private", "NetworkAclId": "acl"})
	s.want("the web host to the database, whose answers a network ACL stops", s.web, s.db.IP(), 3306, "")
	s.remove("AWS::EC2::NetworkAclEntry", "acl-deny")
	s.want("the web host to the database, whose answers a network ACL allows", s.web, s.db.IP(), 3306, s.web.IP().String())

	s.remove("AWS::EC2::SecurityGroupIngress", "rule-in")
	s.want("the web host to the database, without a rule there", s.web, s.db.IP(), 3306, "")
	s.remove("AWS::EC2::Route", "route")
	s.want("a visitor to the web host, which has no way back", s.visitor, netip.MustParseAddr("198.18.200.7"), 80, "")
}

func TestADatabaseGoesPublicAndBack(t *testing.T) {
	s := newSite(t)
	if err := s.SetPublic("db", true); err != nil {
		t.Fatal(err)
	}
	at := s.PublicOf(s.db)
	s.deploy("AWS::EC2::SecurityGroupIngress", "developer", properties{"GroupId": "sg-db", "IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306, "CidrIp": "203.0.113.0/24"})
	s.want("a developer, before there is a route back", s.visitor, at, 3306, "")
	s.deploy("AWS::EC2::Route", "astray", properties{"RouteTableId": "rtb-private", "DestinationCidrBlock": "203.0.113.0/24", "GatewayId": "igw-of-another-vpc"})
	s.want("a developer, with a route back to a gateway that is not attached", s.visitor, at, 3306, "")
	s.remove("AWS::EC2::Route", "astray")
	s.deploy("AWS::EC2::Route", "back", properties{"RouteTableId": "rtb-private", "DestinationCidrBlock": "203.0.113.0/24", "GatewayId": "igw-1"})
	s.want("a developer", s.visitor, at, 3306, "203.0.113.9")
	stranger, err := s.Party("stranger", netip.MustParseAddr("192.0.2.9"))
	if err != nil {
		t.Fatal(err)
	}
	s.want("a stranger", stranger, at, 3306, "")
	s.remove("AWS::EC2::VPCGatewayAttachment", "attachment")
	s.want("a developer, without a gateway", s.visitor, at, 3306, "")
	s.deploy("AWS::EC2::VPCGatewayAttachment", "attachment", properties{"InternetGatewayId": "igw-1", "VpcId": "vpc-1"})
	if err := s.SetPublic("db", false); err != nil {
		t.Fatal(err)
	}
	s.want("a developer, after the flip", s.visitor, at, 3306, "")
}

func TestS3IsReachedByTheGatewayEndpoint(t *testing.T) {
	s := newSite(t)
	l, err := s.Listen(netip.AddrPortFrom(S3, 443))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go echo(l)
	s.want("the database, without the endpoint", s.db, S3, 443, "")
	s.deploy("AWS::EC2::VPCEndpoint", "vpce", properties{"ServiceName": "com.amazonaws.eu-west-1.s3", "RouteTableIds": []any{"rtb-private"}})
	s.want("the database, with it", s.db, S3, 443, s.db.IP().String())
	s.want("the database to the rest of the internet", s.db, s.visitor.IP(), 443, "")
}

func TestWhatIsNotPlayedIsSaid(t *testing.T) {
	s := newSite(t)
	s.Observe(cloudformation.Operation{Action: cloudformation.Create}, cloudformation.State{
		Type: "AWS::EC2::Route", Resource: cloudformation.Resource{PhysicalID: "nat"},
		Properties: properties{"RouteTableId": "rtb-private", "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"},
	})
	if err := s.Err(); err == nil {
		t.Error("a route to a NAT gateway was taken without a word")
	}
}
