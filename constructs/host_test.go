package constructs_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"drawbridge/constructs"
	"drawbridge/internal/cdktest"
)

// sessionManager is what Session Manager needs of an instance's role.
var sessionManager = []string{
	"Allow ssmmessages:CreateControlChannel,ssmmessages:CreateDataChannel,ssmmessages:OpenControlChannel,ssmmessages:OpenDataChannel on *",
	"Allow ssm:UpdateInstanceInformation on arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:instance/*",
}

// checkImage wants the only instance to start from the AMI that a public parameter names when the stack is deployed.
func checkImage(t *testing.T, made cdktest.Template, parameter string) {
	t.Helper()
	image := strings.Trim(made.One(t, "AWS::EC2::Instance").Properties["ImageId"].(string), "${}")
	declared, ok := made["Parameters"].(map[string]any)[image].(map[string]any)
	if !ok {
		t.Fatalf("%s is no parameter of the template", image)
	}
	check(t, declared, map[string]any{"Default": parameter, "Type": "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"})
}

// Jump server and tunnel host are both such a host.
func TestHost(t *testing.T) {
	var publicIP any
	hosts := map[string]cdktest.Template{
		"jump server": template(t, func(stack awscdk.Stack) {
			publicIP = readable(stack.Resolve(newBastion(stack, nil).PublicIP))
		}),
		"tunnel host": tunnelHost(t, nil),
	}
	t.Run("gives its Elastic IP as its address", func(t *testing.T) {
		if want := "${" + hosts["jump server"].One(t, "AWS::EC2::EIP").ID + ".PublicIp}"; publicIP != want {
			t.Errorf("it gives %v, want %s", publicIP, want)
		}
	})
	for name, made := range hosts {
		t.Run(name, func(t *testing.T) {
			instance := made.One(t, "AWS::EC2::Instance")
			role := made.One(t, "AWS::IAM::Role")
			t.Run("keeps its address when the instance is replaced", func(t *testing.T) {
				address := made.One(t, "AWS::EC2::EIP")
				same(t, address.Properties, map[string]any{"Domain": "vpc"})
				check(t, made.One(t, "AWS::EC2::EIPAssociation").Properties, map[string]any{
					"AllocationId": "${" + address.ID + ".AllocationId}", "InstanceId": "${" + instance.ID + "}",
				})
			})
			t.Run("reaches the internet before it has that address", func(t *testing.T) {
				card := instance.Properties["NetworkInterfaces"].([]any)[0].(map[string]any)
				check(t, card, map[string]any{
					"AssociatePublicIpAddress": true, "SubnetId": "subnet-00000011",
					"GroupSet": []any{"${" + made.One(t, "AWS::EC2::SecurityGroup").ID + ".GroupId}"},
				})
			})
			t.Run("takes IMDSv2 alone, and not from containers", func(t *testing.T) {
				check(t, instance.Properties, map[string]any{
					"MetadataOptions": map[string]any{"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
				})
			})
			t.Run("has one encrypted volume", func(t *testing.T) {
				check(t, instance.Properties, map[string]any{"BlockDeviceMappings": []any{map[string]any{
					"DeviceName": "/dev/xvda", "Ebs": map[string]any{"Encrypted": true, "VolumeSize": 8, "VolumeType": "gp3"},
				}}})
			})
			t.Run("has no SSH key of EC2's", func(t *testing.T) {
				check(t, instance.Properties, map[string]any{"KeyName": nil})
			})
			t.Run("has its role", func(t *testing.T) {
				profile := made.One(t, "AWS::IAM::InstanceProfile")
				check(t, instance.Properties, map[string]any{"IamInstanceProfile": "${" + profile.ID + "}"})
				check(t, profile.Properties, map[string]any{"Roles": []any{"${" + role.ID + "}"}})
				checkStatements(t, role.Properties["AssumeRolePolicyDocument"], `Allow sts:AssumeRole Principal {"Service":"ec2.amazonaws.com"}`)
			})
			t.Run("waits for what its role may do", func(t *testing.T) {
				same(t, listed(instance.All["DependsOn"]), listed([]any{made.One(t, "AWS::IAM::Policy").ID, role.ID}))
			})
		})
	}
	t.Run("has the name and type that it is given", func(t *testing.T) {
		made := bastion(t, func(p *constructs.BastionProps) { p.InstanceName, p.InstanceType = "keep", "t4g.small" })
		instance := made.One(t, "AWS::EC2::Instance")
		check(t, instance.Properties, map[string]any{"InstanceType": "t4g.small"})
		check(t, tags(instance), map[string]any{"Name": "keep"})
	})
}
