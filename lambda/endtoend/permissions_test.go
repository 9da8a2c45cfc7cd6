package endtoend

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"drawbridge/rehearsal"
	"drawbridge/rehearsal/secretsmanager"
	"drawbridge/rehearsal/template"
)

const networkStack = "drawbridge-dev-Network"

// impatient gives the function time enough for one user, and ends its retries soon. It is not enough for the sample data
// on a machine that is busy.
func impatient(o *rehearsal.Options) { o.FunctionTimeout = 3 * time.Second }

// permission is an action that a policy in a template allows.
type permission struct{ stack, kind, id, action string }

// without is the environment dev without that permission: another action, which nobody needs, stands in its place.
func (q permission) without(t testing.TB) *template.Assembly {
	t.Helper()
	assembly := synthesize(t, sampleData(false))
	stack, err := assembly.Stack(q.stack)
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	for id, r := range stack.Template.Resources {
		if r.Type == q.kind && strings.Contains(id, q.id) {
			for _, s := range statements(r.Properties) {
				if s["Effect"] != "Allow" {
					continue
				}
				actions := texts(s["Action"])
				if i := slices.Index(actions, any(q.action)); i >= 0 {
					actions = slices.Clone(actions)
					actions[i] = "secretsmanager:ListSecrets"
					s["Action"] = actions
					taken++
				}
			}
		}
	}
	if taken != 1 {
		t.Fatalf("%d statements of %s allow %s, want 1", taken, q.id, q.action)
	}
	return assembly
}

// statements are those of a policy, an endpoint's policy or a resource's policy.
func statements(properties map[string]any) (found []map[string]any) {
	for _, name := range []string{"PolicyDocument", "ResourcePolicy"} {
		if document, ok := properties[name].(map[string]any); ok {
			for _, s := range document["Statement"].([]any) {
				found = append(found, s.(map[string]any))
			}
		}
	}
	return found
}

// texts is "a" and ["a", "b"] as a list.
func texts(value any) []any {
	if list, ok := value.([]any); ok {
		return list
	}
	return []any{value}
}

const (
	rolePolicy   = "AWS::IAM::Policy"
	endpoint     = "AWS::EC2::VPCEndpoint"
	secretPolicy = "AWS::SecretsManager::ResourcePolicy"

	get      = "secretsmanager:GetSecretValue"
	describe = "secretsmanager:DescribeSecret"
	put      = "secretsmanager:PutSecretValue"
	move     = "secretsmanager:UpdateSecretVersionStage"
)

// Lambda's own permissions, to write its log and to be in the VPC, are nothing that the function could miss here.
func TestADeploymentFailsWithoutThePermission(t *testing.T) {
	t.Parallel()
	p := newPlay(t, impatient)
	for _, test := range []struct {
		name   string
		taken  permission
		failed string // the resource
	}{
		{"to read the master user's secret", permission{databaseStack, rolePolicy, "DatabaseFunctionRoleDefaultPolicy", get}, "ReadOnlyUserbiUser"},
		{"to read the secret of bi", permission{databaseStack, rolePolicy, "ReadOnlyUserbiFunctionPolicy", get}, "ReadOnlyUserbiUser"},
		{"to read the secret of webapp", permission{databaseStack, rolePolicy, "ReadOnlyUserwebappFunctionPolicy", get}, "ReadOnlyUserwebappUser"},
		{"to look at the secret of webapp", permission{databaseStack, rolePolicy, "ReadOnlyUserwebappFunctionPolicy", describe}, "ReadOnlyUserwebappRotationSchedule"},
		{"to read through the endpoint", permission{networkStack, endpoint, "SecretsManagerEndpoint", get}, "ReadOnlyUserbiUser"},
		{"to look through the endpoint", permission{networkStack, endpoint, "SecretsManagerEndpoint", describe}, "ReadOnlyUserwebappRotationSchedule"},
		{"to write through the endpoint", permission{networkStack, endpoint, "SecretsManagerEndpoint", put}, "BastionHostKeyKeyPair"},
		{"to read the host key's secret", permission{bastionStack, secretPolicy, "BastionHostKey", get}, "BastionHostKeyKeyPair"},
		{"to write the host key's secret", permission{bastionStack, secretPolicy, "BastionHostKey", put}, "BastionHostKeyKeyPair"},
		{"to read the key pair's secret", permission{tunnelStack, secretPolicy, "KeyPair", get}, "KeyPair"},
		{"to write the key pair's secret", permission{tunnelStack, secretPolicy, "KeyPair", put}, "KeyPair"},
	} {
		p.run(test.name, func(t *testing.T) {
			failure := p.failure(p.deployAssembly(test.taken.without(t)))
			if !strings.HasPrefix(failure.LogicalID, test.failed) || failure.RollbackReason != "" {
				t.Errorf("something else failed: %v", failure)
			}
			if !strings.Contains(failure.Reason, "AccessDeniedException: allow "+test.taken.action+" on it for the function's role, and in the VPC endpoint's policy") {
				t.Errorf("the error does not name %s: %s", test.taken.action, failure.Reason)
			}
		})
	}
	p.run("and goes through with all of them", func(t *testing.T) {
		p.mustDeploy(sampleData(false))
		for _, key := range []string{"bi", "webapp"} {
			if err := p.logIn(key, "SELECT 1"); err != nil {
				t.Errorf("%s: %v", key, err)
			}
		}
	})
}

func TestARotationFailsWithoutThePermission(t *testing.T) {
	t.Parallel()
	p := newPlay(t, impatient)
	p.mustDeploy(sampleData(false))
	arn, _ := p.secretOf("webapp")
	for _, taken := range []permission{
		{databaseStack, rolePolicy, "DatabaseFunctionRoleDefaultPolicy", get},
		{databaseStack, rolePolicy, "ReadOnlyUserwebappFunctionPolicy", get},
		{databaseStack, rolePolicy, "ReadOnlyUserwebappFunctionPolicy", describe},
		{databaseStack, rolePolicy, "ReadOnlyUserwebappFunctionPolicy", put},
		{databaseStack, rolePolicy, "ReadOnlyUserwebappFunctionPolicy", move},
		{networkStack, endpoint, "SecretsManagerEndpoint", put},
		{networkStack, endpoint, "SecretsManagerEndpoint", move},
	} {
		p.run(taken.action+" of "+taken.id+", and goes on when it is given", func(t *testing.T) {
			before := p.stage(arn, secretsmanager.Current)
			if err := p.deployAssembly(taken.without(t)); err != nil {
				t.Fatal(err)
			}
			err := p.Secrets.Rotate(t.Context(), arn, p.invoke)
			if err == nil || !strings.Contains(err.Error(), "allow "+taken.action+" on it for the function's role") {
				t.Errorf("the rotation said: %v", err)
			}
			if !p.works(p.stage(arn, secretsmanager.Current)) {
				t.Error("the current password does not work")
			}
			p.mustDeploy(sampleData(false))
			if err := p.Secrets.RetryRotation(t.Context(), arn, p.invoke); err != nil {
				t.Fatal(err)
			}
			p.checkRotated(arn, before)
		})
	}
	p.run("to go back to an earlier key pair", func(t *testing.T) {
		p.mustDeploy(all(sampleData(false), generation(2)))
		for _, taken := range []permission{{tunnelStack, secretPolicy, "KeyPair", move}, {networkStack, endpoint, "SecretsManagerEndpoint", move}} {
			err := p.deployAssembly(taken.without(t))
			if err == nil || !strings.Contains(err.Error(), "allow "+move+" on it for the function's role") {
				t.Errorf("the deployment without %v said: %v", taken, err)
			}
			p.mustDeploy(all(sampleData(false), generation(2)))
		}
	})
}

func TestTheFunctionUsesAllThatItMay(t *testing.T) {
	t.Parallel()
	p := newPlay(t, nil)
	arn := func(key string) string { arn, _ := p.secretOf(key); return arn }
	p.mustDeploy(public)
	p.rotate(arn("webapp"))
	p.mustDeploy(generation(2))
	p.mustDeploy(connections(21))

	role := p.resource(databaseStack, "AWS::IAM::Role", "DatabaseFunctionRole")
	used := map[[2]string]bool{}
	actions := map[string]bool{}
	for _, call := range p.Secrets.Calls() {
		switch {
		case call.Code == "AccessDeniedException":
			t.Errorf("%s of %s was denied to %s", call.Operation, call.SecretID, call.Principal)
		case call.Principal == role.Attributes["Arn"] && call.Code == "":
			used[[2]string{"secretsmanager:" + call.Operation, call.SecretID}] = true
			actions["secretsmanager:"+call.Operation] = true
		}
	}
	allowed := map[[2]string]bool{}
	for _, r := range p.Resources(databaseStack) {
		if r.Type != rolePolicy || !slices.Contains(r.Properties["Roles"].([]any), any(role.PhysicalID)) {
			continue
		}
		for _, s := range statements(r.Properties) {
			for _, action := range texts(s["Action"]) {
				for _, secret := range texts(s["Resource"]) {
					if strings.HasPrefix(action.(string), "secretsmanager:") && s["Effect"] == "Allow" {
						allowed[[2]string{action.(string), secret.(string)}] = true
					}
				}
			}
		}
	}
	// Their own policies allow that.
	keys := []string{p.keySecret(), p.resource(bastionStack, "AWS::SecretsManager::Secret", "BastionHostKey").PhysicalID}
	maps.DeleteFunc(used, func(u [2]string, _ bool) bool { return slices.Contains(keys, u[1]) })
	if len(allowed) < 6 || !maps.Equal(allowed, used) {
		t.Errorf("the role allows\n%v\nand the function used\n%v", allowed, used)
	}
	for _, s := range statements(p.resource(networkStack, endpoint, "SecretsManagerEndpoint").Properties) {
		for _, action := range texts(s["Action"]) {
			if !actions[action.(string)] {
				t.Errorf("the endpoint allows %s, which nobody used", action)
			}
		}
	}
}
