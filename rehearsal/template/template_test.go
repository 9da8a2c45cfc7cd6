package template

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// fixed gives every reference a value made of its name.
type fixed struct{}

func (fixed) Ref(id string) (any, error)             { return "ref-of-" + id, nil }
func (fixed) Attribute(id, name string) (any, error) { return id + "'s " + name, nil }
func (fixed) Import(export string) (any, error)      { return "export " + export, nil }
func (fixed) StackOutput(stack, region, output string) (any, error) {
	if stack == "absent" {
		return nil, errors.New("there is no such stack")
	}
	return stack + "/" + region + "/" + output, nil
}

const head = `{
	"Parameters": {
		"Name": {"Type": "String", "Default": "me"},
		"Image": {"Type": "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>", "Default": "/image"},
		"Many": {"Type": "CommaDelimitedList", "Default": "a, b"}
	},
	"Mappings": {"Map": {"eu-west-1": {"Key": "mapped", "List": ["x"]}}},
	"Conditions": {
		"Yes": {"Fn::Equals": [{"Ref": "Name"}, "me"]},
		"No": {"Fn::Not": [{"Condition": "Yes"}]},
		"Both": {"Fn::And": [{"Condition": "Yes"}, {"Fn::Or": [{"Condition": "No"}, {"Condition": "Yes"}]}]},
		"Circle": {"Fn::Not": [{"Condition": "Circle"}]}
	},
	"Resources": {"R": {"Type": "T"}, "S": {"Type": "T"}}
}`

func resolver(t *testing.T) *Resolver {
	t.Helper()
	parsed, err := Parse([]byte(head))
	if err != nil {
		t.Fatal(err)
	}
	parameters, err := parsed.ParameterValues(nil, func(name string) (string, error) { return "looked up " + name, nil })
	if err != nil {
		t.Fatal(err)
	}
	return &Resolver{Template: parsed, Parameters: parameters, Values: fixed{}, Pseudo: Pseudo{
		AccountID: "123456789012", Region: "eu-west-1", Partition: "aws", URLSuffix: "amazonaws.com", StackName: "stack",
		AvailabilityZones: []string{"eu-west-1a", "eu-west-1b"},
	}}
}

func decode(t *testing.T, text string) any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

func TestResolve(t *testing.T) {
	r := resolver(t)
	for text, want := range map[string]string{
		`{"Ref": "R"}`:                                                  `"ref-of-R"`,
		`{"Ref": "Name"}`:                                               `"me"`,
		`{"Ref": "Image"}`:                                              `"looked up /image"`,
		`{"Ref": "Many"}`:                                               `["a", "b"]`,
		`{"Ref": "AWS::Region"}`:                                        `"eu-west-1"`,
		`{"Ref": "AWS::NotificationARNs"}`:                              `[]`,
		`{"Ref": "R", "Other": 1}`:                                      `{"Ref": "R", "Other": 1}`,
		`{"Fn::GetAtt": ["R", "A.B"]}`:                                  `"R's A.B"`,
		`{"Fn::GetAtt": "R.A.B"}`:                                       `"R's A.B"`,
		`{"Fn::GetAtt": ["R", {"Ref": "Name"}]}`:                        `"R's me"`,
		`{"Fn::Join": ["-", ["a", {"Ref": "Name"}, 1.50, true]]}`:       `"a-me-1.50-true"`,
		`{"Fn::Join": ["", {"Fn::Split": [",", "a,b"]}]}`:               `"ab"`,
		`{"Fn::Sub": "${AWS::Partition} ${R} ${R.A} ${!R} $R"}`:         `"aws ref-of-R R's A ${R} $R"`,
		`{"Fn::Sub": ["${X}${R}", {"X": {"Ref": "Name"}}]}`:             `"meref-of-R"`,
		`{"Fn::Select": ["1", ["a", "b"]]}`:                             `"b"`,
		`{"Fn::Select": [0, {"Fn::GetAZs": ""}]}`:                       `"eu-west-1a"`,
		`{"Fn::GetAZs": {"Ref": "AWS::Region"}}`:                        `["eu-west-1a", "eu-west-1b"]`,
		`{"Fn::Base64": "hello"}`:                                       `"aGVsbG8="`,
		`{"Fn::Cidr": ["10.0.0.0/16", 3, 8]}`:                           `["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]`,
		`{"Fn::Cidr": ["10.0.0.9/30", "4", "0"]}`:                       `error: do not fit`,
		`{"Fn::FindInMap": ["Map", {"Ref": "AWS::Region"}, "Key"]}`:     `"mapped"`,
		`{"Fn::ImportValue": {"Fn::Sub": "${Name}:x"}}`:                 `"export me:x"`,
		`{"Fn::GetStackOutput": {"StackName": "s", "OutputName": "o"}}`: `"s//o"`,
		`{"Fn::GetStackOutput": {"StackName": "s", "OutputName": "o", "Region": "eu-west-1"}}`:     `"s/eu-west-1/o"`,
		`{"Fn::If": ["Both", "yes", {"Fn::Unknown": 1}]}`:                                          `"yes"`,
		`{"Fn::If": ["No", "yes", "no"]}`:                                                          `"no"`,
		`{"A": {"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}, "B": [{"Ref": "AWS::NoValue"}, 2]}`: `{"B": [2]}`,
		`{"Ref": "AWS::NoValue"}`:                                                                  `null`,
		`[1, "a", null, true]`:                                                                     `[1, "a", null, true]`,

		`{"Ref": "Absent"}`:                                                  `error: P.Ref: Absent is neither`,
		`{"Ref": 1}`:                                                         `error: P.Ref: must be a name`,
		`{"Ref": "AWS::StackId"}`:                                            `error: AWS::StackId has no value`,
		`{"A": [{"Fn::Unknown": 1}]}`:                                        `error: P.A[0]: the function Fn::Unknown is not known`,
		`{"Fn::Transform": {"Name": "X"}}`:                                   `error: Fn::Transform is not known`,
		`{"Fn::GetAtt": ["R", "A"], "Other": 1}`:                             `error: stands beside other keys`,
		`{"Fn::GetAtt": ["R"]}`:                                              `error: must be [logical id, attribute]`,
		`{"Fn::GetAtt": ["Absent", "A"]}`:                                    `error: Absent is no resource`,
		`{"Fn::Join": ["", "a"]}`:                                            `error: must be a list, and is a text`,
		`{"Fn::Join": ["", [["a"]]]}`:                                        `error: P.Fn::Join[1][0]: must be a text, and is a list`,
		`{"Fn::Join": [1, []]}`:                                              `error: the delimiter must be a text`,
		`{"Fn::Sub": "${Absent}"}`:                                           `error: P.Fn::Sub${Absent}: Absent is neither`,
		`{"Fn::Sub": ["${Many}", {}]}`:                                       `error: must be a text, and is a list`,
		`{"Fn::Sub": 1}`:                                                     `error: must be a text, or`,
		`{"Fn::Select": [2, ["a", "b"]]}`:                                    `error: no item "2" in a list of 2`,
		`{"Fn::Select": [-1, ["a"]]}`:                                        `error: no item`,
		`{"Fn::Select": [0, [null]]}`:                                        `error: item 0 is null`,
		`{"Fn::Split": ["", "a"]}`:                                           `error: not empty`,
		`{"Fn::Base64": ["a"]}`:                                              `error: must be a text`,
		`{"Fn::Cidr": ["fd00::/8", 1, 8]}`:                                   `error: no IPv4 block`,
		`{"Fn::Cidr": ["10.0.0.0/24", 257, 1]}`:                              `error: from 1 to 256`,
		`{"Fn::Cidr": ["10.0.0.0/24", 3, 7]}`:                                `error: do not fit`,
		`{"Fn::GetAZs": "us-east-1"}`:                                        `error: zones of us-east-1 are not known`,
		`{"Fn::FindInMap": ["Map", "x", "Key"]}`:                             `error: no Map.x.Key`,
		`{"Fn::ImportValue": []}`:                                            `error: must be a text`,
		`{"Fn::If": ["Absent", 1, 2]}`:                                       `error: no condition Absent`,
		`{"Fn::If": ["Circle", 1, 2]}`:                                       `error: Circle depends on itself`,
		`{"Fn::If": [1, 2]}`:                                                 `error: must be [condition`,
		`{"Fn::GetStackOutput": {"StackName": "absent", "OutputName": "o"}}`: `error: P.Fn::GetStackOutput: there is no such stack`,
		`{"Fn::GetStackOutput": {"StackName": "s"}}`:                         `error: must have StackName and OutputName`,
		`{"Fn::GetStackOutput": "s"}`:                                        `error: must be a map`,
	} {
		got, err := r.Resolve("P", decode(t, text))
		if message, isError := strings.CutPrefix(want, "error: "); isError {
			if err == nil || !strings.Contains(err.Error(), message) {
				t.Errorf("%s: %v, want an error about %q", text, err, message)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if !reflect.DeepEqual(got, decode(t, want)) {
			t.Errorf("%s = %v, want %s", text, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                                     "not a CloudFormation template",
		`{"Resources": {}}`:                     "no resources",
		`{"Resources": {"A": {}}}`:              "A has no Type",
		`{"Resources": {"A": {"Type": "T"}}} x`: "follows its end",
		`{"Transform": "X", "Resources": {"A": {"Type": "T"}}}`:                           "Transform",
		`{"Resources": {"A": {"Type": "T", "Properties": {"X": [{"Ref": "B"}]}}}}`:        "Resources.A.Properties.X[0] refers to B",
		`{"Resources": {"A": {"Type": "T", "Properties": {"X": {"Fn::Sub": "${B.C}"}}}}}`: "refers to B",
		`{"Resources": {"A": {"Type": "T", "DependsOn": "B"}}}`:                           "names B",
		`{"Resources": {"A": {"Type": "T", "DependsOn": {}}}}`:                            "DependsOn must be",
		`{"Resources": {"A": {"Type": "T", "Condition": "B"}}}`:                           "names B",
		`{"Resources": {"A": {"Type": "T"}}, "Outputs": {"O": {"Value": {"Ref": "B"}}}}`:  "Outputs.O refers to B",
		`{"Resources": {"A": {"Type": "T", "DependsOn": ["A"]}}}`:                         "A -> A",
		`{"Resources": {
			"A": {"Type": "T", "Properties": {"X": {"Ref": "B"}}},
			"B": {"Type": "T", "Properties": {"X": {"Fn::GetAtt": ["C", "Y"]}}},
			"C": {"Type": "T", "Properties": {"X": {"Fn::Sub": ["${A}", {}]}}}}}`: "A -> B -> C -> A",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want something about %q", text, err, want)
		}
	}
}

func TestOrderAndConditions(t *testing.T) {
	parsed, err := Parse([]byte(`{
		"Conditions": {"No": {"Fn::Equals": ["a", "b"]}},
		"Resources": {
			"A": {"Type": "T", "DependsOn": ["D", "Off"]},
			"B": {"Type": "T"},
			"C": {"Type": "T", "Properties": {"X": {"Fn::Sub": ["${Own}${!B}", {"Own": {"Ref": "A"}}]}}},
			"D": {"Type": "T", "Properties": {"Ref": {"Ref": "B"}}},
			"Off": {"Type": "T", "Condition": "No"}
		},
		"Outputs": {"Off": {"Value": "x", "Condition": "No"}, "On": {"Value": 7, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}:on"}}}}
	}`))
	if err != nil {
		t.Fatal(err)
	}
	r := &Resolver{Template: parsed, Values: fixed{}, Pseudo: Pseudo{StackName: "s"}}
	active, err := r.Active()
	if err != nil || strings.Join(active, " ") != "B D A C" {
		t.Errorf("active: %v, %v", active, err)
	}
	outputs, err := r.Outputs()
	if want := map[string]OutputValue{"On": {"7", "s:on"}}; err != nil || !reflect.DeepEqual(outputs, want) {
		t.Errorf("outputs: %v, %v", outputs, err)
	}
}

func TestRules(t *testing.T) {
	rules := func(version string) error {
		parsed, err := Parse([]byte(`{
			"Parameters": {"BootstrapVersion": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/v"}},
			"Rules": {"Check": {"Assertions": [{"Assert": {"Fn::Not": [{"Fn::Contains": [["1", "2"], {"Ref": "BootstrapVersion"}]}]}, "AssertDescription": "too old"}]}},
			"Resources": {"A": {"Type": "T"}}
		}`))
		if err != nil {
			return err
		}
		parameters, err := parsed.ParameterValues(nil, func(string) (string, error) { return version, nil })
		if err != nil {
			return err
		}
		return (&Resolver{Template: parsed, Parameters: parameters, Values: fixed{}}).CheckRules()
	}
	if err := rules("30"); err != nil {
		t.Error(err)
	}
	if err := rules("2"); err == nil || !strings.Contains(err.Error(), "too old") {
		t.Errorf("%v", err)
	}
}

func TestParameterValues(t *testing.T) {
	parse := func(parameter string) *Template {
		parsed, err := Parse([]byte(`{"Parameters": {"P": ` + parameter + `}, "Resources": {"A": {"Type": "T"}}}`))
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	ssm := func(string) (string, error) { return "", errors.New("there is no such parameter") }
	for _, test := range []struct {
		parameter string
		given     map[string]string
		want      string
	}{
		{`{"Type": "String"}`, nil, "no default"},
		{`{"Type": "String", "Default": []}`, nil, "default must be a text"},
		{`{"Type": "String", "Default": "c", "AllowedValues": ["a", "b"]}`, nil, "AllowedValues"},
		{`{"Type": "Strange", "Default": "c"}`, nil, "type Strange"},
		{`{"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/x"}`, nil, "no such parameter"},
		{`{"Type": "String", "Default": "c"}`, map[string]string{"Q": "x"}, "no parameter Q"},
	} {
		if _, err := parse(test.parameter).ParameterValues(test.given, ssm); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want something about %q", test.parameter, err, test.want)
		}
	}
	values, err := parse(`{"Type": "Number", "Default": 5, "AllowedValues": [5, 6]}`).ParameterValues(map[string]string{"P": "6"}, ssm)
	if err != nil || values["P"] != "6" {
		t.Errorf("%v, %v", values, err)
	}
}

func TestResolveDynamic(t *testing.T) {
	lookup := func(service, reference string) (string, error) {
		if service != "secretsmanager" {
			return "", errors.New("no such service")
		}
		return "<" + reference + ">", nil
	}
	got, err := ResolveDynamic("P", decode(t, `{"A": ["x{{resolve:secretsmanager:arn:a:SecretString:password::}}y", 1]}`), lookup)
	if want := decode(t, `{"A": ["x<arn:a:SecretString:password::>y", 1]}`); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := ResolveDynamic("P", decode(t, `["{{resolve:ssm:x}}"]`), lookup); err == nil || !strings.Contains(err.Error(), "P[0]") {
		t.Errorf("%v", err)
	}
}

func TestReadAssembly(t *testing.T) {
	write := func(files map[string]string) string {
		dir := t.TempDir()
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	stack := func(name, dependencies string) string {
		return fmt.Sprintf(`%q: {"type": "aws:cloudformation:stack", "dependencies": [%s], "properties": {"templateFile": "t.json", "stackName": "dev-%s"}}`, name, dependencies, name)
	}
	good := map[string]string{
		"manifest.json": `{"artifacts": {
			"Tree": {"type": "cdk:tree"},
			"A.assets": {"type": "cdk:asset-manifest", "properties": {"file": "a.json"}},
			` + stack("A", `"B", "A.assets"`) + `,` + stack("B", "") + `,` + stack("Z", "") + `}}`,
		"a.json": `{"files": {"1": {"source": {"path": "asset.1", "packaging": "zip"}, "destinations": {"d": {"objectKey": "1.zip"}}}}}`,
		"t.json": `{"Resources": {"R": {"Type": "T"}}}`,
	}
	dir := write(good)
	assembly, err := ReadAssembly(dir)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, s := range assembly.Stacks {
		order = append(order, s.ID)
	}
	if !slices.Equal(order, []string{"B", "A", "Z"}) {
		t.Errorf("order %v", order)
	}
	a, err := assembly.Stack("dev-A")
	if err != nil || a.ID != "A" || a.Assets["1.zip"] != (Asset{filepath.Join(dir, "asset.1"), true}) {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := assembly.Stack("C"); err == nil || !strings.Contains(err.Error(), "it holds B, A, Z") {
		t.Errorf("%v", err)
	}
	if _, err := ReadAssembly(t.TempDir()); err == nil || !strings.Contains(err.Error(), "make synth") {
		t.Errorf("%v", err)
	}
	for name, change := range map[string][2]string{
		"B -> A":          {"manifest.json", strings.Replace(good["manifest.json"], stack("B", ""), stack("B", `"A"`), 1)},
		"cdk:cloud-assem": {"manifest.json", `{"artifacts": {"X": {"type": "cdk:cloud-assembly"}}}`},
		"packaged as":     {"a.json", strings.Replace(good["a.json"], "zip", "docker", 1)},
		"not the JSON":    {"manifest.json", `{`},
		"R has no Type":   {"t.json", `{"Resources": {"R": {}}}`},
	} {
		files := map[string]string{}
		for file, text := range good {
			files[file] = text
		}
		files[change[0]] = change[1]
		if _, err := ReadAssembly(write(files)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want something about %q", err, name)
		}
	}
}

// Whatever a template holds, reading and resolving it ends with a value or an error.
func FuzzResolve(f *testing.F) {
	f.Add(`{"Fn::Join": ["", [{"Fn::Sub": "${S}${AWS::Region}"}, {"Fn::Select": [0, {"Fn::Cidr": ["10.0.0.0/16", 1, 4]}]}]]}`)
	f.Add(`{"Fn::If": ["C", {"Fn::GetAtt": "S.X"}, {"Ref": "AWS::NoValue"}]}`)
	f.Fuzz(func(t *testing.T, value string) {
		parsed, err := Parse([]byte(`{"Conditions": {"C": {"Fn::Not": [` + value + `]}}, "Resources": {"R": {"Type": "T", "Properties": {"P": ` + value + `}}, "S": {"Type": "T"}}}`))
		if err != nil {
			return
		}
		r := &Resolver{Template: parsed, Values: fixed{}}
		_, _ = r.Condition("C")
		properties, err := r.Properties("R")
		if err != nil {
			return
		}
		again, err := r.Resolve("again", properties)
		if text, _ := json.Marshal(properties); !strings.Contains(string(text), "Fn::") && !strings.Contains(string(text), `"Ref"`) && (err != nil || !reflect.DeepEqual(again, any(properties))) {
			t.Errorf("resolved twice it is another value: %v, %v, %v", properties, again, err)
		}
	})
}
