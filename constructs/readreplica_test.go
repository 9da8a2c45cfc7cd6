package constructs_test

import (
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"drawbridge/constructs"
)

func TestReadReplica(t *testing.T) {
	made := template(t, func(stack awscdk.Stack) {
		network := constructs.NewNetwork(stack, "Network", &constructs.NetworkProps{Name: "test", CIDR: "10.0.0.0/16"})
		database := constructs.NewDatabase(stack, "Database", &constructs.DatabaseProps{
			Vpc: network.Vpc, Subnets: network.DatabaseSubnets(), Name: "monster_teams", MasterUsername: "admin",
			InstanceClass: "db.m7g.large", StorageGiB: 30, BackupDays: 7, MultiAZ: true, DeletionProtection: true, PubliclyAccessible: true,
		})
		constructs.NewReadReplica(stack, "Replica", &constructs.ReadReplicaProps{Vpc: network.Vpc, Database: database})
	})
	database, replica := called(t, made, "AWS::RDS::DBInstance", "Database"), called(t, made, "AWS::RDS::DBInstance", "Replica")
	t.Run("follows the database, with its size, settings, subnets and security group", func(t *testing.T) {
		check(t, replica.Properties, map[string]any{"SourceDBInstanceIdentifier": "${" + database.ID + ".DBInstanceArn}"})
		for _, same := range []string{
			"AllocatedStorage", "AutoMinorVersionUpgrade", "CACertificateIdentifier", "DBInstanceClass", "DBParameterGroupName", "DBSubnetGroupName", "Port",
			"StorageType", "VPCSecurityGroups",
		} {
			check(t, replica.Properties, map[string]any{same: database.Properties[same]})
			if replica.Properties[same] == nil {
				t.Errorf("it has no %s", same)
			}
		}
	})
	t.Run("has no public address when the database has one", func(t *testing.T) {
		check(t, replica.Properties, map[string]any{"PubliclyAccessible": false})
	})
	t.Run("says nothing of what a replica takes from its source", func(t *testing.T) {
		for _, property := range []string{"DBName", "MasterUsername", "MasterUserPassword", "StorageEncrypted", "KmsKeyId", "Engine", "EngineVersion", "BackupRetentionPeriod", "MultiAZ"} {
			check(t, replica.Properties, map[string]any{property: nil})
		}
	})
	t.Run("goes without a snapshot, as it has no data of its own", func(t *testing.T) {
		check(t, replica.All, map[string]any{"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete"})
		check(t, replica.Properties, map[string]any{"DeletionProtection": false})
	})
}
