package change

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"drawbridge/internal/cfnschema"
	"drawbridge/rehearsal/template"
)

// replaces is what an update of one property does to its resource. The reason is "" where the schema says so.
func (c *comparison) replaces(kind, property string) (cfnschema.Replacement, string) {
	if why, ok := settled[kind+" "+property]; ok {
		return cfnschema.Never, why
	}
	if custom(kind) {
		return ownReplaces(kind, property)
	}
	properties, known := c.schemas.Types[kind]
	if !known {
		return cfnschema.Maybe, "CloudFormation's schemas do not hold this type"
	}
	effect, known := properties[property]
	if !known {
		return cfnschema.Maybe, "CloudFormation's schemas do not hold this property"
	}
	return effect, ""
}

// custom says that a type is that of a custom resource.
func custom(kind string) bool {
	return strings.HasPrefix(kind, "Custom::") || kind == "AWS::CloudFormation::CustomResource"
}

const templateReference = `the Template Reference says "Some interruptions", and nothing of a replacement`

// settled are properties of which the schemas say that some updates replace the resource, and the CloudFormation Template
// Reference, on the type's page, that none does as it is used here: on RDS for MySQL, outside a cluster and without a
// snapshot to restore from, and on instances whose root device is an EBS volume.
var settled = map[string]string{
	"AWS::RDS::DBInstance AutoMinorVersionUpgrade":    templateReference,
	"AWS::RDS::DBInstance BackupRetentionPeriod":      templateReference,
	"AWS::RDS::DBInstance DBParameterGroupName":       templateReference,
	"AWS::RDS::DBInstance MultiAZ":                    templateReference,
	"AWS::RDS::DBInstance PreferredMaintenanceWindow": templateReference,
	"AWS::RDS::DBInstance StorageType":                templateReference,
	"AWS::EC2::Instance InstanceType":                 templateReference,
	"AWS::EC2::Instance UserData":                     templateReference,
}

// ownReplaces is [comparison.replaces] for custom resources: CloudFormation replaces one whose provider answers an update
// with another physical id (AWS CloudFormation User Guide, "Custom resource response objects"). Of the types that the
// Lambda function serves, this is what their handlers make the id of; of CDK's AwsCustomResource, physicalResourceId
// stands in the calls.
func ownReplaces(kind, property string) (cfnschema.Replacement, string) {
	if property == "ServiceToken" || property == "ServiceTimeout" {
		return cfnschema.Never, ""
	}
	identity, known := map[string]string{
		"Custom::ReadOnlyUser": "Username",
		"Custom::SSHKeyPair":   "SecretArn",
		"Custom::SampleData":   "Schema",
		"Custom::FlipGate":     "",
		// Look-ups: a call that is not the same is made again. Nothing is lost with what was found before.
		"Custom::MachineImage":      "",
		"Custom::BeanstalkPlatform": "",
		// CDK's provider keeps the id.
		"Custom::VpcRestrictDefaultSG": "",
	}[kind]
	switch {
	case !known:
		return cfnschema.Maybe, "the provider of " + kind + " decides"
	case property == identity:
		return cfnschema.Always, "its physical id holds it"
	}
	return cfnschema.Never, ""
}

// update is one property of a resource that is changed in place.
type update struct {
	kind, property string
	before, after  any            // nil where it is not there
	old, resource  map[string]any // all properties before, and after
}

// interruption says what is away, or slow, for how long while a property is changed in place; "" is nothing. It is
// CloudFormation's "Some interruptions", which the schemas do not hold, put in the words of the service's own pages: Amazon
// RDS User Guide, "Settings for DB instances" and "Working with parameter groups"; Amazon EC2 User Guide, "Change the
// instance type"; AWS Elastic Beanstalk Developer Guide, "Configuration changes" and "Updating your Elastic Beanstalk
// environment's platform version"; AWS CloudFormation Template Reference.
func interruption(u update) string {
	switch u.kind + " " + u.property {
	case "AWS::RDS::DBInstance DBInstanceClass":
		if on(u.resource["MultiAZ"]) {
			return "the database fails over to its standby: connections break, for a minute or two"
		}
		return "the database is away for some minutes"
	case "AWS::RDS::DBInstance EngineVersion":
		if major(u.before) != major(u.after) {
			return "the database is away while RDS upgrades it to another major version: try it on a copy, and read MySQL's notes, first"
		}
		return "the database is away for some minutes while RDS upgrades it"
	case "AWS::RDS::DBInstance BackupRetentionPeriod":
		if zero(u.before) != zero(u.after) {
			return "the database is restarted, as automated backups are switched on or off"
		}
	case "AWS::RDS::DBInstance StorageType":
		return "the database may be away for a short time"
	case "AWS::RDS::DBInstance DBParameterGroupName", "AWS::RDS::DBParameterGroup Parameters":
		return "the database may be restarted: static parameters take that"
	case "AWS::RDS::DBInstance CACertificateIdentifier":
		return "the database is restarted, and clients must know the other certificate authority"
	case "AWS::EC2::Instance InstanceType":
		return "the host is stopped and started: sessions end"
	case "AWS::EC2::Instance UserData":
		return "the host is stopped and started, and does not run the other user data: that is read at the first start alone"
	case "AWS::ElasticBeanstalk::Environment VersionLabel":
		return "the site restarts with the other version" + batches(u)
	case "AWS::ElasticBeanstalk::Environment OptionSettings":
		return settingsInterruption(u)
	case "AWS::ElasticBeanstalk::Environment PlatformArn":
		return "the instances are updated to the other platform version, or replaced" + batches(u)
	}
	return ""
}

// settingsInterruption is [interruption] of a Beanstalk environment's settings: those of the launch configuration and of the
// VPC have all instances replaced, those of the load balancer none.
func settingsInterruption(u update) string {
	before, after := settings(u.before), settings(u.after)
	changed := differing(before, after)
	balancer := func(name string) bool {
		return strings.HasPrefix(name, "aws:elbv2:") || strings.HasPrefix(name, "aws:elasticbeanstalk:environment:process:")
	}
	instances := func(name string) bool {
		return strings.HasPrefix(name, "aws:autoscaling:launchconfiguration ") || strings.HasPrefix(name, "aws:ec2:")
	}
	switch {
	case slices.ContainsFunc(changed, instances):
		return "all instances of the site are replaced" + batches(u)
	case len(changed) > 0 && !slices.ContainsFunc(changed, func(name string) bool { return !balancer(name) }):
		return ""
	}
	return "the site restarts, or gets other instances" + batches(u)
}

// settings are the values of a Beanstalk environment's OptionSettings, by namespace and name.
func settings(value any) map[string]any {
	settings := map[string]any{}
	all, _ := value.([]any)
	for _, item := range all {
		s, _ := item.(map[string]any)
		settings[text(s["Namespace"])+" "+text(s["OptionName"])] = s["Value"]
	}
	return settings
}

// note says what else a reader should know of a change in place; "" is nothing.
func note(u update) string {
	switch u.kind + " " + u.property {
	case "AWS::RDS::DBInstance DeletionProtection":
		if on(u.before) && !on(u.after) {
			return "**the database can be deleted from then on**"
		}
	case "AWS::RDS::DBInstance MultiAZ":
		return "not interrupted, but slower for a while"
	case "AWS::EC2::EIP InstanceId":
		return "the address moves to the new host once that is set up: sessions end"
	case "Custom::SSHKeyPair Generation":
		return "another key: whoever trusts the one before must get the new public half"
	}
	return ""
}

// batches says how an environment with a load balancer stays up.
func batches(u update) string {
	balanced := func(resource map[string]any) bool {
		return settings(resource["OptionSettings"])[environmentType] == "LoadBalanced"
	}
	if balanced(u.old) && balanced(u.resource) {
		return ", in batches behind the load balancer"
	}
	return ""
}

// environmentType says whether an environment has a load balancer.
const environmentType = "aws:elasticbeanstalk:environment EnvironmentType"

// refusal says why AWS refuses a change in place, so that the deployment fails and is rolled back; "" is nothing.
func refusal(u update) string {
	switch u.kind + " " + u.property {
	case "AWS::RDS::DBInstance AllocatedStorage":
		// Amazon RDS User Guide, "Working with storage for Amazon RDS DB instances".
		if number(u.after) < number(u.before) {
			return fmt.Sprintf("RDS does not make storage smaller: AllocatedStorage goes from %v to %v GiB", u.before, u.after)
		}
	case "AWS::RDS::DBInstance EngineVersion":
		// AWS CloudFormation Template Reference, AWS::RDS::DBInstance, AllowMajorVersionUpgrade.
		if older(u.after, u.before) {
			return fmt.Sprintf("RDS does not go back to an older version: EngineVersion goes from %v to %v", u.before, u.after)
		}
		if major(u.before) != major(u.after) && !on(u.resource["AllowMajorVersionUpgrade"]) {
			return fmt.Sprintf("RDS does not upgrade to another major version (%v to %v) unless AllowMajorVersionUpgrade is true", u.before, u.after)
		}
	case "AWS::ElasticBeanstalk::Environment OptionSettings":
		// AWS Elastic Beanstalk Developer Guide, "Amazon EC2 instances", Architecture.
		const architecture = "aws:ec2:instances SupportedArchitectures"
		if before, after := settings(u.before)[architecture], settings(u.after)[architecture]; before != nil && !same(before, after) {
			return fmt.Sprintf("Beanstalk does not change an environment's architecture (%v to %v): delete the stack and deploy it again, at another address", before, after)
		}
	}
	return ""
}

// major is the part of a MySQL version that RDS calls major: 8.4 of 8.4.6 (Amazon RDS User Guide, "MySQL on Amazon RDS
// versions").
func major(version any) string {
	t, _ := template.Text(version)
	parts := strings.SplitN(t, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// older compares versions number by number, as far as both go.
func older(a, b any) bool {
	x, _ := template.Text(a)
	y, _ := template.Text(b)
	p, q := strings.Split(x, "."), strings.Split(y, ".")
	for i := range min(len(p), len(q)) {
		m, errM := strconv.Atoi(p[i])
		n, errN := strconv.Atoi(q[i])
		if errM != nil || errN != nil {
			return false
		}
		if m != n {
			return m < n
		}
	}
	return false
}

func on(value any) bool {
	t, _ := template.Text(value)
	return t == "true"
}

func zero(value any) bool { return value != nil && number(value) == 0 }

func number(value any) float64 {
	t, _ := template.Text(value)
	n, _ := json.Number(t).Float64()
	return n
}
