package reach_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"drawbridge/reach"
	"drawbridge/rehearsal/rehearsaltest"
)

func TestMain(m *testing.M) { rehearsaltest.Main(m) }

// table is what Read makes of the environment dev of cdk.json after a change.
func table(t *testing.T, change func(dev rehearsaltest.Config), blocks ...string) *reach.Table {
	t.Helper()
	found, err := reach.Read(rehearsaltest.Synthesize(t, change), reach.Options{Blocks: blocks})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func public(dev rehearsaltest.Config) { dev["exposure"] = "public" }

func balanced(dev rehearsaltest.Config) { dev["webapp"].(m)["loadBalanced"] = true }

func isText(t *testing.T, got *reach.Table, want string) {
	t.Helper()
	if want = strings.TrimPrefix(want, "\n"); got.Text() != want {
		t.Errorf("the table is\n%s\nand should be\n%s", got.Text(), want)
	}
}

func TestPrivatePhase(t *testing.T) {
	isText(t, table(t, nil), `
drawbridge-dev   database  web app  web app  jump server  tunnel host
                 :3306     :80      :443     :22          :22
internet         no        yes      no       no           no
203.0.113.0/24   no        yes      no       yes          no
web app          yes       -        -        no           no
jump server      yes       no       no       -            no
tunnel host      yes       yes      no       no           -
Lambda function  yes       no       no       no           no
`)
}

func TestPublicPhase(t *testing.T) {
	isText(t, table(t, public), `
drawbridge-dev   database  web app  web app  jump server  tunnel host
                 :3306     :80      :443     :22          :22
internet         no        yes      no       no           no
203.0.113.0/24   yes       yes      no       yes          no
web app          yes       -        -        no           no
jump server      yes       no       no       -            no
tunnel host      yes       yes      no       no           -
Lambda function  yes       no       no       no           no
`)
}

// Replicas stay private: they have the database's security group, which lets developers in, but no public address.
func TestReadReplicaInThePublicPhase(t *testing.T) {
	isText(t, table(t, func(dev rehearsaltest.Config) {
		public(dev)
		dev["database"].(m)["readReplicas"] = 1
	}), `
drawbridge-dev   database  web app  web app  jump server  tunnel host  Database/Replica1Instance0F4075BC
                 :3306     :80      :443     :22          :22          :3306
internet         no        yes      no       no           no           no
203.0.113.0/24   yes       yes      no       yes          no           no
web app          yes       -        -        no           no           yes
jump server      yes       no       no       -            no           yes
tunnel host      yes       yes      no       no           -            yes
Lambda function  yes       no       no       no           no           yes
`)
}

func TestDevelopersWithTwoBlocksOfTheirOwn(t *testing.T) {
	isText(t, table(t, func(dev rehearsaltest.Config) {
		public(dev)
		dev["developerCidrs"] = []any{"192.0.2.16/28", "198.51.100.9/32"}
	}), `
drawbridge-dev   database  web app  web app  jump server  tunnel host
                 :3306     :80      :443     :22          :22
internet         no        yes      no       no           no
192.0.2.16/28    yes       yes      no       no           no
198.51.100.9/32  yes       yes      no       no           no
203.0.113.0/24   no        yes      no       yes          no
web app          yes       -        -        no           no
jump server      yes       no       no       -            no
tunnel host      yes       yes      no       no           -
Lambda function  yes       no       no       no           no
`)
}

func TestAdministratorsWithTwoBlocks(t *testing.T) {
	isText(t, table(t, func(dev rehearsaltest.Config) {
		dev["bastion"].(m)["sshCidrs"] = []any{"203.0.113.0/24", "198.51.100.0/25"}
	}), `
drawbridge-dev   database  web app  web app  jump server  tunnel host
                 :3306     :80      :443     :22          :22
internet         no        yes      no       no           no
198.51.100.0/25  no        yes      no       yes          no
203.0.113.0/24   no        yes      no       yes          no
web app          yes       -        -        no           no
jump server      yes       no       no       -            no
tunnel host      yes       yes      no       no           -
Lambda function  yes       no       no       no           no
`)
}

func TestWithoutTunnels(t *testing.T) {
	isText(t, table(t, func(dev rehearsaltest.Config) { dev["tunnels"] = []any{} }), `
drawbridge-dev   database  web app  web app  jump server
                 :3306     :80      :443     :22
internet         no        yes      no       no
203.0.113.0/24   no        yes      no       yes
web app          yes       -        -        no
jump server      yes       no       no       -
Lambda function  yes       no       no       no
`)
}

func TestLoadBalanced(t *testing.T) {
	isText(t, table(t, balanced), `
drawbridge-dev   database  web app  web app  web app instances  jump server  tunnel host
                 :3306     :80      :443     :80                :22          :22
internet         no        yes      no       no                 no           no
203.0.113.0/24   no        yes      no       no                 yes          no
web app          yes       -        -        -                  no           no
jump server      yes       no       no       no                 -            no
tunnel host      yes       yes      no       no                 no           -
Lambda function  yes       no       no       no                 no           no
`)
}

func TestLoadBalancedWithACertificate(t *testing.T) {
	isText(t, table(t, func(dev rehearsaltest.Config) {
		balanced(dev)
		dev["webapp"].(m)["certificateArn"] = "arn:aws:acm:eu-central-1:123456789012:certificate/0b0c9c9e-2f3d-4a77-8a55-0c8c0b0f7a11"
	}), `
drawbridge-dev   database  web app  web app  web app instances  jump server  tunnel host
                 :3306     :80      :443     :80                :22          :22
internet         no        yes      yes      no                 no           no
203.0.113.0/24   no        yes      yes      no                 yes          no
web app          yes       -        -        -                  no           no
jump server      yes       no       yes      no                 -            no
tunnel host      yes       yes      yes      no                 no           -
Lambda function  yes       no       yes      no                 no           no
`)
}

func TestVisitorsFromOneNetwork(t *testing.T) {
	isText(t, table(t, func(dev rehearsaltest.Config) {
		dev["webapp"].(m)["visitorCidrs"] = []any{"198.51.100.0/24"}
	}), `
drawbridge-dev   database  web app  web app  jump server  tunnel host
                 :3306     :80      :443     :22          :22
internet         no        no       no       no           no
198.51.100.0/24  no        yes      no       no           no
203.0.113.0/24   no        no       no       yes          no
web app          yes       -        -        no           no
jump server      yes       no       no       -            no
tunnel host      yes       no       no       no           -
Lambda function  yes       no       no       no           no
`)
}

func TestTheFlipClosesTheDevelopersWayAndNothingElse(t *testing.T) {
	areChanges(t, reach.Diff(table(t, nil), table(t, public)), []string{"203.0.113.0/24 -> database:3306: no -> yes"})
}

func TestTheFlipOfDevelopersWhomNoOtherRuleNames(t *testing.T) {
	developers := func(dev rehearsaltest.Config) { dev["developerCidrs"] = []any{"192.0.2.16/28"} }
	private := table(t, developers, "192.0.2.16/28")
	public := table(t, func(dev rehearsaltest.Config) { public(dev); developers(dev) }, "192.0.2.16/28")
	areChanges(t, reach.Diff(private, public), []string{"192.0.2.16/28 -> database:3306: no -> yes"})
}

func TestSourcesSayWhereAPacketIsToBeSentFrom(t *testing.T) {
	got := table(t, func(dev rehearsaltest.Config) {
		dev["bastion"].(m)["sshCidrs"] = []any{"203.0.113.0/24", "203.0.113.0/28"}
	}, "198.51.100.0/24")
	address := netip.MustParseAddr
	for _, want := range []reach.Source{
		{Name: "internet", Addresses: []netip.Addr{address("192.0.2.7")}},
		{Name: "198.51.100.0/24", Block: "198.51.100.0/24", Addresses: []netip.Addr{address("198.51.100.1")}},
		{Name: "203.0.113.0/24", Block: "203.0.113.0/24", Addresses: []netip.Addr{address("203.0.113.16")}},
		{Name: "203.0.113.0/28", Block: "203.0.113.0/28", Addresses: []netip.Addr{address("203.0.113.1")}},
	} {
		i := slices.IndexFunc(got.Sources, func(s reach.Source) bool { return s.Name == want.Name })
		if i < 0 || got.Sources[i].Block != want.Block || got.Sources[i].Inside || !slices.Equal(got.Sources[i].Addresses, want.Addresses) {
			t.Errorf("the sources are %+v, and should hold %+v", got.Sources, want)
		}
	}
}

func TestInsideSourcesAndDoorsNameTheirResource(t *testing.T) {
	got := table(t, nil)
	i := slices.IndexFunc(got.Sources, func(s reach.Source) bool { return s.Name == "jump server" })
	if s := got.Sources[i]; !s.Inside || s.Stack != "Bastion" || !strings.HasPrefix(s.LogicalID, "BastionInstance") || len(s.Addresses) > 0 {
		t.Errorf("the source is %+v", s)
	}
	if d := got.Doors[0]; d.Stack != "Database" || !strings.HasPrefix(d.LogicalID, "DatabaseInstance") || d.Title() != "database:3306" {
		t.Errorf("the door is %+v", d)
	}
}

func TestReasonsAreInTheOrderOfThePacket(t *testing.T) {
	for _, test := range []struct {
		from, to string
		want     []string
	}{
		{"web app", "database:3306", []string{
			"yes: the web app's security groups let it out on port 3306 (MySQL to the database) WebApp/WebAppDatabaseAccessEgress",
			"yes: by the VPC's local route Network/NetworkVpc",
			"yes: the database's security groups let it in on port 3306 (MySQL from the web app) WebApp/WebAppDatabaseAccessIngress",
		}},
		{"203.0.113.0/24", "database:3306", []string{
			"no: there is no public address for the database Database/DatabaseInstance",
			"no: the database's security groups have no rule that lets it in on port 3306 Database/DatabaseSecurityGroup",
			"no: answers have no route to the internet Network/NetworkVpcDatabaseSubnet1RouteTable",
		}},
		{"internet", "web app:80", []string{
			"yes: there is a public address for the web app WebApp/WebAppEnvironment",
			"yes: the web app's security groups let it in on port 80 (Visitors of the web app) WebApp/WebAppInstanceSecurityGroup",
			"yes: answers go to the internet gateway Network/NetworkVpcPublicSubnet1DefaultRoute",
		}},
	} {
		t.Run(test.from+" to "+test.to, func(t *testing.T) {
			c, ok := table(t, nil).Cell(test.from, test.to)
			if !ok || len(c.Why) != len(test.want) {
				t.Fatalf("the cell is %+v", c)
			}
			for i, r := range c.Why {
				if got := string(r.Answer) + ": " + r.Text + " " + r.Where; !strings.HasPrefix(got, test.want[i]) {
					t.Errorf("reason %d is\n%s\nand should start with\n%s", i, got, test.want[i])
				}
			}
		})
	}
}
