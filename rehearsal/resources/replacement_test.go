package resources

import (
	"maps"
	"testing"

	"drawbridge/internal/cfnschema"
)

// The player reads nothing but an assembly, so it knows by itself what replaces a resource: no more than CloudFormation.
func TestWhatReplacesAResourceHereDoesSoInCloudFormation(t *testing.T) {
	types, err := cfnschema.Read("../../node_modules")
	if err != nil {
		t.Fatal(err)
	}
	all := maps.Clone(replacing)
	all["AWS::RDS::DBInstance"] = replaceInstance
	for kind, properties := range all {
		for _, property := range properties {
			if effect, known := types[kind][property]; !known || effect == cfnschema.Never {
				t.Errorf("%s %s: CloudFormation says %q", kind, property, effect)
			}
		}
	}
}
