package constructs_test

import (
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"drawbridge/constructs"
	"drawbridge/internal/cdktest"
)

// functionTemplate is the template of a network, a database and the function, and of what build adds.
func functionTemplate(t *testing.T, build func(stack awscdk.Stack, function *constructs.DatabaseFunction, database *constructs.Database)) cdktest.Template {
	t.Helper()
	code := cdktest.Asset(t)
	return template(t, func(stack awscdk.Stack) {
		network := constructs.NewNetwork(stack, "Network", &constructs.NetworkProps{Name: "test", CIDR: "10.0.0.0/16"})
		database := constructs.NewDatabase(stack, "Database", &constructs.DatabaseProps{
			Vpc: network.Vpc, Subnets: network.DatabaseSubnets(), Name: "monster_teams", MasterUsername: "admin",
			InstanceClass: "db.t4g.micro", StorageGiB: 20, BackupDays: 1,
		})
		function := constructs.NewDatabaseFunction(stack, "Function", &constructs.DatabaseFunctionProps{
			Network: network, SecretsManagerURL: network.SecretsManagerURL(), Database: database, Architecture: constructs.ARM64, Code: code,
		})
		if build != nil {
			build(stack, function, database)
		}
	})
}

func TestDatabaseFunction(t *testing.T) {
	made := functionTemplate(t, nil)
	function := called(t, made, "AWS::Lambda::Function", "Function")
	role := called(t, made, "AWS::IAM::Role", "Function").ID
	t.Run("is a program for Amazon Linux 2023", func(t *testing.T) {
		check(t, function.Properties, map[string]any{
			"Runtime": "provided.al2023", "Handler": "bootstrap", "Architectures": []any{"arm64"}, "Timeout": 180, "MemorySize": 256,
			"Role": "${" + role + ".Arn}",
		})
	})
	t.Run("may write its own log, be connected to the VPC, and read the master's secret", func(t *testing.T) {
		const interfaces = "ec2:AssignPrivateIpAddresses,ec2:CreateNetworkInterface,ec2:DeleteNetworkInterface"
		checkStatements(t, rolePolicy(t, made, role),
			"Allow logs:CreateLogStream,logs:PutLogEvents on ${"+called(t, made, "AWS::Logs::LogGroup", "Function").ID+".Arn}",
			"Allow "+interfaces+",ec2:UnassignPrivateIpAddresses on arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:*/*",
			"Allow ec2:DescribeNetworkInterfaces,ec2:DescribeSubnets on *",
			"Allow secretsmanager:GetSecretValue on ${"+called(t, made, "AWS::SecretsManager::Secret", "Master").ID+"}",
			"Deny "+interfaces+",ec2:DescribeNetworkInterfaces,ec2:DescribeSubnets,ec2:UnassignPrivateIpAddresses on *"+
				` Condition {"ArnLike":{"lambda:SourceFunctionArn":"arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:*"}}`,
		)
	})
	t.Run("carries no managed policy", func(t *testing.T) {
		check(t, called(t, made, "AWS::IAM::Role", "Function").Properties, map[string]any{"ManagedPolicyArns": nil})
	})
	t.Run("waits for nothing of the instance's, which waits for it", func(t *testing.T) {
		order := made.Dependencies()
		if instance := made.One(t, "AWS::RDS::DBInstance").ID; order.Waits(function.ID, instance) {
			t.Error("it waits for the instance")
		}
	})
	t.Run("reaches the database and HTTPS, and nothing else", func(t *testing.T) {
		checkTraffic(t, made, "Endpoint of AWS Secrets Manager -> nowhere", "Endpoint of AWS Secrets Manager <- Lambda functions inside the VPC tcp 443",
			"Lambda functions inside the VPC -> 0.0.0.0/0 tcp 443", "Lambda functions inside the VPC -> MySQL database tcp 3306",
			"MySQL database -> nowhere", "MySQL database <- Lambda functions inside the VPC tcp 3306")
	})
}

func TestFlipGate(t *testing.T) {
	for phase, public := range map[string]bool{"private": false, "public": true} {
		t.Run("names every user and the phase, "+phase, func(t *testing.T) {
			made := functionTemplate(t, func(stack awscdk.Stack, function *constructs.DatabaseFunction, database *constructs.Database) {
				constructs.NewFlipGate(stack, "Gate", &constructs.FlipGateProps{Function: function, Database: database, Public: public, Users: []*constructs.ReadOnlyUser{
					newReadOnlyUser(stack, function, database, "One", nil),
					newReadOnlyUser(stack, function, database, "Two", func(p *constructs.ReadOnlyUserProps) { p.Name, p.Username = "webapp", "web" }),
				}})
			})
			user := func(name, username, id string) map[string]any {
				return map[string]any{"Name": name, "Username": username, "Host": "10.0.0.0/16", "Schemas": []any{"monster_teams", "other"},
					"SecretArn": "${" + called(t, made, "AWS::SecretsManager::Secret", id).ID + "}"}
			}
			gate := made.One(t, "Custom::FlipGate")
			check(t, gate.Properties, map[string]any{"Exposure": phase, "Users": []any{user("bi", "tester", "One"), user("webapp", "web", "Two")}})
			made.Dependencies().CheckOrder(t, gate.ID, made.One(t, "AWS::RDS::DBInstance").ID)
			if cycle := made.Dependencies().Cycle(); cycle != "" {
				t.Error(cycle)
			}
		})
	}
}

func TestSampleData(t *testing.T) {
	made := functionTemplate(t, func(stack awscdk.Stack, function *constructs.DatabaseFunction, database *constructs.Database) {
		constructs.NewSampleData(stack, "SampleData", &constructs.SampleDataProps{Function: function, Database: database, Schema: "teams"})
	})
	data := made.One(t, "Custom::SampleData")
	check(t, data.Properties, map[string]any{"Schema": "teams"})
	made.Dependencies().CheckOrder(t, made.One(t, "AWS::RDS::DBInstance").ID, data.ID)
}

func TestSSHKeyPair(t *testing.T) {
	made := functionTemplate(t, func(stack awscdk.Stack, function *constructs.DatabaseFunction, _ *constructs.Database) {
		key := constructs.NewSSHKeyPair(stack, "Key", &constructs.SSHKeyPairProps{Function: function, Generation: 3, Comment: "a comment", Description: "a key"})
		awscdk.NewCfnOutput(stack, jsii.String("PublicKey"), &awscdk.CfnOutputProps{Value: key.PublicKey})
		awscdk.NewCfnOutput(stack, jsii.String("Fingerprint"), &awscdk.CfnOutputProps{Value: key.Fingerprint})
	})
	secret, key := called(t, made, "AWS::SecretsManager::Secret", "Key"), made.One(t, "Custom::SSHKeyPair")
	t.Run("has a secret without a value, which the function fills", func(t *testing.T) {
		same(t, secret.Properties, map[string]any{"Description": "a key"})
		check(t, key.Properties, map[string]any{"SecretArn": "${" + secret.ID + "}", "Generation": 3, "Comment": "a comment"})
	})
	t.Run("lets the function in by the secret's own policy, before it is asked", func(t *testing.T) {
		policy := made.One(t, "AWS::SecretsManager::ResourcePolicy")
		check(t, policy.Properties, map[string]any{"SecretId": "${" + secret.ID + "}", "BlockPublicPolicy": true})
		checkStatements(t, policy.Properties["ResourcePolicy"],
			"Allow secretsmanager:GetSecretValue,secretsmanager:PutSecretValue,secretsmanager:UpdateSecretVersionStage on *"+
				` Principal {"AWS":"${`+called(t, made, "AWS::IAM::Role", "Function").ID+`.Arn}"}`)
		made.Dependencies().CheckOrder(t, policy.ID, key.ID)
	})
	t.Run("gives the public half and its fingerprint", func(t *testing.T) {
		outputs := made["Outputs"].(map[string]any)
		for _, name := range []string{"PublicKey", "Fingerprint"} {
			check(t, outputs[name].(map[string]any), map[string]any{"Value": "${" + key.ID + "." + name + "}"})
		}
	})
}
