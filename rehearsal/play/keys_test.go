package play

import (
	"encoding/json"
	"strings"
	"testing"

	"drawbridge/rehearsal/template"
)

const someone = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGExmMLlUwmkMBK9UmgpbTjJGjPoEwcs1efcVMlFheV6"

// parsed is a template with these resources, as JSON.
func parsed(t *testing.T, resources string) *template.Template {
	t.Helper()
	parsed, err := template.Parse([]byte(`{"Resources": {` + resources + `}}`))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// host is an instance whose user data hold these settings, as CDK joins them.
func host(t *testing.T, settings string) *template.Template {
	t.Helper()
	part, err := json.Marshal("cat <<'SETTINGS'\n" + settings + "\nSETTINGS\n")
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, `"Host": {"Type": "AWS::EC2::Instance", "Properties": {"UserData": {"Fn::Base64": {"Fn::Join": ["", ["#!/bin/bash\n", {"Ref": "AWS::Region"}, `+string(part)+`]]}}}}`)
}

func TestTunnelsAreReadFromTheUserData(t *testing.T) {
	h := host(t, `{"tunnel":{"tunnels":[{"name":"bi","host":"bi.example.com","port":22,"user":"u","remotePort":15240,"hostKey":"`+someone+`"},
		{"name":"two","host":"203.0.113.7","port":2222,"user":"v","remotePort":15241,"hostKey":"ssh-rsa AAAA"}]}}`)
	found, err := tunnels(h)
	if err != nil || len(found) != 2 || found[0].Host != "bi.example.com" || found[1].Port != 2222 || found[0].HostKey != someone {
		t.Errorf("%+v, %v", found, err)
	}
	withHostKey(h, "ssh-ed25519 OURS")
	found, err = tunnels(h)
	if err != nil || found[0].HostKey != "ssh-ed25519 OURS" || found[1].HostKey != "ssh-ed25519 OURS" || found[1].Host != "203.0.113.7" {
		t.Errorf("with another host key: %+v, %v", found, err)
	}
}

func TestAHostWithoutTunnelsHasNone(t *testing.T) {
	if found, err := tunnels(host(t, `{"bastion":{}}`)); err != nil || len(found) > 0 {
		t.Errorf("%v, %v", found, err)
	}
	if _, err := tunnels(host(t, `{"tunnels":[{"port":"x"}]}`)); err == nil || !strings.Contains(err.Error(), "Host name no tunnels") {
		t.Errorf("wrong ones: %v", err)
	}
}

func TestAdministratorsGetOtherKeys(t *testing.T) {
	template := parsed(t, `"Malia": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": "/drawbridge/dev/administrators/malia",
		"Value": "{\"name\":\"malia\",\"publicKeys\":[\"`+someone+`\",\"ssh-rsa AAAA\"],\"access\":\"tunnel\"}"}},
		"Other": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": "/drawbridge/dev/other", "Value": "no JSON"}}`)
	if err := withKeys(template, map[string]string{"malia": "ssh-ed25519 OURS", "noa": "ssh-ed25519 ANOTHER"}); err != nil {
		t.Fatal(err)
	}
	people := administrators(template)
	got := people["Malia"]
	if len(people) != 1 || got.Name != "malia" || got.Access != "tunnel" || len(got.PublicKeys) != 1 || got.PublicKeys[0] != "ssh-ed25519 OURS" {
		t.Errorf("%+v", people)
	}
}
