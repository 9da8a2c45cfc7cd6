package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// assembly is a folder with one stack: a VPC with an instance that the given block may log in to.
func assembly(t *testing.T, block string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"manifest.json": `{"artifacts": {"Bastion": {"type": "aws:cloudformation:stack",
			"properties": {"templateFile": "Bastion.template.json", "stackName": "drawbridge-lab-Bastion"}}}}`,
		"Bastion.template.json": `{"Resources": {
			"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}},
			"Gateway": {"Type": "AWS::EC2::InternetGateway"},
			"Attach": {"Type": "AWS::EC2::VPCGatewayAttachment", "Properties": {"VpcId": {"Ref": "Vpc"}, "InternetGatewayId": {"Ref": "Gateway"}}},
			"Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.9.0.0/24", "MapPublicIpOnLaunch": true}},
			"Table": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
			"Out": {"Type": "AWS::EC2::Route", "Properties": {"RouteTableId": {"Ref": "Table"}, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": {"Ref": "Gateway"}}},
			"Joins": {"Type": "AWS::EC2::SubnetRouteTableAssociation", "Properties": {"RouteTableId": {"Ref": "Table"}, "SubnetId": {"Ref": "Subnet"}}},
			"Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"VpcId": {"Ref": "Vpc"},
				"SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "` + block + `"}]}},
			"Host": {"Type": "AWS::EC2::Instance", "Properties": {"SubnetId": {"Ref": "Subnet"}, "SecurityGroupIds": [{"Ref": "Group"}]}}}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func output(t *testing.T, arguments ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if err := run(arguments, &stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	return stdout.String()
}

func TestPrintsTheTable(t *testing.T) {
	want := `drawbridge-lab   jump server
                 :22
internet         no
198.51.100.0/24  no
203.0.113.0/24   yes
jump server      -
`
	if got := output(t, "-block", "198.51.100.0/24", assembly(t, "203.0.113.0/24")); got != want {
		t.Errorf("the output is\n%s\nand should be\n%s", got, want)
	}
}

func TestPrintsEveryFormat(t *testing.T) {
	for format, start := range map[string]string{
		"text": "drawbridge-lab", "explain": "drawbridge-lab", "json": "{\n", "svg": "<svg ", "mermaid": "flowchart LR\n",
	} {
		if got := output(t, "-format", format, assembly(t, "203.0.113.0/24")); !strings.HasPrefix(got, start) {
			t.Errorf("the format %s starts with %.40q, and should with %q", format, got, start)
		}
	}
}

func TestDiffLooksAtTheNetworksOfBoth(t *testing.T) {
	got := output(t, "-diff", assembly(t, "203.0.113.0/24"), assembly(t, "198.51.100.0/24"))
	for _, want := range []string{
		"| 203.0.113.0/24 | jump server:22 | yes | no |",
		"| 198.51.100.0/24 | jump server:22 | no | **yes** |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the output is\n%s\nand should hold %s", got, want)
		}
	}
}

func TestDiffOfTheSameIsEmpty(t *testing.T) {
	if got := output(t, "-diff", assembly(t, "203.0.113.0/24"), assembly(t, "203.0.113.0/24")); got != "" {
		t.Errorf("the output is %q", got)
	}
}

func TestErrorsAreOneSentence(t *testing.T) {
	for name, test := range map[string]struct {
		arguments []string
		want      string
	}{
		"no folder":           {nil, "1 folder(s) must be named, such as cdk.out/dev, and 0 are: see reach -help"},
		"one folder to diff":  {[]string{"-diff", "a"}, "2 folder(s) must be named, such as cdk.out/dev, and 1 are: see reach -help"},
		"a folder without it": {[]string{"nowhere"}, "nowhere is no cloud assembly, it has no manifest.json: run make synth first"},
		"an unknown format":   {[]string{"-format", "png", assembly(t, "203.0.113.0/24")}, `there is no format "png": it is text, explain, json, svg or mermaid`},
		"no block":            {[]string{"-block", "x", assembly(t, "203.0.113.0/24")}, `"x" is no IPv4 block, such as 203.0.113.0/24`},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			err := run(test.arguments, &stdout, &stderr)
			if err == nil || err.Error() != test.want || stdout.Len() > 0 {
				t.Errorf("the error is %v, and should be %s", err, test.want)
			}
		})
	}
}
