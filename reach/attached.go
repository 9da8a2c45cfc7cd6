package reach

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// harmlessAttached are the types of other services, by the start of their names, that may name a subnet, a security group
// or a VPC and yet bring nothing into it: policies, logs, alarms, secrets, DNS and what holds ids as texts.
var harmlessAttached = []string{
	"AWS::IAM::", "AWS::KMS::", "AWS::S3::", "AWS::SNS::", "AWS::SQS::", "AWS::CloudWatch::", "AWS::Logs::", "AWS::SSM::Parameter",
	"AWS::SecretsManager::Secret", "AWS::SecretsManager::ResourcePolicy", "AWS::Route53::", "AWS::ServiceDiscovery::",
	"AWS::CloudFormation::WaitCondition", "AWS::CDK::Metadata",
}

// readElsewhere are the types of other services that other files of this package read.
var readElsewhere = []string{
	"AWS::RDS::DBInstance", "AWS::RDS::DBSubnetGroup", "AWS::ElasticBeanstalk::Environment", "AWS::Lambda::Function",
	"Custom::VpcRestrictDefaultSG",
}

// carriers are the types by which a resource gets into a VPC that is named in one of them. AWS::EC2::LaunchTemplate is
// harmless by itself, but not what starts from it.
var carriers = []string{"AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::SecurityGroup", "AWS::EC2::LaunchTemplate"}

// attachments find what gets a resource into a VPC, in values.
type attachments struct{ symbols *regexp.Regexp }

// attachesByName are properties that do so whatever their value, which may be one that cannot be told.
var attachesByName = regexp.MustCompile(`(?i)subnet|security_?group|vpc`)

// inSub is a resource that an Fn::Sub names.
var inSub = regexp.MustCompile(`\$\{(\w+)[.}]`)

// newAttachments knows the environment's own resources, and the ids of others'.
func newAttachments(w *world) attachments {
	found := []string{`(subnet|sg|vpc|lt)-[0-9a-f]{8}([0-9a-f]{9})?`}
	for _, typ := range carriers {
		for _, r := range w.possible(typ) {
			found = append(found, regexp.QuoteMeta(r.symbol()))
		}
	}
	return attachments{regexp.MustCompile(`(^|[^A-Za-z0-9])(` + strings.Join(found, "|") + `)($|[^A-Za-z0-9])`)}
}

// hold says whether any of a resource's properties leads to the VPC.
func (a attachments) hold(p properties) bool {
	return slices.ContainsFunc(slices.Sorted(maps.Keys(p.raw)), func(name string) bool {
		return a.reached(p.stack, p.path+"."+name, name, p.raw[name])
	})
}

// reached looks into a value that is somewhere below the property name.
func (a attachments) reached(s *stack, path, name string, raw any) bool {
	resolved, err := s.resolver.Resolve(path, raw)
	if err == nil {
		return a.in(resolved)
	}
	// Its parts may be told nevertheless.
	switch v := raw.(type) {
	case map[string]any:
		for key, item := range v {
			below := key
			if key == "Ref" || strings.HasPrefix(key, "Fn::") {
				below = name
				if attachesByName.MatchString(name) || key == "Fn::Sub" && a.inText(s, item) {
					return true
				}
			}
			if a.reached(s, path+"."+key, below, item) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return a.reached(s, path+"[]", name, item) })
	}
	return false
}

// inText looks into the text of an Fn::Sub of which the value cannot be told.
func (a attachments) inText(s *stack, argument any) bool {
	if list, is := argument.([]any); is && len(list) > 0 {
		argument = list[0]
	}
	text, _ := argument.(string)
	return slices.ContainsFunc(inSub.FindAllStringSubmatch(text, -1), func(name []string) bool { return a.symbols.MatchString(s.symbol(name[1])) })
}

// in looks into a value that is resolved.
func (a attachments) in(value any) bool {
	switch v := value.(type) {
	case string:
		return a.symbols.MatchString(v)
	case []any:
		return slices.ContainsFunc(v, a.in)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), a.in)
	}
	return false
}

// startsWithOne says whether a type is one of those, by the start of their names.
func startsWithOne(typ string, starts []string) bool {
	return slices.ContainsFunc(starts, func(start string) bool { return strings.HasPrefix(typ, start) })
}

// isCustom says that a resource is made by code of the environment's own.
func isCustom(typ string) bool {
	return strings.HasPrefix(typ, "Custom::") || typ == "AWS::CloudFormation::CustomResource"
}
