package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"drawbridge/internal/notrun"
)

const keyType = "Custom::SSHKeyPair"

func keyProperties(generation string) map[string]any {
	return map[string]any{"SecretArn": arnOf("key"), "Generation": generation, "Comment": "drawbridge-dev-tunnel"}
}

const keyID = "ssh-key-pair:arn:aws:secretsmanager:eu-west-1:123456789012:secret:key-AbCdEf"

// isCurrent fails the test unless the answer's public key belongs to the private key in the secret.
func (r *rig) isCurrent(a answer) {
	r.t.Helper()
	r.succeeded(a, keyID)
	signer, err := ssh.ParsePrivateKey([]byte(r.secrets.text(arnOf("key"), current)))
	if err != nil {
		r.t.Fatal("the secret holds no private key")
	}
	want := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))) + " drawbridge-dev-tunnel"
	if a.Data["PublicKey"] != want || a.Data["Fingerprint"] != ssh.FingerprintSHA256(signer.PublicKey()) {
		r.t.Errorf("answered %v, want the public key %s", a.Data, want)
	}
	block, rest := pem.Decode([]byte(a.Data["PublicKeyPem"].(string)))
	if block == nil || block.Type != "PUBLIC KEY" || len(rest) > 0 {
		r.t.Fatalf("the PEM form is %q", a.Data["PublicKeyPem"])
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		r.t.Fatal(err)
	}
	if key, err := ssh.NewPublicKey(public); err != nil || !bytes.Equal(key.Marshal(), signer.PublicKey().Marshal()) {
		r.t.Errorf("the PEM form is another key's (%v)", err)
	}
}

func TestKeyPairIsMade(t *testing.T) {
	r := newRig(t)
	arn := r.secrets.empty("key")
	made := r.create(keyType, keyProperties("1"))
	r.isCurrent(made)
	if public := made.Data["PublicKey"].(string); !regexp.MustCompile(`^ssh-ed25519 AAAA[A-Za-z0-9+/=]+ drawbridge-dev-tunnel$`).MatchString(public) {
		t.Errorf("the public key is %s", public)
	}
	if private := r.secrets.text(arn, current); !strings.HasPrefix(private, "-----BEGIN OPENSSH PRIVATE KEY-----\n") || !strings.HasSuffix(private, "-----END OPENSSH PRIVATE KEY-----\n") {
		t.Error("the private key is not in OpenSSH's format with its line end")
	}
	for range 2 {
		again := r.create(keyType, keyProperties("1"))
		r.isCurrent(again)
		if again.Data["PublicKey"] != made.Data["PublicKey"] {
			t.Error("a second delivery made another key")
		}
	}
	r.succeeded(r.delete(keyType, keyID, nil), keyID)
	if r.secrets.text(arn, current) == "" || r.secrets.called("PutSecretValue") != 1 {
		t.Error("the key was written more than once, or deleted")
	}
}

func TestKeyPairCanBeReadBySSH(t *testing.T) {
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		notrun.Because(t, "there is no ssh-keygen on this machine")
	}
	r := newRig(t)
	arn := r.secrets.empty("key")
	made := r.create(keyType, keyProperties("1"))
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(r.secrets.text(arn, current)), 0o600); err != nil {
		t.Fatal(err)
	}
	public, err := exec.Command(keygen, "-y", "-f", file).Output()
	if err != nil || strings.TrimSpace(string(public)) != made.Data["PublicKey"] {
		t.Errorf("ssh-keygen reads %s (%v), answered %s", public, err, made.Data["PublicKey"])
	}
	listed, err := exec.Command(keygen, "-l", "-f", file).Output()
	if err != nil || !strings.Contains(string(listed), made.Data["Fingerprint"].(string)) {
		t.Errorf("ssh-keygen lists %s (%v), answered %s", listed, err, made.Data["Fingerprint"])
	}
}

func TestKeyPairOfAnotherGenerationAndBack(t *testing.T) {
	r := newRig(t)
	r.secrets.empty("key")
	keys := map[string]any{}
	move := func(old, new string) answer {
		t.Helper()
		a := r.update(keyType, keyID, keyProperties(old), keyProperties(new))
		r.isCurrent(a)
		return a
	}
	keys["1"] = r.create(keyType, keyProperties("1")).Data["PublicKey"]
	for range 2 {
		keys["2"] = move("1", "2").Data["PublicKey"]
		if keys["2"] == keys["1"] {
			t.Fatal("another generation has the same key")
		}
	}
	for range 2 { // the rollback
		if got := move("2", "1").Data["PublicKey"]; got != keys["1"] {
			t.Errorf("the rollback brought %v, want %v", got, keys["1"])
		}
	}
	if got := move("1", "2").Data["PublicKey"]; got != keys["2"] {
		t.Errorf("generation 2 is now %v, was %v", got, keys["2"])
	}
	if got := move("2", "2").Data["PublicKey"]; got != keys["2"] {
		t.Errorf("an update of something else brought %v, want %v", got, keys["2"])
	}
	if n := r.secrets.called("PutSecretValue"); n != 2 {
		t.Errorf("%d keys were written, want 2", n)
	}
}

// ownKey is a private key of somebody's own.
func ownKey(t *testing.T, passphrase string) (private string, public ssh.PublicKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "own")
	if passphrase != "" {
		_, other, _ := ed25519.GenerateKey(rand.Reader)
		block, err = ssh.MarshalPrivateKeyWithPassphrase(other, "own", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	if public, err = ssh.NewPublicKey(&key.PublicKey); err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block)), public
}

func TestKeyPairThatIsThereIsKept(t *testing.T) {
	r := newRig(t)
	private, public := ownKey(t, "")
	r.secrets.set("key", private)
	for range 2 {
		made := r.create(keyType, keyProperties("1"))
		r.isCurrent(made)
		if made.Data["Fingerprint"] != ssh.FingerprintSHA256(public) {
			t.Fatal("the key was replaced")
		}
	}
	r.isCurrent(r.update(keyType, keyID, keyProperties("1"), keyProperties("2")))
	back := r.update(keyType, keyID, keyProperties("2"), keyProperties("1"))
	r.isCurrent(back)
	if back.Data["Fingerprint"] != ssh.FingerprintSHA256(public) {
		t.Error("the rollback did not bring the key back")
	}
	// Somebody replaces it by hand: it stays until another generation is asked for.
	other, otherPublic := ownKey(t, "")
	r.secrets.set("key", other)
	kept := r.update(keyType, keyID, keyProperties("1"), keyProperties("1"))
	r.isCurrent(kept)
	if kept.Data["Fingerprint"] != ssh.FingerprintSHA256(otherPublic) {
		t.Error("an update of nothing replaced the key")
	}
}

func TestKeyPairFindsSomethingElse(t *testing.T) {
	locked, _ := ownKey(t, "passphrase")
	for name, value := range map[string]string{"a password": "hunter2hunter2", "nothing": "", "a key with a passphrase": locked,
		"a broken key": "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAAbroken-key-line\n-----END OPENSSH PRIVATE KEY-----\n"} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			arn := r.secrets.set("key", value)
			r.failed(r.create(keyType, keyProperties("1")), "not-created:5c7cf1a9-1111", "holds something that is not an SSH private key without a passphrase")
			r.failed(r.update(keyType, keyID, keyProperties("1"), keyProperties("1")), keyID, "raise the key's generation")
			if r.secrets.text(arn, current) != value {
				t.Error("it was replaced")
			}
			r.isCurrent(r.update(keyType, keyID, keyProperties("1"), keyProperties("2")))
		})
	}
}

func TestKeyPairWithoutASecret(t *testing.T) {
	r := newRig(t)
	r.failed(r.create(keyType, keyProperties("1")), "not-created:5c7cf1a9-1111", "PutSecretValue of the secret "+arnOf("key")+" failed", "ResourceNotFoundException")
}

func TestKeyPairOfAnotherSecret(t *testing.T) {
	r := newRig(t)
	private, _ := ownKey(t, "")
	r.secrets.set("key", private)
	old := keyProperties("1")
	old["SecretArn"] = arnOf("old")
	r.isCurrent(r.update(keyType, "ssh-key-pair:"+arnOf("old"), old, keyProperties("2")))
	if r.secrets.text(arnOf("key"), current) != private {
		t.Error("the key that was there was replaced")
	}
}

func TestKeyPairWhenSecretsManagerHasTrouble(t *testing.T) {
	for name, errs := range map[string][]error{
		"refuses access at first": {apiError("AccessDeniedException")},
		"throttles each call":     {apiError("ThrottlingException"), nil, apiError("ThrottlingException"), nil, nil, apiError("ThrottlingException")},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.secrets.empty("key")
			r.secrets.fail = errs
			r.isCurrent(r.create(keyType, keyProperties("1")))
			if n := len(r.secrets.fail); n > 0 {
				t.Errorf("%d errors were not met, the test is of no use", n)
			}
		})
	}
}

func TestKeyPairIsAskedForTwiceAtOnce(t *testing.T) {
	r := newRig(t)
	arn := r.secrets.empty("key")
	r.secrets.delay = 20e6
	if err := racing(5, func() error {
		return r.invoke(r.event("Create", keyType, keyProperties("1")))
	}); err != nil {
		t.Fatal(err)
	}
	r.secrets.delay = 0
	final := r.create(keyType, keyProperties("1"))
	r.isCurrent(final)
	for _, body := range r.bodies {
		if !strings.Contains(body, final.Data["PublicKey"].(string)) || !strings.Contains(body, "SUCCESS") {
			t.Errorf("answered another key: %s", body)
		}
	}
	r.secrets.change(arn, func(s *fakeSecret) {
		if len(s.versions) != 1 {
			t.Errorf("%d versions", len(s.versions))
		}
	})
}

// racing runs work n times at the same time and returns an error of any.
func racing(n int, work func() error) (err error) {
	results := make(chan error)
	for range n {
		go func() { results <- work() }()
	}
	for range n {
		if e := <-results; e != nil {
			err = e
		}
	}
	return err
}
