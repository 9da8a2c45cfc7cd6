package operate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"drawbridge/operate"
	"drawbridge/rehearsal/rehearsaltest"
	"drawbridge/rehearsal/template"
)

// The commands take names from the stacks that the app makes. What they look for must be there.
func TestTheStacksAreThoseThatTheCommandsKnow(t *testing.T) {
	assembly := rehearsaltest.SynthesizeAny(t, "dev", "arm64", nil)
	var ids []string
	for _, stack := range assembly.Stacks {
		ids = append(ids, stack.ID)
		if stack.Name != "drawbridge-dev-"+stack.ID {
			t.Errorf("the stack %s has the name %s", stack.ID, stack.Name)
		}
	}
	slices.Sort(ids)
	if known := slices.Sorted(slices.Values(operate.Parts)); !slices.Equal(ids, known) {
		t.Errorf("the app has the stacks %v, and the commands know %v", ids, known)
	}
}

// need(there, "WebApp", "WebAppURL") and the like, and the table of webapp-local.
var asked = regexp.MustCompile(`(?:need|output|physicalID)\((?:there|s|ctx), "([A-Za-z]+)", "([A-Za-z]+)"[,)]|(")RDS_[A-Z_]+", "([A-Za-z]+)"`)

func TestEveryOutputThatTheCommandsAskForIsOne(t *testing.T) {
	assembly := rehearsaltest.SynthesizeAny(t, "dev", "arm64", nil)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, found := range asked.FindAllStringSubmatch(read(t, file), -1) {
			part, key := found[1], found[2]
			if found[3] != "" {
				part, key = "Database", found[4]
			}
			count++
			stack, err := assembly.Stack(part)
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			if _, ok := stack.Template.Outputs[key]; !ok {
				t.Errorf("%s asks for the output %s, which the stack %s does not have", file, key, part)
			}
		}
	}
	if count < 10 {
		t.Errorf("only %d outputs were found in the code", count)
	}
}

func TestTheResourcesThatTheCommandsLookForAreThere(t *testing.T) {
	assembly := rehearsaltest.SynthesizeAny(t, "dev", "arm64", nil)
	has := func(part, what string, fits func(id string, r template.Resource) bool) {
		t.Helper()
		stack, err := assembly.Stack(part)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for id, r := range stack.Template.Resources {
			if fits(id, r) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("the stack %s has %d of these: %s", part, n, what)
		}
	}
	has("Bastion", "the jump server", func(_ string, r template.Resource) bool { return r.Type == "AWS::EC2::Instance" })
	has("Database", "the function's log group", func(id string, r template.Resource) bool {
		return r.Type == "AWS::Logs::LogGroup" && strings.HasPrefix(id, "DatabaseFunction")
	})
	has("Tunnel", "the heartbeat's alarm, with the metric's names", func(_ string, r template.Resource) bool {
		return r.Type == "AWS::CloudWatch::Alarm" && r.Properties["Namespace"] == "Drawbridge" && r.Properties["MetricName"] == "TunnelUp" &&
			fmt.Sprint(r.Properties["Dimensions"]) == "[map[Name:Environment Value:dev] map[Name:Tunnel Value:bi]]"
	})
	has("WebApp", "the web app's logs, kept for 30 days", func(_ string, r template.Resource) bool {
		text := fmt.Sprint(r.Properties["OptionSettings"])
		return r.Type == "AWS::ElasticBeanstalk::Environment" && strings.Contains(text, "OptionName:StreamLogs Value:true") && strings.Contains(text, "OptionName:RetentionInDays Value:30")
	})
}

func TestTheBootstrapVersionIsTheOneThatTheTemplatesAskFor(t *testing.T) {
	assembly := rehearsaltest.SynthesizeAny(t, "dev", "arm64", nil)
	text, err := os.ReadFile(filepath.Join(assembly.Dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	most := 0
	for _, found := range regexp.MustCompile(`"requiresBootstrapStackVersion": ([0-9]+)`).FindAllSubmatch(text, -1) {
		n, err := strconv.Atoi(string(found[1]))
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, n)
	}
	if most != operate.BootstrapVersion {
		t.Errorf("the templates ask for version %d, and the doctor for %d", most, operate.BootstrapVersion)
	}
	if !strings.Contains(string(text), operate.BootstrapParameter) {
		t.Errorf("the manifest does not name %s", operate.BootstrapParameter)
	}
}
