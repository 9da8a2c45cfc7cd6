package constructs_test

import (
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"drawbridge/constructs"
	"drawbridge/internal/cdktest"
)

// newDatabase adds a small private database, after change, which may be nil, has edited its properties.
func newDatabase(stack awscdk.Stack, change func(props *constructs.DatabaseProps)) *constructs.Database {
	v := vpc(stack)
	props := &constructs.DatabaseProps{
		Vpc: v, Subnets: v.IsolatedSubnets(), Name: "monster_teams", MasterUsername: "admin",
		InstanceClass: "db.t4g.micro", StorageGiB: 20, BackupDays: 1,
	}
	if change != nil {
		change(props)
	}
	return constructs.NewDatabase(stack, "Database", props)
}

func database(t *testing.T, change func(props *constructs.DatabaseProps)) cdktest.Template {
	t.Helper()
	return template(t, func(stack awscdk.Stack) { newDatabase(stack, change) })
}

func TestDatabaseInstance(t *testing.T) {
	t.Run("has these properties by itself", func(t *testing.T) {
		check(t, database(t, nil).One(t, "AWS::RDS::DBInstance").Properties, map[string]any{
			"DBInstanceIdentifier": nil, "DBName": "monster_teams", "MasterUsername": "admin", "DBInstanceClass": "db.t4g.micro",
			"AllocatedStorage": "20", "BackupRetentionPeriod": 1, "MultiAZ": false, "DeletionProtection": false, "PubliclyAccessible": false,
			"Port": "3306", "CopyTagsToSnapshot": true, "AutoMinorVersionUpgrade": true, "CACertificateIdentifier": "rds-ca-rsa2048-g1",
		})
	})
	type props = constructs.DatabaseProps
	for name, test := range map[string]struct {
		change   func(p *props)
		property string
		want     any
	}{
		"takes an identifier":                  {func(p *props) { p.Identifier = "monsters" }, "DBInstanceIdentifier", "monsters"},
		"takes the first schema's name":        {func(p *props) { p.Name = "teams" }, "DBName", "teams"},
		"takes the master user's name":         {func(p *props) { p.MasterUsername = "root1" }, "MasterUsername", "root1"},
		"takes an RDS class":                   {func(p *props) { p.InstanceClass = "db.m7g.2xlarge" }, "DBInstanceClass", "db.m7g.2xlarge"},
		"takes a size":                         {func(p *props) { p.StorageGiB = 400 }, "AllocatedStorage", "400"},
		"keeps backups as long as it is told":  {func(p *props) { p.BackupDays = 35 }, "BackupRetentionPeriod", 35},
		"keeps no backups when it is told so":  {func(p *props) { p.BackupDays = 0 }, "BackupRetentionPeriod", 0},
		"keeps a standby":                      {func(p *props) { p.MultiAZ = true }, "MultiAZ", true},
		"refuses to be deleted":                {func(p *props) { p.DeletionProtection = true }, "DeletionProtection", true},
		"gets a public address when told to":   {func(p *props) { p.PubliclyAccessible = true }, "PubliclyAccessible", true},
		"stays private in a public subnet too": {func(p *props) { p.Subnets = p.Vpc.PublicSubnets() }, "PubliclyAccessible", false},
	} {
		t.Run(name, func(t *testing.T) {
			check(t, database(t, test.change).One(t, "AWS::RDS::DBInstance").Properties, map[string]any{test.property: test.want})
		})
	}
	t.Run("lies in the subnets it is given", func(t *testing.T) {
		made := database(t, nil)
		group := made.One(t, "AWS::RDS::DBSubnetGroup")
		check(t, group.Properties, map[string]any{"SubnetIds": []any{"subnet-00000021", "subnet-00000022"}})
		check(t, made.One(t, "AWS::RDS::DBInstance").Properties, map[string]any{"DBSubnetGroupName": "${" + group.ID + "}"})
	})
	t.Run("does not shut out for good who asked while it was stalled", func(t *testing.T) {
		check(t, database(t, nil).One(t, "AWS::RDS::DBParameterGroup").Properties["Parameters"].(map[string]any), map[string]any{"max_connect_errors": "1000000"})
	})
	t.Run("refuses to load the files of its clients", func(t *testing.T) {
		check(t, database(t, nil).One(t, "AWS::RDS::DBParameterGroup").Properties["Parameters"].(map[string]any), map[string]any{"local_infile": "0"})
	})
}

func TestDatabaseLetsNobodyInOrOutByItself(t *testing.T) {
	for name, public := range map[string]bool{"private": false, "public": true} {
		t.Run(name, func(t *testing.T) {
			made := database(t, func(p *constructs.DatabaseProps) { p.PubliclyAccessible = public })
			checkTraffic(t, made, "MySQL database -> nowhere")
			group := made.One(t, "AWS::EC2::SecurityGroup").ID
			check(t, made.One(t, "AWS::RDS::DBInstance").Properties, map[string]any{"VPCSecurityGroups": []any{"${" + group + ".GroupId}"}})
		})
	}
}

// Another generator gives a secret that exists another password, and takes the attached host out of it. So its JSON is
// pinned: do not edit the expectation.
func TestDatabaseMasterSecret(t *testing.T) {
	made := database(t, nil)
	secret := made.One(t, "AWS::SecretsManager::Secret")
	same(t, secret.Properties["GenerateSecretString"], map[string]any{
		"ExcludePunctuation": true, "GenerateStringKey": "password", "PasswordLength": 32, "SecretStringTemplate": `{"username":"admin"}`,
	})
	check(t, made.One(t, "AWS::RDS::DBInstance").Properties, map[string]any{
		"MasterUserPassword": "{{resolve:secretsmanager:${" + secret.ID + "}:SecretString:password::}}",
	})
}
