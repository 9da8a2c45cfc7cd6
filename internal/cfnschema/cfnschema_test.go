package cfnschema_test

import (
	"strings"
	"testing"

	"drawbridge/internal/cfnschema"
)

// Some facts of the template reference that Drawbridge rests on.
func TestSchemasSayWhatReplacesAResource(t *testing.T) {
	types, err := cfnschema.Read("../../node_modules")
	if err != nil {
		t.Fatal(err)
	}
	for property, want := range map[string]cfnschema.Replacement{
		"PubliclyAccessible": cfnschema.Never, "BackupRetentionPeriod": cfnschema.Maybe, "DBSubnetGroupName": cfnschema.Always,
	} {
		if got := types["AWS::RDS::DBInstance"][property]; got != want {
			t.Errorf("%s is replaced by %s: %q, want %q", "the DB instance", property, got, want)
		}
	}
	if len(types) < 1000 {
		t.Errorf("only %d resource types", len(types))
	}
}

func TestSchemasSayWhatHoldsData(t *testing.T) {
	schemas, err := cfnschema.ReadAll("../../node_modules")
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]bool{"AWS::RDS::DBInstance": true, "AWS::SecretsManager::Secret": true, "AWS::EC2::Instance": false} {
		if got := schemas.Stateful[kind]; got != want {
			t.Errorf("%s holds data: %t, want %t", kind, got, want)
		}
	}
}

func TestReadSaysWhereSchemasShouldBe(t *testing.T) {
	if _, err := cfnschema.Read(t.TempDir()); err == nil || !strings.Contains(err.Error(), "run npm ci") {
		t.Errorf("got %v", err)
	}
}
