package constructs_test

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"drawbridge/constructs"
	"drawbridge/internal/cdktest"
)

func readOnlyUser(t *testing.T, username string) cdktest.Template {
	t.Helper()
	return template(t, func(stack awscdk.Stack) {
		constructs.NewReadOnlyUser(stack, "User", &constructs.ReadOnlyUserProps{Database: newDatabase(stack, nil), Username: username})
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
