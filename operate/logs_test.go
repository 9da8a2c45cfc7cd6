package operate_test

import (
	"runtime"
	"strings"
	"testing"
)

const webLogs = "/aws/elasticbeanstalk/WebA-WebA-AbCdEfGhIjKl/var/log/"

func TestLogs(t *testing.T) {
	journal := func(instance, command string) string {
		return startSession + instance + ` --document-name AWS-StartInteractiveCommand --parameters {"command":["sudo journalctl --no-pager ` + command + `"]} --region eu-west-1`
	}
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"the web app's":         {nil, "aws logs tail " + webLogs + "web.stdout.log --since 10m --format short --region eu-west-1"},
		"further back":          {[]string{"-since", "2h"}, "aws logs tail " + webLogs + "web.stdout.log --since 2h --format short --region eu-west-1"},
		"as they come":          {[]string{"-follow"}, "aws logs tail " + webLogs + "web.stdout.log --since 10m --format short --follow --region eu-west-1"},
		"nginx's":               {[]string{"-log", "access"}, "aws logs tail " + webLogs + "nginx/access.log --since 10m --format short --region eu-west-1"},
		"the function's":        {[]string{"-log", "function"}, "aws logs tail drawbridge-dev-Database-DatabaseFunctionLogsE2F3-x1y2z3 --since 10m --format short --region eu-west-1"},
		"the jump server's":     {[]string{"-log", "jump"}, journal("i-0bbbbbbbbbbbbbbb2", "--since=-10m")},
		"the tunnel host's":     {[]string{"-log", "tunnel", "-since", "1d"}, journal("i-0aaaaaaaaaaaaaaa1", "--since=-1d")},
		"a host's, as it comes": {[]string{"-log", "tunnel", "-follow"}, journal("i-0aaaaaaaaaaaaaaa1", "--since=-10m --follow")},
	} {
		t.Run(name, func(t *testing.T) {
			r := newWorld(t).run(append([]string{"logs"}, test.args...)...)
			r.succeeds()
			if last := r.last().String(); last != test.want {
				t.Errorf("it called\n%s, want\n%s", last, test.want)
			}
		})
	}
}

func TestLogsThatAreNotThere(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(*world)
		args    []string
		want    string
	}{
		"no such log":           {func(*world) {}, []string{"-log", "diary"}, "LOG=diary is no log: give one of access, app, deployment, error, function, jump, tunnel"},
		"no span of time":       {func(*world) {}, []string{"-since", "yesterday; id"}, "SINCE=yesterday; id is not how far back"},
		"nothing has been said": {func(*world) {}, []string{"-log", "error"}, "the log group " + webLogs + "nginx/error.log is not in account 123456789012, eu-west-1: it is there once something has been logged"},
		"version 1 of the AWS CLI": {func(w *world) { w.answer("aws --version", "aws-cli/1.46.3 Python/3.11.7 Linux/6.1 botocore/1.43.62\n") }, nil,
			"aws logs tail is not known to this AWS CLI: update it to the newest version 2, 'aws --version' says which it is [aws-cli/1.46.3 "},
		"no web app":             {func(w *world) { w.without("drawbridge-dev-WebApp") }, nil, "the stack drawbridge-dev-WebApp is not in"},
		"no database":            {func(w *world) { w.without("drawbridge-dev-Database") }, []string{"-log", "function"}, "the stack drawbridge-dev-Database is not in"},
		"no plugin for a host's": {func(w *world) { w.remove("session-manager-plugin") }, []string{"-log", "jump"}, "there is no session-manager-plugin"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			test.prepare(w)
			r := w.run(append([]string{"logs"}, test.args...)...)
			r.refuses("logs: " + test.want)
			if r.called("aws logs tail") || r.called("aws ssm start-session") {
				t.Errorf("it called %v", r.calls)
			}
		})
	}
}

func TestOpenPrintsTheAddressAndShowsIt(t *testing.T) {
	opener := "xdg-open"
	if runtime.GOOS == "darwin" {
		opener = "open"
	}
	w := newWorld(t)
	r := w.run("open")
	r.succeeds()
	if r.stdout != "http://drawbridge.invalid\n" || r.last().String() != opener+" http://drawbridge.invalid" {
		t.Errorf("it printed %q and called %s", r.stdout, r.last())
	}
	w = newWorld(t)
	w.fail(opener, "no display", 3)
	r = w.run("open")
	r.succeeds()
	r.says("http://drawbridge.invalid\n", "No browser could be opened here")

	w = newWorld(t)
	w.without("drawbridge-dev-WebApp")
	w.run("open").refuses("the stack drawbridge-dev-WebApp is not in")
	w = newWorld(t)
	w.edit("aws cloudformation describe-stacks", "http://drawbridge.invalid", "file:///etc/passwd")
	r = w.run("open")
	r.refuses("which is no web address")
	if strings.Contains(r.last().String(), opener) {
		t.Error("it opened it")
	}
}
