package stacks_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"drawbridge/internal/cdktest"
	"drawbridge/internal/cfnschema"
)

const instanceID = "DatabaseInstanceAA8A5FDE"

func publicExposure(env map[string]any) {
	env["exposure"], env["developerCidrs"] = "public", []any{"203.0.113.0/24", "198.51.100.7/32"}
}

// one is the id of the only resource of a type in a template whose id has a text in it.
func one(t *testing.T, template cdktest.Template, kind, text string) string {
	t.Helper()
	var found []string
	for _, r := range template.Resources(kind) {
		if strings.Contains(r.ID, text) {
			found = append(found, r.ID)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d resources of type %s have %q in their ids, want 1: %q", len(found), kind, text, found)
	}
	return found[0]
}

func TestTheFlip(t *testing.T) {
	private, public := synthesize(t, "dev", nil), synthesize(t, "dev", publicExposure)
	gate := one(t, private["Database"], "Custom::FlipGate", "")

	t.Run("changes what the gate is told, the instance's public address, and the developers' rules and routes", func(t *testing.T) {
		rest := map[string]bool{
			"Database/Resources/" + gate + "/Properties/Exposure":                 true,
			"Database/Resources/" + instanceID + "/Properties/PubliclyAccessible": true,
		}
		rules, routes := 0, 0
		for _, path := range differences(private, public) {
			switch {
			case rest[path]:
				delete(rest, path)
			case strings.HasPrefix(path, "Database/Resources/PublicAccessIngress"):
				rules++
			case strings.HasPrefix(path, "Database/Resources/PublicAccessRoute"):
				routes++
			default:
				t.Errorf("%s differs", path)
			}
		}
		if len(rest) != 0 || rules != 2 || routes != 4 {
			t.Errorf("%v do not differ; %d rules and %d routes, want 2 and 4", rest, rules, routes)
		}
		for name, want := range map[string]map[string]cdktest.Template{"private": private, "public": public} {
			for _, r := range want["Database"].Resources("Custom::FlipGate") {
				if r.Properties["Exposure"] != name {
					t.Errorf("the gate of the %s phase is told %v", name, r.Properties["Exposure"])
				}
			}
			if got := want["Database"].One(t, "AWS::RDS::DBInstance").Properties["PubliclyAccessible"]; got != (name == "public") {
				t.Errorf("PubliclyAccessible is %v in the %s phase", got, name)
			}
		}
	})
	t.Run("changes no property that replaces, or may replace, what has it", func(t *testing.T) {
		types, err := cfnschema.Read(filepath.Join(cdktest.Root(t), "node_modules"))
		if err != nil {
			t.Fatal(err)
		}
		checked := 0
		for _, path := range differences(private, public) {
			parts := strings.Split(path, "/")
			if len(parts) < 5 || parts[3] != "Properties" {
				continue // a resource that comes or goes
			}
			resource := private[parts[0]]["Resources"].(map[string]any)[parts[2]].(map[string]any)
			kind := resource["Type"].(string)
			if strings.HasPrefix(kind, "Custom::") {
				continue // its physical id decides, which its handler keeps
			}
			checked++
			if effect, known := types[kind][parts[4]]; !known || effect != cfnschema.Never {
				t.Errorf("a change of %s %s: %q, want an update in place", kind, parts[4], effect)
			}
		}
		if checked == 0 {
			t.Error("no property was checked")
		}
	})
	for phase, templates := range map[string]map[string]cdktest.Template{"private": private, "public": public} {
		database := templates["Database"]
		order := database.Dependencies()
		t.Run("has no dependency cycle in any stack, "+phase, func(t *testing.T) {
			for name, template := range templates {
				if cycle := template.Dependencies().Cycle(); cycle != "" {
					t.Errorf("%s: %s", name, cycle)
				}
			}
		})
		t.Run("asks the gate before the instance is touched, and the users' attachments and users after it, "+phase, func(t *testing.T) {
			function := one(t, database, "AWS::Lambda::Function", "")
			for _, user := range []string{"bi", "webapp"} {
				order.CheckOrder(t, function, gate, instanceID,
					one(t, database, "AWS::SecretsManager::SecretTargetAttachment", "ReadOnlyUser"+user), one(t, database, "Custom::ReadOnlyUser", user))
			}
			if !slices.Contains(order[instanceID], gate) {
				t.Error("the instance does not name the gate itself")
			}
		})
		t.Run("lets the gate read every user's secret first, "+phase, func(t *testing.T) {
			for _, user := range []string{"bi", "webapp"} {
				order.CheckOrder(t, one(t, database, "AWS::SecretsManager::Secret", "ReadOnlyUser"+user), one(t, database, "AWS::IAM::Policy", "ReadOnlyUser"+user), gate)
			}
		})
		t.Run("makes the users when the function can log in as the master, and deletes them before it no longer can, "+phase, func(t *testing.T) {
			var needed []string
			for _, kind := range []string{"AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"} {
				needed = append(needed, one(t, database, kind, "DatabaseFunction"))
			}
			needed = append(needed, one(t, database, "AWS::SecretsManager::SecretTargetAttachment", "Master"))
			for _, id := range needed {
				order.CheckOrder(t, id, one(t, database, "Custom::ReadOnlyUser", "bi"))
				order.CheckOrder(t, id, one(t, database, "Custom::ReadOnlyUser", "webapp"))
				order.CheckOrder(t, id, one(t, database, "Custom::SampleData", ""))
			}
		})
		t.Run("starts rotating a password when the user is there, "+phase, func(t *testing.T) {
			schedule := one(t, database, "AWS::SecretsManager::RotationSchedule", "")
			for _, id := range []string{
				one(t, database, "Custom::ReadOnlyUser", "webapp"), one(t, database, "AWS::Lambda::Permission", ""),
				one(t, database, "AWS::SecretsManager::SecretTargetAttachment", "ReadOnlyUserwebapp"), one(t, database, "AWS::IAM::Policy", "ReadOnlyUserwebapp"),
			} {
				order.CheckOrder(t, id, schedule)
			}
		})
	}
}

func TestTheLambdaFunction(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, templates map[string]cdktest.Template) {
		database := templates["Database"]
		function := database.One(t, "AWS::Lambda::Function").Properties
		t.Run("runs in the functions tier, with its security group", func(t *testing.T) {
			place := cdktest.JSON(function["VpcConfig"])
			if strings.Count(place, "FunctionsSubnet") != 2 || strings.Count(place, "Fn::ImportValue") != 3 || !strings.Contains(place, "FunctionsSecurityGroup") {
				t.Errorf("its place is %s", place)
			}
		})
		t.Run("finds Secrets Manager at the endpoint, by the endpoint's own name", func(t *testing.T) {
			url := cdktest.JSON(function["Environment"].(map[string]any)["Variables"].(map[string]any)["AWS_ENDPOINT_URL_SECRETS_MANAGER"])
			name := strings.TrimSuffix(strings.TrimPrefix(url, `{"Fn::ImportValue":"`), `"}`)
			exported := ""
			for _, output := range templates["Network"]["Outputs"].(map[string]any) {
				if output := output.(map[string]any); cdktest.JSON(output["Export"]) == `{"Name":"`+name+`"}` {
					exported = cdktest.JSON(output["Value"])
				}
			}
			want := `{"Fn::Join":["",["https://",{"Fn::Select":[1,{"Fn::Split":[":",{"Fn::Select":[0,{"Fn::GetAtt":["NetworkVpcSecretsManagerEndpoint522C18D9","DnsEntries"]}]}]}]}]]}`
			if exported != want {
				t.Errorf("it is told %s, which is %s", url, exported)
			}
		})
		t.Run("has no secret in its environment", func(t *testing.T) {
			for name, value := range function["Environment"].(map[string]any)["Variables"].(map[string]any) {
				if text := cdktest.JSON(value); name != "AWS_ENDPOINT_URL_SECRETS_MANAGER" && (name != "DRAWBRIDGE_MASTER_SECRET_ARN" || text != `{"Ref":"DatabaseMasterSecretadminEB53DE3E"}`) {
					t.Errorf("%s is %s", name, text)
				}
			}
		})
		t.Run("is given up on by CloudFormation after minutes, and after its own retries", func(t *testing.T) {
			kinds := map[string]int{}
			for _, r := range resources(templates) {
				if token := cdktest.JSON(r.Properties["ServiceToken"]); !strings.Contains(token, "DatabaseFunction") {
					continue
				}
				kinds[r.Type]++
				if r.Properties["ServiceTimeout"] != "900" {
					t.Errorf("%s: ServiceTimeout is %v", r.ID, r.Properties["ServiceTimeout"])
				}
			}
			for _, kind := range []string{"Custom::ReadOnlyUser", "Custom::FlipGate", "Custom::SSHKeyPair"} {
				if kinds[kind] == 0 {
					t.Errorf("no %s was found", kind)
				}
			}
			// Three invocations of 180 s, with a minute and two minutes between them.
			if function["Timeout"] != 180.0 || 3*180+60+120 > 900 {
				t.Errorf("its own time is %v s", function["Timeout"])
			}
		})
		t.Run("gets no event that CloudFormation has given up on", func(t *testing.T) {
			events := database.One(t, "AWS::Lambda::EventInvokeConfig").Properties
			if events["MaximumEventAgeInSeconds"] != 900.0 || events["MaximumRetryAttempts"] != 2.0 {
				t.Errorf("it gets events as in %s", cdktest.JSON(events))
			}
		})
		t.Run("keeps its log for three months", func(t *testing.T) {
			group := one(t, database, "AWS::Logs::LogGroup", "DatabaseFunction")
			if got := cdktest.JSON(function["LoggingConfig"]); got != `{"LogGroup":{"Ref":"`+group+`"}}` {
				t.Errorf("it logs to %s", got)
			}
			for _, r := range database.Resources("AWS::Logs::LogGroup") {
				if r.Properties["RetentionInDays"] != 90.0 {
					t.Errorf("%s keeps %v days", r.ID, r.Properties["RetentionInDays"])
				}
			}
		})
		t.Run("reads the master's secret and the users', and writes the rotated ones alone", func(t *testing.T) {
			var got []string
			for _, s := range statements(t, templates) {
				if actions := cdktest.JSON(s.statement["Action"]); strings.Contains(actions, "secretsmanager:") && strings.HasPrefix(s.where, "Database/") {
					got = append(got, strings.ReplaceAll(actions, "secretsmanager:", "")+" "+cdktest.JSON(s.statement["Resource"]))
				}
			}
			slices.Sort(got)
			want := []string{
				`"GetSecretValue" {"Ref":"DatabaseMasterSecretadminEB53DE3E"}`,
				`"GetSecretValue" {"Ref":"ReadOnlyUserbiSecrettester09026CDB"}`,
				`["DescribeSecret","GetSecretValue","PutSecretValue","UpdateSecretVersionStage"] {"Ref":"ReadOnlyUserwebappSecretwebapp29C967B2"}`,
			}
			if !slices.Equal(got, want) {
				t.Errorf("it may\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
		t.Run("makes users who come from the VPC", func(t *testing.T) {
			for _, r := range database.Resources("Custom::ReadOnlyUser") {
				if host := cdktest.JSON(r.Properties["Host"]); !strings.Contains(host, "NetworkVpc") || !strings.Contains(host, "CidrBlock") {
					t.Errorf("%s comes from %s", r.ID, host)
				}
			}
		})
		t.Run("is called by Secrets Manager of this account alone", func(t *testing.T) {
			permission := database.One(t, "AWS::Lambda::Permission").Properties
			if permission["Principal"] != "secretsmanager.amazonaws.com" || cdktest.JSON(permission["SourceAccount"]) == "null" || permission["Action"] != "lambda:InvokeFunction" {
				t.Errorf("the permission is %s", cdktest.JSON(permission))
			}
		})
		t.Run("rotates the web app's password and not the vendor's, and none during a deployment", func(t *testing.T) {
			schedule := database.One(t, "AWS::SecretsManager::RotationSchedule").Properties
			if got := cdktest.JSON(schedule["SecretId"]); got != `{"Ref":"ReadOnlyUserwebappSecretwebapp29C967B2"}` {
				t.Errorf("it rotates %s", got)
			}
			if schedule["RotateImmediatelyOnUpdate"] != false {
				t.Error("it rotates at once")
			}
		})
	})
}

func TestUsersOfTheConfig(t *testing.T) {
	const auditor = "auditor"
	before := synthesize(t, "dev", nil)
	after := synthesize(t, "dev", func(env map[string]any) {
		env["readOnlyUsers"].(map[string]any)[auditor] = map[string]any{"username": "auditor", "schemas": []any{"monster_teams"}}
	})
	t.Run("add what is theirs, an entry for the gate, and change nothing else", func(t *testing.T) {
		gate := one(t, before["Database"], "Custom::FlipGate", "")
		for _, path := range differences(before, after) {
			if path != "Database/Resources/"+gate+"/Properties/Users" && path != "Database/Resources/"+gate+"/DependsOn" && !strings.Contains(path, "uditor") {
				t.Errorf("%s differs", path)
			}
		}
		if users := after["Database"].One(t, "Custom::FlipGate").Properties["Users"].([]any); len(users) != 3 {
			t.Errorf("the gate checks %d users, want 3", len(users))
		}
	})
	t.Run("keep their custom resource when they are renamed, so that CloudFormation deletes the old account last", func(t *testing.T) {
		renamed := synthesize(t, "dev", func(env map[string]any) {
			env["readOnlyUsers"].(map[string]any)["bi"].(map[string]any)["username"] = "other"
		})
		if was, is := one(t, before["Database"], "Custom::ReadOnlyUser", "bi"), one(t, renamed["Database"], "Custom::ReadOnlyUser", "bi"); was != is {
			t.Errorf("%s became %s", was, is)
		}
	})
	t.Run("keep the old secret and the policy for it until the end when they are renamed, as a rollback needs both", func(t *testing.T) {
		renamed := synthesize(t, "dev", func(env map[string]any) {
			env["readOnlyUsers"].(map[string]any)["bi"].(map[string]any)["username"] = "other"
		})
		for _, kind := range []string{"AWS::SecretsManager::Secret", "AWS::IAM::Policy", "AWS::SecretsManager::SecretTargetAttachment"} {
			if was, is := one(t, before["Database"], kind, "ReadOnlyUserbi"), one(t, renamed["Database"], kind, "ReadOnlyUserbi"); was == is {
				t.Errorf("%s is changed in place", was)
			}
		}
	})
	t.Run("load no sample data unless the config says so", func(t *testing.T) {
		without := synthesize(t, "dev", func(env map[string]any) { env["database"].(map[string]any)["sampleData"] = false })
		for _, r := range without["Database"].Resources("Custom::SampleData") {
			t.Errorf("there is %s", r.ID)
		}
		before["Database"].One(t, "Custom::SampleData")
	})
}
