package constructs

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsrds"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// mysqlVersion names the major version alone: RDS picks the newest minor version at creation and upgrades it by
// itself, and the template never asks for an older one than is running.
const mysqlVersion = "8.4"

// DatabaseProps describes the database.
type DatabaseProps struct {
	// Vpc and Subnets say where it lies. The subnets must not change: another subnet group replaces the instance.
	Vpc     awsec2.IVpc
	Subnets *[]awsec2.ISubnet

	// Name is the schema that is created with the instance.
	Name string

	// Identifier is the instance's name in RDS. Empty lets CloudFormation generate one.
	Identifier string

	// MasterUsername is the account that RDS creates. Its password is generated and kept in Secrets Manager.
	MasterUsername string

	// InstanceClass is an RDS class, such as db.t4g.micro.
	InstanceClass string

	// StorageGiB is the size of the gp3 volume.
	StorageGiB int

	// BackupDays is how long automatic backups are kept. 0 turns them off.
	BackupDays int

	// MultiAZ keeps a standby in a second availability zone.
	MultiAZ bool

	// DeletionProtection refuses every attempt to delete the instance.
	DeletionProtection bool

	// PubliclyAccessible gives the instance a public address. Who reaches it is PublicAccess's business.
	PubliclyAccessible bool
}

// Database is an encrypted RDS for MySQL instance that takes TLS connections only. Deleting it leaves a snapshot.
type Database struct {
	constructs.Construct

	Instance awsrds.DatabaseInstance

	// SecurityGroup has no rules: each party that reaches the database adds its own (DatabaseAccess, PublicAccess).
	SecurityGroup awsec2.SecurityGroup

	// MasterSecret holds the master user's credentials, with RDS's JSON keys.
	MasterSecret awssecretsmanager.Secret

	// For replicas.
	parameters    awsrds.IParameterGroup
	subnetGroup   awsrds.ISubnetGroup
	instanceClass string
	storageGiB    int
}

// NewDatabase adds a Database to scope.
func NewDatabase(scope constructs.Construct, id string, props *DatabaseProps) *Database {
	d := &Database{Construct: constructs.NewConstruct(scope, &id), instanceClass: props.InstanceClass, storageGiB: props.StorageGiB}

	d.SecurityGroup = awsec2.NewSecurityGroup(d.Construct, jsii.String("SecurityGroup"), &awsec2.SecurityGroupProps{
		Vpc:              props.Vpc,
		Description:      jsii.String("MySQL database"),
		AllowAllOutbound: jsii.Bool(false),
	})
	d.MasterSecret = awssecretsmanager.NewSecret(d.Construct, jsii.String("MasterSecret-"+props.MasterUsername), &awssecretsmanager.SecretProps{
		Description:          jsii.String("MySQL master user " + props.MasterUsername),
		GenerateSecretString: generatedPassword(props.MasterUsername),
	})
	accept(d.MasterSecret, "People hold this password in their sessions: rotating it is a person's task, and no program logs in with it but the Lambda function", "AwsSolutions-SMG4")
	engine := awsrds.DatabaseInstanceEngine_Mysql(&awsrds.MySqlInstanceEngineProps{
		Version: awsrds.MysqlEngineVersion_Of(jsii.String(mysqlVersion), jsii.String(mysqlVersion)),
	})
	parameters := awsrds.NewParameterGroup(d.Construct, jsii.String("Parameters"), &awsrds.ParameterGroupProps{
		Engine:      engine,
		Description: jsii.String("TLS required, LOAD DATA LOCAL refused"),
		Parameters: &map[string]*string{
			"require_secure_transport": jsii.String("1"),
			"local_infile":             jsii.String("0"),
			// A server that answers nothing for minutes counts every attempt that was given up, and would go on to refuse the
			// host after 100 ("Host 'host_name' is blocked" in the MySQL reference manual) until somebody who may do so
			// clears its host cache.
			"max_connect_errors": jsii.String("1000000"),
		},
	})
	d.parameters = parameters
	d.subnetGroup = awsrds.NewSubnetGroup(d.Construct, jsii.String("SubnetGroup"), &awsrds.SubnetGroupProps{
		Vpc:         props.Vpc,
		Description: jsii.String("The database tier"),
		VpcSubnets:  &awsec2.SubnetSelection{Subnets: props.Subnets},
	})
	instance := &awsrds.DatabaseInstanceProps{
		Engine:                  engine,
		InstanceType:            awsec2.NewInstanceType(jsii.String(strings.TrimPrefix(props.InstanceClass, "db."))),
		ParameterGroup:          parameters,
		Vpc:                     props.Vpc,
		SubnetGroup:             d.subnetGroup,
		SecurityGroups:          &[]awsec2.ISecurityGroup{d.SecurityGroup},
		Port:                    jsii.Number(MySQLPort),
		DatabaseName:            &props.Name,
		Credentials:             awsrds.Credentials_FromSecret(d.MasterSecret, &props.MasterUsername),
		AllocatedStorage:        jsii.Number(props.StorageGiB),
		StorageType:             awsrds.StorageType_GP3,
		StorageEncrypted:        jsii.Bool(true),
		CaCertificate:           awsrds.CaCertificate_RDS_CA_RSA2048_G1(),
		MultiAz:                 &props.MultiAZ,
		BackupRetention:         awscdk.Duration_Days(jsii.Number(props.BackupDays)),
		CopyTagsToSnapshot:      jsii.Bool(true),
		AutoMinorVersionUpgrade: jsii.Bool(true),
		DeletionProtection:      &props.DeletionProtection,
		RemovalPolicy:           awscdk.RemovalPolicy_SNAPSHOT,
		// Stated because CDK would otherwise guess it from the kind of subnet.
		PubliclyAccessible: &props.PubliclyAccessible,
	}
	if props.Identifier != "" {
		instance.InstanceIdentifier = &props.Identifier
	}
	d.Instance = awsrds.NewDatabaseInstance(d.Construct, jsii.String("Instance"), instance)
	d.Instance.Node().DefaultChild().(awscdk.CfnResource).AddMetadata(jsii.String("cfn-lint"),
		map[string]any{"config": map[string]any{"ignore_checks": []string{"E3691"}}})
	awscdk.Validations_Of(d.Instance).Acknowledge(&awscdk.Acknowledgment{
		Id:     jsii.String("CloudFormation-Validate::E9006"),
		Reason: jsii.String("The rule lists full versions; RDS also takes a major version alone, and then runs its default minor version"),
	})
	accept(d.Instance, "MySQL's own port is what MySQL Workbench and BI vendors expect; another would hide nothing", "AwsSolutions-RDS11")
	if !props.MultiAZ {
		accept(d.Instance, "The config says that one zone is enough: multiAz is false", "AwsSolutions-RDS3")
	}
	if !props.DeletionProtection {
		accept(d.Instance, "The config says that it may be deleted, which leaves a snapshot: deletionProtection is false", "AwsSolutions-RDS10")
	}
	return d
}

// MasterLogin is what must be there before anybody can log in with MasterSecret: the instance, and its address in the
// secret.
func (d *Database) MasterLogin() constructs.IDependable { return d.Instance.Secret() }

// generatedPassword describes a secret of the given fields and a generated password. Passwords have no punctuation, so
// that they survive shells, URLs and vendors' forms. 32 letters and digits are about 190 bits.
//
// The result must never change for a secret that exists: CloudFormation would generate a new password, and drop the
// host that was attached to it. So the username, its only variable part, is also part of the secret's construct id:
// another username makes another secret.
func generatedPassword(username string) *awssecretsmanager.SecretStringGenerator {
	return &awssecretsmanager.SecretStringGenerator{
		SecretStringTemplate: jsonText(map[string]string{"username": username}),
		GenerateStringKey:    jsii.String("password"),
		ExcludePunctuation:   jsii.Bool(true),
		PasswordLength:       jsii.Number(32),
	}
}
