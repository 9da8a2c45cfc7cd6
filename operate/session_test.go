package operate_test

import (
	"regexp"
	"slices"
	"testing"
)

const startSession = "aws ssm start-session --target "

func TestShells(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"on the jump server that is ready": {[]string{"shell-jump"}, startSession + "i-0bbbbbbbbbbbbbbb2 --region eu-west-1"},
		"on the web app's first instance":  {[]string{"shell-web"}, startSession + "i-0ccccccccccccccc3 --region eu-west-1"},
		"on the one that is named":         {[]string{"shell-web", "-instance", "i-0ccccccccccccccc4"}, startSession + "i-0ccccccccccccccc4 --region eu-west-1"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newWorld(t).run(test.args...)
			r.succeeds()
			r.says("the session")
			if last := r.last().String(); last != test.want {
				t.Errorf("it called %s", last)
			}
		})
	}
	newWorld(t).run("shell-web").says("Entering i-0ccccccccccccccc3, the first of i-0ccccccccccccccc3, i-0ccccccccccccccc4: INSTANCE=")
}

func TestASessionsExitStatusIsTheCommands(t *testing.T) {
	w := newWorld(t)
	w.fail("aws ssm start-session", "An error occurred (TargetNotConnected)", 254)
	if r := w.run("shell-jump"); r.status != 254 {
		t.Errorf("status %d", r.status)
	}
}

func TestTheTunnelTestRunsTheHostsProgramThroughSessionManager(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"for one tunnel":   {[]string{"-tunnel", "bi"}, `{"command":["sudo /opt/drawbridge/drawbridge-host tunnel-test bi"]}`},
		"for every tunnel": {[]string{"-tunnel", ""}, `{"command":["sudo /opt/drawbridge/drawbridge-host tunnel-test"]}`},
	} {
		t.Run(name, func(t *testing.T) {
			r := newWorld(t).run(append([]string{"tunnel-test"}, test.args...)...)
			r.succeeds()
			want := []string{"ssm", "start-session", "--target", "i-0aaaaaaaaaaaaaaa1", "--document-name", "AWS-StartInteractiveCommand", "--parameters", test.want, "--region", "eu-west-1"}
			if last := r.last(); !slices.Equal(last.Args, want) {
				t.Errorf("it called %s", last)
			}
		})
	}
}

// tunnels are those of an environment in cdk.json.
var tunnels = regexp.MustCompile(`(?s)"tunnels": \[.*?\],`)

func TestSessionsSayWhatIsMissing(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(*world)
		args    []string
		want    string
	}{
		"the plugin, for the jump server": {func(w *world) { w.remove("session-manager-plugin") }, []string{"shell-jump"}, "there is no session-manager-plugin on this machine"},
		"the plugin, for the web app":     {func(w *world) { w.remove("session-manager-plugin") }, []string{"shell-web"}, "there is no session-manager-plugin on this machine"},
		"the plugin, for the tunnel":      {func(w *world) { w.remove("session-manager-plugin") }, []string{"tunnel-test"}, "there is no session-manager-plugin on this machine"},
		"the jump server's stack":         {func(w *world) { w.without("drawbridge-dev-Bastion") }, []string{"shell-jump"}, "the stack drawbridge-dev-Bastion is not in account 123456789012, eu-west-1: deploy it"},
		"the jump server itself": {func(w *world) {
			w.answer("aws cloudformation list-stack-resources --stack-name drawbridge-dev-Bastion", `{"StackResourceSummaries": []}`)
		}, []string{"shell-jump"}, "the stack drawbridge-dev-Bastion has no instance that is ready"},
		"the web app's stack": {func(w *world) { w.without("drawbridge-dev-WebApp") }, []string{"shell-web"}, "the stack drawbridge-dev-WebApp is not in"},
		"an instance": {func(w *world) {
			w.answer("aws elasticbeanstalk describe-environment-resources", `{"EnvironmentResources": {"Instances": []}}`)
		}, []string{"shell-web"}, "has no instance at the moment"},
		"that instance":      {func(*world) {}, []string{"shell-web", "-instance", "i-1"}, "i-1 is no instance of the Beanstalk environment WebA-WebA-AbCdEfGhIjKl: give one of i-0ccccccccccccccc3, i-0ccccccccccccccc4"},
		"the tunnel's stack": {func(w *world) { w.without("drawbridge-dev-Tunnel") }, []string{"tunnel-test"}, "the stack drawbridge-dev-Tunnel is not in"},
		"the tunnel's host":  {func(w *world) { w.edit("aws cloudformation describe-stacks", "TunnelInstanceId", "Nothing") }, []string{"tunnel-test"}, "has no output TunnelInstanceId"},
		"a tunnel, without any in the config": {func(w *world) {
			w.edit("aws cloudformation describe-stacks", "TunnelInstanceId", "Nothing")
			w.editConfig(tunnels.FindString(read(w.t, "../cdk.json")), `"tunnels": [],`)
		}, []string{"tunnel-test"}, "the environment dev has no tunnel host: put a tunnel into the config and deploy it"},
		"a name that is one": {func(*world) {}, []string{"tunnel-test", "-tunnel", `bi"; id; "`}, "is not a tunnel's name"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			test.prepare(w)
			r := w.run(test.args...)
			r.refuses(test.args[0]+": ", test.want)
			if r.called("aws ssm start-session") {
				t.Errorf("it started a session: %v", r.calls)
			}
		})
	}
}
