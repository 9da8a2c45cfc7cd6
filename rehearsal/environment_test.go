package rehearsal

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"drawbridge/internal/lockedbuffer"
	"drawbridge/internal/mysqltest"
	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/resources"
)

// The app's own templates and the Lambda's own program, on a real MySQL server.
func TestTheAppWithItsLambdaAndMySQL(t *testing.T) {
	server := mysqltest.Start(t)
	public, private := synthesize(t, "public"), synthesize(t, "private")
	log := &lockedbuffer.Buffer{}
	s := newStage(t, func(o *Options) {
		o.Database = &resources.MySQL{Endpoint: resources.Endpoint{Address: server.Host, Port: server.Port}, Admin: server.Root(t)}
		o.FunctionEnvironment = map[string]string{"DRAWBRIDGE_DB_CA_FILE": server.CAFile}
		o.FunctionTimeout, o.ServiceTimeout, o.FunctionLog = 60*time.Second, 2*time.Minute, log
	})
	if err := s.DeployAll(t.Context(), public); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	const stack = "drawbridge-dev-Database"
	secretOf := func(output string) (arn string, value struct{ Username, Password string }) {
		t.Helper()
		arn = s.Outputs(stack)[output]
		text, err := s.Secrets.Value(arn, "AWSCURRENT")
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		return arn, value
	}
	reads := func(output string) {
		t.Helper()
		_, login := secretOf(output)
		db := server.Open(t, login.Username, login.Password, "monster_teams")
		var tables int
		if err := db.QueryRow("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'monster_teams'").Scan(&tables); err != nil || tables == 0 {
			t.Errorf("%s sees %d tables: %v", login.Username, tables, err)
		}
		if _, err := db.Exec("CREATE TABLE monster_teams.mine (id INT)"); err == nil {
			t.Errorf("%s can write", login.Username)
		}
	}
	t.Run("the read-only users read the sample data and cannot write", func(t *testing.T) {
		reads("ReadOnlySecretArnBi")
		reads("ReadOnlySecretArnWebapp")
	})
	t.Run("the web app's password rotates, and the old one works on", func(t *testing.T) {
		arn, before := secretOf("ReadOnlySecretArnWebapp")
		if err := s.Account.Rotate(t.Context(), arn); err != nil {
			t.Fatalf("%v\n%s", err, log)
		}
		if _, after := secretOf("ReadOnlySecretArnWebapp"); after.Password == before.Password {
			t.Error("the password is the same")
		}
		reads("ReadOnlySecretArnWebapp")
		if err := server.Open(t, before.Username, before.Password, "monster_teams").Ping(); err != nil {
			t.Errorf("the old password: %v", err)
		}
	})
	t.Run("a flip is refused when a user can write, and the instance is left alone", func(t *testing.T) {
		root := server.Root(t)
		var host string
		if err := root.QueryRow("SELECT Host FROM mysql.user WHERE User = 'tester'").Scan(&host); err != nil {
			t.Fatal(err)
		}
		if _, err := root.Exec("GRANT INSERT ON monster_teams.* TO 'tester'@'" + host + "'"); err != nil {
			t.Fatal(err)
		}
		before := len(s.Operations())
		err := s.DeployAll(t.Context(), private)
		wantError(t, err, "UPDATE_ROLLBACK_COMPLETE", "tester")
		for _, o := range s.Operations()[before:] {
			if o.Type == "AWS::RDS::DBInstance" {
				t.Errorf("the instance was touched: %s", o)
			}
		}
		if _, err := root.Exec("REVOKE INSERT ON monster_teams.* FROM 'tester'@'" + host + "'"); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("the flip goes through, and everything still works", func(t *testing.T) {
		if err := s.DeployAll(t.Context(), private); err != nil {
			t.Fatalf("%v\n%s", err, log)
		}
		if got := s.Status(stack); got != cloudformation.UpdateComplete {
			t.Errorf("the stack is %s", got)
		}
		reads("ReadOnlySecretArnBi")
		reads("ReadOnlySecretArnWebapp")
	})
	t.Run("no secret stands in a log, an answer or an operation", func(t *testing.T) {
		said := log.String()
		for _, o := range s.Operations() {
			said += o.String()
		}
		for _, a := range s.Answers() {
			said += a.Reason
		}
		var values []string
		for _, stack := range []string{stack, "drawbridge-dev-Tunnel"} {
			for _, r := range s.Resources(stack) {
				for _, stage := range []string{"AWSCURRENT", "AWSPREVIOUS"} {
					if text, err := s.Secrets.Value(r.PhysicalID, stage); err == nil && r.Type == "AWS::SecretsManager::Secret" {
						values = append(values, text)
					}
				}
			}
		}
		keys := 0
		for _, text := range values {
			var value struct{ Password string }
			if json.Unmarshal([]byte(text), &value) != nil {
				// A private key: any line of it would be too much.
				keys++
				value.Password = strings.Split(text, "\n")[2]
			}
			if len(value.Password) < 20 || strings.Contains(said, value.Password) {
				t.Error("one does")
			}
		}
		if keys != 1 || len(values) < 7 {
			t.Errorf("only %d values, with %d keys, were looked for", len(values), keys)
		}
		if strings.Contains(said, "X-Amz-Signature") {
			t.Error("a URL for answers does")
		}
	})
	t.Run("all of it can be deleted, and no read-only user is left", func(t *testing.T) {
		if err := s.DestroyAll(t.Context(), private); err != nil {
			t.Fatalf("%v\n%s", err, log)
		}
		var left int
		if err := server.Root(t).QueryRow("SELECT COUNT(*) FROM mysql.user WHERE User IN ('tester', 'webapp')").Scan(&left); err != nil || left != 0 {
			t.Errorf("%d users are left: %v", left, err)
		}
	})
}
