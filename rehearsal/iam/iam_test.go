package iam

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

const (
	role   = "arn:aws:iam::123456789012:role/lambda"
	other  = "arn:aws:iam::123456789012:role/other"
	secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:webapp-AbCdEf"
)

func policy(t *testing.T, text string) Policy {
	t.Helper()
	var document any
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	p, err := ParsePolicy(document)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEvaluate(t *testing.T) {
	allow := `{"Statement":[{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"` + secret + `"}]}`
	for name, test := range map[string]struct {
		identity, resource, endpoint string
		want                         bool
	}{
		"nothing allows nothing":                  {want: false},
		"a role's policy allows":                  {identity: allow, want: true},
		"another action is not allowed":           {identity: `{"Statement":{"Effect":"Allow","Action":"secretsmanager:PutSecretValue","Resource":"*"}}`},
		"another resource is not allowed":         {identity: `{"Statement":{"Effect":"Allow","Action":"*","Resource":"` + secret + `x"}}`},
		"a pattern allows":                        {identity: `{"Statement":{"Effect":"Allow","Action":"SecretsManager:get*","Resource":"arn:*:secret:web???-*"}}`, want: true},
		"a resource's policy allows the role":     {resource: `{"Statement":{"Effect":"Allow","Action":"secretsmanager:*","Resource":"*","Principal":{"AWS":"` + role + `"}}}`, want: true},
		"a resource's policy for another role":    {resource: `{"Statement":{"Effect":"Allow","Action":"secretsmanager:*","Resource":"*","Principal":{"AWS":"` + other + `"}}}`},
		"a resource's policy for the account":     {resource: `{"Statement":{"Effect":"Allow","Action":"secretsmanager:*","Resource":"*","Principal":{"AWS":"arn:aws:iam::123456789012:root"}}}`},
		"a resource's policy for a service":       {resource: `{"Statement":{"Effect":"Allow","Action":"secretsmanager:*","Resource":"*","Principal":{"Service":"rds.amazonaws.com"}}}`},
		"a deny of the account wins":              {identity: allow, resource: `{"Statement":{"Effect":"Deny","Action":"secretsmanager:*","Resource":"*","Principal":{"AWS":"123456789012"}}}`},
		"a deny wins over the same policy":        {identity: `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"No","Effect":"Deny","NotAction":"s3:*","Resource":"*"}]}`},
		"an endpoint's policy must allow too":     {identity: allow, endpoint: `{"Statement":{"Effect":"Allow","Action":"secretsmanager:DescribeSecret","Resource":"*","Principal":"*"}}`},
		"an endpoint's policy alone is no grant":  {endpoint: `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}}`},
		"an endpoint's policy with the account":   {identity: allow, endpoint: `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Principal":{"AWS":"*"},"Condition":{"StringEquals":{"aws:PrincipalAccount":"123456789012"}}}}`, want: true},
		"an endpoint's policy for someone else":   {identity: allow, endpoint: `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Principal":{"AWS":"*"},"Condition":{"StringEquals":{"aws:PrincipalAccount":"999999999999"}}}}`},
		"a condition on a key without value":      {identity: `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpce":"vpce-1"}}}}`},
		"the same with IfExists":                  {identity: `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEqualsIfExists":{"aws:SourceVpce":"vpce-1"}}}}`, want: true},
		"a negated condition that does not hold":  {identity: `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":"*role/lambda"}}}}`},
		"NotResource leaves out what it names":    {identity: `{"Statement":{"Effect":"Allow","Action":"*","NotResource":"*:webapp-*"}}`},
		"a condition with several values, one is": {identity: `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:PrincipalArn":["x","*lambda"]}}}}`, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			var p Policies
			if test.identity != "" {
				p.Identity = []Policy{policy(t, test.identity)}
			}
			if test.resource != "" {
				p.Resource = policy(t, test.resource)
			}
			if test.endpoint != "" {
				p.Endpoint = policy(t, test.endpoint)
			}
			err := Evaluate(Request{Principal: role, Account: "123456789012", Action: "secretsmanager:GetSecretValue", Resource: secret}, p)
			if (err == nil) != test.want {
				t.Errorf("allowed: %v (%v), want %v", err == nil, err, test.want)
			}
			if denied := (*Denied)(nil); err != nil && !errors.As(err, &denied) {
				t.Errorf("%T is no Denied", err)
			}
		})
	}
}

func TestPolicyThatIsNotUnderstoodIsAnError(t *testing.T) {
	for text, want := range map[string]string{
		`[]`:                                            "must be a map",
		`{"Statement":null}`:                            "must have a Statement",
		`{"Statement":[],"Statements":[]}`:              "Statements",
		`{"Statement":{"Effect":"Allow"}}`:              "must have Effect and Action",
		`{"Statement":{"Action":"s3:Get"}}`:             "must have Effect and Action",
		`{"Statement":{"Effect":"allow","Action":"*"}}`: "the Effect must be",
		`{"Statement":{"Effect":"Allow","Action":7}}`:   "must be a text",
		`{"Statement":{"Effect":"Allow","Action":"*","NotPrincipal":"*"}}`:                                  "NotPrincipal",
		`{"Statement":{"Effect":"Allow","Action":"*","Principal":{"Federated":"x"}}}`:                       "Federated",
		`{"Statement":{"Effect":"Allow","Action":"*","Condition":{"IpAddress":{"aws:SourceIp":"0/0"}}}}`:    "IpAddress",
		`{"Statement":{"Effect":"Allow","Action":"*","Condition":{"ForAllValues:StringEquals":{"a":"b"}}}}`: "ForAllValues",
	} {
		var document any
		if err := json.Unmarshal([]byte(text), &document); err != nil {
			t.Fatal(err)
		}
		if _, err := ParsePolicy(document); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want something about %q", text, err, want)
		}
	}
}

func TestDirectory(t *testing.T) {
	var d Directory
	d.Attach(role, "a", Policy{})
	d.Attach(role, "a", Policy{})
	d.Attach(role, "b", Policy{})
	d.Attach(other, "b", Policy{})
	d.Detach(role, "a")
	d.Detach("nobody", "a")
	if n := len(d.Policies(role)); n != 1 {
		t.Errorf("the role has %d policies, want 1", n)
	}
	if _, err := Managed("arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"); err != nil {
		t.Error(err)
	}
	core, err := Managed("arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")
	if err != nil {
		t.Error(err)
	}
	for action, want := range map[string]bool{"ssm:GetParameter": true, "ssm:GetParametersByPath": false, "s3:GetObject": false} {
		r := Request{Principal: role, Account: "123456789012", Action: action, Resource: "arn:aws:ssm:eu-west-1:123456789012:parameter/x"}
		if err := Evaluate(r, Policies{Identity: []Policy{core}}); (err == nil) != want {
			t.Errorf("%s: %v", action, err)
		}
	}
	if _, err := Managed("arn:aws:iam::aws:policy/AdministratorAccess"); err == nil {
		t.Error("an unknown managed policy is taken for nothing")
	}
}

func FuzzWildcard(f *testing.F) {
	f.Add("a*b?c", "axxbyc")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if wildcard("*"+pattern+"*", text) != wildcard("**"+pattern+"**", text) {
			t.Error("a second * changes what matches")
		}
		if !strings.ContainsAny(pattern, "*?") && wildcard(pattern, text) != (pattern == text) {
			t.Error("a pattern without wildcards matches another text")
		}
	})
}
