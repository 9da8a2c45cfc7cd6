package constructs_test

import (
	"os"
	"testing"
	"encoding/json"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/jsii-runtime-go"

	"drawbridge/constructs"
	"drawbridge/internal/cdktest"
)

func TestMain(m *testing.M) { cdktest.Main(m) }

func dump(t *testing.T, name string, build func(stack awscdk.Stack)) {
	cdktest.Try(t, func() {
		stack := awscdk.NewStack(cdktest.NewApp(t), jsii.String("Stack"), nil)
		build(stack)
		b, _ := json.MarshalIndent(cdktest.Synthesize(t, stack), "", " ")
		os.WriteFile("/tmp/dump/"+name+".json", b, 0o644)
	})
}
func vpc(stack awscdk.Stack) awsec2.IVpc {
	return awsec2.Vpc_FromVpcAttributes(stack, jsii.String("Vpc"), &awsec2.VpcAttributes{VpcId: jsii.String("vpc-1"), AvailabilityZones: jsii.Strings("a","b")})
}
func subnets(stack awscdk.Stack) *[]awsec2.ISubnet {
	return &[]awsec2.ISubnet{sub(stack,"1"),sub(stack,"2")}
}
func sub(stack awscdk.Stack, n string) awsec2.ISubnet {
	return awsec2.Subnet_FromSubnetAttributes(stack, jsii.String("s"+n), &awsec2.SubnetAttributes{SubnetId: jsii.String("subnet-"+n), AvailabilityZone: jsii.String("z"+n), RouteTableId: jsii.String("rtb-"+n)})
}
func sg(stack awscdk.Stack) awsec2.ISecurityGroup {
	return awsec2.SecurityGroup_FromSecurityGroupId(stack, jsii.String("sgd"), jsii.String("sg-database"), nil)
}

func TestDump(t *testing.T) {
	for _, c := range []string{"10.0.0.0/16", "banana/16", "::/16", "10.0.0.1/16", "10.0.0.0/+16", "10.0.0.0/016", "300.0.0.0/16"} {
		func() {
			defer func() { if c2 := recover(); c2 != nil { t.Log(c, "PANIC", c2) } }()
			stack := awscdk.NewStack(cdktest.NewApp(t), jsii.String("Stack"), nil)
			constructs.NewNetwork(stack, "Network", &constructs.NetworkProps{Name: "n", CIDR: c})
			tm := cdktest.Synthesize(t, stack)
			t.Log(c, tm.One(t, "AWS::EC2::VPC").Properties["CidrBlock"], tm.Resources("AWS::EC2::Subnet")[0].Properties["CidrBlock"])
		}()
	}
	dump(t, "network", func(s awscdk.Stack) { constructs.NewNetwork(s, "Network", &constructs.NetworkProps{Name: "n", CIDR: "10.0.0.0/16"}) })
	dump(t, "database", func(s awscdk.Stack) {
		d := constructs.NewDatabase(s, "Database", &constructs.DatabaseProps{Vpc: vpc(s), Subnets: subnets(s), Name: "monster_teams", MasterUsername: "admin", InstanceClass: "db.t4g.micro", StorageGiB: 20, BackupDays: 1})
		constructs.NewReadOnlyUser(s, "User", &constructs.ReadOnlyUserProps{Database: d, Username: `o'b"r`})
		constructs.NewPublicAccess(s, "Public", &constructs.PublicAccessProps{SecurityGroup: d.SecurityGroup, RouteTableIDs: []*string{jsii.String("rtb-1")}, InternetGatewayID: jsii.String("igw-1"), CIDRs: []string{"1.2.3.4/32"}})
	})
	dump(t, "bastion", func(s awscdk.Stack) {
		constructs.NewBastion(s, "Bastion", &constructs.BastionProps{Vpc: vpc(s), Subnet: (*subnets(s))[0], DatabaseSecurityGroup: sg(s), SSHCIDRs: []string{"1.2.3.4/32"}, AdministratorsPath: "/p/a", Administrators: []constructs.Administrator{{"malia", "{}"}}, Architecture: constructs.ARM64, InstanceType: "t4g.micro", InstanceName: "n"})
	})
	dump(t, "tunnel", func(s awscdk.Stack) {
		constructs.NewTunnelHost(s, "Tunnel", &constructs.TunnelHostProps{Vpc: vpc(s), Subnet: (*subnets(s))[0], DatabaseSecurityGroup: sg(s), Vendors: []constructs.SSHServer{{"a.example", 443}, {"1.2.3.4", 22}}, Architecture: constructs.X86_64, InstanceType: "t3.micro", InstanceName: "n"})
	})
	for _, lb := range []bool{false, true} {
		name := map[bool]string{true: "lb", false: "single"}[lb]
		dump(t, "webapp-"+name, func(s awscdk.Stack) {
			p := &constructs.WebAppProps{Vpc: vpc(s), Subnets: subnets(s), DatabaseSecurityGroup: sg(s), DatabaseHost: jsii.String("db.example"), DatabasePort: jsii.String("3306"), DatabaseName: "monster_teams",
				Secret: awssecretsmanager.Secret_FromSecretCompleteArn(s, jsii.String("sec"), jsii.String("arn:aws:secretsmanager:eu-central-1:111111111111:secret:webapp-AbCdEf")),
				BundlePath: cdktest.Bundle(t), VisitorCIDRs: []string{"0.0.0.0/0"}, LoadBalanced: lb, PlatformRefresh: "1", Architecture: constructs.ARM64, InstanceType: "t4g.micro"}
			if lb { p.CertificateARN = "arn:cert" }
			constructs.NewWebApp(s, "WebApp", p)
		})
	}
}
