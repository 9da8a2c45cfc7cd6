package administrators

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"drawbridge/host/bastion/sshd"
	"drawbridge/host/settings"
	"drawbridge/internal/sshkeys"
)

var database = settings.Database{Host: "db.example.com", Port: "3306"}

// optionsOf are the options that a line of a person with that access must have, and no others.
var optionsOf = map[access][]string{
	shell:      {"restrict", "port-forwarding", `permitopen="db.example.com:3306"`, "pty"},
	tunnelOnly: {"restrict", "port-forwarding", `permitopen="db.example.com:3306"`, `command="/usr/sbin/nologin"`},
}

func TestAKeyLineLimitsWhatTheKeyOpens(t *testing.T) {
	for a, want := range map[access]string{
		shell:      `restrict,port-forwarding,permitopen="db.example.com:3306",pty ` + key(1) + "\n",
		tunnelOnly: `restrict,port-forwarding,permitopen="db.example.com:3306",command="/usr/sbin/nologin" ` + key(1) + "\n",
		"":         `restrict,port-forwarding,permitopen="db.example.com:3306",command="/usr/sbin/nologin" ` + key(1) + "\n",
	} {
		if got := keyLine(a, "db.example.com:3306", key(1)); got != want {
			t.Errorf("access %q gives %q, want %q", a, got, want)
		}
	}
}

// Whatever a parameter says, sshd is told exactly our options and one key a line.
func FuzzKeyLines(f *testing.F) {
	for _, k := range []string{key(1), key(1) + "\ncommand=\"/bin/sh\" " + key(2), `command="x" ` + key(1), key(1) + " comment",
		"ssh-ed25519 AAAA", key(1) + "\r", "\x00" + key(1), wire(ssh.CertAlgoED25519v01, make([]byte, 32)),
		wire(ssh.KeyAlgoSKED25519, make([]byte, 32), []byte("ssh:\n"))} {
		f.Add(administrator("malia", "shell", k, key(3)))
		f.Add(administrator("malia", "tunnel", k))
	}
	f.Add(`{"name":"malia","publicKeys":["` + key(1) + `"],"access":"shell","access":"tunnel"}`)
	target, err := sshd.Target(database)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value string) {
		p, err := parsePerson("malia", value)
		if err != nil {
			return
		}
		for _, k := range p.PublicKeys {
			line := keyLine(p.Access, target, k)
			if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") || strings.ContainsAny(line, "\r\x00") {
				t.Fatalf("%q is not one line", line)
			}
			read, comment, options, rest, err := ssh.ParseAuthorizedKey([]byte(line))
			if err != nil || comment != "" || len(rest) > 0 {
				t.Fatalf("%q is read back with the comment %q, the rest %q and the error %v", line, comment, rest, err)
			}
			if !slices.Equal(options, optionsOf[p.Access]) {
				t.Fatalf("%q has the options %q, want %q", line, options, optionsOf[p.Access])
			}
			if _, taken := sshkeys.Types[read.Type()]; !taken || !bytes.HasSuffix([]byte(line), append([]byte(" "), ssh.MarshalAuthorizedKey(read)...)) {
				t.Fatalf("%q holds another key than %q", line, ssh.MarshalAuthorizedKey(read))
			}
		}
	})
}
