package resources

import (
	"strings"
	"testing"

	"drawbridge/rehearsal/awsapi"
	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/iam"
	"drawbridge/rehearsal/parameterstore"
	"drawbridge/rehearsal/secretsmanager"
	"drawbridge/rehearsal/waitcondition"
)

func newTestAccount(t *testing.T) *Account {
	t.Helper()
	roles := &iam.Directory{}
	secrets, err := secretsmanager.Start(secretsmanager.Options{AccountID: "123456789012", Region: "eu-west-1", Roles: roles})
	if err != nil {
		t.Fatal(err)
	}
	signals, err := waitcondition.Listen()
	if err != nil {
		t.Fatal(err)
	}
	a := NewAccount(Options{
		AccountID: "123456789012", Region: "eu-west-1", Roles: roles, Secrets: secrets, Signals: signals,
		Parameters: parameterstore.New(awsapi.Options{AccountID: "123456789012", Region: "eu-west-1"}),
	})
	t.Cleanup(func() {
		if err := signals.Close(); err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		if err := secrets.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

func request(kind string, properties map[string]any) cloudformation.Request {
	return cloudformation.Request{Stack: cloudformation.StackInfo{Name: "stack"}, LogicalID: "R", Type: kind, Properties: properties}
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v, want something about %q", err, want)
	}
}

func TestDynamicReferences(t *testing.T) {
	a := newTestAccount(t)
	value := `{"password":"p","port":3306,"list":[]}`
	arn, err := a.options.Secrets.Create("name", "", &value)
	if err != nil {
		t.Fatal(err)
	}
	for reference, want := range map[string]string{
		arn + ":SecretString:password::":          "p",
		arn + ":SecretString:port":                "3306",
		arn:                                       value,
		"name:SecretString:password":              "p",
		"name:SecretString:password:AWSCURRENT:":  "p",
		"name:SecretString:password:AWSPREVIOUS:": "error: AWSPREVIOUS",
		"name:SecretString:absent":                "error: no text under the key absent",
		"name:SecretString:list":                  "error: no text under the key list",
		"name:SecretBinary":                       "error: not played",
		"name:SecretString:password:AWSCURRENT:1": "error: not played",
		"arn:short":                               "error: does not name a secret",
		"absent":                                  "error: can't find",
	} {
		got, err := a.Dynamic("secretsmanager", reference)
		if message, isError := strings.CutPrefix(want, "error: "); isError {
			wantError(t, err, message)
		} else if err != nil || got != want {
			t.Errorf("%s: %q, %v", reference, got, err)
		}
	}
	_, err = a.Dynamic("ssm", "x")
	wantError(t, err, "not played")
}

func TestSecretThatIsGeneratedOtherwiseLosesItsHost(t *testing.T) {
	a := newTestAccount(t)
	p := secret{a}
	how := func(length string) map[string]any {
		return map[string]any{"GenerateSecretString": map[string]any{
			"GenerateStringKey": "password", "SecretStringTemplate": `{"username":"` + length + `"}`,
		}}
	}
	made, err := p.Create(t.Context(), request("AWS::SecretsManager::Secret", how("a")))
	if err != nil {
		t.Fatal(err)
	}
	if err := (attachment{a}).change(made.PhysicalID, map[string]any{"host": "h"}); err != nil {
		t.Fatal(err)
	}
	update := func(after map[string]any, text string) {
		t.Helper()
		r := request("AWS::SecretsManager::Secret", after)
		r.PhysicalID, r.OldProperties = made.PhysicalID, how("a")
		if _, err := p.Update(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		value, err := a.options.Secrets.Value(made.PhysicalID, secretsmanager.Current)
		if err != nil || !strings.Contains(value, text) {
			t.Errorf("the value lacks %s: %v", text, err)
		}
	}
	same := how("a")
	same["Description"] = "new"
	update(same, `"host":"h"`)
	update(how("b"), `"username":"b"`)
	if value, _ := a.options.Secrets.Value(made.PhysicalID, secretsmanager.Current); strings.Contains(value, "host") {
		t.Error("the host is still there")
	}
	_, err = p.Create(t.Context(), request("AWS::SecretsManager::Secret", map[string]any{"GenerateSecretString": map[string]any{"Unknown": 1}}))
	wantError(t, err, "Unknown")
}

func TestResourcesThatCannotBePlayed(t *testing.T) {
	a := newTestAccount(t)
	if err := a.options.Parameters.Put("/taken", "x"); err != nil {
		t.Fatal(err)
	}
	providers := a.Providers()
	for _, test := range []struct {
		kind       string
		properties map[string]any
		want       string
	}{
		{"AWS::IAM::ManagedPolicy", nil, "not played"},
		{"AWS::RDS::DBInstance", map[string]any{"Engine": "mysql"}, "no database"},
		{"AWS::RDS::DBInstance", map[string]any{"SourceDBInstanceIdentifier": "db-1"}, "read replicas are not played here"},
		{"AWS::SecretsManager::SecretTargetAttachment", map[string]any{"SecretId": "x", "TargetId": "y", "TargetType": "AWS::RDS::DBCluster"}, "AWS::RDS::DBCluster"},
		{"AWS::SecretsManager::SecretTargetAttachment", map[string]any{"SecretId": "x", "TargetId": "y", "TargetType": "AWS::RDS::DBInstance"}, "no DB instance y"},
		{"AWS::SecretsManager::ResourcePolicy", map[string]any{"SecretId": "x"}, "a policy must be a map"},
		{"AWS::IAM::Role", map[string]any{"ManagedPolicyArns": []any{"arn:aws:iam::aws:policy/AdministratorAccess"}}, "AdministratorAccess"},
		{"AWS::IAM::Role", map[string]any{"PermissionsBoundary": "x"}, "PermissionsBoundary"},
		{"AWS::IAM::Policy", map[string]any{"PolicyDocument": map[string]any{"Statement": []any{}}, "Users": []any{"u"}}, "users or groups"},
		{"AWS::Lambda::Function", map[string]any{}, "Runtime"},
		{"AWS::Lambda::Permission", map[string]any{"FunctionName": "f", "Action": "a", "Principal": "p", "PrincipalOrgID": "o"}, "PrincipalOrgID"},
		{"AWS::EC2::VPCEndpoint", map[string]any{}, "ServiceName"},
		{"AWS::CloudFormation::WaitCondition", map[string]any{"Handle": "x", "Timeout": "43201"}, "from 0 to 43200"},
		{"AWS::CloudFormation::WaitCondition", map[string]any{"Handle": "x", "Timeout": "1", "Count": "0"}, "from 1 to"},
		{"AWS::CloudFormation::WaitCondition", map[string]any{"Handle": "x", "Timeout": "1"}, "no wait condition handle"},
		{"AWS::SSM::Parameter", map[string]any{"Name": "/a", "Type": "SecureString", "Value": "x"}, "SecureString"},
		{"AWS::SSM::Parameter", map[string]any{"Name": "/a", "Type": "String", "Value": "x", "Tier": "Advanced"}, "Advanced"},
		{"AWS::SSM::Parameter", map[string]any{"Name": "a/b", "Type": "String", "Value": "x"}, "begins with /"},
		{"AWS::SSM::Parameter", map[string]any{"Name": "/taken", "Type": "String", "Value": "x"}, "already"},
		{"Custom::MachineImage", map[string]any{"Create": `{"service":"ssm","action":"GetParameter"}`}, "does not name one parameter"},
		{"Custom::MachineImage", map[string]any{"Create": `{"service":"ssm","action":"GetParameter","parameters":{"Name":"/absent"}}`}, "/absent"},
		{"Custom::BeanstalkPlatform", map[string]any{}, "without a call for its creation"},
		{"Custom::BeanstalkPlatform", map[string]any{"Create": "x"}, "not the JSON"},
		{"Custom::BeanstalkPlatform", map[string]any{"Create": `{"service":"s3","action":"GetObject"}`}, "s3.GetObject is not played"},
		{"Custom::BeanstalkPlatform", map[string]any{"Create": `{"service":"elastic-beanstalk","action":"ListPlatformVersions"}`}, "platform branch"},
	} {
		provider := providers[test.kind]
		if provider == nil {
			provider = providers[""]
		}
		_, err := provider.Create(t.Context(), request(test.kind, test.properties))
		wantError(t, err, test.want)
	}
}

func TestURLsOfOtherHostsStayAsTheyAre(t *testing.T) {
	a := newTestAccount(t)
	made, err := vpcEndpoint{a}.Create(t.Context(), request("AWS::EC2::VPCEndpoint", map[string]any{"ServiceName": "com.amazonaws.eu-west-1.secretsmanager", "VpcEndpointType": "Interface"}))
	if err != nil {
		t.Fatal(err)
	}
	_, host, _ := strings.Cut(made.Attributes["DnsEntries"].([]any)[0].(string), ":")
	if got := a.localURL("https://" + host + "/"); !strings.HasPrefix(got, "http://127.0.0.1:") {
		t.Errorf("the endpoint's URL is %s", got)
	}
	for _, text := range []string{"http://" + host, "https://" + host + ":8443", "https://" + host + "/path", "https://x" + host, host, "%"} {
		if got := a.localURL(text); got != text {
			t.Errorf("%s became %s", text, got)
		}
	}
	r := request("AWS::EC2::VPCEndpoint", nil)
	r.PhysicalID = made.PhysicalID
	if err := (vpcEndpoint{a}).Delete(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if got := a.localURL("https://" + host); !strings.HasPrefix(got, "https://") {
		t.Error("an endpoint that was deleted still leads somewhere")
	}
}

func TestAParameterWithAnotherNameIsAnotherParameter(t *testing.T) {
	a := newTestAccount(t)
	p, before := parameter{a}, map[string]any{"Name": "/a", "Type": "String", "Value": "x"}
	if _, err := p.Create(t.Context(), request("AWS::SSM::Parameter", before)); err != nil {
		t.Fatal(err)
	}
	r := request("AWS::SSM::Parameter", map[string]any{"Name": "/b", "Type": "StringList", "Value": "x,y"})
	r.PhysicalID, r.OldProperties = "/a", before
	made, err := p.Update(t.Context(), r)
	if err != nil || made.PhysicalID != "/b" {
		t.Errorf("%+v, %v", made, err)
	}
	for name, want := range map[string]string{"/a": "x", "/b": "x,y"} {
		if value, _ := a.options.Parameters.Value(name); value != want {
			t.Errorf("%s is %q", name, value)
		}
	}
}

func TestACallIsTheSameHoweverItIsWritten(t *testing.T) {
	a := newTestAccount(t)
	a.options.SSM = func(name string) (string, error) { return "the value of " + name, nil }
	for _, call := range []string{`"service":"SSM","action":"getParameter"`, `"service":"ssm","action":"GetParameter"`, `"service":"@aws-sdk/client-ssm","action":"GetParameterCommand"`} {
		made, err := awsCustomResource{a}.Create(t.Context(), request("Custom::MachineImage", map[string]any{
			"Create": `{` + call + `,"parameters":{"Name":"/aws/service/x"},"physicalResourceId":{"responsePath":"Parameter.ARN"}}`,
		}))
		if err != nil || made.PhysicalID != "arn:aws:ssm:eu-west-1::parameter/aws/service/x" || made.Attributes["Parameter.Value"] != "the value of /aws/service/x" {
			t.Errorf("%s: %+v, %v", call, made, err)
		}
	}
}

func TestAlarmsAndAddressesKeepTheirNames(t *testing.T) {
	p := plausible{newTestAccount(t)}
	named, err := p.Create(t.Context(), request("AWS::CloudWatch::Alarm", map[string]any{"AlarmName": "tunnel"}))
	if err != nil || named.PhysicalID != "tunnel" || named.Attributes["Arn"] != "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:tunnel" {
		t.Errorf("%+v, %v", named, err)
	}
	for kind, change := range map[string]struct {
		property string
		replaced bool
	}{
		"AWS::CloudWatch::Alarm": {"Threshold", false}, "AWS::EC2::EIP": {"InstanceId", false}, "AWS::EC2::Instance": {"ImageId", true},
	} {
		made, err := p.Create(t.Context(), request(kind, map[string]any{change.property: "1"}))
		if err != nil {
			t.Fatal(err)
		}
		r := request(kind, map[string]any{change.property: "2"})
		r.PhysicalID, r.OldProperties = made.PhysicalID, map[string]any{change.property: "1"}
		after, err := p.Update(t.Context(), r)
		if err != nil || (after.PhysicalID != made.PhysicalID) != change.replaced {
			t.Errorf("%s: %s became %s, %v", kind, made.PhysicalID, after.PhysicalID, err)
		}
	}
}
