package reach_test

import (
	"strings"
	"testing"

	"drawbridge/reach"
)

func TestUnknownTypesThatAreInTheVPCLeaveNoNo(t *testing.T) {
	front, group := m{"Ref": "Front"}, m{"Fn::GetAtt": []any{"Group", "GroupId"}}
	config := m{"AwsvpcConfiguration": m{"Subnets": []any{front}, "SecurityGroups": []any{group}, "AssignPublicIp": "ENABLED"}}
	unknown := m{"Ref": "AWS::Region"}
	for name, test := range map[string]struct {
		typ        string
		properties m
	}{
		"an auto-scaling group":                   {"AWS::AutoScaling::AutoScalingGroup", m{"VPCZoneIdentifier": []any{front}}},
		"one whose launch template names groups":  {"AWS::AutoScaling::AutoScalingGroup", m{"LaunchTemplate": m{"LaunchTemplateId": m{"Ref": "Template"}}}},
		"a service of containers":                 {"AWS::ECS::Service", m{"NetworkConfiguration": config}},
		"a schedule that starts containers":       {"AWS::Scheduler::Schedule", m{"Target": m{"EcsParameters": m{"NetworkConfiguration": config}}}},
		"a replication instance":                  {"AWS::DMS::ReplicationInstance", m{"VpcSecurityGroupIds": []any{group}}},
		"a cache":                                 {"AWS::ElastiCache::ReplicationGroup", m{"SecurityGroupIds": []any{group}}},
		"a VPC alone":                             {"AWS::ElasticLoadBalancingV2::TargetGroup", m{"VpcId": m{"Ref": "Vpc"}}},
		"the VPC's default group":                 {"AWS::EFS::MountTarget", m{"SecurityGroups": []any{m{"Fn::GetAtt": []any{"Vpc", "DefaultSecurityGroup"}}}}},
		"ids with commas between them":            {"AWS::SecretsManager::RotationSchedule", m{"HostedRotationLambda": m{"VpcSubnetIds": m{"Fn::Join": []any{",", []any{"x", front}}}}}},
		"an id of another environment":            {"AWS::EKS::Cluster", m{"ResourcesVpcConfig": m{"SubnetIds": []any{"subnet-0123456789abcdef0"}}}},
		"a value of which the property's name":    {"AWS::CodeBuild::Project", m{"VpcConfig": m{"SubnetIds": []any{unknown}}}},
		"a part of a value that cannot be told":   {"AWS::MSK::Cluster", m{"Other": m{"Fn::Join": []any{"/", []any{unknown, front}}}}},
		"a text of which a part cannot be told":   {"AWS::Batch::ComputeEnvironment", m{"Other": m{"Fn::Sub": "${AWS::Region}/${Group.GroupId}"}}},
		"a type of somebody's own":                {"Acme::Cache::Cluster", m{"In": front}},
		"a template of Beanstalk's settings":      {"AWS::ElasticBeanstalk::ConfigurationTemplate", m{"OptionSettings": []any{m{"Namespace": "aws:ec2:vpc", "OptionName": "Subnets", "Value": front}}}},
		"a Lambda function of another template's": {"AWS::Serverless::Function", m{"VpcConfig": m{"SubnetIds": []any{front}}}},
	} {
		t.Run(name, func(t *testing.T) {
			e := small(t)
			e.add("Lab", "Template", "AWS::EC2::LaunchTemplate", m{"LaunchTemplateData": m{"SecurityGroupIds": []any{group}}})
			e.add("Lab", "Unknown", test.typ, test.properties)
			e.set("Lab", aGroup, "", "SecurityGroupIngress", nil)
			found := e.read()
			for _, c := range found.Cells {
				if c.Answer != reach.CannotTell || c.Why[len(c.Why)-1].Where != "Lab/Unknown" || !strings.HasPrefix(c.Why[len(c.Why)-1].Text, test.typ) {
					t.Errorf("%+v", c)
				}
			}
		})
	}
}

func TestTypesThatOnlyNameTheVPCChangeNothing(t *testing.T) {
	for name, test := range map[string]struct {
		typ        string
		properties m
	}{
		"a policy":                         {"AWS::IAM::Policy", m{"PolicyDocument": m{"Resource": m{"Ref": "Group"}}}},
		"a parameter":                      {"AWS::SSM::Parameter", m{"Value": m{"Ref": "Vpc"}}},
		"a private zone":                   {"AWS::Route53::HostedZone", m{"VPCs": []any{m{"VPCId": m{"Ref": "Vpc"}}}}},
		"an unknown type elsewhere":        {"AWS::ECS::Service", m{"Cluster": m{"Ref": "AWS::Region"}}},
		"a resource with a longer name":    {"AWS::ECS::Service", m{"Cluster": m{"Ref": "GroupOfMine"}}},
		"the VPC's block, which is a text": {"AWS::AppRunner::Service", m{"Source": m{"Fn::GetAtt": []any{"Vpc", "CidrBlock"}}}},
		"a custom resource with a block":   {"Custom::Users", m{"From": m{"Fn::GetAtt": []any{"Vpc", "CidrBlock"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			e := small(t)
			e.add("Lab", "GroupOfMine", "AWS::ECS::Cluster", m{})
			e.add("Lab", "Other", test.typ, test.properties)
			areChanges(t, reach.Diff(small(t).read(), e.read()), nil)
		})
	}
}

func TestCustomResourcesThatMayChangeTheNetworkLeaveNothingCertain(t *testing.T) {
	call := m{"Create": `{"service":"EC2","action":"authorizeSecurityGroupIngress"}`}
	for name, test := range map[string]struct {
		typ        string
		properties m
	}{
		"a call":                             {"Custom::AWS", call},
		"a call by the type's other name":    {"AWS::CloudFormation::CustomResource", call},
		"a group":                            {"Custom::Opener", m{"Group": m{"Ref": "Group"}}},
		"a group, by the type's other name":  {"AWS::CloudFormation::CustomResource", m{"Group": m{"Ref": "Group"}}},
		"a VPC of which the id is not known": {"Custom::Opener", m{"VpcId": m{"Ref": "AWS::Region"}}},
	} {
		t.Run(name, func(t *testing.T) {
			e := small(t)
			e.add("Lab", "Custom", test.typ, test.properties)
			for _, c := range e.read().Cells {
				if c.Answer != reach.CannotTell {
					t.Errorf("%+v", c)
				}
			}
		})
	}
}
