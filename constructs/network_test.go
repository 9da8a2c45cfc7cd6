package constructs_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/jsii-runtime-go"

	"drawbridge/constructs"
	"drawbridge/internal/cdktest"
)

func network(t *testing.T, cidr string, zones ...string) cdktest.Template {
	t.Helper()
	return template(t, func(stack awscdk.Stack) {
		constructs.NewNetwork(stack, "Network", &constructs.NetworkProps{Name: "castle", CIDR: cidr, AvailabilityZones: zones})
	})
}

// tags are a resource's tags by their keys.
func tags(r cdktest.Resource) map[string]any {
	byKey := map[string]any{}
	list, _ := r.Properties["Tags"].([]any)
	for _, tag := range list {
		tag := tag.(map[string]any)
		byKey[tag["Key"].(string)] = tag["Value"]
	}
	return byKey
}

// tier are the subnets of a tier, by the tag that CDK gives them.
func tier(template cdktest.Template, name string) []cdktest.Resource {
	var subnets []cdktest.Resource
	for _, subnet := range template.Resources("AWS::EC2::Subnet") {
		if tags(subnet)["aws-cdk:subnet-name"] == name {
			subnets = append(subnets, subnet)
		}
	}
	return subnets
}

// routeTables are the route tables of a tier's subnets.
func routeTables(t *testing.T, template cdktest.Template, name string) []any {
	t.Helper()
	var tables []any
	for _, subnet := range tier(template, name) {
		for _, association := range template.Resources("AWS::EC2::SubnetRouteTableAssociation") {
			if association.Properties["SubnetId"] == "${"+subnet.ID+"}" {
				tables = append(tables, association.Properties["RouteTableId"])
			}
		}
	}
	if len(tables) != 2 {
		t.Fatalf("the tier %s has %d route tables, want 2", name, len(tables))
	}
	return tables
}

var tiers = []string{"Public", "Database", "Functions"}

func TestNetworkSubnets(t *testing.T) {
	for _, cidr := range []string{"10.0.0.0/16", "172.16.48.0/20", "192.168.8.0/23"} {
		t.Run(cidr, func(t *testing.T) {
			made := network(t, cidr)
			check(t, made.One(t, "AWS::EC2::VPC").Properties, map[string]any{"CidrBlock": cidr})
			whole := netip.MustParsePrefix(cidr)
			var blocks []netip.Prefix
			for _, name := range tiers {
				var zones []string
				for _, subnet := range tier(made, name) {
					block, err := netip.ParsePrefix(subnet.Properties["CidrBlock"].(string))
					if err != nil {
						t.Fatal(err)
					}
					if !whole.Contains(block.Addr()) || block.Bits() != whole.Bits()+4 || block != block.Masked() {
						t.Errorf("%s has %s, want a sixteenth of %s", subnet.ID, block, whole)
					}
					for _, other := range blocks {
						if block.Overlaps(other) {
							t.Errorf("%s overlaps %s", block, other)
						}
					}
					blocks = append(blocks, block)
					zones = append(zones, cdktest.JSON(subnet.Properties["AvailabilityZone"]))
				}
				// The region's first zone and its second.
				want := []string{`{"Fn::Select":[0,{"Fn::GetAZs":""}]}`, `{"Fn::Select":[1,{"Fn::GetAZs":""}]}`}
				if !slices.Equal(zones, want) {
					t.Errorf("the tier %s lies in %q, want %q", name, zones, want)
				}
			}
			if all := len(made.Resources("AWS::EC2::Subnet")); len(blocks) != 6 || all != 6 {
				t.Errorf("%d subnets in three tiers, %d in all; want 6", len(blocks), all)
			}
		})
	}
	t.Run("lie in the availability zones that are named", func(t *testing.T) {
		made := network(t, "10.0.0.0/16", "eu-central-1c", "eu-central-1a")
		for _, name := range tiers {
			var zones []any
			for _, subnet := range tier(made, name) {
				zones = append(zones, subnet.Properties["AvailabilityZone"])
			}
			same(t, zones, []any{"eu-central-1c", "eu-central-1a"})
		}
	})
	t.Run("hand out public addresses in the public tier alone", func(t *testing.T) {
		made := network(t, "10.0.0.0/16")
		for _, name := range tiers {
			for _, subnet := range tier(made, name) {
				if subnet.Properties["MapPublicIpOnLaunch"] != (name == "Public") {
					t.Errorf("%s: MapPublicIpOnLaunch is %v", subnet.ID, subnet.Properties["MapPublicIpOnLaunch"])
				}
			}
		}
	})
	t.Run("have names, as has what belongs to them", func(t *testing.T) {
		made := network(t, "10.0.0.0/16")
		for _, name := range tiers {
			tables := routeTables(t, made, name)
			for i, subnet := range tier(made, name) {
				want := fmt.Sprintf("castle %s %d", strings.ToLower(name), i+1)
				if got := tags(subnet)["Name"]; got != want {
					t.Errorf("%s is named %v, want %s", subnet.ID, got, want)
				}
				for _, table := range made.Resources("AWS::EC2::RouteTable") {
					if tables[i] == "${"+table.ID+"}" && tags(table)["Name"] != want {
						t.Errorf("%s is named %v, want %s", table.ID, tags(table)["Name"], want)
					}
				}
			}
		}
		for _, kind := range []string{"AWS::EC2::VPC", "AWS::EC2::InternetGateway"} {
			if got := tags(made.One(t, kind))["Name"]; got != "castle" {
				t.Errorf("the %s is named %v, want castle", kind, got)
			}
		}
	})
	t.Run("are found by their tier", func(t *testing.T) {
		var found [][]string
		made := template(t, func(stack awscdk.Stack) {
			n := constructs.NewNetwork(stack, "Network", &constructs.NetworkProps{Name: "castle", CIDR: "10.0.0.0/16"})
			for _, subnets := range []*[]awsec2.ISubnet{n.PublicSubnets(), n.DatabaseSubnets(), n.FunctionsSubnets()} {
				var ids []string
				for _, subnet := range *subnets {
					ids = append(ids, fmt.Sprint(readable(stack.Resolve(subnet.SubnetId()))))
				}
				found = append(found, ids)
			}
		})
		for i, name := range tiers {
			var want []string
			for _, subnet := range tier(made, name) {
				want = append(want, "${"+subnet.ID+"}")
			}
			same(t, found[i], want)
		}
	})
}

func TestNetworkRefusesWhatItCannotCutIntoSixteen(t *testing.T) {
	for name, cidr := range map[string]string{
		"a block larger than a VPC can be":                         "10.0.0.0/15",
		"a block whose sixteenth is too small for a load balancer": "10.0.0.0/24",
		"an address":            "10.0.0.0",
		"two prefix lengths":    "10.0.0.0/16/20",
		"a word for a length":   "10.0.0.0/sixteen",
		"a length below nought": "10.0.0.0/-16",
		"no length":             "10.0.0.0/",
		"an address in a block": "10.0.0.1/16",
		"an IPv6 block":         "fd00::/20",
		"nothing":               "",
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				want := fmt.Sprintf("the network's CIDR is %q; expected an IPv4 block in canonical form, from /16 to /23, such as 10.0.0.0/16", cidr)
				if got := recover(); got != want {
					t.Errorf("it says %v, want %s", got, want)
				}
			}()
			stack := awscdk.NewStack(cdktest.NewApp(t), jsii.String("Stack"), nil)
			constructs.NewNetwork(stack, "Network", &constructs.NetworkProps{Name: "castle", CIDR: cidr})
		})
	}
}

func TestNetworkRoutesThePublicTierAloneToTheInternet(t *testing.T) {
	made := network(t, "10.0.0.0/16")
	gateway := made.One(t, "AWS::EC2::InternetGateway").ID
	check(t, made.One(t, "AWS::EC2::VPCGatewayAttachment").Properties, map[string]any{"InternetGatewayId": "${" + gateway + "}"})
	var tables []any
	for _, route := range made.Resources("AWS::EC2::Route") {
		check(t, route.Properties, map[string]any{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "${" + gateway + "}"})
		tables = append(tables, route.Properties["RouteTableId"])
	}
	same(t, tables, routeTables(t, made, "Public"))
}

func TestNetworkSecurityGroups(t *testing.T) {
	checkTraffic(t, network(t, "10.0.0.0/16"),
		"Lambda functions inside the VPC -> 0.0.0.0/0 tcp 443",
		"Endpoint of AWS Secrets Manager <- Lambda functions inside the VPC tcp 443",
		"Endpoint of AWS Secrets Manager -> nowhere",
	)
}

func TestNetworkS3Endpoint(t *testing.T) {
	made := network(t, "10.0.0.0/16")
	endpoint := called(t, made, "AWS::EC2::VPCEndpoint", "S3Endpoint").Properties
	t.Run("is the free kind", func(t *testing.T) {
		check(t, endpoint, map[string]any{"VpcEndpointType": "Gateway", "ServiceName": "com.amazonaws.${AWS::Region}.s3"})
	})
	t.Run("serves the functions tier alone", func(t *testing.T) {
		same(t, endpoint["RouteTableIds"], routeTables(t, made, "Functions"))
	})
	t.Run("takes answers to CloudFormation and nothing else", func(t *testing.T) {
		checkStatements(t, endpoint["PolicyDocument"],
			`Allow s3:PutObject on arn:${AWS::Partition}:s3:::cloudformation-custom-resource-response-*/* Principal {"AWS":"*"}`)
	})
}

func TestNetworkSecretsManagerEndpoint(t *testing.T) {
	made := network(t, "10.0.0.0/16")
	endpoint := called(t, made, "AWS::EC2::VPCEndpoint", "SecretsManagerEndpoint").Properties
	t.Run("lies in one zone, without a private name", func(t *testing.T) {
		check(t, endpoint, map[string]any{
			"VpcEndpointType": "Interface", "ServiceName": "com.amazonaws.${AWS::Region}.secretsmanager", "PrivateDnsEnabled": false,
			"SubnetIds": []any{"${" + tier(made, "Functions")[0].ID + "}"},
		})
	})
	t.Run("wears its own security group", func(t *testing.T) {
		group := called(t, made, "AWS::EC2::SecurityGroup", "SecretsManagerEndpoint").ID
		check(t, endpoint, map[string]any{"SecurityGroupIds": []any{"${" + group + ".GroupId}"}})
	})
	t.Run("takes this account's callers and secrets alone", func(t *testing.T) {
		checkStatements(t, endpoint["PolicyDocument"],
			"Allow secretsmanager:DescribeSecret,secretsmanager:GetSecretValue,secretsmanager:PutSecretValue,secretsmanager:UpdateSecretVersionStage"+
				" on arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:*"+
				` Principal {"AWS":"*"} Condition {"StringEquals":{"aws:PrincipalAccount":"${AWS::AccountId}"}}`)
	})
}
