package change

import "fmt"

// holder says what a type of resource holds that is worth a loud line.
type holder struct {
	what string // begins a sentence, such as "The database"

	// lost says what is gone when a resource of the type is deleted, in a sentence.
	lost string
}

// holders are the types of this app that hold data, or an address or a key that somebody outside knows. Other types are
// judged by CloudFormation's schemas.
var holders = map[string]holder{
	"AWS::RDS::DBInstance":               {"The database", "Its automated backups go with it."},
	"AWS::RDS::DBSubnetGroup":            {"The place of the database, the subnet group", "A database can lie in another subnet group only as another database."},
	"AWS::SecretsManager::Secret":        {"The secret", "Its value goes with it: whoever has it needs the new one."},
	"AWS::EC2::EIP":                      {"The public address", "AWS gives it to somebody else: allow lists, known_hosts files and settings that name it must change."},
	"AWS::S3::Bucket":                    {"The bucket", "The objects in it go with it; one that still holds some is not deleted."},
	"AWS::Logs::LogGroup":                {"The log group", "Its entries go with it."},
	"AWS::ElasticBeanstalk::Application": {"The web app's Beanstalk application", "Its versions go with it."},
	"AWS::ElasticBeanstalk::Environment": {"The site", "Visitors find it under another address."},
	"Custom::ReadOnlyUser":               {"The MySQL account", "Whoever logs in with it needs the new one."},
	"Custom::SSHKeyPair":                 {"The SSH key pair", "Whoever trusts the public half needs the new one."},
}

// holds is what a resource holds; ok is false for those that hold nothing of their own.
func (c *comparison) holds(r resource) (h holder, ok bool) {
	if replica(r) {
		return holder{}, false
	}
	if h, ok = holders[r.Type]; ok {
		return h, true
	}
	return holder{"What holds data, of the type " + r.Type + ",", "Its data goes with it."}, c.schemas.Stateful[r.Type]
}

// replica says that a database is a read replica, which has its data from another.
func replica(r resource) bool {
	return r.Type == "AWS::RDS::DBInstance" && r.Properties["SourceDBInstanceIdentifier"] != nil
}

// fate says what becomes of a resource that is removed or replaced, from its policy (AWS CloudFormation Template
// Reference, "DeletionPolicy attribute" and "UpdateReplacePolicy attribute"). which is "it" or "the old one".
func fate(policy, which string, h holder) string {
	switch policy {
	case "Retain", "RetainExceptOnCreate":
		return "CloudFormation leaves " + which + " in the account, outside the stack."
	case "Snapshot":
		return "CloudFormation takes a last snapshot of " + which + ", and deletes it. " + h.lost
	}
	return "CloudFormation deletes " + which + ". " + h.lost
}

// deletionPolicy is what holds for a resource that goes out of its template.
func deletionPolicy(r resource) string {
	if r.DeletionPolicy == "" && (r.Type == "AWS::RDS::DBCluster" || r.Type == "AWS::RDS::DBInstance" && r.Properties["DBClusterIdentifier"] == nil) {
		return "Snapshot" // the default of these
	}
	return r.DeletionPolicy
}

// replacePolicy is what holds for a resource that is replaced: the weaker of both sides' words.
func replacePolicy(before, after resource) string {
	for _, weakest := range []string{"Delete", "", "Snapshot"} {
		for _, r := range []resource{before, after} {
			if r.UpdateReplacePolicy == weakest {
				return weakest
			}
		}
	}
	return after.UpdateReplacePolicy
}

// removal is the loud line of a resource that is removed; "" where it holds nothing.
func (c *comparison) removal(r resource) string {
	h, ok := c.holds(r)
	if !ok {
		return ""
	}
	line := fmt.Sprintf("**%s %s is removed.** %s", h.what, r, fate(deletionPolicy(r), "it", h))
	if protected(r) {
		line += " Its DeletionProtection makes RDS refuse that."
	}
	return line
}

// replacement is the loud line of a resource that is, or may be, replaced; "" where it holds nothing.
func (c *comparison) replacement(before, after resource, certain bool) string {
	h, ok := c.holds(before)
	if !ok {
		return ""
	}
	is := "may be replaced"
	if certain {
		is = "is replaced"
	}
	line := fmt.Sprintf("**%s %s %s.**", h.what, before, is)
	if after.Type == "AWS::RDS::DBInstance" && !replica(after) && after.Properties["DBSnapshotIdentifier"] == nil {
		line += " **The new one starts empty.**"
	}
	line += " " + fate(replacePolicy(before, after), "the old one", h)
	// The old one is deleted as it is: the new settings are the new one's.
	if protected(before) {
		line += " Its DeletionProtection makes RDS refuse that, and the old one stays."
	}
	return line
}

func protected(r resource) bool {
	return r.Type == "AWS::RDS::DBInstance" && on(r.Properties["DeletionProtection"])
}

// overwriting is the loud line of an update in place that loses data; "" is nothing.
func overwriting(before, r resource, property string) string {
	switch r.Type + " " + property {
	case "AWS::RDS::DBInstance BackupRetentionPeriod":
		if days, old := r.Properties[property], before.Properties[property]; days != nil && old != nil && number(days) < number(old) {
			return fmt.Sprintf("**Automated backups of the database %s are deleted**: those from before the last %v days.", r, number(days))
		}
	case "AWS::ElasticBeanstalk::Environment OptionSettings":
		if was, is := settings(before.Properties[property])[environmentType], settings(r.Properties[property])[environmentType]; !same(was, is) {
			return fmt.Sprintf("**The site %s gets another address**: it goes from %v to %v, and all its instances are new. "+
				"docs/changing-later.md says how.", r, was, is)
		}
	case "AWS::Logs::LogGroup RetentionInDays":
		// Without a number, they are kept for ever.
		if days, old := r.Properties[property], before.Properties[property]; days != nil && (old == nil || number(days) < number(old)) {
			return fmt.Sprintf("**Lines of the log group %s are deleted**: those from before the last %v days.", r, number(days))
		}
	case "AWS::SecretsManager::Secret GenerateSecretString", "AWS::SecretsManager::Secret SecretString":
		// A change of GenerateSecretString generates a new value, without what an attachment has added to the old one.
		return fmt.Sprintf("**The secret %s gets another value**: CloudFormation generates it anew, without the host that was attached. "+
			"The account that it belongs to still has the old password.", r)
	case "Custom::SSHKeyPair Generation":
		return fmt.Sprintf("**The SSH key pair %s is another one.** Whoever trusts the public half needs the new one.", r)
	}
	return ""
}
