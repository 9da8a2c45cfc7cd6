package reach_test

import (
	"fmt"
	"strings"
	"testing"

	"drawbridge/reach"
)

// blocks are rules for SSH from count blocks of a prefix length, from first.0.0.0 on.
func blocks(first, count, bits int) (rules []any) {
	for i := range count {
		second := 0
		if bits > 8 {
			first, second = first+i/256, i%256
		}
		at := first
		if bits <= 8 {
			at += i
		}
		rules = append(rules, ssh("CidrIp", fmt.Sprintf("%d.%d.0.0/%d", at, second, bits)))
	}
	return rules
}

func TestManyNamedBlocksAreTheInternet(t *testing.T) {
	for name, test := range map[string]struct {
		rules            []any
		internet, inside reach.Answer
	}{
		"one /8":                       {blocks(50, 1, 8), reach.No, reach.No},
		"two /8":                       {blocks(50, 2, 8), reach.Yes, reach.CannotTell},
		"59 of them":                   {blocks(40, 59, 8), reach.Yes, reach.CannotTell},
		"a /8 in pieces":               {blocks(50, 256, 16), reach.No, reach.No},
		"a /8 in pieces and one more":  {append(blocks(50, 256, 16), ssh("CidrIp", "60.0.0.0/16")), reach.Yes, reach.CannotTell},
		"a /8 twice":                   {append(blocks(50, 1, 8), blocks(50, 2, 16)...), reach.No, reach.No},
		"a /8 that nobody can send by": {append(blocks(50, 1, 8), ssh("CidrIp", "192.168.0.0/16")), reach.No, reach.No},
	} {
		t.Run(name, func(t *testing.T) {
			e := small(t)
			e.set("Lab", aGroup, "", "SecurityGroupIngress", test.rules)
			// Core can only take the way by public addresses.
			e.add("Lab", "Other", aVPC, m{"CidrBlock": "10.10.0.0/16"})
			e.add("Lab", "Attach2", "AWS::EC2::VPCGatewayAttachment", m{"VpcId": m{"Ref": "Other"}, "InternetGatewayId": m{"Ref": "Gateway"}})
			e.add("Lab", "Table2", aTable, m{"VpcId": m{"Ref": "Other"}})
			e.add("Lab", "Joins2", "AWS::EC2::SubnetRouteTableAssociation", m{"RouteTableId": m{"Ref": "Table2"}, "SubnetId": m{"Ref": "Back"}})
			e.add("Lab", "Out2", aRoute, m{"RouteTableId": m{"Ref": "Table2"}, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": m{"Ref": "Gateway"}})
			e.set("Lab", aSubnet, "Back", "VpcId", m{"Ref": "Other"})
			e.set("Lab", aSubnet, "Back", "CidrBlock", "10.10.1.0/24")
			e.set("Lab", aSubnet, "Back", "MapPublicIpOnLaunch", true)
			found := e.read()
			if c, _ := found.Cell("internet", edge+":22"); c.Answer != test.internet {
				t.Errorf("from the internet it is %s: %v", c.Answer, c.Why)
			} else if c.Answer == reach.Yes && !strings.HasPrefix(c.Why[0].Text, "named networks that together have more addresses than a /8") {
				t.Errorf("the reasons are %v", c.Why)
			}
			if c, _ := found.Cell(core, edge+":22"); c.Answer != test.inside {
				t.Errorf("from Core it is %s: %v", c.Answer, c.Why)
			}
		})
	}
}

func TestManyNamedBlocksThatPerhapsGetIn(t *testing.T) {
	e := small(t)
	e.set("Lab", aGroup, "", "SecurityGroupIngress", blocks(50, 2, 8))
	e.set("Lab", aRoute, "Out", "GatewayId", "igw-0123")
	c, _ := e.read().Cell("internet", edge+":22")
	if last := c.Why[len(c.Why)-1]; c.Answer != reach.CannotTell || !strings.HasSuffix(last.Text, "2 of them may get in") {
		t.Errorf("the cell is %+v", c)
	}
}
