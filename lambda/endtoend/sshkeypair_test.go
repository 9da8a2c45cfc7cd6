package endtoend

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/cfn"
	"golang.org/x/crypto/ssh"

	"drawbridge/internal/notrun"
	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/secretsmanager"
)

// keyPair is what the Tunnel stack shows of its key pair.
type keyPair struct{ PublicKey, Fingerprint string }

// keyPair looks at the Tunnel stack's key pair: the outputs must be those of the private key in the secret.
func (p *play) keyPair() keyPair {
	p.t.Helper()
	outputs := p.Outputs(tunnelStack)
	shown := keyPair{outputs["TunnelPublicKey"], outputs["TunnelPublicKeyFingerprint"]}
	signer, err := ssh.ParsePrivateKey([]byte(p.privateKey()))
	if err != nil {
		p.t.Fatalf("the secret holds no private key: %v", err)
	}
	public, comment, options, rest, err := ssh.ParseAuthorizedKey([]byte(shown.PublicKey))
	switch {
	case err != nil || len(rest) > 0 || len(options) > 0 || public.Type() != ssh.KeyAlgoED25519:
		p.t.Errorf("the public key is %q: %v", shown.PublicKey, err)
	case comment == "" || shown.PublicKey != strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))+" "+comment:
		p.t.Errorf("the public key is not one line of an authorized_keys file: %q", shown.PublicKey)
	case string(public.Marshal()) != string(signer.PublicKey().Marshal()):
		p.t.Error("the public key is not that of the secret's private key")
	case shown.Fingerprint != ssh.FingerprintSHA256(public):
		p.t.Errorf("the fingerprint is %s, want %s", shown.Fingerprint, ssh.FingerprintSHA256(public))
	}
	return shown
}

// keySecret is the secret of the key pair.
func (p *play) keySecret() string {
	p.t.Helper()
	return p.resource(tunnelStack, "AWS::SecretsManager::Secret", "KeyPair").PhysicalID
}

func (p *play) privateKey() string {
	p.t.Helper()
	text, err := p.Secrets.Value(p.keySecret(), secretsmanager.Current)
	if err != nil {
		p.t.Fatal(err)
	}
	return text
}

// generation sets the number of the tunnels' key pair.
func generation(n int) func(config) {
	return func(dev config) { dev["tunnelKeyGeneration"] = n }
}

// comment changes the end of the public key, in the template: config has no say in it.
func (p *play) deployComment(comment string) error {
	p.t.Helper()
	assembly := synthesize(p.t, nil)
	stack, err := assembly.Stack(tunnelStack)
	if err != nil {
		p.t.Fatal(err)
	}
	for id, r := range stack.Template.Resources {
		if r.Type == "Custom::SSHKeyPair" {
			stack.Template.Resources[id].Properties["Comment"] = comment
		}
	}
	return p.deployAssembly(assembly)
}

func TestSSHKeyPair(t *testing.T) {
	t.Parallel()
	p := newPlay(t, withFailures)
	p.mustDeploy(nil)
	first := p.keyPair()
	const kind = "Custom::SSHKeyPair"

	p.run("ends with the environment's name", func(t *testing.T) {
		if !strings.HasSuffix(first.PublicKey, " drawbridge-dev-tunnel") {
			t.Errorf("it is %q", first.PublicKey)
		}
	})
	p.run("has its private half in the secret alone", func(t *testing.T) {
		var everything strings.Builder
		for _, stack := range synthesize(t, nil).Stacks {
			text, err := json.Marshal([]any{p.Resources(stack.Name), p.Outputs(stack.Name)})
			if err != nil {
				t.Fatal(err)
			}
			everything.Write(text)
		}
		for _, o := range p.Operations() {
			everything.WriteString(o.String())
		}
		everything.WriteString(p.log.String())
		lines := strings.Split(strings.TrimSpace(p.privateKey()), "\n")
		if !strings.Contains(everything.String(), first.PublicKey) || len(lines) < 5 {
			t.Fatal("this test looks in the wrong place")
		}
		for _, line := range lines {
			if strings.Contains(everything.String(), line) {
				t.Error("a line of it is elsewhere")
			}
		}
	})
	p.run("is one that ssh-keygen knows", func(t *testing.T) {
		keygen, err := exec.LookPath("ssh-keygen")
		if err != nil {
			notrun.Because(t, "there is no ssh-keygen: install openssh-client")
		}
		file := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(file, []byte(p.privateKey()), 0o600); err != nil {
			t.Fatal(err)
		}
		public, err := exec.Command(keygen, "-y", "-P", "", "-f", file).Output()
		if err != nil || strings.TrimSpace(string(public)) != first.PublicKey {
			t.Errorf("ssh-keygen -y says %q, %v; want %q", public, err, first.PublicKey)
		}
		list, err := exec.Command(keygen, "-l", "-f", file).Output()
		if want := fmt.Sprintf("256 %s drawbridge-dev-tunnel (ED25519)\n", first.Fingerprint); err != nil || string(list) != want {
			t.Errorf("ssh-keygen -l says %q, %v; want %q", list, err, want)
		}
	})
	for _, request := range []cfn.RequestType{cfn.RequestCreate, cfn.RequestUpdate} {
		p.run("is the same when the "+string(request)+" is delivered again", func(t *testing.T) {
			answer := p.sendAgain(tunnelStack, kind, "", request, nil).must(t)
			if got := (keyPair{answer.Data["PublicKey"].(string), answer.Data["Fingerprint"].(string)}); got != first || p.keyPair() != first {
				t.Errorf("the answer is %v, and the secret has %v; want %v", got, p.keyPair(), first)
			}
			if id := p.resource(tunnelStack, kind, "").PhysicalID; answer.PhysicalResourceID != id {
				t.Errorf("its id is %s, want %s", answer.PhysicalResourceID, id)
			}
		})
	}
	p.run("is the same with another comment", func(t *testing.T) {
		if err := p.deployComment("another comment"); err != nil {
			t.Fatal(err)
		}
		now := p.keyPair()
		if now.Fingerprint != first.Fingerprint || !strings.HasSuffix(now.PublicKey, " another comment") {
			t.Errorf("it is %v", now)
		}
		p.mustDeploy(nil)
		if now := p.keyPair(); now != first {
			t.Errorf("it is %v, want %v", now, first)
		}
	})
	p.run("is refused a comment that would be another line of authorized_keys", func(t *testing.T) {
		for _, comment := range []string{"a\nssh-ed25519 AAAA", "", " a", "ü", strings.Repeat("c", 101)} {
			failure := p.failure(p.deployComment(comment))
			if failure.Status != cloudformation.UpdateRollbackComplete || !strings.Contains(failure.Reason, "Comment is not 1 to 100 printable ASCII characters") {
				t.Errorf("%q: %v", comment, failure)
			}
		}
		if now := p.keyPair(); now != first {
			t.Errorf("it is %v, want %v", now, first)
		}
	})
	p.run("is the first again after a deployment with another generation was rolled back", func(t *testing.T) {
		private := p.privateKey()
		failure := p.failure(p.deployAssembly(failing(t, synthesize(t, generation(2)), tunnelStack)))
		if failure.Status != cloudformation.UpdateRollbackComplete || failure.LogicalID != "NeverSignalled" {
			t.Fatal(failure)
		}
		if p.keyPair() != first || p.privateKey() != private {
			t.Errorf("it is %v, want %v", p.keyPair(), first)
		}
		if previous, err := p.Secrets.Value(p.keySecret(), secretsmanager.Previous); err != nil || previous == private {
			t.Errorf("the secret never had another key: %v", err)
		}
	})
	var second keyPair
	p.run("is another with another generation", func(t *testing.T) {
		p.mustDeploy(generation(2))
		if second = p.keyPair(); second.Fingerprint == first.Fingerprint || second.PublicKey == first.PublicKey {
			t.Errorf("it is still %v", second)
		}
		if id := p.resource(tunnelStack, kind, "").PhysicalID; id != "ssh-key-pair:"+p.keySecret() {
			t.Errorf("its id is now %s", id)
		}
	})
	p.run("is that of its number after going back and forth", func(t *testing.T) {
		for _, step := range []struct {
			generation int
			want       keyPair
		}{{1, first}, {2, second}, {1, first}} {
			p.mustDeploy(generation(step.generation))
			if now := p.keyPair(); now != step.want {
				t.Errorf("generation %d is %v, want %v", step.generation, now, step.want)
			}
		}
	})
	p.run("is not taken away, and goes with the secret", func(t *testing.T) {
		p.sendAgain(tunnelStack, kind, "", cfn.RequestDelete, nil).must(t)
		if now := p.keyPair(); now != first {
			t.Errorf("it is %v, want %v", now, first)
		}
		arn := p.keySecret()
		if err := p.Delete(t.Context(), tunnelStack); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Secrets.Value(arn, secretsmanager.Current); err == nil {
			t.Error("the secret is still there")
		}
	})
}

func TestAnSSHKeyPairOfOnesOwn(t *testing.T) {
	t.Parallel()
	p := newPlay(t, nil)
	p.mustDeploy(nil)
	first := p.privateKey()
	p.run("that is put into the secret is kept by an update", func(t *testing.T) {
		p.mustDeploy(generation(2))
		second := p.privateKey()
		if err := p.Secrets.Put(p.keySecret(), first); err != nil {
			t.Fatal(err)
		}
		if err := p.deployComment("own"); err != nil { // which also sets the generation back
			t.Fatal(err)
		}
		if p.privateKey() != first || p.privateKey() == second {
			t.Error("the secret has another key")
		}
		p.keyPair()
	})
	p.run("that is none fails with what to do", func(t *testing.T) {
		if err := p.Secrets.Put(p.keySecret(), "not a key"); err != nil {
			t.Fatal(err)
		}
		failure := p.failure(p.deployComment("none"))
		if !strings.Contains(failure.Reason, "raise the key's generation to have a new one made") || strings.Contains(failure.Reason, "not a key") {
			t.Error(failure)
		}
	})
}
