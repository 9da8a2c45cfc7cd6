package stacks_test

import (
	"slices"
	"strings"
	"testing"

	"drawbridge/internal/cdktest"
)

// What holds data or an address, in both environments. A resource whose logical id changes is replaced: its data or
// its address is lost. Never edit an entry; a new kind of thing adds one.
var identities = []string{
	"Bastion/BastionAddress36DE36E3 AWS::EC2::EIP",
	"Bastion/BastionHostKeySecretB0041D94 AWS::SecretsManager::Secret",
	"Database/DatabaseInstanceAA8A5FDE AWS::RDS::DBInstance",
	"Database/DatabaseMasterSecretadminEB53DE3E AWS::SecretsManager::Secret",
	"Database/DatabaseSubnetGroup7D60F180 AWS::RDS::DBSubnetGroup",
	"Database/ReadOnlyUserbiSecrettester09026CDB AWS::SecretsManager::Secret",
	"Database/ReadOnlyUserwebappRotationSchedule7CC9D8BF AWS::SecretsManager::RotationSchedule",
	"Database/ReadOnlyUserwebappSecretwebapp29C967B2 AWS::SecretsManager::Secret",
	// Another topic has each address confirm its subscription again.
	"Network/AlarmsTopic3A2DFEBA AWS::SNS::Topic",
	"Network/NetworkVpc7FB7348F AWS::EC2::VPC",
	"Network/NetworkVpcDatabaseSubnet1Subnet75A30C75 AWS::EC2::Subnet",
	"Network/NetworkVpcDatabaseSubnet2Subnet7C7CA9F8 AWS::EC2::Subnet",
	"Network/NetworkVpcFunctionsSubnet1Subnet6C421EA5 AWS::EC2::Subnet",
	"Network/NetworkVpcFunctionsSubnet2Subnet02453A95 AWS::EC2::Subnet",
	"Network/NetworkVpcPublicSubnet1Subnet36933139 AWS::EC2::Subnet",
	"Network/NetworkVpcPublicSubnet2SubnetC427CCE0 AWS::EC2::Subnet",
	"Tunnel/KeyPairSecret23A1BCAC AWS::SecretsManager::Secret",
	"Tunnel/TunnelHostAddress717AA59B AWS::EC2::EIP",
	"WebApp/WebAppApplicationCF9F990E AWS::ElasticBeanstalk::Application",
	"WebApp/WebAppEnvironmentB7FC1012 AWS::ElasticBeanstalk::Environment",
}

// What prod has besides.
var identitiesOfProd = []string{
	"WebApp/WebAppAccessLogs64531BED AWS::S3::Bucket",
}

// Read replicas are pinned in TestReadReplicas: they hold no data of their own, but their addresses are in use.

func TestWhatHoldsDataOrAnAddressKeepsItsLogicalID(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, templates map[string]cdktest.Template) {
		var got []string
		for _, r := range resources(templates, "AWS::EC2::EIP", "AWS::EC2::Subnet", "AWS::EC2::VPC", "AWS::ElasticBeanstalk::Application",
			"AWS::ElasticBeanstalk::Environment", "AWS::RDS::DBInstance", "AWS::RDS::DBSubnetGroup", "AWS::S3::Bucket", "AWS::SecretsManager::Secret", "AWS::SNS::Topic",
			// Renaming it would leave the secret without a schedule: the old one goes after the new one has come.
			"AWS::SecretsManager::RotationSchedule") {
			got = append(got, r.ID+" "+r.Type)
		}
		slices.Sort(got)
		identities := identities
		if strings.HasSuffix(t.Name(), "/prod") {
			identities = slices.Concat(identities, identitiesOfProd)
		}
		for _, identity := range identities {
			if !slices.Contains(got, identity) {
				t.Errorf("%s is gone", identity)
			}
		}
		for _, identity := range got {
			if !slices.Contains(identities, identity) {
				t.Errorf("%s is new: add it here, if nothing else is gone", identity)
			}
		}
	})
}
