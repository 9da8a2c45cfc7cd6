package change

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"drawbridge/internal/cfnschema"
)

type m = map[string]any

// app is a small environment: of each stack's id, its template.
type app map[string]m

// write makes an assembly of the stacks. settings are the manifest's properties of each.
func (a app) write(t *testing.T, settings m) string {
	t.Helper()
	dir := t.TempDir()
	artifacts := m{}
	put := func(name string, value any) {
		text, err := json.Marshal(value)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for id, template := range a {
		properties := m{"templateFile": id + ".json", "stackName": "test-" + id}
		for name, value := range settings {
			properties[name] = value
		}
		artifacts[id] = m{"type": "aws:cloudformation:stack", "properties": properties, "environment": properties["environment"]}
		put(id+".json", template)
	}
	put("manifest.json", m{"artifacts": artifacts})
	return dir
}

func resources(list ...any) m {
	all := m{}
	for i := 0; i < len(list); i += 2 {
		all[list[i].(string)] = list[i+1]
	}
	return m{"Resources": all}
}

func with(template m, key string, value any) m {
	template[key] = value
	return template
}

// of is a resource of a type: its properties, and what else there is.
func of(kind string, properties m, other ...any) m {
	r := m{"Type": kind, "Properties": properties}
	for i := 0; i < len(other); i += 2 {
		r[other[i].(string)] = other[i+1]
	}
	return r
}

func database(properties m, other ...any) m {
	all := m{"DBInstanceClass": "db.t4g.micro", "AllocatedStorage": "20", "EngineVersion": "8.4"}
	for name, value := range properties {
		all[name] = value
	}
	return of("AWS::RDS::DBInstance", all, other...)
}

var schemas = func() cfnschema.Schemas {
	s, err := cfnschema.ReadAll("../../node_modules")
	if err != nil {
		panic(err)
	}
	return s
}()

func compare(t *testing.T, before, after app) *Environment {
	t.Helper()
	return compareFolders(t, before.write(t, nil), after.write(t, nil))
}

func compareFolders(t *testing.T, before, after string) *Environment {
	t.Helper()
	e, err := Compare("The environment test", before, after, schemas, func(string, string, string) (string, error) { return "", nil })
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func summary(e *Environment) string {
	var lines []string
	for _, effect := range e.Effects {
		lines = append(lines, fmt.Sprintf("%s/%s %s", effect.Stack, effect.ID, effect.Action))
	}
	return strings.Join(lines, ", ")
}

// losses and what the deployment is refused for, as one text.
func alerts(e *Environment) string {
	var lines []string
	for _, effect := range e.Effects {
		if effect.Loss != "" {
			lines = append(lines, effect.Loss)
		}
	}
	return strings.Join(append(lines, e.Refused...), "\n")
}

func TestWhatBecomesOfData(t *testing.T) {
	bucket := func(other ...any) m { return of("AWS::S3::Bucket", m{}, other...) }
	for name, test := range map[string]struct {
		before, after any // the resource D; nil where it is not there
		loud          string
	}{
		"a database is removed":                        {database(nil), nil, "The database `S/D` is removed.** CloudFormation takes a last snapshot of it, and deletes it."},
		"a database without a snapshot is removed":     {database(nil, "DeletionPolicy", "Delete"), nil, "CloudFormation deletes it."},
		"a database that is kept is removed":           {database(nil, "DeletionPolicy", "Retain"), nil, "CloudFormation leaves it in the account"},
		"a protected database is removed":              {database(m{"DeletionProtection": true}), nil, "Its DeletionProtection makes RDS refuse that."},
		"a database is replaced":                       {database(nil), database(m{"Port": "3307"}), "The database `S/D` is replaced.** **The new one starts empty.** CloudFormation deletes the old one."},
		"a database is replaced, with a snapshot":      {database(nil, "UpdateReplacePolicy", "Snapshot"), database(m{"Port": "3307"}, "UpdateReplacePolicy", "Snapshot"), "CloudFormation takes a last snapshot of the old one"},
		"a database is replaced as its policy goes":    {database(nil, "UpdateReplacePolicy", "Snapshot"), database(m{"Port": "3307"}), "CloudFormation deletes the old one."},
		"a database from a snapshot is replaced":       {database(m{"DBSnapshotIdentifier": "s"}), database(m{"DBSnapshotIdentifier": "s", "Port": "3307"}), "is replaced.** CloudFormation deletes the old one."},
		"a database with a name is replaced":           {database(m{"DBInstanceIdentifier": "d"}), database(m{"DBInstanceIdentifier": "d", "Port": "3307"}), "CloudFormation does not replace a database that has a name of its own: `S/D` stays `d`."},
		"a database may be replaced":                   {database(nil), database(m{"AvailabilityZone": "eu-west-1a"}), "The database `S/D` may be replaced.**"},
		"a database is another type of resource":       {database(nil), bucket(), "The database `S/D` is replaced.**"},
		"a protected database is replaced":             {database(m{"DeletionProtection": true}), database(m{"Port": "3307"}), "Its DeletionProtection makes RDS refuse that, and the old one stays."},
		"a database becomes a replica":                 {database(nil), database(m{"SourceDBInstanceIdentifier": "other"}), "The database `S/D` may be replaced.**"},
		"a database is made or removed by a condition": {database(nil), database(nil, "Condition", "Sometimes"), "The database `S/D` may be replaced.**"},
		"storage is made smaller":                      {database(m{"AllocatedStorage": "50"}), database(nil), "RDS does not make storage smaller: AllocatedStorage goes from 50 to 20 GiB"},
		"a version goes back":                          {database(m{"EngineVersion": "8.4.7"}), database(m{"EngineVersion": "8.4.6"}), "RDS does not go back to an older version"},
		"a major version":                              {database(nil), database(m{"EngineVersion": "9.1"}), "RDS does not upgrade to another major version (8.4 to 9.1) unless"},
		"a bucket is removed":                          {bucket("DeletionPolicy", "Retain"), nil, "The bucket `S/D` is removed.** CloudFormation leaves it"},
		"logs are removed":                             {of("AWS::Logs::LogGroup", m{}), nil, "The log group `S/D` is removed.**"},
		"an address is removed":                        {of("AWS::EC2::EIP", m{}), nil, "The public address `S/D` is removed.**"},
		"a secret has another name":                    {of("AWS::SecretsManager::Secret", m{"Name": "a"}), of("AWS::SecretsManager::Secret", m{"Name": "b"}), "The secret `S/D` is replaced.**"},
		"a secret generates another value":             {of("AWS::SecretsManager::Secret", m{"GenerateSecretString": m{"PasswordLength": 32}}), of("AWS::SecretsManager::Secret", m{"GenerateSecretString": m{"PasswordLength": 40}}), "gets another value"},
		"a type that only the schemas know":            {of("AWS::DynamoDB::Table", m{}), nil, "What holds data, of the type AWS::DynamoDB::Table, `S/D` is removed.**"},
		"backups are kept for less long":               {database(m{"BackupRetentionPeriod": 14}), database(m{"BackupRetentionPeriod": 1}), "Automated backups of the database `S/D` are deleted**: those from before the last 1 days."},
		"there are no more backups":                    {database(m{"BackupRetentionPeriod": 14}), database(m{"BackupRetentionPeriod": 0}), "those from before the last 0 days."},
		"logs are kept for less long":                  {of("AWS::Logs::LogGroup", m{"RetentionInDays": 90}), of("AWS::Logs::LogGroup", m{"RetentionInDays": 30}), "Lines of the log group `S/D` are deleted**"},
		"logs were kept for ever":                      {of("AWS::Logs::LogGroup", m{}), of("AWS::Logs::LogGroup", m{"RetentionInDays": 30}), "Lines of the log group `S/D` are deleted**"},
		"a custom resource's function is another one":  {of("Custom::SSHKeyPair", m{"ServiceToken": 1, "Generation": 1}), of("Custom::SSHKeyPair", m{"ServiceToken": 2, "Generation": 2}), "CloudFormation does not give a custom resource another function (ServiceToken)"},
		"a resource of another type":                   {database(nil), bucket(), "CloudFormation does not make another type of a resource: `S/D` is of AWS::RDS::DBInstance, and would be of AWS::S3::Bucket."},
		"a site gets a load balancer":                  {beanstalk("SingleInstance"), beanstalk("LoadBalanced"), "The site `S/D` gets another address**: it goes from SingleInstance to LoadBalanced"},
		"an SSH key pair":                              {of("Custom::SSHKeyPair", m{"Generation": 1}), of("Custom::SSHKeyPair", m{"Generation": 2}), "The SSH key pair `S/D` is another one."},
	} {
		t.Run(name, func(t *testing.T) {
			side := func(r any) app {
				template := resources("Other", of("AWS::EC2::InternetGateway", m{}))
				if r != nil {
					template["Resources"].(m)["D"] = r
				}
				return app{"S": with(template, "Conditions", m{"Sometimes": m{"Fn::Equals": list("a", m{"Ref": "AWS::Region"})}})}
			}
			e := compare(t, side(test.before), side(test.after))
			if got := alerts(e); !strings.Contains(got, test.loud) {
				t.Errorf("it says\n%s\nand not %q", got, test.loud)
			}
			refused := strings.HasPrefix(test.loud, "RDS does not")
			if e.Loses() == refused {
				t.Errorf("it loses something: %t", e.Loses())
			}
		})
	}
}

func list(items ...any) []any { return items }

func beanstalk(environmentType string) m {
	return of("AWS::ElasticBeanstalk::Environment", m{"OptionSettings": list(m{"Namespace": "aws:elasticbeanstalk:environment", "OptionName": "EnvironmentType", "Value": environmentType})})
}

func TestWhatIsQuiet(t *testing.T) {
	for name, test := range map[string]struct {
		before, after m
		want          string
	}{
		"the same":                       {database(nil), database(nil), ""},
		"the same number as text":        {database(m{"AllocatedStorage": 20}), database(nil), ""},
		"an order of creation":           {database(nil), database(nil, "DependsOn", "Other"), ""},
		"metadata":                       {database(nil), database(nil, "Metadata", m{"a": "b"}), ""},
		"storage is made larger":         {database(nil), database(m{"AllocatedStorage": "30"}), "S/D changed in place"},
		"a minor version":                {database(m{"EngineVersion": "8.4.6"}), database(m{"EngineVersion": "8.4.7"}), "S/D interrupted"},
		"backups, from some to more":     {database(m{"BackupRetentionPeriod": 1}), database(m{"BackupRetentionPeriod": 7}), "S/D changed in place"},
		"backups, from none to some":     {database(m{"BackupRetentionPeriod": 0}), database(m{"BackupRetentionPeriod": 7}), "S/D interrupted"},
		"a policy":                       {database(nil), database(nil, "DeletionPolicy", "Retain"), "S/D changed in place"},
		"a host's type":                  {of("AWS::EC2::Instance", m{"InstanceType": "t4g.micro"}), of("AWS::EC2::Instance", m{"InstanceType": "t4g.small"}), "S/D interrupted"},
		"a host's image":                 {of("AWS::EC2::Instance", m{"ImageId": "a"}), of("AWS::EC2::Instance", m{"ImageId": "b"}), "S/D replaced"},
		"a type that nobody knows":       {of("AWS::Not::There", m{"A": 1}), of("AWS::Not::There", m{"A": 2}), "S/D may be replaced"},
		"a custom resource of others":    {of("Custom::Other", m{"A": 1}), of("Custom::Other", m{"A": 2}), "S/D may be replaced"},
		"a read replica":                 {database(m{"SourceDBInstanceIdentifier": "d"}), database(m{"SourceDBInstanceIdentifier": "d", "Port": "3307"}), "S/D replaced"},
		"what a read-only user may read": {of("Custom::ReadOnlyUser", m{"Schemas": list("a")}), of("Custom::ReadOnlyUser", m{"Schemas": list("b")}), "S/D changed in place"},
	} {
		t.Run(name, func(t *testing.T) {
			other := of("AWS::EC2::InternetGateway", m{})
			e := compare(t, app{"S": resources("D", test.before, "Other", other)}, app{"S": resources("D", test.after, "Other", other)})
			if got := summary(e); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
			if e.Loses() || len(e.Refused) > 0 {
				t.Errorf("it is loud: %s", alerts(e))
			}
			if test.want == "" && (e.Changed() || e.Markdown() != "") {
				t.Errorf("it changes something: %s", e.Markdown())
			}
		})
	}
}

// A replaced resource has another id, and so does what holds that id where CloudFormation cannot change it in place.
func TestReplacementGoesOn(t *testing.T) {
	vpc := func(cidr string) app {
		return app{
			"A": with(resources(
				"Vpc", of("AWS::EC2::VPC", m{"CidrBlock": cidr}),
				"Group", of("AWS::EC2::SecurityGroup", m{"GroupDescription": "g", "VpcId": m{"Ref": "Vpc"}}),
				"Named", of("AWS::EC2::SecurityGroup", m{"GroupDescription": m{"Fn::Sub": "in ${Vpc}"}}),
				"Attribute", of("AWS::EC2::SecurityGroup", m{"GroupDescription": m{"Fn::GetAtt": list("Vpc", "CidrBlock")}}),
				"Inside", of("AWS::EC2::Instance", m{"Tags": list(m{"Key": "k", "Value": m{"Ref": "Vpc"}})}),
				"Away", of("AWS::EC2::SecurityGroup", m{"GroupDescription": "${!Vpc}"}),
			), "Outputs", m{
				"Exported": m{"Value": m{"Fn::GetAtt": list("Group", "GroupId")}, "Export": m{"Name": "group"}},
				"Weak":     m{"Value": m{"Ref": "Group"}},
			}),
			"B": resources(
				"Strong", of("AWS::EC2::SecurityGroupIngress", m{"GroupId": m{"Fn::ImportValue": "group"}}),
				"Weak", of("AWS::EC2::SecurityGroupIngress", m{"GroupId": m{"Fn::GetStackOutput": m{"StackName": "test-A", "OutputName": "Weak"}}}),
			),
		}
	}
	e := compare(t, vpc("10.0.0.0/16"), vpc("10.1.0.0/16"))
	want := "A/Group replaced, A/Named replaced, A/Vpc replaced, B/Strong replaced, B/Weak replaced, A/Attribute may be replaced, A/Inside changed in place"
	if got := summary(e); got != want {
		t.Errorf("\n%s, want\n%s", got, want)
	}
	if got := strings.Join(e.Refused, "\n"); got != "CloudFormation neither changes nor removes what another stack imports: of the stack A, `${Group.GroupId}` (imported by B)." {
		t.Errorf("refused: %s", got)
	}
	if !slices.Equal(e.Follows, []string{"A/Weak"}) {
		t.Errorf("outputs that follow: %v", e.Follows)
	}
}

func TestExportsThatAreTakenAway(t *testing.T) {
	side := func(exported, imported bool) app {
		a, b := resources("R", of("AWS::EC2::InternetGateway", m{})), resources("R", of("AWS::EC2::InternetGateway", m{}))
		if exported {
			a["Outputs"] = m{"O": m{"Value": "v", "Export": m{"Name": "o"}}}
		}
		if imported {
			b = resources("R", of("AWS::EC2::InternetGateway", m{"Tags": list(m{"Key": "k", "Value": m{"Fn::ImportValue": "o"}})}))
		}
		return app{"A": a, "B": b}
	}
	// The stack that exports is deployed before the one that stops importing.
	if e := compare(t, side(true, true), side(false, false)); len(e.Refused) != 1 {
		t.Errorf("taken away from who imports it: %v", e.Refused)
	}
	if e := compare(t, side(true, false), side(false, false)); len(e.Refused) != 0 {
		t.Errorf("taken away from nobody: %v", e.Refused)
	}
	if e := compare(t, side(true, false), side(true, true)); len(e.Refused) != 0 {
		t.Errorf("a new import: %v", e.Refused)
	}
	without := side(false, false)
	delete(without, "A")
	if e := compare(t, side(true, true), without); len(e.Refused) != 0 {
		t.Errorf("gone with a stack that nobody deploys any more: %v", e.Refused)
	}
}

// The text of an import says nothing of the value.
func TestImportOfAnotherValue(t *testing.T) {
	side := func(value string) app {
		return app{
			"A": with(resources("R", of("AWS::EC2::InternetGateway", m{})), "Outputs", m{"O": m{"Value": value, "Export": m{"Name": "o"}}}),
			"B": resources("R", of("AWS::EC2::VPC", m{"CidrBlock": m{"Fn::ImportValue": "o"}})),
		}
	}
	e := compare(t, side("10.0.0.0/16"), side("10.1.0.0/16"))
	if got := summary(e); got != "B/R replaced" {
		t.Errorf("%s", got)
	}
	if len(e.Refused) != 1 {
		t.Errorf("refused: %v", e.Refused)
	}
}

func TestStacksThatComeAndGo(t *testing.T) {
	full, empty := resources("D", database(nil), "G", of("AWS::EC2::InternetGateway", m{})), m{"Resources": m{}}
	other := resources("G", of("AWS::EC2::InternetGateway", m{}))
	for name, test := range map[string]struct {
		before, after app
		want, loud    string
	}{
		"new":          {app{"O": other}, app{"O": other, "S": full}, "The stack `S` is new.", ""},
		"filled":       {app{"O": other, "S": empty}, app{"O": other, "S": full}, "The stack `S` is new.", ""},
		"emptied":      {app{"O": other, "S": full}, app{"O": other, "S": empty}, "**The stack `S` is empty now: the CDK CLI deletes it.**", "The database `S/D` is removed.**"},
		"gone":         {app{"O": other, "S": full}, app{"O": other}, "**The stack `test-S` is not in the app any more.**", "The database `S/D` is left behind**"},
		"empty anyway": {app{"O": other, "S": empty}, app{"O": other}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := compare(t, test.before, test.after)
			if got := strings.Join(e.Notices, "\n"); !strings.Contains(got, test.want) || test.want == "" && got != "" {
				t.Errorf("notices: %s", got)
			}
			if got := alerts(e); !strings.Contains(got, test.loud) || test.loud == "" && got != "" {
				t.Errorf("alerts: %s", got)
			}
		})
	}
}

// The CDK CLI's diff is of templates, and says nothing of these.
func TestSettingsOfStacks(t *testing.T) {
	a := app{"S": resources("G", of("AWS::EC2::InternetGateway", m{}))}
	plain, protected := a.write(t, nil), a.write(t, m{"terminationProtection": true})
	for name, test := range map[string]struct{ before, after, want string }{
		"protection goes":  {protected, plain, "**The stack `S` can be deleted from then on**"},
		"protection comes": {plain, protected, "gets termination protection"},
		"tags":             {plain, a.write(t, m{"tags": m{"team": "data"}}), "The tags of the stack `S` go from `map[]` to `map[team:data]`"},
		"another name":     {plain, a.write(t, m{"stackName": "other"}), "**The stack `S` is made anew elsewhere**, as `other`"},
	} {
		t.Run(name, func(t *testing.T) {
			e := compareFolders(t, test.before, test.after)
			if got := strings.Join(e.Notices, "\n"); !strings.Contains(got, test.want) {
				t.Errorf("%s", got)
			}
			if !e.Changed() || e.Loses() {
				t.Errorf("changed: %t, loses: %t", e.Changed(), e.Loses())
			}
		})
	}
}

func TestAStackThatMovesLeavesItsDataBehind(t *testing.T) {
	a := app{"S": resources("D", database(nil))}
	in := func(place string) string { return a.write(t, m{"environment": place}) }
	const there, open = "aws://111111111111/eu-west-1", "aws://unknown-account/unknown-region"
	for name, test := range map[string]struct {
		before, after string
		leaves        bool
	}{
		"to another account":         {there, "aws://222222222222/eu-west-1", true},
		"to another region":          {there, "aws://111111111111/eu-west-2", true},
		"nowhere":                    {there, there, false},
		"to what may be its account": {open, there, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := compareFolders(t, in(test.before), in(test.after))
			if e.Loses() != test.leaves || strings.Contains(alerts(e), "The database `S/D` is left behind") != test.leaves {
				t.Errorf("it leaves something: %t\n%s", e.Loses(), e.Markdown())
			}
		})
	}
}

// What the stack that stays behind exports, it goes on exporting.
func TestAStackThatMovesTakesNoExportAway(t *testing.T) {
	side := func(exported, place string) string {
		return app{
			"A": with(resources("R", of("AWS::EC2::InternetGateway", m{})), "Outputs", m{"O": m{"Value": exported, "Export": m{"Name": "o"}}}),
			"B": resources("R", of("AWS::EC2::VPC", m{"CidrBlock": m{"Fn::ImportValue": "o"}})),
		}.write(t, m{"environment": place})
	}
	const here, there = "aws://111111111111/eu-west-1", "aws://222222222222/eu-west-1"
	if e := compareFolders(t, side("10.0.0.0/16", here), side("10.1.0.0/16", there)); len(e.Refused) != 0 {
		t.Errorf("refused: %v", e.Refused)
	}
	if e := compareFolders(t, side("10.0.0.0/16", here), side("10.1.0.0/16", here)); len(e.Refused) != 1 {
		t.Errorf("where it stays: %v", e.Refused)
	}
}

func TestFunctionOfACustomResource(t *testing.T) {
	user := func(token any, username string) m {
		return of("Custom::ReadOnlyUser", m{"ServiceToken": token, "Username": username})
	}
	direct := func(token, username string) app { return app{"S": resources("D", user(token, username))} }
	indirect := func(name string, other ...any) app {
		function := of("AWS::Lambda::Function", m{"FunctionName": name}, other...)
		return app{"S": with(resources("F", function, "D", user(m{"Fn::GetAtt": list("F", "Arn")}, "u")),
			"Conditions", m{"Sometimes": m{"Fn::Equals": list("a", m{"Ref": "AWS::Region"})}})}
	}
	for name, test := range map[string]struct {
		before, after app
		refused       bool
	}{
		"the same":    {direct("1", "u"), direct("1", "u"), false},
		"another one": {direct("1", "u"), direct("2", "u"), true},
		"another one, and the resource is replaced": {direct("1", "u"), direct("2", "v"), true},
		"the function is replaced":                  {indirect("a"), indirect("b"), true},
		"the function may be replaced":              {indirect("a"), indirect("a", "Condition", "Sometimes"), false},
	} {
		t.Run(name, func(t *testing.T) {
			e := compare(t, test.before, test.after)
			if refused := strings.Contains(alerts(e), "`S/D`: CloudFormation does not give a custom resource another function (ServiceToken)."); refused != test.refused {
				t.Errorf("refused: %t, want %t: %s", refused, test.refused, alerts(e))
			}
		})
	}
}

// A host's parts have another logical id with each generation.
func TestHostOfAnotherGeneration(t *testing.T) {
	side := func(generation, userData string) app {
		id := func(name string) string { return name + generation }
		return app{"S": with(resources(
			id("HostInstance0A1B2C3D"), of("AWS::EC2::Instance", m{"ImageId": "ami-1", "UserData": m{"Fn::Base64": m{"Fn::Join": list("", list(userData, m{"Ref": id("HostHandle0A1B2C3D")}))}}}),
			id("HostHandle0A1B2C3D"), of("AWS::CloudFormation::WaitConditionHandle", m{}),
			"Address", of("AWS::EC2::EIP", m{"InstanceId": m{"Ref": id("HostInstance0A1B2C3D")}}),
		), "Outputs", m{"Instance": m{"Value": m{"Ref": id("HostInstance0A1B2C3D")}}})}
	}
	e := compare(t, side("11111111", "a"), side("22222222", "b"))
	if got, want := summary(e), "S/HostHandle0A1B2C3D22222222 replaced, S/HostInstance0A1B2C3D22222222 replaced, S/Address changed in place"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	text := e.Markdown()
	if strings.Contains(text, "HostHandle") {
		t.Errorf("it gives the parts of the host as reasons for each other: %s", text)
	}
	if e.Loses() || !strings.Contains(text, "the new one gets the address `Address` when it is set up") || strings.Contains(text, "WaitCondition") {
		t.Error(text)
	}
	if len(e.Outputs) != 0 || !slices.Equal(e.Follows, []string{"S/Instance"}) {
		t.Errorf("outputs: %v %v", e.Outputs, e.Follows)
	}
}

func TestOptionSettings(t *testing.T) {
	side := func(settings ...any) app {
		var all []any
		for i := 0; i < len(settings); i += 3 {
			all = append(all, m{"Namespace": settings[i], "OptionName": settings[i+1], "Value": settings[i+2]})
		}
		return app{"S": resources("E", of("AWS::ElasticBeanstalk::Environment", m{"OptionSettings": all}))}
	}
	e := compare(t, side("n", "A", "1", "n", "B", "2", "n", "C", m{"Ref": "AWS::StackId"}), side("n", "C", m{"Ref": "AWS::Region"}, "n", "A", "3"))
	if got, want := strings.Join(e.Effects[0].Because, "\n"),
		"`OptionSettings` n A 1 → 3, n B 2 → (none) (Beanstalk keeps the last value of an option that goes), n C changes"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for setting, want := range map[string]string{
		"aws:autoscaling:launchconfiguration ImageId":                "interrupted: all instances of the site are replaced, in batches behind the load balancer",
		"aws:ec2:vpc Subnets":                                        "interrupted: all instances of the site are replaced, in batches behind the load balancer",
		"aws:elbv2:listener:443 SSLPolicy":                           "changed in place: ",
		"aws:elasticbeanstalk:application:environment DASHBOARD_URL": "interrupted: the site restarts, or gets other instances, in batches behind the load balancer",
		"aws:ec2:instances SupportedArchitectures": "interrupted: all instances of the site are replaced, in batches behind the load balancer; " +
			"Beanstalk does not change an environment's architecture (a to b)",
	} {
		namespace, name, _ := strings.Cut(setting, " ")
		of := func(value string) app {
			return side("aws:elasticbeanstalk:environment", "EnvironmentType", "LoadBalanced", namespace, name, value)
		}
		e := compare(t, of("a"), of("b"))
		got := e.Effects[0].Action.String() + ": " + strings.Join(e.Effects[0].Then, ", ")
		for _, refused := range e.Refused {
			got += "; " + strings.TrimPrefix(refused, "`S/E`: ")
		}
		if got != want && !strings.HasPrefix(got, want+": delete") {
			t.Errorf("%s: %q, want %q", setting, got, want)
		}
	}
	if e := compare(t, side("n", "A", "1", "n", "B", "2"), side("n", "A", "1", "n", "B", "2")); e.Changed() {
		t.Errorf("the same settings: %s", e.Markdown())
	}
}

// A load balancer that comes or goes keeps nothing up meanwhile, whatever else changes.
func TestBatchesTakeALoadBalancerOnBothSides(t *testing.T) {
	side := func(kind, version string) app {
		r := beanstalk(kind)
		r["Properties"].(m)["VersionLabel"] = version
		return app{"S": resources("E", r)}
	}
	for kinds, want := range map[[2]string]bool{
		{"LoadBalanced", "LoadBalanced"}:     true,
		{"SingleInstance", "LoadBalanced"}:   false,
		{"LoadBalanced", "SingleInstance"}:   false,
		{"SingleInstance", "SingleInstance"}: false,
	} {
		e := compare(t, side(kinds[0], "1"), side(kinds[1], "2"))
		if then := strings.Join(e.Effects[0].Then, "; "); strings.Contains(then, "in batches") != want {
			t.Errorf("%v: %s", kinds, then)
		}
	}
}

func TestAReplicaDoesNotStartEmpty(t *testing.T) {
	side := func(properties m) app { return app{"S": resources("D", database(properties))} }
	if got := alerts(compare(t, side(nil), side(m{"SourceDBInstanceIdentifier": "other"}))); strings.Contains(got, "starts empty") {
		t.Error(got)
	}
}

func TestOutputs(t *testing.T) {
	side := func(outputs m) app {
		return app{"S": with(resources("G", of("AWS::EC2::InternetGateway", m{})), "Outputs", outputs)}
	}
	e := compare(t, side(m{"A": m{"Value": "one"}, "B": m{"Value": "b"}, "C": m{"Value": "c"}}),
		side(m{"A": m{"Value": m{"Fn::Join": list("", list("two ", m{"Ref": "G"}, m{"Fn::GetAtt": list("G", "X")}))}}, "C": m{"Value": "c"}, "D": m{"Value": "d"}}))
	want := []Output{{"S", "A", "one", "two ${G}${G.X}"}, {"S", "B", "b", ""}, {"S", "D", "", "d"}}
	if !slices.Equal(e.Outputs, want) {
		t.Errorf("%v, want %v", e.Outputs, want)
	}
}

func TestTidyLeavesTheStackAlone(t *testing.T) {
	got := tidy("WARNING sample\n\nStack S (test-S)\n\x1b[1mResources\x1b[22m\n[~] A\n\n\nOutputs\n[+] B\n\n✨  Number of stacks with differences: 1\n")
	if want := "Resources\n[~] A\n\nOutputs\n[+] B"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := tidy("Stack S (test-S)\nThere were no differences\n"); got != "" {
		t.Errorf("%q", got)
	}
}

func TestCompareSaysWhatIsNoAssembly(t *testing.T) {
	if _, err := Compare("x", t.TempDir(), "", schemas, nil); err == nil || !strings.Contains(err.Error(), "manifest.json") {
		t.Errorf("%v", err)
	}
}
