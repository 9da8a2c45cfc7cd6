package main

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// goodProperties are properties of each type that are right. The gate has one user.
func goodProperties(resourceType string) map[string]any {
	switch resourceType {
	case "Custom::ReadOnlyUser":
		return map[string]any{"Username": "tester", "Host": "10.0.0.0/16", "Schemas": []any{"monster_teams"}, "MaxConnections": "10", "SecretArn": arnOf("tester")}
	case "Custom::FlipGate":
		return map[string]any{"Exposure": "private", "Users": []any{
			map[string]any{"Name": "bi", "Username": "tester", "Host": "10.0.0.0/16", "Schemas": []any{"monster_teams"}, "SecretArn": arnOf("tester")},
		}}
	case "Custom::SampleData":
		return map[string]any{"Schema": "monster_teams"}
	case "Custom::SSHKeyPair":
		return map[string]any{"SecretArn": arnOf("key"), "Generation": "1", "Comment": "drawbridge-dev-tunnel"}
	}
	panic(resourceType)
}

func decode(resourceType string, properties map[string]any) (err error) {
	switch resourceType {
	case "Custom::ReadOnlyUser":
		_, err = decodeUser(properties)
	case "Custom::FlipGate":
		_, err = decodeGate(properties)
	case "Custom::SampleData":
		_, err = decodeSampleData(properties)
	case "Custom::SSHKeyPair":
		_, err = decodeKeyPair(properties)
	}
	return err
}

var resourceTypes = []string{"Custom::FlipGate", "Custom::ReadOnlyUser", "Custom::SSHKeyPair", "Custom::SampleData"}

func TestGoodPropertiesAreTaken(t *testing.T) {
	for _, resourceType := range resourceTypes {
		good := goodProperties(resourceType)
		if err := decode(resourceType, good); err != nil {
			t.Errorf("%s: %v", resourceType, err)
		}
		good["ServiceToken"], good["ServiceTimeout"] = "arn:aws:lambda:eu-west-1:123456789012:function:f", "900"
		if err := decode(resourceType, good); err != nil {
			t.Errorf("%s with CloudFormation's own properties: %v", resourceType, err)
		}
		if len(good) != len(goodProperties(resourceType))+2 {
			t.Errorf("%s: reading took properties out of the event", resourceType)
		}
	}
}

func TestBadProperties(t *testing.T) {
	const (
		aUsername = "the name of a MySQL user: 1 to 32 printable characters, at most 95 bytes"
		aSchema   = "the name of a MySQL schema: 1 to 64 printable characters, of which _, % and \\ count twice, not one of MySQL's own schemas"
		aHost     = "where the user may connect from: an address, a CIDR block such as 10.0.0.0/16, or %"
		anARN     = "the ARN of a Secrets Manager secret"
		aNumber   = "a whole number from 1 to 100000"
		aPhase    = "public or private"
		aComment  = "1 to 100 printable ASCII characters"
		aRange    = "a whole number from 0 to 2147483647"
	)
	absent := struct{}{} // stands for a property that is not there
	for _, test := range []struct {
		resourceType, property string
		value                  any
		want                   string // after "the resource's properties are wrong: "
	}{
		{"Custom::ReadOnlyUser", "Username", absent, "Username is missing: give " + aUsername},
		{"Custom::ReadOnlyUser", "Username", nil, "Username is missing: give " + aUsername},
		{"Custom::ReadOnlyUser", "Username", "", "Username is not " + aUsername},
		{"Custom::ReadOnlyUser", "Username", strings.Repeat("x", 33), "Username is not " + aUsername},
		{"Custom::ReadOnlyUser", "Username", "a\nb", "Username is not " + aUsername},
		{"Custom::ReadOnlyUser", "Username", " tester", "Username is not " + aUsername},
		{"Custom::ReadOnlyUser", "Username", "𝄞", "Username is not " + aUsername},
		{"Custom::ReadOnlyUser", "Username", 7.0, "Username is a number, not a text: give " + aUsername},
		{"Custom::ReadOnlyUser", "Username", true, "Username is true or false, not a text: give " + aUsername},
		{"Custom::ReadOnlyUser", "Username", []any{"tester"}, "Username is a list, not a text: give " + aUsername},
		{"Custom::ReadOnlyUser", "Username", map[string]any{"Ref": "X"}, "Username is an object, not a text: give " + aUsername},
		{"Custom::ReadOnlyUser", "Host", absent, "Host is missing: give " + aHost},
		{"Custom::ReadOnlyUser", "Host", "", "Host is not " + aHost},
		{"Custom::ReadOnlyUser", "Host", "10.0.0.0/16' OR '1", "Host is not " + aHost},
		{"Custom::ReadOnlyUser", "Host", "grün", "Host is not " + aHost},
		{"Custom::ReadOnlyUser", "Host", strings.Repeat("h", 256), "Host is not " + aHost},
		{"Custom::ReadOnlyUser", "Host", []any{}, "Host is an empty list, not a text: give " + aHost},
		{"Custom::ReadOnlyUser", "Schemas", absent, "Schemas is missing: give a list, each " + aSchema},
		{"Custom::ReadOnlyUser", "Schemas", "monster_teams", "Schemas is a text: give a list, each " + aSchema},
		{"Custom::ReadOnlyUser", "Schemas", []any{}, "Schemas is an empty list: give a list, each " + aSchema},
		{"Custom::ReadOnlyUser", "Schemas", []any{"a", nil}, "Schemas[1] is null, not a text: give " + aSchema},
		{"Custom::ReadOnlyUser", "Schemas", []any{"a", "b", "a"}, "Schemas[2] is in the list twice: give it once"},
		{"Custom::ReadOnlyUser", "Schemas", []any{"*"}, ""},
		{"Custom::ReadOnlyUser", "Schemas", []any{"MySQL"}, "Schemas[0] is not " + aSchema},
		{"Custom::ReadOnlyUser", "Schemas", []any{"information_schema", "", strings.Repeat("x", 65)},
			"Schemas[0] is not " + aSchema + "; Schemas[1] is not " + aSchema + "; Schemas[2] is not " + aSchema},
		{"Custom::ReadOnlyUser", "MaxConnections", absent, "MaxConnections is missing: give " + aNumber},
		{"Custom::ReadOnlyUser", "MaxConnections", 10.0, "MaxConnections is a number, not a text: give " + aNumber},
		{"Custom::ReadOnlyUser", "MaxConnections", "0", "MaxConnections is not " + aNumber},
		{"Custom::ReadOnlyUser", "MaxConnections", "100001", "MaxConnections is not " + aNumber},
		{"Custom::ReadOnlyUser", "MaxConnections", "1e3", "MaxConnections is not " + aNumber},
		{"Custom::ReadOnlyUser", "MaxConnections", "+7", "MaxConnections is not " + aNumber},
		{"Custom::ReadOnlyUser", "MaxConnections", "99999999999999999999", "MaxConnections is not " + aNumber},
		{"Custom::ReadOnlyUser", "SecretArn", absent, "SecretArn is missing: give " + anARN},
		{"Custom::ReadOnlyUser", "SecretArn", "hunter2", "SecretArn is not " + anARN},
		{"Custom::ReadOnlyUser", "SecretArn", arnOf("x") + ":password::", "SecretArn is not " + anARN},
		{"Custom::ReadOnlyUser", "Password", "hunter2", `"Password" is not known: take it out`},
		{"Custom::ReadOnlyUser", "username", "tester", `"username" is not known: take it out`},
		{"Custom::ReadOnlyUser", strings.Repeat("x", 100), "", `"` + strings.Repeat("x", 60) + `" is not known: take it out`},

		{"Custom::FlipGate", "Exposure", absent, "Exposure is missing: give " + aPhase},
		{"Custom::FlipGate", "Exposure", "Public", "Exposure is not " + aPhase},
		{"Custom::FlipGate", "Exposure", false, "Exposure is true or false, not a text: give " + aPhase},
		{"Custom::FlipGate", "Users", absent, "Users is missing: give a list of objects"},
		{"Custom::FlipGate", "Users", "", "Users is a text: give a list of objects"},
		{"Custom::FlipGate", "Users", []any{}, ""},
		{"Custom::FlipGate", "Users", []any{"bi"}, "Users[0] is a text, not an object: give a list of objects"},
		{"Custom::FlipGate", "Users", []any{map[string]any{"Name": "", "Username": "u", "Schemas": []any{"s", "sys"}, "SecretArn": arnOf("u"), "ServiceToken": "x"}},
			"Users[0].Name is not " + aComment + "; Users[0].Host is missing: give " + aHost + "; Users[0].Schemas[1] is not " + aSchema +
				`; Users[0]."ServiceToken" is not known: take it out`},
		{"Custom::FlipGate", "Users", []any{nil, map[string]any{"Name": "bi", "Username": "u", "Host": "%", "Schemas": []any{"s"}, "SecretArn": "", "MaxConnections": "3"}},
			"Users[0] is null, not an object: give a list of objects; Users[1].SecretArn is not " + anARN + `; Users[1]."MaxConnections" is not known: take it out`},

		{"Custom::SampleData", "Schema", absent, "Schema is missing: give " + aSchema},
		{"Custom::SampleData", "Schema", "performance_schema", "Schema is not " + aSchema},
		{"Custom::SampleData", "Schemas", "x", `"Schemas" is not known: take it out`},

		{"Custom::SSHKeyPair", "SecretArn", "arn:aws:s3:::bucket", "SecretArn is not " + anARN},
		{"Custom::SSHKeyPair", "Generation", "first", "Generation is not " + aRange},
		{"Custom::SSHKeyPair", "Generation", "-1", "Generation is not " + aRange},
		{"Custom::SSHKeyPair", "Generation", "01", "Generation is not " + aRange},
		{"Custom::SSHKeyPair", "Comment", "two\nlines", "Comment is not " + aComment},
		{"Custom::SSHKeyPair", "Comment", strings.Repeat("x", 101), "Comment is not " + aComment},
		{"Custom::SSHKeyPair", "Comment", "x ", "Comment is not " + aComment},
	} {
		properties := goodProperties(test.resourceType)
		if properties[test.property] = test.value; test.value == absent {
			delete(properties, test.property)
		}
		err := decode(test.resourceType, properties)
		if test.want == "" {
			if err != nil {
				t.Errorf("%s with %s %v is refused: %v", test.resourceType, test.property, test.value, err)
			}
			continue
		}
		if want := "the resource's properties are wrong: " + test.want; err == nil || err.Error() != want {
			t.Errorf("%s with %s %v:\n got %v\nwant %s", test.resourceType, test.property, test.value, err, want)
		}
	}
}

func TestAllBadPropertiesAreNamedAtOnce(t *testing.T) {
	for _, resourceType := range resourceTypes {
		err := decode(resourceType, nil)
		if err == nil {
			t.Fatalf("%s takes no properties at all", resourceType)
		}
		for name := range goodProperties(resourceType) {
			if !strings.Contains(err.Error(), name+" is missing") {
				t.Errorf("%s: %v does not name %s", resourceType, err, name)
			}
		}
	}
}

func TestBadPropertiesAreAnsweredAndTheDeleteSucceeds(t *testing.T) {
	for _, resourceType := range resourceTypes {
		t.Run(resourceType, func(t *testing.T) {
			r := newRig(t)
			bad := map[string]any{"Nonsense": []any{map[string]any{}}}
			made := r.create(resourceType, bad)
			r.failed(made, "not-created:5c7cf1a9-1111", `"Nonsense" is not known`)
			r.succeeded(r.delete(resourceType, made.PhysicalResourceID, bad), made.PhysicalResourceID)
			if n := r.secrets.called(""); n != 0 {
				t.Errorf("called Secrets Manager %d times", n)
			}
			r.failed(r.update(resourceType, "the-id", nil, bad), "the-id", `"Nonsense" is not known`)
		})
	}
}

var problem = regexp.MustCompile(`^(([A-Za-z]+(\[\d+\])?\.?)+|([A-Za-z]+\[\d+\]\.)?".*") is `)

// FuzzProperties looks for properties that panic, or that are taken although they are not what the resource needs.
func FuzzProperties(f *testing.F) {
	for i, resourceType := range resourceTypes {
		good, _ := json.Marshal(goodProperties(resourceType))
		f.Add(i, string(good))
		f.Add(i+1, string(good))
	}
	f.Add(0, `{"Exposure":"public","Users":[{"Schemas":[[]]},{"Name":1e999},null]}`)
	f.Add(1, `{"Schemas":[{"a":[]}],"Username":"`+"\u2028"+`"}`)
	f.Fuzz(func(t *testing.T, which int, text string) {
		var properties map[string]any
		if json.Unmarshal([]byte(text), &properties) != nil {
			return
		}
		resourceType := resourceTypes[int(uint(which)%uint(len(resourceTypes)))]
		before := maps.Clone(properties)
		err := decode(resourceType, properties)
		if len(before) != len(properties) {
			t.Error("the event was changed")
		}
		if err != nil {
			if !problem.MatchString(strings.TrimPrefix(err.Error(), "the resource's properties are wrong: ")) {
				t.Errorf("the error does not begin with a property: %v", err)
			}
			return
		}
		for name := range goodProperties(resourceType) {
			if properties[name] == nil {
				t.Errorf("%s was taken without %s", resourceType, name)
			}
		}
		for name := range properties {
			if _, ok := goodProperties(resourceType)[name]; !ok && !slices.Contains([]string{"ServiceToken", "ServiceTimeout"}, name) {
				t.Errorf("%s was taken with %q", resourceType, name)
			}
		}
		if u, err := decodeUser(properties); err == nil && (len(u.Username) > 4*32 || strings.ContainsAny(u.Host, "'` \n") || u.MaxConnections < 1 ||
			slices.Contains(u.Schemas, "") || slices.Contains(u.Schemas, "mysql") || len(u.Schemas) == 0) {
			t.Errorf("taken: %+v", u)
		}
	})
}
