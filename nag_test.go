package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
)

// finding is what cdk-nag says of one resource: its rule, and the reason why it may stand, headed by what was found
// where the rule finds several things.
type finding struct{ resource, rule, reason string }

func (f finding) String() string { return fmt.Sprintf("%s: %s (%s)", f.resource, f.rule, f.reason) }

// nag synthesizes with cdk-nag, and gives the findings that stand for a reason, and those that the templates accept.
func nag(t *testing.T, context map[string]any) (stands, accepted []finding) {
	t.Helper()
	context["nag"], context["aws:cdk:enable-path-metadata"] = "true", true
	assembly, stderr, code := synth(t, context)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	reports, _ := filepath.Glob(filepath.Join(assembly, "*-NagReport.json"))
	templates, _ := filepath.Glob(filepath.Join(assembly, "*.template.json"))
	if len(reports) == 0 || len(reports) != len(templates) {
		t.Fatalf("%d reports of %d templates", len(reports), len(templates))
	}
	for _, report := range reports {
		for _, line := range readJSON(t, report).(map[string]any)["lines"].([]any) {
			line := line.(map[string]any)
			f := finding{line["resourceId"].(string), line["ruleId"].(string), line["exceptionReason"].(string)}
			switch line["compliance"] {
			case "Compliant", "N/A":
			case "Suppressed":
				stands = append(stands, f)
			default:
				t.Errorf("%s: %s %v: %v", f.resource, f.rule, line["compliance"], line["ruleInfo"])
			}
		}
	}
	for _, template := range templates {
		for _, resource := range readJSON(t, template).(map[string]any)["Resources"].(map[string]any) {
			metadata, _ := resource.(map[string]any)["Metadata"].(map[string]any)
			nag, ok := metadata["cdk_nag"].(map[string]any)
			if !ok {
				continue
			}
			for _, rule := range nag["rules_to_suppress"].([]any) {
				rule := rule.(map[string]any)
				f := finding{metadata["aws:cdk:path"].(string), rule["id"].(string), rule["reason"].(string)}
				if what, ok := rule["applies_to"].([]any); ok {
					f.reason = fmt.Sprintf("[%s] %s", what[0], f.reason)
				}
				accepted = append(accepted, f)
			}
		}
	}
	return stands, accepted
}

func TestNothingIsFoundByCDKNagButWhatIsAcceptedForAReason(t *testing.T) {
	contexts := map[string]map[string]any{
		"dev":    with(t, nil),
		"public": with(t, map[string]any{"exposure": "public"}),
		"prod":   with(t, map[string]any{"env": "prod"}),
		"with an account": changed(t, func(dev map[string]any) {
			dev["account"], dev["region"], dev["availabilityZones"] = "111122223333", "eu-central-1", []any{"eu-central-1a", "eu-central-1b"}
		}),
		"for few visitors": changed(t, func(dev map[string]any) { dev["webapp"].(map[string]any)["visitorCidrs"] = []any{"198.51.100.0/24"} }),
	}
	for name, context := range contexts {
		t.Run(name, func(t *testing.T) {
			stands, accepted := nag(t, context)
			for _, f := range accepted {
				if !slices.Contains(stands, f) {
					t.Errorf("accepted, but not found: %s", f)
				}
			}
		})
	}
}
