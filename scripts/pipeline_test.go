// Package scripts tests the shell scripts of this folder that no other test runs.
package scripts

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"drawbridge/internal/notrun"
)

// site is a web app that answers with these statuses.
func site(t *testing.T, healthz, readyz int) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/healthz":
			w.WriteHeader(healthz)
		case "/readyz":
			w.WriteHeader(readyz)
		default:
			w.WriteHeader(http.StatusOK)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// closedPort is a port of this machine on which nothing listens, and openPort one that answers.
func closedPort(t *testing.T) string {
	port, listener := listen(t)
	_ = listener.Close()
	return port
}

func openPort(t *testing.T) string {
	port, listener := listen(t)
	t.Cleanup(func() { _ = listener.Close() })
	return port
}

func listen(t *testing.T) (string, net.Listener) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port, listener
}

// check runs the script for an environment that is as it should be, with some variables changed, without patience.
func check(t *testing.T, changed map[string]string) (output string, code int) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("CodeBuild's Linux runs it")
	}
	for _, program := range []string{"bash", "curl", "getent", "timeout"} {
		if _, err := exec.LookPath(program); err != nil {
			notrun.Because(t, "%s is not on this machine", program)
		}
	}
	values := map[string]string{"DATABASE_HOST": "127.0.0.1", "EXPOSURE": "private", "VISITORS": "all", "PATIENCE": "0", "PATH": os.Getenv("PATH")}
	for name, value := range changed {
		values[name] = value
	}
	command := exec.Command("bash", "pipeline-check.sh")
	for name, value := range values {
		command.Env = append(command.Env, name+"="+value)
	}
	text, err := command.CombinedOutput()
	if err != nil && command.ProcessState == nil {
		t.Fatal(err)
	}
	return string(text), command.ProcessState.ExitCode()
}

func TestPipelineCheck(t *testing.T) {
	up, down := site(t, 200, 200), "http://127.0.0.1:"+closedPort(t)
	open, closed := openPort(t), closedPort(t)
	for name, test := range map[string]struct {
		changed map[string]string
		code    int
		want    []string
	}{
		"passes where the site answers and the database does not": {
			map[string]string{"SITE_URL": up, "DATABASE_PORT": closed}, 0,
			[]string{"ok      the site answers: 200", "ok      the site has its database (/readyz): 200", "ok      the database's address is private: 127.0.0.1", "ok      the database does not answer from outside: no answer on port " + closed},
		},
		"takes an address with a slash at its end": {
			map[string]string{"SITE_URL": up + "/", "DATABASE_PORT": closed}, 0, []string{"ok      the site has its database (/readyz): 200"},
		},
		"fails where nothing answers": {
			map[string]string{"SITE_URL": down, "DATABASE_PORT": closed}, 1, []string{"FAILED  the site answers: 000"},
		},
		"fails where the site has lost its database": {
			map[string]string{"SITE_URL": site(t, 200, 503), "DATABASE_PORT": closed}, 1, []string{"ok      the site answers: 200", "FAILED  the site has its database (/readyz): 503"},
		},
		"fails where the database answers": {
			map[string]string{"SITE_URL": up, "DATABASE_PORT": open}, 1, []string{"FAILED  the database does not answer from outside: 127.0.0.1 answers on port " + open},
		},
		"fails where the database of the private phase has a public address": {
			map[string]string{"SITE_URL": up, "DATABASE_PORT": closed, "DATABASE_HOST": "203.0.113.5"}, 1,
			[]string{"FAILED  the database's address is private: 203.0.113.5", "ok      the database does not answer from outside"},
		},
		"fails where the database's name leads nowhere": {
			map[string]string{"SITE_URL": up, "DATABASE_PORT": closed, "DATABASE_HOST": "no-such-host.invalid"}, 1,
			[]string{"FAILED  the database's address is private: no address", "FAILED  the database does not answer from outside: no address"},
		},
		"wants a public address in the public phase, which answers nobody but the developers": {
			map[string]string{"SITE_URL": up, "DATABASE_PORT": closed, "DATABASE_HOST": "203.0.113.5", "EXPOSURE": "public"}, 0,
			[]string{"ok      the database's address is public: 203.0.113.5", "ok      the database does not answer from outside"},
		},
		"fails where the database of the public phase is still private": {
			map[string]string{"SITE_URL": up, "DATABASE_PORT": closed, "EXPOSURE": "public"}, 1, []string{"FAILED  the database's address is public: 127.0.0.1"},
		},
		"fails where the database of the public phase answers everybody": {
			map[string]string{"SITE_URL": up, "DATABASE_PORT": open, "EXPOSURE": "public"}, 1, []string{"FAILED  the database does not answer from outside"},
		},
		"wants no answer from a site that some visitors alone may see": {
			map[string]string{"SITE_URL": down, "DATABASE_PORT": closed, "VISITORS": "some"}, 0, []string{"ok      the site does not answer whom it does not expect: no answer"},
		},
		"fails where such a site answers": {
			map[string]string{"SITE_URL": up, "DATABASE_PORT": closed, "VISITORS": "some"}, 1, []string{"FAILED  the site does not answer whom it does not expect: 200"},
		},
		"is not content with such a site whose name leads nowhere": {
			map[string]string{"SITE_URL": "http://no-such-host.invalid", "DATABASE_PORT": closed, "VISITORS": "some"}, 1,
			[]string{"FAILED  the site does not answer whom it does not expect: curl failed with 6"},
		},
		"wants every variable": {
			map[string]string{"SITE_URL": up}, 2, []string{"DATABASE_PORT is not set"},
		},
		"knows two phases": {
			map[string]string{"SITE_URL": up, "DATABASE_PORT": closed, "EXPOSURE": "open"}, 2, []string{"EXPOSURE is open, not private or public"},
		},
		"knows two kinds of visitors": {
			map[string]string{"SITE_URL": up, "DATABASE_PORT": closed, "VISITORS": "none"}, 2, []string{"VISITORS is none, not all or some"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			output, code := check(t, test.changed)
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			for _, line := range test.want {
				if !strings.Contains(output, line) {
					t.Errorf("it does not say %q", line)
				}
			}
			if code == 0 && strings.Contains(output, "FAILED") {
				t.Error("it passes what failed")
			}
			if t.Failed() {
				t.Log(output)
			}
		})
	}
}

func TestPipelineCheckIsPatient(t *testing.T) {
	answers := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answers++; answers < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	output, code := check(t, map[string]string{"SITE_URL": server.URL, "DATABASE_PORT": closedPort(t), "PATIENCE": "60"})
	if code != 0 || !strings.Contains(output, "ok      the site answers: 200") {
		t.Errorf("exit code %d: %s", code, output)
	}
}

// diff runs the script with a program that stands for the CDK CLI and says what is in a file of testdata.
func diff(t *testing.T, said string, code string) (summary, all, calls string, err error) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("CodeBuild's Linux runs it")
	}
	dir := t.TempDir()
	script, err := os.ReadFile("pipeline-diff.sh")
	if err != nil {
		t.Fatal(err)
	}
	said, err = filepath.Abs(said)
	if err != nil {
		t.Fatal(err)
	}
	cli := "#!/bin/bash\nprintf '%s ' \"$PWD\" \"$@\" >\"$CALLS\"\ncat \"$SAID\"\nexit " + code + "\n"
	for name, text := range map[string]string{"scripts/pipeline-diff.sh": string(script), "node_modules/.bin/cdk": cli, "cdk.out/manifest.json": "{}"} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var out, log strings.Builder
	command := exec.Command("bash", "scripts/pipeline-diff.sh", "cdk.out", "prod")
	command.Dir = dir
	command.Env = append(os.Environ(), "CALLS="+filepath.Join(dir, "calls"), "SAID="+said)
	command.Stdout, command.Stderr = &out, &log
	err = command.Run()
	text, _ := os.ReadFile(filepath.Join(dir, "calls"))
	return out.String(), log.String(), string(text), err
}

func TestPipelineDiff(t *testing.T) {
	t.Run("sums up each stack that changes, with what is lost", func(t *testing.T) {
		summary, all, calls, err := diff(t, "testdata/diff.txt", "0")
		want := "prod: REPLACED AWS::RDS::DBInstance Database/Database/Instance; DELETED AWS::SNS::Topic Gone; MAYBE REPLACED AWS::EC2::SecurityGroup WebApp/WebApp/InstanceSecurityGroup. Database: 1 added, 2 changed, 1 removed. WebApp: 0 added, 1 changed, 0 removed.\n"
		if err != nil || summary != want {
			t.Errorf("%v, got\n%swant\n%s", err, summary, want)
		}
		if text, _ := os.ReadFile("testdata/diff.txt"); strings.TrimSpace(all) != strings.TrimSpace(string(text)) {
			t.Errorf("the log is not the whole diff: %s", all)
		}
		if !strings.Contains(calls, "cdk.out diff --app . --method=template --no-notices --no-color prod/* ") {
			t.Errorf("it called %s", calls)
		}
	})
	t.Run("says so when nothing changes", func(t *testing.T) {
		summary, _, _, err := diff(t, "testdata/no-diff.txt", "0")
		if err != nil || summary != "prod: nothing changes.\n" {
			t.Errorf("%v, got %s", err, summary)
		}
	})
	t.Run("fails when the CLI does, with what it said", func(t *testing.T) {
		summary, all, _, err := diff(t, "testdata/no-diff.txt", "1")
		if err == nil || summary != "" || !strings.Contains(all, "There were no differences") || !strings.Contains(all, "the stacks of prod could not be compared") {
			t.Errorf("%v, got %s, %s", err, summary, all)
		}
	})
	t.Run("fails when nothing was compared", func(t *testing.T) {
		if summary, _, _, err := diff(t, os.DevNull, "0"); err == nil || summary != "" {
			t.Errorf("got %s", summary)
		}
	})
	t.Run("keeps within what an approval shows", func(t *testing.T) {
		text, err := os.ReadFile("testdata/diff.txt")
		if err != nil {
			t.Fatal(err)
		}
		long := filepath.Join(t.TempDir(), "long.txt")
		if err := os.WriteFile(long, []byte(strings.Repeat(string(text), 9)), 0o644); err != nil {
			t.Fatal(err)
		}
		summary, _, _, err := diff(t, long, "0")
		// What holds data is said first, so that it is not what is cut.
		if err != nil || len(summary) > len("\n")+1000-300 || !strings.HasSuffix(summary, " and more.\n") || strings.Count(summary, "REPLACED AWS::RDS::DBInstance") != 9 {
			t.Errorf("%v, %d characters: %s", err, len(summary), summary)
		}
	})
}
