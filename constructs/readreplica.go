package constructs

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsrds"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// ReadReplica is a copy of a Database that RDS keeps up with it, and that takes no writes. It has the same users, and lies in
// the same subnets behind the same security group, but never has a public address.
type ReadReplica struct {
	constructs.Construct

	Instance awsrds.DatabaseInstanceReadReplica
}

// ReadReplicaProps describes a read replica.
type ReadReplicaProps struct {
	Vpc      awsec2.IVpc
	Database *Database
}

// NewReadReplica adds a ReadReplica to scope. Name, users, encryption and engine are the database's, which must have backups
// ("Working with DB instance read replicas", Amazon RDS User Guide).
func NewReadReplica(scope constructs.Construct, id string, props *ReadReplicaProps) *ReadReplica {
	d := props.Database
	r := &ReadReplica{Construct: constructs.NewConstruct(scope, &id)}
	r.Instance = awsrds.NewDatabaseInstanceReadReplica(r.Construct, jsii.String("Instance"), &awsrds.DatabaseInstanceReadReplicaProps{
		SourceDatabaseInstance: d.Instance,
		InstanceType:           awsec2.NewInstanceType(jsii.String(strings.TrimPrefix(d.instanceClass, "db."))),
		ParameterGroup:         d.parameters,
		Vpc:                    props.Vpc,
		SubnetGroup:            d.subnetGroup,
		SecurityGroups:         &[]awsec2.ISecurityGroup{d.SecurityGroup},
		Port:                   jsii.Number(MySQLPort),
		// It does not grow with the database's by itself.
		AllocatedStorage:        jsii.Number(d.storageGiB),
		StorageType:             awsrds.StorageType_GP3,
		CaCertificate:           awsrds.CaCertificate_RDS_CA_RSA2048_G1(),
		CopyTagsToSnapshot:      jsii.Bool(true),
		AutoMinorVersionUpgrade: jsii.Bool(true),
		PubliclyAccessible:      jsii.Bool(false),
		// It has no data of its own, and CloudFormation makes no snapshot of a replica ("DeletionPolicy attribute", AWS
		// CloudFormation User Guide).
		DeletionProtection: jsii.Bool(false),
		RemovalPolicy:      awscdk.RemovalPolicy_DESTROY,
	})
	// The ARN by name: CDK would spell it out, which readers of the template cannot follow to the database.
	r.Instance.Node().DefaultChild().(awsrds.CfnDBInstance).SetSourceDbInstanceIdentifier(d.Instance.Node().DefaultChild().(awsrds.CfnDBInstance).AttrDbInstanceArn())
	accept(r.Instance, "It is encrypted as the database is, and CloudFormation wants StorageEncrypted left out then", "AwsSolutions-RDS2")
	accept(r.Instance, "It has no data of its own: another one can be made at any time", "AwsSolutions-RDS3", "AwsSolutions-RDS10")
	accept(r.Instance, "MySQL's own port is what MySQL Workbench and BI vendors expect; another would hide nothing", "AwsSolutions-RDS11")
	return r
}
