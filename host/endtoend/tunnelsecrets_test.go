//go:build linux && root

package endtoend

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func (s *tunnels) metadata(t *testing.T) {
	const token = `exec 3<>/dev/tcp/169.254.169.254/80 && printf 'PUT /latest/api/token HTTP/1.1\r\nHost: 169.254.169.254\r\n` +
		`X-aws-ec2-metadata-token-ttl-seconds: 60\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' >&3 && head -1 <&3`
	if answer := on(t, s.host.Instance, token); !strings.Contains(answer, " 200 ") {
		t.Fatalf("root is answered %q", answer)
	}
	for _, user := range []string{"nobody", "drawbridge-tunnel", "sshd"} {
		answer, err := s.host.as(t, user, "bash", "-c", token)
		if err == nil || !strings.Contains(err.Error(), "Connection refused") {
			t.Errorf("%s is answered %q (%v)", user, answer, err)
		}
	}
}

func (s *tunnels) privateKey(t *testing.T) {
	secret := ""
	for _, r := range s.Resources(tunnelStack) {
		if r.Type == "AWS::SecretsManager::Secret" {
			text, err := s.Secrets.Value(r.PhysicalID, "AWSCURRENT")
			if err != nil {
				t.Fatal(err)
			}
			secret += text
		}
	}
	// Each line between the first, which is the same in all keys, and the end.
	lines := strings.Split(strings.TrimSpace(secret), "\n")
	if len(lines) < 5 || !strings.HasPrefix(lines[0], "-----BEGIN OPENSSH PRIVATE KEY") {
		t.Fatal("the stack has no secret with a private key in OpenSSH's format")
	}
	patterns := strings.Join(lines[2:len(lines)-1], "\n") + "\n"
	// found are the files with the key in them, of those that a shell's words name.
	found := func(words string) []string {
		out, err := s.host.Run(t.Context(), strings.NewReader(patterns), "bash", "-c", `shopt -s nullglob
grep --recursive --text --fixed-strings --files-with-matches --devices=skip --no-messages --file=- -- \
	`+words+`; (( $? < 3 ))`)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(out)
	}
	if got := found(`$(for f in /*; do [[ -L $f ]] || mountpoint --quiet "$f" || echo "$f"; done)`); len(got) > 0 {
		t.Errorf("the key is on the disk: %q", got)
	}
	if got := found("/tmp /dev/shm /proc/[0-9]*/environ /proc/[0-9]*/cmdline"); len(got) > 0 {
		t.Errorf("the key is where others look too: %q", got)
	}
	inMemory := found("/run")
	if !slices.Contains(inMemory, "/run/drawbridge/tunnel-key") {
		t.Errorf("the key is in %q", inMemory) // or it is not found where it is
	}
	for _, file := range inMemory {
		if file != "/run/drawbridge/tunnel-key" && !strings.HasPrefix(file, "/run/credentials/drawbridge-tunnel@") {
			t.Errorf("the key is also in %s", file)
		}
		kind := strings.TrimSpace(on(t, s.host.Instance, "stat --file-system --format %T "+file))
		if kind != "tmpfs" && kind != "ramfs" {
			t.Errorf("%s is in a %s, not in memory", file, kind)
		}
		if _, err := s.host.as(t, "nobody", "cat", file); err == nil {
			t.Errorf("anybody reads %s", file)
		}
	}
	for what, text := range map[string]string{
		"the journal":       s.journals + journal(t, s.host),
		"tunnel-test":       s.host.said.String(),
		"the setup's log":   setupLog(t, s.host.Instance),
		"the function's":    s.log.String(),
		"the stack's texts": fmt.Sprint(s.Outputs(tunnelStack)),
	} {
		for _, line := range strings.Fields(patterns) {
			if strings.Contains(text, line) {
				t.Errorf("the private key stands in %s", what)
			}
		}
	}
}
