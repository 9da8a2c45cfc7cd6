package operate_test

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// site has the web app be a server that answers so.
func (w *world) site(status int, text string) {
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			status = http.StatusNotFound
		}
		rw.WriteHeader(status)
		fmt.Fprintln(rw, text)
	}))
	w.t.Cleanup(server.Close)
	w.edit("aws cloudformation describe-stacks", "http://drawbridge.invalid", server.URL)
}

func TestStatusIsOneScreen(t *testing.T) {
	w := newWorld(t)
	w.site(200, "ready")
	r := w.run("status")
	r.succeeds()
	want := `Environment dev, account 123456789012, eu-west-1
stacks       Network   CREATE_COMPLETE, 2026-11-02 09:14 UTC, AGO
             Database  UPDATE_COMPLETE, 2026-11-09 16:20 UTC, AGO
             Bastion   CREATE_COMPLETE, 2026-11-02 09:30 UTC, AGO
             WebApp    UPDATE_COMPLETE, 2026-11-20 10:01 UTC, AGO
             Tunnel    CREATE_COMPLETE, 2026-11-02 09:41 UTC, AGO
last change  drawbridge-dev-WebApp, 2026-11-20 10:01 UTC, AGO
database     drawbridge-dev-database-databaseinstance24d16791-k3vqxwzrb1yh, available, MySQL 8.4.6 on db.t4g.micro
exposure     private
web app      WebA-WebA-AbCdEfGhIjKl, Ready, Ok Green
site         SITE is ready
tunnel bi    up, heartbeat AGO
alarms       none of 1
mails        alarms are mailed to oncall@example.com
`
	got := regexp.MustCompile(`-?[0-9]+ [a-z]+ ago`).ReplaceAllString(r.stdout, "AGO")
	if got = regexp.MustCompile(`http://127[0-9.:]+`).ReplaceAllString(got, "SITE"); got != want {
		t.Errorf("it says\n%s", got)
	}
	for _, c := range r.calls {
		if strings.HasPrefix(c.String(), "aws cloudwatch get-metric-data") && !strings.Contains(c.String(), `"Dimensions":[{"Name":"Environment","Value":"dev"},{"Name":"Tunnel","Value":"bi"}]`) {
			t.Errorf("it called %s", c)
		}
	}
}

func TestStatusSaysWhatIsWrong(t *testing.T) {
	const describe = "aws cloudformation describe-stacks"
	for name, test := range map[string]struct {
		prepare func(*world)
		want    []string
	}{
		"the phase is not the config's": {(*world).public, []string{"exposure     public: the config says private, which the next 'make deploy' makes it"}},
		"the database is away":          {func(w *world) { w.edit("aws rds describe-db-instances", `"available"`, `"rebooting"`) }, []string{", rebooting, MySQL"}},
		"a replica does not replicate": {func(w *world) {
			w.edit(describe, `"OutputKey": "DatabasePort"`, `"OutputKey": "ReplicaHostname1", "OutputValue": "one.abc.eu-west-1.rds.amazonaws.com"}, {"OutputKey": "ReplicaHostname2", "OutputValue": "two.abc.eu-west-1.rds.amazonaws.com"}, {"OutputKey": "DatabasePort"`)
			w.answer("aws rds describe-db-instances --filters Name=db-instance-id,Values=one,two", `{"DBInstances": [
				{"DBInstanceIdentifier": "one", "DBInstanceStatus": "available", "EngineVersion": "8.4.6", "DBInstanceClass": "db.t4g.small", "StatusInfos": [{"StatusType": "read replication", "Normal": true, "Status": "replicating"}]},
				{"DBInstanceIdentifier": "two", "DBInstanceStatus": "available", "EngineVersion": "8.4.6", "DBInstanceClass": "db.t4g.small", "StatusInfos": [{"StatusType": "read replication", "Normal": false, "Status": "error", "Message": "Replication has stopped"}]}]}`)
		}, []string{"             replica one, available, MySQL 8.4.6 on db.t4g.small, replicating\n", "             replica two, available, MySQL 8.4.6 on db.t4g.small, error: Replication has stopped"}},
		"the web app is not well": {func(w *world) {
			w.answer("aws elasticbeanstalk describe-environment-health", `{"HealthStatus": "Severe", "Status": "Ready", "Color": "Red", "Causes": ["100.0 % of the requests are failing with HTTP 5xx.", "ELB health is failing"]}`)
		}, []string{"Ready, Severe Red", "             100.0 % of the requests are failing", "             ELB health is failing"}},
		"the site is not ready": {func(w *world) { w.site(503, "the database is away") }, []string{"does not say that it is ready: status 503, the database is away"}},
		"a tunnel is down":      {func(w *world) { w.edit("aws cloudwatch get-metric-data", "1.0,\n        0.0", "0.0,\n        1.0") }, []string{"tunnel bi    down, heartbeat"}},
		"times as the services send them": {func(w *world) {
			w.edit("aws cloudwatch get-metric-data", `"2026-11-28T14:00:00+00:00"`, "1795874400.0")
			w.edit(describe, `"2026-11-20T10:01:13.927000+00:00"`, `"2026-11-20T10:01:13.927Z"`)
		}, []string{"tunnel bi    up, heartbeat", "WebApp    UPDATE_COMPLETE, 2026-11-20 10:01 UTC"}},
		"a host is silent": {func(w *world) {
			w.answer("aws cloudwatch get-metric-data", `{"MetricDataResults": [{"Id": "t0", "Timestamps": [], "Values": []}]}`)
		}, []string{"tunnel bi    no heartbeat for an hour"}},
		"an alarm of this environment": {func(w *world) { w.edit("aws cloudwatch describe-alarms", `"OK"`, `"ALARM"`) }, []string{"alarms       ALARM: The SSH tunnel bi of Drawbridge's environment dev is down"}},
		"an alarm without data":        {func(w *world) { w.edit("aws cloudwatch describe-alarms", `"OK"`, `"INSUFFICIENT_DATA"`) }, []string{"alarms       none of 1", "             1 without enough data"}},
		"a deployment that failed": {func(w *world) {
			w.edit(describe, `"StackStatus": "UPDATE_COMPLETE"`, `"StackStatusReason": "The following resource(s) failed",
      "StackStatus": "UPDATE_ROLLBACK_FAILED"`)
		}, []string{"WebApp    UPDATE_ROLLBACK_FAILED, 2026-11-20 10:01 UTC", "The following resource(s) failed"}},
		"a mail is not confirmed": {func(w *world) {
			w.edit("aws sns list-subscriptions-by-topic", "arn:aws:sns:eu-west-1:123456789012:drawbridge-dev-Network-AlarmsTopic3A2DFEBA-x1y2z3:0f1e2d3c-0000-11ee-8000-0a0b0c0d0e0f", "PendingConfirmation")
		}, []string{"mails        no alarm reaches it before the link in SNS's mail is clicked: oncall@example.com"}},
		"nobody is mailed":   {func(w *world) { w.answer("aws sns list-subscriptions-by-topic", `{"Subscriptions": []}`) }, []string{"mails        alarms are mailed to nobody"}},
		"stacks are missing": {func(w *world) { w.without("drawbridge-dev-WebApp", "drawbridge-dev-Tunnel") }, []string{"WebApp    not deployed", "Tunnel    not deployed", "web app      not deployed", "alarms       none of 1"}},
		"nothing is there":   {func(w *world) { w.answer(describe, `{"Stacks": []}`) }, []string{"Network   not deployed", "database     not deployed"}},
		"RDS may not be asked": {func(w *world) { w.fail("aws rds", "An error occurred (AccessDenied)", 254) },
			[]string{"database     not known: aws rds describe-db-instances was refused", "alarms       none of 1"}},
		"nor CloudWatch": {func(w *world) { w.fail("aws cloudwatch", "An error occurred (AccessDenied)", 254) },
			[]string{"tunnels      not known: aws cloudwatch get-metric-data was refused", "alarms       not known", "exposure     private"}},
		"nor Beanstalk": {func(w *world) { w.fail("aws elasticbeanstalk", "An error occurred (Throttling)", 254) }, []string{"web app      not known", "too many calls"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			test.prepare(w)
			r := w.run("status")
			r.succeeds()
			r.says(test.want...)
			r.saysNot("dev-two")
		})
	}
}

func TestStatusAsksEverythingAtOnce(t *testing.T) {
	const takes = 5 * time.Second
	calls := []string{"aws rds describe-db-instances", "aws elasticbeanstalk describe-environment-health", "aws cloudwatch describe-alarms", "aws cloudwatch get-metric-data"}
	w := newWorld(t)
	for i := range w.answers {
		if slices.Contains(calls, w.answers[i].Call) {
			w.answers[i].Sleep = takes
		}
	}
	w.site(200, "ready")
	r := w.run("status")
	r.succeeds()
	var first, last time.Time
	count := 0
	for _, c := range r.calls {
		if slices.Contains(calls, strings.Join(append([]string{c.Program}, c.Args...)[:3], " ")) {
			count++
			if first.IsZero() || c.Begun.Before(first) {
				first = c.Begun
			}
			if c.Begun.After(last) {
				last = c.Begun
			}
		}
	}
	if count != len(calls) || last.Sub(first) >= takes {
		t.Errorf("of %d calls, the last began %s after the first, when that had ended", count, last.Sub(first))
	}
}

// The load balancer's name is not the certificate's.
func TestTheSiteBehindACertificateForAnotherName(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("Go reads SSL_CERT_FILE on Linux alone")
	}
	w := newWorld(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprintln(rw, "ready") }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	authority := filepath.Join(t.TempDir(), "authority.pem")
	must(t, os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	address := strings.Replace(server.URL, "127.0.0.1", "localhost", 1) // Its certificate is for example.com.
	w.edit("aws cloudformation describe-stacks", "http://drawbridge.invalid", address)

	r := w.run("status")
	r.succeeds()
	r.says("does not say that it is ready: tls: failed to verify certificate") // whoever signed it

	w.setenv("SSL_CERT_FILE", authority)
	w.setenv("SSL_CERT_DIR", t.TempDir())
	r = w.run("status")
	r.succeeds()
	r.says("site         " + address + ", as example.com, is ready")
}
