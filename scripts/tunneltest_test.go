// Package scripts tests the shell scripts of this folder that no other test runs.
package scripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// tunnelTest runs the script with programs that stand for the AWS CLI and its plugin. The CLI writes its arguments into a
// file, one a line, and knows one stack.
func tunnelTest(t *testing.T, programs []string, args ...string) (calls, stderr string, err error) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("make runs in WSL2 there")
	}
	dir := t.TempDir()
	log := filepath.Join(dir, "calls")
	const aws = `#!/bin/bash
printf '%s\n' "$@" >>"$CALLS"
case "$*" in
"cloudformation describe-stacks --stack-name drawbridge-dev-Tunnel "*) echo i-0123456789abcdef0 ;;
"cloudformation describe-stacks --stack-name drawbridge-empty-Tunnel "*) echo None ;;
cloudformation*) echo "Stack does not exist" >&2; exit 254 ;;
esac
`
	for _, program := range programs {
		if err := os.WriteFile(filepath.Join(dir, program), []byte(aws), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Fatal(err)
	}
	var errors strings.Builder
	command := exec.Command(bash, append([]string{"tunnel-test.sh"}, args...)...)
	command.Env = []string{"PATH=" + dir, "CALLS=" + log}
	command.Stderr = &errors
	err = command.Run()
	text, _ := os.ReadFile(log)
	return string(text), errors.String(), err
}

func TestTunnelTestRunsTheHostsProgramThroughSessionManager(t *testing.T) {
	both := []string{"aws", "session-manager-plugin"}
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"for one tunnel":   {[]string{"dev", "bi"}, `{"command":["sudo /opt/drawbridge/drawbridge-host tunnel-test bi"]}`},
		"for every tunnel": {[]string{"dev", ""}, `{"command":["sudo /opt/drawbridge/drawbridge-host tunnel-test"]}`},
	} {
		t.Run(name, func(t *testing.T) {
			calls, stderr, err := tunnelTest(t, both, test.args...)
			want := "ssm\nstart-session\n--target\ni-0123456789abcdef0\n--document-name\nAWS-StartInteractiveCommand\n--parameters\n" + test.want + "\n"
			if err != nil || !strings.HasSuffix(calls, want) {
				t.Errorf("%v %s: it called\n%s", err, stderr, calls)
			}
		})
	}
}

func TestTunnelTestSaysWhatIsMissing(t *testing.T) {
	both := []string{"aws", "session-manager-plugin"}
	for name, test := range map[string]struct {
		programs, args []string
		want           string
	}{
		"the AWS CLI":        {nil, []string{"dev"}, "there is no aws on this machine"},
		"its plugin":         {[]string{"aws"}, []string{"dev"}, "there is no session-manager-plugin on this machine"},
		"a deployed stack":   {both, []string{"prod"}, "the stack drawbridge-prod-Tunnel could not be read"},
		"a tunnel":           {both, []string{"empty"}, "the stack drawbridge-empty-Tunnel has no tunnel host"},
		"a name that is one": {both, []string{"dev", `bi"; id; "`}, "is not a tunnel's name"},
	} {
		t.Run(name, func(t *testing.T) {
			calls, stderr, err := tunnelTest(t, test.programs, test.args...)
			if err == nil || !strings.Contains(stderr, "make tunnel-test: ") || !strings.Contains(stderr, test.want) {
				t.Errorf("%v: it says %q, want %q", err, stderr, test.want)
			}
			if strings.Contains(calls, "start-session") {
				t.Errorf("it started a session: %s", calls)
			}
		})
	}
}
