package stacks_test

import (
	"slices"
	"strings"
	"testing"

	"drawbridge/internal/cdktest"
)

// Actions that take no resource, each with the page of AWS's Service Authorization Reference that says so.
var actionsWithoutResource = map[string]string{
	"cloudwatch:PutMetricData":         "Amazon CloudWatch",
	"ec2:DescribeNetworkInterfaces":    "Amazon EC2",
	"ec2:DescribeSubnets":              "Amazon EC2",
	"ssmmessages:CreateControlChannel": "Amazon Message Gateway Service",
	"ssmmessages:CreateDataChannel":    "Amazon Message Gateway Service",
	"ssmmessages:OpenControlChannel":   "Amazon Message Gateway Service",
	"ssmmessages:OpenDataChannel":      "Amazon Message Gateway Service",
}

// Policies that AWS keeps, and who has them. Their statements are not ours to narrow.
var managedPolicies = map[string][]string{
	"service-role/AWSElasticBeanstalkEnhancedHealth": {"WebApp/WebAppServiceRole982479CE"},
	// The functions that CDK brings with it: they may write their own logs.
	"service-role/AWSLambdaBasicExecutionRole": {
		"Bastion/AWS679f53fac002430cb0da5b7982bd2287ServiceRoleC1EA0FF2",
		"Network/CustomVpcRestrictDefaultSGCustomResourceProviderRole26592FE0",
		"Tunnel/AWS679f53fac002430cb0da5b7982bd2287ServiceRoleC1EA0FF2",
		"WebApp/AWS679f53fac002430cb0da5b7982bd2287ServiceRoleC1EA0FF2",
	},
}

func TestIAM(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, templates map[string]cdktest.Template) {
		t.Run("names the resources of every statement whose actions take any", func(t *testing.T) {
			used := map[string]bool{}
			for _, s := range statements(t, templates) {
				if !slices.Contains(list(s.statement["Resource"]), any("*")) {
					continue
				}
				for _, action := range list(s.statement["Action"]) {
					used[action.(string)] = true
					if actionsWithoutResource[action.(string)] == "" {
						t.Errorf("%s allows %s on every resource", s.where, action)
					}
				}
			}
			for action := range actionsWithoutResource {
				if !used[action] {
					t.Errorf("%s is pinned as an exception, but nothing uses it", action)
				}
			}
		})
		t.Run("allows whole services nowhere", func(t *testing.T) {
			all := statements(t, templates)
			for _, s := range all {
				for _, action := range list(s.statement["Action"]) {
					if action := action.(string); action == "*" || strings.HasSuffix(action, ":*") {
						t.Errorf("%s allows %s", s.where, action)
					}
				}
				if s.statement["NotAction"] != nil || s.statement["NotResource"] != nil {
					t.Errorf("%s allows all but a list", s.where)
				}
			}
			if len(all) < 10 {
				t.Errorf("only %d statements were read", len(all))
			}
		})
		t.Run("attaches no other managed policies than those listed here", func(t *testing.T) {
			got := map[string][]string{}
			for _, r := range resources(templates, "AWS::IAM::Role") {
				for _, policy := range list(r.Properties["ManagedPolicyArns"]) {
					_, name, _ := strings.Cut(cdktest.JSON(policy), ":iam::aws:policy/")
					name = strings.TrimRight(name, `"]}`)
					got[name] = append(got[name], r.ID)
				}
			}
			if cdktest.JSON(got) != cdktest.JSON(managedPolicies) {
				t.Errorf("got %s\nwant %s", cdktest.JSON(got), cdktest.JSON(managedPolicies))
			}
		})
		t.Run("lets the web app read its own secret and no other", func(t *testing.T) {
			var secrets []string
			for _, s := range statements(t, templates) {
				if strings.HasPrefix(s.where, "WebApp/") && strings.Contains(cdktest.JSON(s.statement["Action"]), "secretsmanager:") {
					secrets = append(secrets, cdktest.JSON(s.statement["Resource"]))
				}
			}
			if len(secrets) != 1 || !strings.Contains(secrets[0], "ReadOnlyUserwebapp") {
				t.Errorf("it reads %q", secrets)
			}
		})
		t.Run("lets the jump server read its host key and the master's secret, and the tunnel host its key", func(t *testing.T) {
			got := map[string]string{}
			for _, s := range statements(t, templates) {
				for _, host := range []string{"Bastion/BastionRole", "Tunnel/TunnelHostRole"} {
					if strings.HasPrefix(s.where, host) && strings.Contains(cdktest.JSON(s.statement["Action"]), "secretsmanager:") {
						got[host] += cdktest.JSON(s.statement["Resource"])
					}
				}
			}
			for host, secrets := range map[string][]string{
				"Bastion/BastionRole": {"BastionHostKeySecret", "DatabaseMasterSecret"}, "Tunnel/TunnelHostRole": {"KeyPairSecret"},
			} {
				for _, secret := range secrets {
					if strings.Count(got[host], secret) != 1 {
						t.Errorf("%s reads %s", host, got[host])
					}
				}
				if strings.Count(got[host], "Secret") != len(secrets)+strings.Count(got[host], "SecretHostKey") {
					t.Errorf("%s reads %s", host, got[host])
				}
			}
		})
		t.Run("lets hosts send metrics of their own namespace alone", func(t *testing.T) {
			for _, s := range statements(t, templates) {
				if strings.Contains(cdktest.JSON(s.statement["Action"]), "cloudwatch:") &&
					cdktest.JSON(s.statement["Condition"]) != `{"StringEquals":{"cloudwatch:namespace":"Drawbridge"}}` {
					t.Errorf("%s: %s", s.where, cdktest.JSON(s.statement))
				}
			}
		})
	})
}

type statement struct {
	where     string
	statement map[string]any
}

// statements are those of the identity policies of all stacks.
func statements(t *testing.T, templates map[string]cdktest.Template) []statement {
	t.Helper()
	var found []statement
	add := func(id string, document any) {
		for _, s := range list(document.(map[string]any)["Statement"]) {
			s := s.(map[string]any)
			if s["Effect"] == "Deny" {
				continue // it allows nothing
			}
			found = append(found, statement{id, s})
		}
	}
	for _, r := range resources(templates) {
		switch r.Type {
		case "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy":
			add(r.ID, r.Properties["PolicyDocument"])
		case "AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group":
			for _, policy := range list(r.Properties["Policies"]) {
				add(r.ID, policy.(map[string]any)["PolicyDocument"])
			}
		}
	}
	return found
}

// list is v as a list: IAM takes one thing where it takes several.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}
