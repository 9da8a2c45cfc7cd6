package constructs_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"drawbridge/constructs"
	"drawbridge/internal/cdktest"
)

func newPublicAccess(stack awscdk.Stack, cidrs ...string) *constructs.PublicAccess {
	return constructs.NewPublicAccess(stack, "PublicAccess", &constructs.PublicAccessProps{
		SecurityGroup:     securityGroup(stack, databaseGroup),
		RouteTableIDs:     []*string{jsii.String("rtb-00000021"), jsii.String("rtb-00000022")},
		InternetGatewayID: jsii.String("igw-00000001"),
		CIDRs:             cidrs,
	})
}

func publicAccess(t *testing.T, cidrs ...string) cdktest.Template {
	t.Helper()
	return template(t, func(stack awscdk.Stack) { newPublicAccess(stack, cidrs...) })
}

func TestPublicAccess(t *testing.T) {
	t.Run("is one rule for each block", func(t *testing.T) {
		checkTraffic(t, publicAccess(t, "203.0.113.0/24", "198.51.100.7/32"),
			"database <- 203.0.113.0/24 tcp 3306", "database <- 198.51.100.7/32 tcp 3306")
	})
	t.Run("is one route for each block and route table", func(t *testing.T) {
		var routes []string
		for _, r := range publicAccess(t, "203.0.113.0/24", "198.51.100.7/32").Resources("AWS::EC2::Route") {
			routes = append(routes, fmt.Sprint(r.Properties["RouteTableId"], " ", r.Properties["DestinationCidrBlock"], " ", r.Properties["GatewayId"]))
		}
		slices.Sort(routes)
		same(t, routes, []string{
			"rtb-00000021 198.51.100.7/32 igw-00000001", "rtb-00000021 203.0.113.0/24 igw-00000001",
			"rtb-00000022 198.51.100.7/32 igw-00000001", "rtb-00000022 203.0.113.0/24 igw-00000001",
		})
	})
	t.Run("is nothing without blocks", func(t *testing.T) {
		cdktest.Try(t, func() {
			stack := awscdk.NewStack(cdktest.NewApp(t), jsii.String("Stack"), nil)
			if made := *newPublicAccess(stack).Node().Children(); len(made) != 0 {
				t.Errorf("it is %d things", len(made))
			}
		})
	})
	t.Run("is the same in whatever order the blocks stand", func(t *testing.T) {
		same(t, publicAccess(t, "203.0.113.0/24", "198.51.100.7/32", "192.0.2.0/28"), publicAccess(t, "192.0.2.0/28", "203.0.113.0/24", "198.51.100.7/32"))
	})
	t.Run("of one block does not move when another comes", func(t *testing.T) {
		one, two := publicAccess(t, "203.0.113.0/24"), publicAccess(t, "198.51.100.7/32", "203.0.113.0/24")
		for _, r := range one.Resources("") {
			same(t, two["Resources"].(map[string]any)[r.ID], r.All)
		}
	})
	t.Run("tells blocks apart that have the same digits", func(t *testing.T) {
		if got := len(publicAccess(t, "1.11.1.1/32", "11.1.1.1/32", "1.1.11.1/32", "1.11.1.1/31").Resources("AWS::EC2::SecurityGroupIngress")); got != 4 {
			t.Errorf("%d rules, want 4", got)
		}
	})
}
