package stacks_test

import (
	"regexp"
	"strings"
	"testing"

	"drawbridge/internal/cdktest"
)

func TestSecrets(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, templates map[string]cdktest.Template) {
		t.Run("stand in no template", func(t *testing.T) {
			// A dynamic reference names a secret; CloudFormation puts the value in where it is used. One place may.
			const allowed = "Database/Resources/DatabaseInstanceAA8A5FDE/Properties/MasterUserPassword"
			seen := false
			for stack, template := range templates {
				cdktest.Walk(template, func(path string, value any) {
					path = stack + path
					key := strings.ToLower(path[strings.LastIndex(path, "/")+1:])
					text, isText := value.(string)
					if strings.HasPrefix(path, allowed) {
						seen = true
						if isText && !regexp.MustCompile(`^(|\{\{resolve:secretsmanager:|:SecretString:password::\}\}|DatabaseMasterSecretadminEB53DE3E)$`).MatchString(text) {
							t.Errorf("%s holds %q", path, text)
						}
						return
					}
					switch {
					case isText && strings.Contains(text, "{{resolve:"):
						t.Errorf("%s resolves a secret: %q", path, text)
					case key == "secretstring", strings.HasSuffix(key, "userpassword"), isText && strings.HasSuffix(key, "password"):
						t.Errorf("%s holds %v", path, value)
					case isText && regexp.MustCompile(`BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}`).MatchString(text):
						t.Errorf("%s holds a key", path)
					}
				})
			}
			if !seen {
				t.Errorf("%s was not found: this test looks in the wrong place", allowed)
			}
		})
		t.Run("are generated, 32 letters and digits each", func(t *testing.T) {
			secrets := templates["Database"].Resources("AWS::SecretsManager::Secret")
			if len(secrets) != 3 {
				t.Errorf("%d secrets, want those of master, bi and webapp", len(secrets))
			}
			for _, r := range secrets {
				generator := r.Properties["GenerateSecretString"].(map[string]any)
				if generator["ExcludePunctuation"] != true || generator["PasswordLength"] != 32.0 || generator["GenerateStringKey"] != "password" {
					t.Errorf("%s: %s", r.ID, cdktest.JSON(generator))
				}
				if r.Properties["Name"] != nil {
					t.Errorf("%s has a fixed name, which stays taken for days after a delete", r.ID)
				}
			}
		})
		t.Run("are attached to the instance", func(t *testing.T) {
			attached := map[string]bool{}
			for _, r := range templates["Database"].Resources("AWS::SecretsManager::SecretTargetAttachment") {
				if r.Properties["TargetType"] != "AWS::RDS::DBInstance" {
					t.Errorf("%s is attached to a %v", r.ID, r.Properties["TargetType"])
				}
				attached[cdktest.JSON(r.Properties["SecretId"])] = true
			}
			for _, r := range templates["Database"].Resources("AWS::SecretsManager::Secret") {
				if !attached[`{"Ref":"`+r.ID+`"}`] {
					t.Errorf("%s is not: it holds no host", r.ID)
				}
			}
		})
		t.Run("reach the web app by their name alone", func(t *testing.T) {
			if arn := cdktest.JSON(setting(t, templates, "aws:elasticbeanstalk:application:environment", "RDS_SECRET_ARN")); !strings.Contains(arn, "ReadOnlyUserwebapp") {
				t.Errorf("RDS_SECRET_ARN is %s", arn)
			}
			for _, name := range []string{"RDS_USERNAME", "RDS_PASSWORD"} {
				if value := setting(t, templates, "aws:elasticbeanstalk:application:environment", name); value != nil {
					t.Errorf("%s is set", name)
				}
			}
		})
	})
	t.Run("are never generated anew", func(t *testing.T) {
		generators := func(templates map[string]cdktest.Template) map[string]string {
			found := map[string]string{}
			for _, r := range templates["Database"].Resources("AWS::SecretsManager::Secret") {
				found[r.ID] = cdktest.JSON(r.Properties["GenerateSecretString"])
			}
			return found
		}
		before := generators(synthesize(t, "dev", nil))
		for name, test := range map[string]struct {
			change func(env map[string]any)
			kept   int
		}{
			"by another name of the database": {func(env map[string]any) {
				env["database"].(map[string]any)["name"] = "other_teams"
				env["readOnlyUsers"].(map[string]any)["webapp"].(map[string]any)["schemas"] = []any{"other_teams"}
			}, 3},
			"by another master user": {func(env map[string]any) {
				env["database"].(map[string]any)["masterUsername"] = "owner"
			}, 2},
			"by another name of a read-only user": {func(env map[string]any) {
				env["readOnlyUsers"].(map[string]any)["bi"].(map[string]any)["username"] = "other"
			}, 2},
		} {
			kept := 0
			for id, generator := range generators(synthesize(t, "dev", test.change)) {
				switch before[id] {
				case "": // another secret
				case generator:
					kept++
				default:
					t.Errorf("%s: %s keeps its id and gets a new password", name, id)
				}
			}
			if kept != test.kept {
				t.Errorf("%s: %d secrets stay as they are, want %d", name, kept, test.kept)
			}
		}
	})
}
