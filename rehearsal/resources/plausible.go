package resources

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"drawbridge/rehearsal/cloudformation"
)

// plausible plays types that have no effect here. They keep their ids when they are updated, unless one of the
// properties changes that are known to replace them.
type plausible struct{ *Account }

// without are the types without an effect here, or whose effect is seen by whoever plays the network. The effect of any
// other would be missed.
var without = []string{
	"AWS::CDK::Metadata", "AWS::CloudWatch::Alarm",
	"AWS::EC2::EIP", "AWS::EC2::Instance", "AWS::EC2::InternetGateway", "AWS::EC2::LaunchTemplate", "AWS::EC2::NetworkAcl",
	"AWS::EC2::NetworkAclEntry", "AWS::EC2::Route", "AWS::EC2::RouteTable", "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupEgress",
	"AWS::EC2::SecurityGroupIngress", "AWS::EC2::Subnet", "AWS::EC2::SubnetNetworkAclAssociation", "AWS::EC2::SubnetRouteTableAssociation",
	"AWS::EC2::VPC", "AWS::EC2::VPCGatewayAttachment",
	"AWS::ElasticBeanstalk::Application", "AWS::ElasticBeanstalk::ApplicationVersion", "AWS::ElasticBeanstalk::Environment",
	"AWS::IAM::InstanceProfile", "AWS::Lambda::EventInvokeConfig", "AWS::Logs::LogGroup", "AWS::RDS::DBParameterGroup",
	"AWS::RDS::DBSubnetGroup", "AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::SNS::Subscription", "AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "AWS::SSM::Parameter",
}

// prefixes are those of the ids that EC2 makes up.
var prefixes = map[string]string{
	"AWS::EC2::VPC":                         "vpc",
	"AWS::EC2::Subnet":                      "subnet",
	"AWS::EC2::RouteTable":                  "rtb",
	"AWS::EC2::SubnetRouteTableAssociation": "rtbassoc",
	"AWS::EC2::InternetGateway":             "igw",
	"AWS::EC2::SecurityGroup":               "sg",
	"AWS::EC2::SecurityGroupIngress":        "sgr",
	"AWS::EC2::SecurityGroupEgress":         "sgr",
	"AWS::EC2::Instance":                    "i",
	"AWS::EC2::LaunchTemplate":              "lt",
}

// replacing are properties whose change makes a new resource, of the types where this matters here (AWS CloudFormation
// Template Reference Guide).
var replacing = map[string][]string{
	"AWS::EC2::SecurityGroup":                   {"GroupDescription", "GroupName", "VpcId"},
	"AWS::EC2::SecurityGroupIngress":            {"CidrIp", "FromPort", "GroupId", "IpProtocol", "SourceSecurityGroupId", "ToPort"},
	"AWS::EC2::SecurityGroupEgress":             {"CidrIp", "FromPort", "GroupId", "IpProtocol", "DestinationSecurityGroupId", "ToPort"},
	"AWS::EC2::Route":                           {"DestinationCidrBlock", "RouteTableId"},
	"AWS::EC2::Subnet":                          {"AvailabilityZone", "CidrBlock", "VpcId"},
	"AWS::EC2::VPC":                             {"CidrBlock"},
	"AWS::EC2::Instance":                        {"ImageId", "SubnetId", "NetworkInterfaces"},
	"AWS::CloudWatch::Alarm":                    {"AlarmName"},
	"AWS::ElasticBeanstalk::Environment":        {"ApplicationName", "EnvironmentName", "SolutionStackName"},
	"AWS::ElasticBeanstalk::ApplicationVersion": {"ApplicationName", "SourceBundle"},
}

func (p plausible) Create(_ context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	if !slices.Contains(without, r.Type) {
		return cloudformation.Resource{}, fmt.Errorf("the type %s is not played here", r.Type)
	}
	id := generatedName(r)
	if prefix := prefixes[r.Type]; prefix != "" {
		id = generatedID(prefix)
	}
	return p.resource(id, r), nil
}

func (p plausible) Update(ctx context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	for _, name := range replacing[r.Type] {
		if fmt.Sprint(r.Properties[name]) != fmt.Sprint(r.OldProperties[name]) {
			return p.Create(ctx, r)
		}
	}
	return p.resource(r.PhysicalID, r), nil
}

func (plausible) Delete(context.Context, cloudformation.Request) error { return nil }

// resource gives attributes that depend on the id alone, so that an update keeps them.
func (p plausible) resource(id string, r cloudformation.Request) cloudformation.Resource {
	made := cloudformation.Resource{PhysicalID: id, Attributes: map[string]any{}}
	switch r.Type {
	case "AWS::EC2::VPC":
		made.Attributes = map[string]any{
			"VpcId": id, "CidrBlock": r.Properties["CidrBlock"], "DefaultSecurityGroup": "sg-default-of-" + id,
		}
		if p.options.VPCCIDR != "" {
			made.Attributes["CidrBlock"] = p.options.VPCCIDR
		}
	case "AWS::EC2::SecurityGroup":
		made.Attributes = map[string]any{"GroupId": id, "Id": id, "VpcId": r.Properties["VpcId"]}
	case "AWS::EC2::Subnet":
		made.Attributes = map[string]any{"SubnetId": id, "AvailabilityZone": r.Properties["AvailabilityZone"], "CidrBlock": r.Properties["CidrBlock"]}
	case "AWS::EC2::EIP":
		// An address from a block for documentation, which leads nowhere.
		made.Ref = fmt.Sprintf("198.51.100.%d", 1+hash(id)%254)
		made.Attributes = map[string]any{"AllocationId": "eipalloc-" + strings.ToLower(id[len(id)-12:]), "PublicIp": made.Ref}
	case "AWS::EC2::Instance":
		made.Attributes = map[string]any{
			"InstanceId": id, "PrivateIp": fmt.Sprintf("10.0.0.%d", 1+hash(id)%254), "PublicIp": fmt.Sprintf("203.0.113.%d", 1+hash(id)%254),
		}
	case "AWS::EC2::LaunchTemplate":
		made.Attributes = map[string]any{"LaunchTemplateId": id, "LatestVersionNumber": "1", "DefaultVersionNumber": "1"}
	case "AWS::EC2::RouteTable":
		made.Attributes = map[string]any{"RouteTableId": id}
	case "AWS::EC2::InternetGateway":
		made.Attributes = map[string]any{"InternetGatewayId": id}
	case "AWS::IAM::InstanceProfile":
		made.Attributes = map[string]any{"Arn": p.arn("iam", "instance-profile/"+id)}
	case "AWS::Logs::LogGroup":
		made.Attributes = map[string]any{"Arn": p.arn("logs", "log-group:"+id+":*")}
	case "AWS::CloudWatch::Alarm":
		if name, ok := r.Properties["AlarmName"].(string); ok {
			id = name
		}
		made.Attributes = map[string]any{"Arn": p.arn("cloudwatch", "alarm:"+id)}
	case "AWS::SNS::Topic":
		made.PhysicalID = p.arn("sns", id)
		if strings.HasPrefix(id, "arn:") {
			made.PhysicalID = id
		}
		made.Attributes = map[string]any{"TopicArn": made.PhysicalID}
	case "AWS::S3::Bucket":
		made.PhysicalID = strings.ToLower(id)
		made.Attributes = map[string]any{"Arn": "arn:aws:s3:::" + made.PhysicalID}
	case "AWS::ElasticBeanstalk::Environment":
		made.Attributes = map[string]any{"EndpointURL": fmt.Sprintf("203.0.113.%d", 1+hash(id)%254)}
	}
	if name, ok := r.Properties[nameProperties[r.Type]].(string); ok {
		made.PhysicalID = name
	}
	maps.DeleteFunc(made.Attributes, func(_ string, value any) bool { return value == nil })
	return made
}

// nameProperties name the property that gives a resource its physical id.
var nameProperties = map[string]string{
	"AWS::CloudWatch::Alarm":             "AlarmName",
	"AWS::SSM::Parameter":                "Name",
	"AWS::Logs::LogGroup":                "LogGroupName",
	"AWS::S3::Bucket":                    "BucketName",
	"AWS::ElasticBeanstalk::Application": "ApplicationName",
	"AWS::ElasticBeanstalk::Environment": "EnvironmentName",
}

// hash spreads ids over a few numbers.
func hash(text string) int {
	sum := 0
	for _, b := range []byte(text) {
		sum = sum*31 + int(b)
		sum &= 0xffffff
	}
	return sum
}
