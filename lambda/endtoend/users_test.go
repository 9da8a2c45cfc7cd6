package endtoend

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"drawbridge/rehearsal"
	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/secretsmanager"
	"drawbridge/rehearsal/template"
)

// everyEventThreeTimes has each answer taken, and the function told that it was not: so Lambda invokes again, twice.
var everyEventThreeTimes = cloudformation.AnswerFault{Times: 1 << 30, Status: http.StatusForbidden, AfterTaken: true}

// settle waits until each event was answered that many times.
func (p *play) settle(deliveries int) {
	p.t.Helper()
	p.eventually("every answer of every delivery", func() bool {
		answers := map[string]int{}
		for _, a := range p.Answers() {
			answers[a.RequestID]++
		}
		for _, n := range answers {
			if n < deliveries {
				return false
			}
		}
		return true
	})
}

// username renames a user.
func username(key, name string) func(config) {
	return func(dev config) { user(dev, key)["username"] = name }
}

// limit sets how many connections a user may have.
func limit(key string, connections int) func(config) {
	return func(dev config) { user(dev, key)["maxConnections"] = connections }
}

// without takes a user out of the config.
func without(key string) func(config) {
	return func(dev config) { delete(users(dev), key) }
}

// database is the template of the stack Database, to be edited.
func database(t testing.TB, assembly *template.Assembly) *template.Template {
	t.Helper()
	stack, err := assembly.Stack("Database")
	if err != nil {
		t.Fatal(err)
	}
	return stack.Template
}

// changed is the environment with the properties of a user edited in its template, for what no config says.
func changed(t testing.TB, change func(config), key string, edit func(properties map[string]any)) *template.Assembly {
	t.Helper()
	assembly := synthesize(t, change)
	for id, r := range database(t, assembly).Resources {
		if r.Type == "Custom::ReadOnlyUser" && strings.HasPrefix(id, "ReadOnlyUser"+key) {
			edit(r.Properties)
			return assembly
		}
	}
	t.Fatalf("the template has no user %s", key)
	return nil
}

// setPassword changes the password in a user's secret by hand, and returns the one before.
func (p *play) setPassword(key, password string) (before string) {
	p.t.Helper()
	arn, secret := p.secretOf(key)
	before = secret["password"].(string)
	secret["password"] = password
	text, err := json.Marshal(secret)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.Secrets.Put(arn, string(text)); err != nil {
		p.t.Fatal(err)
	}
	p.remember()
	return before
}

// takes says whether MySQL takes a log-in.
func (p *play) takes(username, password string) bool {
	p.t.Helper()
	db := p.server.Open(p.t, username, password, "")
	defer db.Close() //nolint:errcheck // only asked
	return db.PingContext(p.t.Context()) == nil
}

// withSales makes a second schema.
func (p *play) withSales() {
	p.t.Helper()
	p.asMaster("CREATE DATABASE sales")
	p.asMaster("CREATE TABLE sales.orders (id INT PRIMARY KEY)")
	p.asMaster("INSERT INTO sales.orders VALUES (1)")
}

func TestAReadOnlyUserIsAsItsConfigSays(t *testing.T) {
	t.Parallel()
	for name, deliveries := range map[string]int{"with each event once": 1, "with each event three times": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlay(t, nil)
			if deliveries > 1 {
				p.FailAnswers(everyEventThreeTimes)
			}
			now := withUser("auditor", "auditor")
			p.mustDeployDatabase(now)
			p.settle(deliveries)
			p.checkAnswers()
			if t.Failed() {
				return
			}
			p.withSales()
			step := func(name string, change func(config), check func()) {
				p.run(name, func(t *testing.T) {
					now = all(now, change)
					before := len(p.Answers())
					p.mustDeployDatabase(now)
					p.settle(deliveries)
					p.checkAnswers()
					if len(p.answersSince(before)) == 0 {
						t.Error("nothing was changed, the test is of no use")
					}
					if check != nil {
						check()
					}
				})
			}
			step("when a schema is added", schemas("auditor", "monster_teams", "sales"), nil)
			step("when a schema is taken out", schemas("auditor", "sales"), func() {
				if err := p.logIn("auditor", "SELECT * FROM monster_teams.teams"); err == nil {
					p.t.Error("it can still read the schema")
				}
			})
			step("when its connections are limited", limit("auditor", 5), nil)
			open := p.server.Open(t, "auditor", p.setPassword("auditor", "changedByHandAtSomeTime"), "sales")
			if err := open.Ping(); err != nil {
				t.Fatal(err)
			}
			step("when the password in its secret was changed by hand, and something else changes", limit("auditor", 6), func() {
				if column(p.t, open, "SELECT id FROM orders")[0] != "1" {
					p.t.Error("the connection that was open does not read any more")
				}
				_ = open.Close()
			})
			step("when it is renamed", username("auditor", "analyst"), func() {
				if p.takes("auditor", "changedByHandAtSomeTime") {
					p.t.Error("the old one can still log in")
				}
			})
			step("when it is taken out", without("auditor"), nil)
			step("when it is there again", withUser("auditor", "auditor"), nil)
			p.run("and gone with the stack", func(t *testing.T) {
				if err := p.DestroyAll(t.Context(), synthesize(t, now)); err != nil {
					t.Fatal(err)
				}
				p.checkDeliveries()
				if left := append(p.accounts("auditor"), append(p.accounts("tester"), p.accounts("webapp")...)...); len(left) > 0 {
					t.Errorf("%s are left", left)
				}
			})
		})
	}
}

func TestAReadOnlyUserFollowsItsHost(t *testing.T) {
	t.Parallel()
	p := newPlay(t, nil)
	p.mustDeployDatabase(nil)
	for _, host := range []string{"127.0.0.1", "127.0.0.0/16", "%"} {
		p.run(host, func(t *testing.T) {
			p.FailAnswers(cloudformation.AnswerFault{Times: 1, Status: http.StatusForbidden, AfterTaken: true})
			before := len(p.Answers())
			err := p.DeployAll(t.Context(), changed(t, nil, "bi", func(properties map[string]any) { properties["Host"] = host }))
			if err != nil {
				t.Fatal(err)
			}
			p.eventually("the second delivery", func() bool { return len(p.answersSince(before)) == 2 })
			p.checkAnswers()
			if _, secret := p.secretOf("bi"); !p.takes("tester", secret["password"].(string)) {
				t.Error("its password is another")
			}
		})
	}
}

// A failed deployment leaves the account, with both of its passwords, exactly as it was.
func TestARenameThatIsRolledBack(t *testing.T) {
	t.Parallel()
	renamed := username("webapp", "site")
	noSchema := all(renamed, schemas("webapp", "monster_teams", "not_there"))
	failLater := func(t *testing.T) *template.Assembly {
		assembly := synthesize(t, renamed)
		var after []string
		for id, r := range database(t, assembly).Resources {
			if r.Type == "Custom::ReadOnlyUser" {
				after = append(after, id)
			}
		}
		database(t, assembly).Resources["TooLate"] = template.Resource{
			Type: "AWS::SecretsManager::SecretTargetAttachment", DependsOn: after, Properties: map[string]any{
				"SecretId": "none", "TargetId": "no-such-instance", "TargetType": "AWS::RDS::DBInstance",
			},
		}
		return assembly
	}
	for name, test := range map[string]struct {
		prepare  func(*play)
		assembly func(*testing.T) *template.Assembly
		says     string
	}{
		"because the new user cannot be proved": {
			nil, func(t *testing.T) *template.Assembly { return synthesize(t, noSchema) }, `the schema "not_there" does not exist`,
		},
		"because somebody has an account of the new name": {
			func(p *play) { p.asMaster("CREATE USER 'site'@'%' IDENTIFIED BY 'somebody-elses-Secret1'") },
			func(t *testing.T) *template.Assembly { return synthesize(t, renamed) },
			"was not made by Drawbridge: drop or rename it, or choose another username",
		},
		"because another user of the stack has the new name": {
			nil, func(t *testing.T) *template.Assembly {
				return synthesize(t, all(username("webapp", "tester"), username("bi", "webapp")))
			}, "is kept by the resource ReadOnlyUser",
		},
		"because something after it failed": {nil, failLater, "no-such-instance"},
	} {
		for order, inOrder := range map[string]bool{"": false, ", in the other order": true} {
			t.Run(name+order, func(t *testing.T) {
				t.Parallel()
				p := newPlay(t, func(o *rehearsal.Options) { o.RollbackInOrder, o.FunctionTimeout = inOrder, 20*time.Second })
				p.mustDeployDatabase(nil)
				arn, secret := p.secretOf("webapp")
				old := secret["password"].(string)
				if err := p.Account.Rotate(t.Context(), arn); err != nil {
					t.Fatal(err)
				}
				p.remember()
				if test.prepare != nil {
					test.prepare(p)
				}
				webapp, tester, site := p.exactly("webapp"), p.exactly("tester"), p.exactly("site")
				err := p.DeployAll(t.Context(), test.assembly(t))
				p.remember()
				p.wantFailure(err, cloudformation.UpdateRollbackComplete, test.says)
				p.checkAnswers()
				if p.exactly("webapp") != webapp || p.exactly("tester") != tester {
					t.Error("the account is not what it was")
				}
				if p.exactly("site") != site {
					t.Error("the account of the new name is not what it was")
				}
				if !p.takes("webapp", old) {
					t.Error("the password before the rotation does not work any more")
				}
			})
		}
	}
}

// So that it is gone also when nobody gets to roll back.
func TestARenameThatFailsDropsWhatItMadeBeforeItAnswers(t *testing.T) {
	t.Parallel()
	p := newPlay(t, func(o *rehearsal.Options) { o.RollbackInOrder = true })
	p.mustDeployDatabase(nil)
	before := len(p.Answers())
	// The rename reads the master user's secret twice: to make the account, and to drop it. The rollback is kept waiting.
	master := p.masterARN()
	p.Secrets.Inject(secretsmanager.Fault{Operation: "GetSecretValue", Resource: master, Skip: 2, Times: 1, Delay: 3 * time.Second})
	result := p.begin(all(username("webapp", "site"), schemas("webapp", "monster_teams", "not_there")))
	p.eventually("the answer", func() bool { return len(p.answersSince(before)) == 1 })
	p.lastAnswer("FAILED", `the schema "not_there" does not exist`)
	if left := p.accounts("site"); len(left) > 0 {
		t.Errorf("%s is left", left)
	}
	p.wantFailure(<-result, cloudformation.UpdateRollbackComplete)
	p.checkAnswers()
}

func TestAnAccountThatIsNotOursIsLeftAlone(t *testing.T) {
	t.Parallel()
	p := newPlay(t, nil)
	p.mustDeployDatabase(withUser("auditor", "auditor"))
	const byHand, ours = "CREATE USER 'auditor'@'%' IDENTIFIED BY 'somebody-elses-Secret1'", "'auditor'@'127.0.0.0/8'"
	for name, test := range map[string]struct {
		prepare []string
		left    string // the account that stays
		status  string
	}{
		"a user who was dropped by hand":                        {[]string{"DROP USER " + ours}, "", "SUCCESS"},
		"a user in whose place somebody made one":               {[]string{"DROP USER " + ours, byHand}, "'auditor'@'%'", "FAILED"},
		"a user beside whom somebody made one of the same name": {[]string{byHand}, "'auditor'@'%'", "SUCCESS"},
		"a user whose mark somebody took away":                  {[]string{"ALTER USER " + ours + ` ATTRIBUTE '{"drawbridge": null}'`}, ours, "FAILED"},
		"a user whom somebody locked, and gave more than SELECT": {
			[]string{"ALTER USER " + ours + " ACCOUNT LOCK", "GRANT ALL ON monster_teams.* TO " + ours}, "", "SUCCESS",
		},
	} {
		p.run("deleting "+name, func(t *testing.T) {
			for _, statement := range test.prepare {
				p.asMaster(statement)
			}
			p.mustDeployDatabase(nil)
			p.checkAnswers()
			if test.status == "SUCCESS" {
				p.lastAnswer("SUCCESS")
			} else {
				p.lastAnswer("FAILED", "was not made by Drawbridge: drop or rename it")
			}
			if got := p.accounts("auditor"); strings.Join(got, " ") != test.left {
				t.Errorf("there are %q, want %q", got, test.left)
			}
			for _, account := range p.accounts("auditor") {
				p.asMaster("DROP USER " + account)
			}
			p.mustDeployDatabase(withUser("auditor", "auditor"))
			p.checkAnswers()
		})
	}
	p.run("making a user whose name is taken", func(t *testing.T) {
		p.asMaster("CREATE USER 'taken'@'localhost' IDENTIFIED BY 'somebody-elses-Secret1'")
		before := p.exactly("taken")
		err := p.deployDatabase(all(withUser("auditor", "auditor"), withUser("new", "taken")))
		p.wantFailure(err, cloudformation.UpdateRollbackComplete, "was not made by Drawbridge: drop or rename it, or choose another username")
		p.checkAnswers()
		if p.exactly("taken") != before {
			t.Error("the account is not what it was")
		}
	})
}

// desk sends the function events of the test's own, as CloudFormation would, and takes the answers.
type desk struct {
	*play
	stackID string
	server  *httptest.Server
	mu      sync.Mutex
	got     []deskAnswer
}

type deskAnswer struct{ Status, Reason, PhysicalResourceId, RequestId string } //nolint:revive // as in the protocol

func newDesk(p *play) *desk {
	d := &desk{play: p, stackID: p.StackID(databaseStack)}
	d.server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var answer deskAnswer
		if err == nil {
			err = json.Unmarshal(body, &answer)
		}
		if err != nil {
			p.t.Errorf("an answer cannot be read: %v", err)
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.got = append(d.got, answer)
	}))
	p.t.Cleanup(d.server.Close)
	return d
}

// event is an event for a resource. physicalID and old may be empty.
func (d *desk) event(kind cloudformation.Action, id, physicalID string, properties, old map[string]any) []byte {
	d.t.Helper()
	event := map[string]any{
		"RequestType": kind, "RequestId": "request-of-the-test", "ResponseURL": d.server.URL + "/?X-Amz-Signature=Secret",
		"StackId": d.stackID, "ResourceType": "Custom::ReadOnlyUser", "LogicalResourceId": id, "ResourceProperties": properties,
	}
	if physicalID != "" {
		event["PhysicalResourceId"] = physicalID
	}
	if old != nil {
		event["OldResourceProperties"] = old
	}
	text, err := json.Marshal(event)
	if err != nil {
		d.t.Fatal(err)
	}
	return text
}

// send delivers an event, so many times at once, and returns the answers to it.
func (d *desk) send(event []byte, times int) []deskAnswer {
	d.t.Helper()
	d.mu.Lock()
	d.got = nil
	d.mu.Unlock()
	var group sync.WaitGroup
	function := d.function()
	for range times {
		group.Go(func() {
			if _, err := function.Invoke(d.t.Context(), event); err != nil {
				d.t.Errorf("the function failed: %v", err)
			}
		})
	}
	group.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.got) != times {
		d.t.Fatalf("%d deliveries got %d answers", times, len(d.got))
	}
	return d.got
}

func TestTheSameEventHasTheSameAnswer(t *testing.T) {
	t.Parallel()
	p := newPlay(t, nil)
	p.mustDeployDatabase(nil)
	p.withSales()
	state := p.resource(databaseStack, "Custom::ReadOnlyUser", "bi")
	d := newDesk(p)
	properties := func(changes map[string]any) map[string]any {
		text := map[string]any{}
		for name, value := range state.Properties {
			text[name] = value
		}
		for name, value := range changes {
			text[name] = value
		}
		delete(text, "ServiceTimeout")
		text["MaxConnections"] = "20"
		return text
	}
	old := properties(nil)
	sales := properties(map[string]any{"Schemas": []any{"sales"}})
	missing := properties(map[string]any{"Schemas": []any{"not_there"}})
	root := p.server.Root(t)
	has := func(grant string) func() bool {
		return func() bool {
			found := readAccounts(t, root, "u.User = 'tester'")
			return len(found) == 1 && strings.Contains(strings.Join(column(t, root, "SHOW GRANTS FOR "+found[0].String()), "\n"), grant)
		}
	}
	gone := func() bool { return len(p.accounts("tester")) == 0 }
	const id = "mysql-user:tester"
	for _, test := range []struct {
		name       string
		event      []byte
		status, id string
		says       string
		is         func() bool
	}{
		{"an update that succeeds", d.event("Update", state.LogicalID, id, sales, old), "SUCCESS", id, "", has("SELECT ON `sales`")},
		{"an update that fails", d.event("Update", state.LogicalID, id, missing, sales), "FAILED", id, "the schema", has("SELECT ON `not")},
		{"its rollback", d.event("Update", state.LogicalID, id, old, missing), "SUCCESS", id, "", has(`SELECT ON ` + "`monster")},
		{"a deletion", d.event("Delete", state.LogicalID, id, old, nil), "SUCCESS", id, "", gone},
		{"a creation that fails", d.event("Create", state.LogicalID, "", missing, nil), "FAILED", "mysql-user-unfinished:tester", "the schema", has("SELECT ON `not")},
		{"its deletion", d.event("Delete", state.LogicalID, "mysql-user-unfinished:tester", missing, nil), "SUCCESS", "mysql-user-unfinished:tester", "", gone},
		{"a creation that changes nothing", d.event("Create", state.LogicalID, "", properties(map[string]any{"Host": "no host"}), nil), "FAILED", "not-created:request-of-the-test", "Host", gone},
		{"its deletion, too", d.event("Delete", state.LogicalID, "not-created:request-of-the-test", nil, nil), "SUCCESS", "not-created:request-of-the-test", "", gone},
		{"a creation", d.event("Create", state.LogicalID, "", old, nil), "SUCCESS", id, "", has(`SELECT ON ` + "`monster")},
	} {
		for _, deliveries := range []int{1, 1, 3} {
			for _, answer := range d.send(test.event, deliveries) {
				if answer.Status != test.status || answer.PhysicalResourceId != test.id || !strings.Contains(answer.Reason, test.says) {
					t.Errorf("%s: the answer is %+v", test.name, answer)
				}
				if answer.Status == "FAILED" {
					checkSentence(t, answer.Reason)
				}
			}
			if !test.is() {
				t.Errorf("%s: the answer is not true", test.name)
			}
		}
	}
	p.checkAnswers()
}

func TestADeletionAfterNothingWasMadeAsksNobody(t *testing.T) {
	t.Parallel()
	p := newPlay(t, nil)
	p.mustDeployDatabase(nil)
	p.server.Kill(t)
	d := newDesk(p)
	before, started := len(p.Secrets.Calls()), time.Now()
	answers := d.send(d.event("Delete", "ReadOnlyUserbi", "not-created:request-of-the-test", map[string]any{"Schemas": 1}, nil), 1)
	if answers[0].Status != "SUCCESS" || len(p.Secrets.Calls()) != before {
		t.Errorf("%+v after %v, and %d calls of Secrets Manager", answers, time.Since(started), len(p.Secrets.Calls())-before)
	}
}

// A database that was restored from a snapshot, or that outlived its stack, has the accounts of another.
func TestAnAccountOfAnotherStackIsTakenOver(t *testing.T) {
	t.Parallel()
	p := newPlay(t, nil)
	assembly := synthesize(t, nil)
	p.asMaster("CREATE USER 'tester'@'%' IDENTIFIED BY 'of-the-stack-Before1' ATTRIBUTE '" +
		`{"drawbridge": {"stack": "arn:aws:cloudformation:eu-west-1:123456789012:stack/drawbridge-old-Database/1", "resource": "Other"}}'`)
	if err := p.DeployAll(t.Context(), assembly, "Network", "Database"); err != nil {
		t.Fatal(err)
	}
	p.checkAnswers()
	if p.takes("tester", "of-the-stack-Before1") {
		t.Error("the password of the other stack still works")
	}
}
