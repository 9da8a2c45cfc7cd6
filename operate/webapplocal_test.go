package operate_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// comesFrom has the caller's address be this one.
func (w *world) comesFrom(address string) {
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprintln(rw, address) }))
	w.t.Cleanup(server.Close)
	w.setenv("STUB_ADDRESS_URL", server.URL)
}

func TestTheWebAppOfThisFolderOnThePublicDatabase(t *testing.T) {
	w := newWorld(t)
	w.public()
	w.comesFrom("203.0.113.7")
	w.setenv("PORT", "5050")
	w.setenv("RDS_USERNAME", "somebody") // What a person has set for make local.
	w.setenv("RDS_PASSWORD", "their-password")
	r := w.run("webapp-local")
	r.succeeds()
	r.says("The web app of this folder on http://127.0.0.1:5050, with the database of dev (account 123456789012, eu-west-1) as its master user admin. Ctrl-C stops it.")
	last := r.last()
	if last.String() != "webapp" {
		t.Fatalf("it called %s", last)
	}
	for variable, want := range map[string]string{
		"RDS_HOSTNAME": instanceName + ".abcdefghijkl.eu-west-1.rds.amazonaws.com", "RDS_PORT": "3306", "RDS_DB_NAME": "monster_teams",
		"RDS_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:DatabaseMasterSecret-a1b2c3-AbCdEf",
		"RDS_USERNAME":   "", "RDS_PASSWORD": "", "PORT": "5050", "AWS_REGION": "eu-west-1",
	} {
		if last.Env[variable] != want {
			t.Errorf("%s is %q, want %q", variable, last.Env[variable], want)
		}
	}
	if r.called("aws secretsmanager") {
		t.Error("it read the secret itself")
	}
}

func TestWhereTheWebAppOfThisFolderIsNotRun(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(*world)
		want    string
	}{
		"the database is private": {func(*world) {}, "the database of dev is private, and nobody outside the VPC can reach it: deploy with 'make deploy ENV=dev EXPOSURE=public'"},
		"the caller is elsewhere": {func(w *world) { w.public(); w.comesFrom("192.0.2.1") }, "your address 192.0.2.1 is in none of environments.dev.developerCidrs (203.0.113.0/24): add 192.0.2.1/32 there"},
		"there is no database":    {func(w *world) { w.without("drawbridge-dev-Database") }, "the stack drawbridge-dev-Database is not in"},
		"the database is gone": {func(w *world) {
			w.fail("aws rds describe-db-instances", "An error occurred (DBInstanceNotFound) when calling the DescribeDBInstances operation: DBInstance not found.", 254)
		}, "RDS has no database of the stack drawbridge-dev-Database any more"},
		"its state is not known": {func(w *world) { w.fail("aws rds", "An error occurred (AccessDenied)", 254) }, "aws rds describe-db-instances was refused"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			test.prepare(w)
			r := w.run("webapp-local")
			r.refuses("webapp-local: " + test.want)
			if r.called("webapp") {
				t.Error("it ran")
			}
		})
	}
}

func TestAnAddressThatIsNotKnownIsNoRefusal(t *testing.T) {
	for _, address := range []string{"<html>log in first</html>", "2001:db8::1"} {
		w := newWorld(t)
		w.public()
		w.comesFrom(address)
		r := w.run("webapp-local")
		r.succeeds()
		r.says("Your own address could not be found out", "compare it with developerCidrs", "the web app\n")
	}
}
