package constructs_test

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"drawbridge/constructs"
	"drawbridge/internal/cdktest"
)

func readOnlyUser(t *testing.T, username string) cdktest.Template {
	t.Helper()
	return functionTemplate(t, func(stack awscdk.Stack, function *constructs.DatabaseFunction, database *constructs.Database) {
		newReadOnlyUser(stack, function, database, "User", func(p *constructs.ReadOnlyUserProps) { p.Username = username })
	})
}

// newReadOnlyUser adds a user, after change, which may be nil, has edited its properties.
func newReadOnlyUser(stack awscdk.Stack, function *constructs.DatabaseFunction, database *constructs.Database, id string, change func(*constructs.ReadOnlyUserProps)) *constructs.ReadOnlyUser {
	props := &constructs.ReadOnlyUserProps{
		Database: database, Function: function, Name: "bi", Username: "tester", Host: jsii.String("10.0.0.0/16"),
		Schemas: []string{"monster_teams", "other"}, MaxConnections: 7,
	}
	if change != nil {
		change(props)
	}
	return constructs.NewReadOnlyUser(stack, id, props)
}

func TestReadOnlyUserResource(t *testing.T) {
	made := readOnlyUser(t, "tester")
	t.Run("tells the function all it needs, and no password", func(t *testing.T) {
		same(t, made.One(t, "Custom::ReadOnlyUser").Properties, map[string]any{
			"ServiceToken": "${" + called(t, made, "AWS::Lambda::Function", "Function").ID + ".Arn}", "ServiceTimeout": "900",
			"Username": "tester", "Host": "10.0.0.0/16", "Schemas": []any{"monster_teams", "other"}, "MaxConnections": 7,
			"SecretArn": "${" + called(t, made, "AWS::SecretsManager::Secret", "User").ID + "}",
		})
	})
	t.Run("is not rotated unless it is asked for", func(t *testing.T) {
		for _, kind := range []string{"AWS::SecretsManager::RotationSchedule", "AWS::Lambda::Permission"} {
			for _, r := range made.Resources(kind) {
				t.Errorf("there is %s", r.ID)
			}
		}
	})
	t.Run("is rotated every 30 days where it is asked for", func(t *testing.T) {
		made := functionTemplate(t, func(stack awscdk.Stack, function *constructs.DatabaseFunction, database *constructs.Database) {
			newReadOnlyUser(stack, function, database, "User", func(p *constructs.ReadOnlyUserProps) { p.Rotate = true })
		})
		same(t, made.One(t, "AWS::SecretsManager::RotationSchedule").Properties, map[string]any{
			"SecretId":          "${" + called(t, made, "AWS::SecretsManager::Secret", "User").ID + "}",
			"RotationLambdaARN": "${" + called(t, made, "AWS::Lambda::Function", "Function").ID + ".Arn}",
			"RotationRules":     map[string]any{"AutomaticallyAfterDays": 30}, "RotateImmediatelyOnUpdate": false,
		})
		checkStatements(t, called(t, made, "AWS::IAM::Policy", "User").Properties["PolicyDocument"],
			"Allow secretsmanager:DescribeSecret,secretsmanager:GetSecretValue,secretsmanager:PutSecretValue,secretsmanager:UpdateSecretVersionStage on ${"+
				called(t, made, "AWS::SecretsManager::Secret", "User").ID+"}")
	})
	t.Run("has its secret read by the function, and not written", func(t *testing.T) {
		policy := called(t, made, "AWS::IAM::Policy", "User").Properties
		checkStatements(t, policy["PolicyDocument"], "Allow secretsmanager:GetSecretValue on ${"+called(t, made, "AWS::SecretsManager::Secret", "User").ID+"}")
		same(t, policy["Roles"], []any{"${" + called(t, made, "AWS::IAM::Role", "Function").ID + "}"})
	})
}

func TestReadOnlyUserSecret(t *testing.T) {
	// As for the master's secret: do not edit the expectation.
	t.Run("is generated like this for ever", func(t *testing.T) {
		secret := called(t, readOnlyUser(t, "tester"), "AWS::SecretsManager::Secret", "User")
		same(t, secret.Properties["GenerateSecretString"], map[string]any{
			"ExcludePunctuation": true, "GenerateStringKey": "password", "PasswordLength": 32,
			"SecretStringTemplate": `{"username":"tester"}`,
		})
	})
	t.Run("gets the instance's host and port", func(t *testing.T) {
		made := readOnlyUser(t, "tester")
		check(t, called(t, made, "AWS::SecretsManager::SecretTargetAttachment", "User").Properties, map[string]any{
			"SecretId":   "${" + called(t, made, "AWS::SecretsManager::Secret", "User").ID + "}",
			"TargetId":   "${" + made.One(t, "AWS::RDS::DBInstance").ID + "}",
			"TargetType": "AWS::RDS::DBInstance",
		})
	})
	t.Run("is another one for another username", func(t *testing.T) {
		id := func(username string) string {
			return called(t, readOnlyUser(t, username), "AWS::SecretsManager::Secret", "User").ID
		}
		seen := map[string]string{}
		// The last ones differ in what a logical id cannot hold.
		for _, username := range []string{"tester", "other", "read_only", "read-only", "readonly"} {
			if first := seen[id(username)]; first != "" {
				t.Errorf("%s has the secret of %s", username, first)
			}
			seen[id(username)] = username
		}
		if again := id("tester"); seen[again] != "tester" {
			t.Errorf("the same username gets %s, which is not what it got before", again)
		}
	})
	t.Run("holds any username as it is", func(t *testing.T) {
		for _, username := range []string{`o'brien`, `a "quoted" name`, `back\slash`, "<tag>&", "Zoë", "per%cent_under"} {
			secret := called(t, readOnlyUser(t, username), "AWS::SecretsManager::Secret", "User")
			var fields map[string]string
			text := secret.Properties["GenerateSecretString"].(map[string]any)["SecretStringTemplate"].(string)
			if err := json.Unmarshal([]byte(text), &fields); err != nil || fields["username"] != username {
				t.Errorf("%s reads as %q, %v", text, fields["username"], err)
			}
		}
	})
}
