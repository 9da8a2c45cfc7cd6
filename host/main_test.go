package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"drawbridge/host/install"
	"drawbridge/host/install/installtest"
)

const (
	head    = `{"environment":"dev","region":"eu-west-1","patchWindow":"Sun *-*-* 03:00:00","database":{"host":"db.example.com","port":"3306"},`
	jump    = head + `"bastion":{"administratorsPath":"/drawbridge/dev/administrators","hostKeySecretArn":"arn:h","masterSecretArn":"arn:m"}}`
	tunnels = head + `"tunnel":{"keySecretArn":"arn:k","metricNamespace":"Drawbridge","maxConnections":20,"tunnels":[{"name":"bi","host":"bi.example.com",` +
		`"port":22,"user":"tunnel15240","remotePort":15240,"hostKey":"ssh-ed25519 ` +
		`AAAAC3NzaC1lZDI1NTE5AAAAIGExmMLlUwmkMBK9UmgpbTjJGjPoEwcs1efcVMlFheV6"}]}}`
)

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "host.json")
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestAWrongCallIsTold(t *testing.T) {
	tests := map[string]struct {
		settings string
		args     []string
		code     int
		want     string
	}{
		"no command":                       {tunnels, nil, 2, "a command is missing"},
		"an unknown command":               {tunnels, []string{"rm"}, 2, `no command "rm"`},
		"an unknown flag":                  {tunnels, []string{"-x"}, 2, "-x"},
		"an argument too many":             {tunnels, []string{"setup", "now"}, 2, "'drawbridge-host setup'"},
		"two tunnels to test":              {tunnels, []string{"tunnel-test", "bi", "x"}, 2, "'drawbridge-host tunnel-test [NAME]'"},
		"no settings":                      {"", []string{"setup"}, 1, "settings"},
		"a jump server's command":          {tunnels, []string{"administrators"}, 1, "not the jump server"},
		"keys on the host of the tunnels":  {tunnels, []string{"authorized-keys", "malia"}, 1, "not the jump server"},
		"mysql with flags of its own":      {tunnels, []string{"mysql", "--version", "-h"}, 1, "not the jump server"},
		"a tunnel's command":               {jump, []string{"tunnel-key"}, 1, "not the host of the tunnels"},
		"a heartbeat from the jump server": {jump, []string{"heartbeat"}, 1, "not the host of the tunnels"},
		"a tunnel that is not there":       {tunnels, []string{"tunnel-test", "x"}, 1, `no tunnel "x"`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), tc.args, file(t, tc.settings), installtest.New(t, install.Debian).Host, &stdout, &stderr)
			if code != tc.code || !strings.Contains(stderr.String(), tc.want) || strings.Count(stderr.String(), "\n") != 1 || stdout.Len() > 0 {
				t.Errorf("got the code %d, stderr %q, stdout %q", code, stderr.String(), stdout.String())
			}
		})
	}
}

func TestHelpListsEveryCommand(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"-h"}, "", installtest.New(t, install.Debian).Host, &stdout, &stderr); code != 0 || stderr.Len() > 0 {
		t.Errorf("got the code %d, stderr %q", code, stderr.String())
	}
	for _, name := range []string{"setup", "administrators", "authorized-keys", "mysql", "tunnel-key", "heartbeat", "tunnel-test", "patch"} {
		if !strings.Contains(stdout.String(), "\n  "+name) {
			t.Errorf("the help lacks %s:\n%s", name, stdout.String())
		}
	}
}

// with makes a command of its own for a test.
func with(t *testing.T, c command) {
	t.Helper()
	before := commands
	c.name, c.fits = "test", anyHost
	commands = append([]command{c}, commands...)
	t.Cleanup(func() { commands = before })
}

func TestAFaultOfTheProgramReachesNobodyAsAStack(t *testing.T) {
	with(t, command{run: func(context.Context, call) error { panic("index\nout of range") }})
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"test"}, file(t, tunnels), installtest.New(t, install.Debian).Host, &stdout, &stderr)
	if want := "drawbridge-host: a fault in this program ended it: index; out of range\n"; code != 1 || stderr.String() != want {
		t.Errorf("got the code %d and %q", code, stderr.String())
	}
}

func TestAnErrorIsOneLine(t *testing.T) {
	with(t, command{run: func(context.Context, call) error {
		return errors.Join(errors.New("first"), fmt.Errorf("second\n\n third"))
	}})
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"test"}, file(t, tunnels), installtest.New(t, install.Debian).Host, &stdout, &stderr)
	if want := "drawbridge-host: first; second; third\n"; code != 1 || stderr.String() != want {
		t.Errorf("got the code %d and %q", code, stderr.String())
	}
}

func TestACommandThatTakesTooLongSaysSo(t *testing.T) {
	with(t, command{deadline: 10 * time.Millisecond, run: func(ctx context.Context, _ call) error {
		<-ctx.Done()
		return errors.New("the server does not answer")
	}})
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"test"}, file(t, tunnels), installtest.New(t, install.Debian).Host, &stdout, &stderr)
	if want := "drawbridge-host: 'test' was not done within 10ms: the server does not answer\n"; code != 1 || stderr.String() != want {
		t.Errorf("got the code %d and %q", code, stderr.String())
	}
}

func TestEveryCommandButMysqlHasADeadline(t *testing.T) {
	for _, c := range commands {
		if (c.deadline == 0) != (c.name == "mysql") {
			t.Errorf("%s has the deadline %s", c.name, c.deadline)
		}
	}
}

// withPackages answers for a Debian that has everything.
func withPackages(command string) (string, error) {
	switch {
	case strings.HasPrefix(command, "dpkg-query") && strings.HasSuffix(command, " amazon-ssm-agent"):
		return "installed 99.0", nil
	case strings.HasPrefix(command, "dpkg-query"):
		var out string
		for _, name := range strings.Fields(command)[1:] {
			out += name + " installed\n"
		}
		return out, nil
	}
	return "", nil
}

func TestSetupGuardsTheMetadataServiceFirstAndCanBeDoneAgain(t *testing.T) {
	h := installtest.New(t, install.Debian)
	h.Answer = withPackages
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"setup"}, file(t, tunnels), h.Host, &stdout, &stderr); code != 0 || stderr.Len()+stdout.Len() > 0 {
		t.Fatalf("got the code %d, %q, %q", code, stderr.String(), stdout.String())
	}
	order := []string{"restart drawbridge-metadata-guard.service", "restart --no-block drawbridge-tunnel@bi.service",
		"restart drawbridge-heartbeat.timer", "restart drawbridge-patches.timer", "enable --now --quiet amazon-ssm-agent.service"}
	rest := h.Commands()
	for _, part := range order {
		_, after, ok := strings.Cut(rest, part)
		if !ok {
			t.Fatalf("%q is not run, or too early:\n%s", part, h.Commands())
		}
		rest = after
	}
	if !strings.HasSuffix(h.Said(), "This host is set up.") {
		t.Errorf("it says %q", h.Said())
	}
	again := h.Again()
	if code := run(t.Context(), []string{"setup"}, file(t, tunnels), again.Host, &stdout, &stderr); code != 0 ||
		again.Ran("restart") > 0 || !strings.HasSuffix(h.Said(), "nothing changed.") {
		t.Errorf("a second time: the code %d, %q\n%s", code, stderr.String(), again.Commands())
	}
}

func TestSetupWithoutTheSSMAgentSucceedsWithAWarning(t *testing.T) {
	h := installtest.New(t, install.Debian)
	h.Answer = func(command string) (string, error) {
		if strings.HasPrefix(command, "systemctl enable --now --quiet amazon-ssm-agent") {
			return "", errors.New("systemctl failed: Unit not found\nreally")
		}
		return withPackages(command)
	}
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"setup"}, file(t, tunnels), h.Host, &stdout, &stderr)
	if code != 0 || !strings.HasPrefix(stdout.String(), "warning: the SSM Agent is not installed") || strings.Count(stdout.String(), "\n") != 1 {
		t.Errorf("got the code %d, %q, %q", code, stderr.String(), stdout.String())
	}
}

func TestSetupThatFailsEndsWithTheReason(t *testing.T) {
	h := installtest.New(t, install.Debian)
	h.Answer = func(command string) (string, error) {
		if strings.HasSuffix(command, " update") {
			return "", errors.New("apt-get failed: Temporary failure resolving 'debian.example.org'")
		}
		return "", nil
	}
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"setup"}, file(t, tunnels), h.Host, &stdout, &stderr)
	if code != 1 || strings.Count(stderr.String(), "\n") != 1 || !strings.Contains(stderr.String(), "autossh") ||
		!strings.Contains(stderr.String(), "Temporary failure resolving") {
		t.Errorf("got the code %d, %q", code, stderr.String())
	}
}

// The SDK is told where AWS is by its own variables, as on a host by systemd's DefaultEnvironment.
func TestCallsGoWhereTheSDKsVariablesSayAndAreTriedAgain(t *testing.T) {
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		if !strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/secretsmanager/") {
			t.Errorf("the call is signed for %q", r.Header.Get("Authorization"))
		}
		if calls == 1 {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = fmt.Fprint(w, `{"SecretString":"not a key"}`)
	}))
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "example")
	t.Setenv("AWS_REGION", "us-east-1")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h := installtest.New(t, install.Debian)
	say := h.Say
	h.Say = func(format string, args ...any) { say(format, args...); cancel() }
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"tunnel-key"}, file(t, tunnels), h.Host, &stdout, &stderr)
	if code != 1 || calls != 2 || !strings.Contains(stderr.String(), "arn:k does not hold a private key") {
		t.Errorf("got the code %d after %d calls: %q", code, calls, stderr.String())
	}
}
