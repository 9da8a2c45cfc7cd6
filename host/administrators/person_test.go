package administrators

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"drawbridge/config"
)

func rsaKey(t *testing.T, bits int) string {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	public, err := ssh.NewPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))
}

// certified is a certificate that some authority has signed for malia.
func certified(t *testing.T) string {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	c := &ssh.Certificate{Key: signer.PublicKey(), CertType: ssh.UserCert, ValidPrincipals: []string{"malia"}, ValidBefore: ssh.CertTimeInfinity}
	if err := c.SignCert(rand.Reader, signer); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(c)))
}

func TestAPersonIsReadAsTheStackWritesIt(t *testing.T) {
	for name, p := range map[string]config.Administrator{
		"with a shell":          {Name: "malia", PublicKeys: []string{key(1)}, Access: config.Shell},
		"with the tunnel alone": {Name: "sam", PublicKeys: []string{key(1), key(2)}, Access: config.TunnelOnly},
		"with a long name":      {Name: "a" + strings.Repeat("-9", 15), PublicKeys: []string{key(1)}, Access: config.Shell},
		"with a token's key": {Name: "kim", Access: config.Shell,
			PublicKeys: []string{wire(ssh.KeyAlgoSKED25519, make([]byte, 32), []byte("ssh:"))}},
		"with an RSA key": {Name: "lee", PublicKeys: []string{rsaKey(t, 3072)}, Access: config.Shell},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parsePerson(p.Name, p.Parameter())
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(got) != fmt.Sprint(p) {
				t.Errorf("got %v, want %v", got, p)
			}
		})
	}
	t.Run("with a parameter that is as full as can be", func(t *testing.T) {
		p := config.Administrator{Name: "max", Access: config.Shell}
		for n := byte(0); len(p.Parameter()) < 4096-90; n++ {
			p.PublicKeys = append(p.PublicKeys, key(n))
		}
		got, err := parsePerson("max", p.Parameter())
		if err != nil || len(got.PublicKeys) != len(p.PublicKeys) {
			t.Errorf("%d of %d keys, error %v", len(got.PublicKeys), len(p.PublicKeys), err)
		}
	})
}

func TestAPersonWithAnythingWrongIsRefused(t *testing.T) {
	value := func(name, access string, keys ...string) string { return administrator(name, access, keys...) }
	ed := key(1)
	encoded := strings.Fields(ed)[1]
	certificate := certified(t)
	dsaKey := wire("ssh-dss", []byte{23}, []byte{11}, []byte{4}, []byte{2})
	for name, test := range map[string]struct{ name, value, want string }{
		"no JSON":                      {"malia", "malia", "not a JSON object"},
		"nothing":                      {"malia", "", "not a JSON object"},
		"null":                         {"malia", "null", "not the last part"},
		"a list":                       {"malia", "[]", "not a JSON object"},
		"half of it":                   {"malia", value("malia", "shell", ed)[:60], "not a JSON object"},
		"another key":                  {"malia", `{"name":"malia","publicKeys":[],"access":"shell","sudo":true}`, "not a JSON object"},
		"a key as a number":            {"malia", `{"name":"malia","publicKeys":[1],"access":"shell"}`, "not a JSON object"},
		"two values":                   {"malia", value("malia", "shell", ed) + "{}", "something follows"},
		"another's name":               {"malia", value("sam", "shell", ed), "not the last part"},
		"a name with a slash":          {"team/malia", value("team/malia", "shell", ed), "its name is not"},
		"a name with a line break":     {"malia\n", value("malia\n", "shell", ed), "its name is not"},
		"a name that is an option":     {"-malia", value("-malia", "shell", ed), "its name is not"},
		"a name in upper case":         {"Malia", value("Malia", "shell", ed), "its name is not"},
		"a name with a colon":          {"malia:0", value("malia:0", "shell", ed), "its name is not"},
		"a name of 32 letters":         {strings.Repeat("a", 32), value(strings.Repeat("a", 32), "shell", ed), "its name is not"},
		"no name":                      {"", value("", "shell", ed), "its name is not"},
		"another access":               {"malia", value("malia", "root", ed), "its access is neither"},
		"access in upper case":         {"malia", value("malia", "Shell", ed), "its access is neither"},
		"no access":                    {"malia", value("malia", "", ed), "its access is neither"},
		"no key":                       {"malia", value("malia", "shell"), "no public key"},
		"an empty key":                 {"malia", value("malia", "shell", ""), "number 1 is not an SSH public key"},
		"a bad second key":             {"malia", value("malia", "shell", ed, "ssh-ed25519 AAAA"), "number 2 is not an SSH public key"},
		"a comment":                    {"malia", value("malia", "shell", ed+" malia@home"), "is more than"},
		"a second line with a command": {"malia", value("malia", "shell", ed+"\ncommand=\"/bin/sh\" "+ed), "is more than"},
		"a line before it":             {"malia", value("malia", "shell", "# hello\n"+ed), "is more than"},
		"a line's end":                 {"malia", value("malia", "shell", ed+"\n"), "is more than"},
		"a carriage return":            {"malia", value("malia", "shell", ed+"\r"), "public key number 1"},
		"options":                      {"malia", value("malia", "shell", `no-pty `+ed), "is more than"},
		"a command":                    {"malia", value("malia", "shell", `command="/bin/sh" `+ed), "is more than"},
		"two spaces":                   {"malia", value("malia", "shell", "ssh-ed25519  "+encoded), "is more than"},
		"a tab":                        {"malia", value("malia", "shell", "ssh-ed25519\t"+encoded), "is more than"},
		"a space at its end":           {"malia", value("malia", "shell", ed+" "), "is more than"},
		"a space before it":            {"malia", value("malia", "shell", " "+ed), "is more than"},
		"another type's name":          {"malia", value("malia", "shell", "ssh-rsa "+encoded), "public key number 1"},
		"no type's name":               {"malia", value("malia", "shell", encoded), "is not an SSH public key"},
		"a NUL":                        {"malia", value("malia", "shell", ed+"\x00"), "public key number 1"},
		"a certificate":                {"malia", value("malia", "shell", certificate), "no certificate"},
		"a DSA key":                    {"malia", value("malia", "shell", dsaKey), "public key number 1"},
		"an unknown type":              {"malia", value("malia", "shell", wire("ssh-unknown", []byte("x"))), "public key number 1"},
		"an RSA key of 2048 bits":      {"malia", value("malia", "shell", rsaKey(t, 2048)), "less than 3072 bits"},
		"a key with more behind it":    {"malia", value("malia", "shell", wire("ssh-ed25519", make([]byte, 32), []byte("more"))), "public key number 1"},
		"a private key":                {"malia", value("malia", "shell", "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n"), "is not an SSH public key"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := parsePerson(test.name, test.value)
			if err == nil {
				t.Fatalf("accepted as %v", p)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %q lacks %q", err, test.want)
			}
			if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "c2VjcmV0") {
				t.Errorf("error %q quotes the value", err)
			}
		})
	}
}
