package constructs_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"

	"drawbridge/constructs"
	"drawbridge/internal/cdktest"
)

func TestMain(m *testing.M) { cdktest.Main(m) }

// template is that of one stack to which build has added constructs. Its references and joined texts are readable ones:
// ${Id} for a Ref, ${Id.Attribute} for a Fn::GetAtt, ${Export} for a Fn::ImportValue, one text for a Fn::Join of texts.
func template(t *testing.T, build func(stack awscdk.Stack)) cdktest.Template {
	t.Helper()
	var made cdktest.Template
	cdktest.Try(t, func() {
		stack := awscdk.NewStack(cdktest.NewApp(t), jsii.String("Stack"), nil)
		build(stack)
		made = cdktest.Synthesize(t, stack)
	})
	return readable(map[string]any(made)).(map[string]any)
}

func readable(v any) any {
	switch v := v.(type) {
	case map[string]any:
		made := map[string]any{}
		for key, value := range v {
			made[key] = readable(value)
		}
		if len(made) != 1 {
			return made
		}
		if id, ok := made["Ref"].(string); ok {
			return "${" + id + "}"
		}
		if text, ok := made["Fn::Sub"].(string); ok {
			return text
		}
		if export, ok := made["Fn::ImportValue"].(string); ok {
			return "${" + export + "}"
		}
		if names, ok := made["Fn::GetAtt"].([]any); ok {
			return fmt.Sprintf("${%v.%v}", names...)
		}
		if join, ok := made["Fn::Join"].([]any); ok {
			if texts, ok := join[1].([]any); ok && !slices.ContainsFunc(texts, notText) {
				return strings.Join(asTexts(texts), join[0].(string))
			}
		}
		return made
	case []any:
		made := make([]any, len(v))
		for i, value := range v {
			made[i] = readable(value)
		}
		return made
	}
	return v
}

func notText(v any) bool {
	_, ok := v.(string)
	return !ok
}

func text(v any) string {
	if text, ok := v.(map[string]any)["Fn::Base64"].(string); ok {
		return text
	}
	return ""
}

func asTexts(list []any) []string {
	var texts []string
	for _, v := range list {
		texts = append(texts, v.(string))
	}
	return texts
}

// What a construct is given is imported by a plain id, so that nothing but the construct itself stands in its template.
// The ids have the form of real ones, which CloudFormation Validate checks.

const databaseGroup = "sg-da7aba5e"

func vpc(stack awscdk.Stack) awsec2.IVpc {
	return awsec2.Vpc_FromVpcAttributes(stack, jsii.String("Vpc"), &awsec2.VpcAttributes{
		VpcId:                       jsii.String("vpc-00000001"),
		AvailabilityZones:           jsii.Strings("zone-1", "zone-2"),
		PublicSubnetIds:             jsii.Strings("subnet-00000011", "subnet-00000012"),
		PublicSubnetRouteTableIds:   jsii.Strings("rtb-00000011", "rtb-00000012"),
		IsolatedSubnetIds:           jsii.Strings("subnet-00000021", "subnet-00000022"),
		IsolatedSubnetRouteTableIds: jsii.Strings("rtb-00000021", "rtb-00000022"),
	})
}

func securityGroup(stack awscdk.Stack, id string) awsec2.ISecurityGroup {
	return awsec2.SecurityGroup_FromSecurityGroupId(stack, &id, &id, nil)
}

const alarmsTopic = "arn:aws:sns:eu-central-1:123456789012:alarms"

func topic(stack awscdk.Stack) awssns.ITopic {
	return awssns.Topic_FromTopicArn(stack, jsii.String("AlarmsTopic"), jsii.String(alarmsTopic))
}

// hostProps are those of a host named castle-HOST, with a program that is none.
func hostProps(t *testing.T, stack awscdk.Stack, host string) constructs.HostProps {
	v := vpc(stack)
	return constructs.HostProps{
		Vpc: v, Subnet: (*v.PublicSubnets())[0], DatabaseSecurityGroup: securityGroup(stack, databaseGroup),
		DatabaseHost: jsii.String("db.example.com"), DatabasePort: jsii.String("3306"), EnvironmentName: "castle",
		Architecture: constructs.ARM64, InstanceType: "t4g.micro", InstanceName: "castle-" + host,
		ImageRefresh: "2026-11", PatchWindow: "Sun *-*-* 03:00:00", ProgramPath: cdktest.Asset(t),
	}
}

// otherStack has a database and its function, which the stack under test refers to.
func otherStack(t *testing.T, stack awscdk.Stack) (*constructs.Database, *constructs.DatabaseFunction) {
	other := awscdk.NewStack(stack.Node().Scope().(awscdk.App), jsii.String("Other"), nil)
	network := constructs.NewNetwork(other, "Network", &constructs.NetworkProps{Name: "test", CIDR: "10.0.0.0/16"})
	database := constructs.NewDatabase(other, "Database", &constructs.DatabaseProps{
		Vpc: network.Vpc, Subnets: network.DatabaseSubnets(), Name: "monster_teams", MasterUsername: "admin",
		InstanceClass: "db.t4g.micro", StorageGiB: 20, BackupDays: 1,
	})
	return database, constructs.NewDatabaseFunction(other, "Function", &constructs.DatabaseFunctionProps{
		Network: network, SecretsManagerURL: network.SecretsManagerURL(), Database: database, Architecture: constructs.ARM64, Code: cdktest.Asset(t),
	})
}

// check compares some properties of a thing with what they should be; nil stands for a property that is not there.
func check(t *testing.T, got, want map[string]any) {
	t.Helper()
	for property, value := range want {
		if got, want := cdktest.JSON(got[property]), cdktest.JSON(value); got != want {
			t.Errorf("%s is %s, want %s", property, got, want)
		}
	}
}

// same compares two values by their JSON.
func same(t *testing.T, got, want any) {
	t.Helper()
	if got, want := cdktest.JSON(got), cdktest.JSON(want); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// called is the template's only resource of a type that has a text in its id.
func called(t *testing.T, template cdktest.Template, kind, text string) cdktest.Resource {
	t.Helper()
	var found []cdktest.Resource
	for _, r := range template.Resources(kind) {
		if strings.Contains(r.ID, text) {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d resources of type %s are called %s, want 1", len(found), kind, text)
	}
	return found[0]
}

// traffic is every rule of every security group in a template, sorted: "a <- b tcp 22" lets b in to a, "a -> b tcp 443"
// lets a out to b. A group goes by its description, an address by its block.
func traffic(template cdktest.Template) []string {
	groups := template.Resources("AWS::EC2::SecurityGroup")
	name := func(id any) string {
		if id == databaseGroup {
			return "database"
		}
		for _, g := range groups {
			if id == "${"+g.ID+".GroupId}" {
				return g.Properties["GroupDescription"].(string)
			}
		}
		return fmt.Sprint(id)
	}
	var lines []string
	add := func(group any, arrow string, rule map[string]any) {
		var peers []string
		for _, key := range []string{"CidrIp", "CidrIpv6", "SourceSecurityGroupId", "DestinationSecurityGroupId", "SourcePrefixListId", "DestinationPrefixListId"} {
			if rule[key] != nil {
				peers = append(peers, name(rule[key]))
			}
		}
		ports := fmt.Sprint(rule["FromPort"])
		if rule["FromPort"] != rule["ToPort"] {
			ports += fmt.Sprint("-", rule["ToPort"])
		}
		line := fmt.Sprintf("%s %s %s %v %s", name(group), arrow, strings.Join(peers, "+"), rule["IpProtocol"], ports)
		// CDK's way to say 'no egress': an address that nobody has, and a message type that does not exist.
		lines = append(lines, strings.Replace(line, "255.255.255.255/32 icmp 252-86", "nowhere", 1))
	}
	open := map[string]bool{} // groups without an egress rule, which EC2 lets out to everywhere
	for _, g := range groups {
		id := "${" + g.ID + ".GroupId}"
		ingress, _ := g.Properties["SecurityGroupIngress"].([]any)
		egress, _ := g.Properties["SecurityGroupEgress"].([]any)
		for _, rule := range ingress {
			add(id, "<-", rule.(map[string]any))
		}
		for _, rule := range egress {
			add(id, "->", rule.(map[string]any))
		}
		open[id] = len(egress) == 0
	}
	for _, r := range template.Resources("AWS::EC2::SecurityGroupIngress") {
		add(r.Properties["GroupId"], "<-", r.Properties)
	}
	for _, r := range template.Resources("AWS::EC2::SecurityGroupEgress") {
		add(r.Properties["GroupId"], "->", r.Properties)
		delete(open, fmt.Sprint(r.Properties["GroupId"]))
	}
	for id, isOpen := range open {
		if isOpen {
			lines = append(lines, name(id)+" -> everywhere")
		}
	}
	slices.Sort(lines)
	return lines
}

func checkTraffic(t *testing.T, template cdktest.Template, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := traffic(template); !slices.Equal(got, want) {
		t.Errorf("\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// statements are those of a policy document, one a line.
func statements(document any) []string {
	var lines []string
	for _, s := range document.(map[string]any)["Statement"].([]any) {
		s := s.(map[string]any)
		line := fmt.Sprintf("%v %s", s["Effect"], strings.Join(listed(s["Action"]), ","))
		if s["Resource"] != nil {
			line += " on " + strings.Join(listed(s["Resource"]), " ")
		}
		for _, key := range []string{"Principal", "Condition", "NotAction", "NotResource", "NotPrincipal"} {
			if s[key] != nil {
				line += " " + key + " " + cdktest.JSON(s[key])
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// listed is v as a list of texts, sorted: IAM takes one text where it takes several.
func listed(v any) []string {
	var texts []string
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			texts = append(texts, fmt.Sprint(element))
		}
	default:
		texts = append(texts, fmt.Sprint(v))
	}
	slices.Sort(texts)
	return texts
}

func checkStatements(t *testing.T, document any, want ...string) {
	t.Helper()
	got := statements(document)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// rolePolicy is the document of the only policy that is attached to a role.
func rolePolicy(t *testing.T, template cdktest.Template, role string) any {
	t.Helper()
	var found []cdktest.Resource
	for _, r := range template.Resources("AWS::IAM::Policy") {
		if slices.Contains(listed(r.Properties["Roles"]), "${"+role+"}") {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d policies are attached to %s, want 1", len(found), role)
	}
	return found[0].Properties["PolicyDocument"]
}
