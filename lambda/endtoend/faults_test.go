package endtoend

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"drawbridge/rehearsal"
	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/secretsmanager"
)

// operation is one change of the user auditor, by a deployment of the config after over the config before.
type operation struct {
	name          string
	before, after func(config)
	// statements are those with which the function changes something, in order; the proof reads.
	statements []string
	proved     bool
}

var operations = []operation{
	{"a creation", nil, withUser("auditor", "auditor"), []string{"CREATE USER", "GRANT"}, true},
	{
		"an update", withUser("auditor", "auditor"), all(withUser("auditor", "auditor"), schemas("auditor", "sales", "monster_teams", "more")),
		[]string{"ALTER USER", "GRANT SELECT ON `sales`", "GRANT SELECT ON `more`"}, true,
	},
	{
		"an update with fewer schemas", all(withUser("auditor", "auditor"), schemas("auditor", "monster_teams", "sales")), withUser("auditor", "auditor"),
		[]string{"ALTER USER", "REVOKE"}, true,
	},
	{"a rename", withUser("auditor", "auditor"), withUser("auditor", "reviewer"), []string{"CREATE USER", "GRANT"}, true},
	{"a deletion", withUser("auditor", "auditor"), nil, []string{"DROP USER"}, false},
}

// prepared is a play in which the operation is next.
func prepared(t *testing.T, o operation, options func(*rehearsal.Options)) *play {
	p := newPlay(t, options)
	p.mustDeployDatabase(nil)
	p.withSales()
	p.asMaster("CREATE DATABASE more")
	p.mustDeployDatabase(o.before)
	return p
}

// begin begins to deploy; the result comes later.
func (p *play) begin(change func(config)) <-chan error {
	synthesize(p.t, change) // so that it fails here
	result := make(chan error, 1)
	go func() { result <- p.deployDatabase(change) }()
	return result
}

func TestMySQLDiesInTheMiddleOf(t *testing.T) {
	t.Parallel()
	for _, o := range operations {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			p := prepared(t, o, nil)
			first := true
			dies := func(on hold, statement string, end func(testing.TB)) {
				p.run("at "+strings.ReplaceAll(statement, "`", ""), func(t *testing.T) {
					if !first {
						p.mustDeployDatabase(o.before)
					}
					first = false
					b := newBrake(p, on)
					defer b.release()
					result := p.begin(o.after)
					b.at(statement)
					end(t)
					p.server.Restart(t)
					if err := <-result; err != nil {
						t.Fatal(err)
					}
					p.checkAnswers()
				})
			}
			dies(itsTurn, "SELECT GET_LOCK", p.server.Kill)
			for i, statement := range o.statements {
				end := p.server.Kill
				if i == len(o.statements)-1 {
					end = p.server.Stop // an orderly end says other errors
				}
				dies(accountChanges, statement, end)
			}
			if o.proved {
				dies(p.sampleTables(), "SELECT 1 FROM", p.server.Kill)
			}
		})
	}
}

// The server did what it was told, and the function does not learn of it.
func TestTheAnswerOfMySQLGetsLostIn(t *testing.T) {
	t.Parallel()
	for _, o := range operations {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			l := &line{}
			p := prepared(t, o, withLine(t, l))
			for i, statement := range o.statements {
				p.run("after "+strings.ReplaceAll(statement, "`", ""), func(t *testing.T) {
					if i > 0 {
						p.mustDeployDatabase(o.before)
					}
					b := newBrake(p, accountChanges)
					defer b.release()
					result := p.begin(o.after)
					b.at(statement)
					l.silence()
					b.letOneThrough()
					if now := b.waiting(); now != "" {
						t.Fatalf("%q waits, the test is of no use", now)
					}
					b.release()
					l.cut()
					if err := <-result; err != nil {
						t.Fatal(err)
					}
					p.checkAnswers()
				})
			}
		})
	}
}

func TestMySQLRefusesConnectionsForAMinute(t *testing.T) {
	t.Parallel()
	o := operations[3]
	p := prepared(t, o, nil)
	p.server.Kill(t)
	result := p.begin(o.after)
	select {
	case err := <-result:
		t.Fatalf("it ended without the database: %v", err)
	case <-time.After(time.Minute):
	}
	p.server.Restart(t)
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	p.checkAnswers()
}

const away = "cannot be reached (connection refused): check that it runs"

// lastAnswer is the last answer to an event of a user, with the wanted status.
func (p *play) lastAnswer(status string, says ...string) {
	p.t.Helper()
	answers := p.answersSince(0)
	last := answers[len(answers)-1]
	if last.Status != status {
		p.t.Errorf("the answer is %+v, want %s", last, status)
	}
	for _, want := range says {
		if !strings.Contains(last.Reason, want) {
			p.t.Errorf("the reason is %q, want one with %q", last.Reason, want)
		}
	}
}

func TestMySQLStaysAway(t *testing.T) {
	t.Parallel()
	t.Run("in a creation: it fails, and there is nothing to delete", func(t *testing.T) {
		t.Parallel()
		p := prepared(t, operations[0], shorter(12*time.Second))
		p.server.Kill(t)
		err := p.deployDatabase(operations[0].after)
		p.wantFailure(err, cloudformation.UpdateRollbackComplete, away, "(tried for ")
		p.lastAnswer("SUCCESS")
		p.server.Restart(t)
		p.checkAnswers()
	})
	for _, o := range operations[1:4] {
		t.Run("in "+o.name+": it fails, and the rollback does when it is continued", func(t *testing.T) {
			t.Parallel()
			p := prepared(t, o, shorter(12*time.Second))
			name := "auditor"
			before := p.exactly(name)
			p.server.Kill(t)
			err := p.deployDatabase(o.after)
			p.wantFailure(err, cloudformation.UpdateRollbackFailed, away, "(tried for ")
			p.server.Restart(t)
			if err := p.ContinueUpdateRollback(t.Context(), databaseStack); err != nil {
				t.Fatal(err)
			}
			p.checkAnswers()
			if p.exactly(name) != before {
				t.Error("the account is not what it was")
			}
		})
	}
	t.Run("in a deletion: it says so, and the next creation takes the account over", func(t *testing.T) {
		t.Parallel()
		o := operations[4]
		p := prepared(t, o, shorter(12*time.Second))
		p.server.Kill(t)
		p.mustDeployDatabase(o.after) // a failure to clean up does not fail it
		p.lastAnswer("FAILED", away, "(tried for ", "the user auditor is not dropped",
			"aws cloudformation delete-stack --stack-name drawbridge-dev-Database --retain-resources ReadOnlyUserauditor")
		p.server.Restart(t)
		p.checkAnswers("auditor")
		p.mustDeployDatabase(o.before)
		p.checkAnswers()
	})
	t.Run("in the deletion of the stack: it fails, and can be deleted again", func(t *testing.T) {
		t.Parallel()
		p := newPlay(t, shorter(12*time.Second))
		p.mustDeployDatabase(nil)
		p.server.Kill(t)
		err := p.Delete(t.Context(), databaseStack)
		p.wantFailure(err, cloudformation.DeleteFailed, away, "is not dropped")
		p.server.Restart(t)
		p.checkDeliveries()
		if err := p.Delete(t.Context(), databaseStack); err != nil {
			t.Error(err)
		}
		if left := append(p.accounts("tester"), p.accounts("webapp")...); len(left) > 0 {
			t.Errorf("%s are left", left)
		}
	})
	t.Run("and does not even refuse: it fails before its time is out", func(t *testing.T) {
		t.Parallel()
		p := prepared(t, operations[0], shorter(12*time.Second))
		p.server.Pause(t)
		err := p.deployDatabase(operations[0].after)
		p.wantFailure(err, cloudformation.UpdateRollbackComplete, "(no answer in time): check that it runs", "(tried for ")
		p.server.Resume(t)
		p.checkAnswers()
	})
}

func TestACreationThatFailsHalfWay(t *testing.T) {
	t.Parallel()
	half := operations[0]
	t.Run("as a schema is not there, leaves nothing", func(t *testing.T) {
		t.Parallel()
		p := prepared(t, half, nil)
		err := p.deployDatabase(all(half.after, schemas("auditor", "monster_teams", "not_there")))
		p.wantFailure(err, cloudformation.UpdateRollbackComplete, `the schema "not_there" does not exist`, "create each schema before a user may read it")
		p.checkAnswers()
	})
	t.Run("as a role of everybody's lets it do more, leaves nothing", func(t *testing.T) {
		t.Parallel()
		p := prepared(t, half, nil)
		p.asMaster("CREATE ROLE everybody")
		p.asMaster("GRANT INSERT ON monster_teams.* TO everybody")
		p.asMaster("SET GLOBAL mandatory_roles = 'everybody'")
		err := p.deployDatabase(half.after)
		p.asMaster("SET GLOBAL mandatory_roles = ''")
		p.wantFailure(err, cloudformation.UpdateRollbackComplete, "it has a grant too many: GRANT `everybody`@`%`", "revoke what reaches the user through roles")
		p.checkAnswers()
	})
	t.Run("in the first deployment, leaves nothing, and the next one works", func(t *testing.T) {
		t.Parallel()
		p := newPlay(t, nil)
		err := p.deployDatabase(schemas("bi", "monster_teams", "sales"))
		p.wantFailure(err, cloudformation.RollbackComplete, `the schema "sales" does not exist`)
		p.checkAnswers()
		p.mustDeployDatabase(nil)
		p.checkAnswers()
	})
	t.Run("as MySQL goes for a while, leaves nothing", func(t *testing.T) {
		t.Parallel()
		p := prepared(t, half, shorter(12*time.Second))
		b := newBrake(p, p.sampleTables())
		defer b.release()
		before := len(p.Answers())
		result := p.begin(half.after)
		b.at("SELECT 1 FROM")
		p.server.Kill(t)
		p.eventually("the creation has failed", func() bool { return len(p.answersSince(before)) == 1 })
		p.server.Restart(t)
		p.wantFailure(<-result, cloudformation.UpdateRollbackComplete, away, "(tried for ")
		p.lastAnswer("SUCCESS")
		p.checkAnswers()
	})
	t.Run("as MySQL goes for good, leaves what the next creation takes over", func(t *testing.T) {
		t.Parallel()
		p := prepared(t, half, shorter(12*time.Second))
		b := newBrake(p, p.sampleTables())
		defer b.release()
		result := p.begin(half.after)
		b.at("SELECT 1 FROM")
		p.server.Kill(t)
		p.wantFailure(<-result, cloudformation.UpdateRollbackComplete, away, "(tried for ")
		p.lastAnswer("SUCCESS")
		p.server.Restart(t)
		p.checkAnswers("auditor")
		if !strings.Contains(p.log.String(), "an account that a failed Create made may still be there") {
			t.Error("the log does not say that an account may be left")
		}
		p.mustDeployDatabase(half.after)
		p.checkAnswers()
	})
}

// The new account is there when the deployment fails, and MySQL is away.
func TestARenameThatFailsHalfWayIsRolledBackLater(t *testing.T) {
	t.Parallel()
	o := operations[3]
	p := prepared(t, o, shorter(12*time.Second))
	before := p.exactly("auditor")
	b := newBrake(p, p.sampleTables())
	defer b.release()
	result := p.begin(o.after)
	b.at("SELECT 1 FROM")
	p.server.Kill(t)
	p.wantFailure(<-result, cloudformation.UpdateRollbackFailed, away, "(tried for ")
	p.server.Restart(t)
	p.checkAnswers("reviewer")
	if err := p.ContinueUpdateRollback(t.Context(), databaseStack); err != nil {
		t.Fatal(err)
	}
	p.checkAnswers()
	if p.exactly("auditor") != before {
		t.Error("the account is not what it was")
	}
}

// masterARN is the ARN of the master user's secret.
func (p *play) masterARN() string {
	p.t.Helper()
	return p.resource(databaseStack, "AWS::SecretsManager::Secret", "MasterSecret").PhysicalID
}

func TestADeletionAfterTheDatabaseIsGone(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string]func(*play) error{
		"its name does not resolve": func(p *play) error {
			text, err := p.Secrets.Value(p.masterARN(), secretsmanager.Current)
			if err != nil {
				return err
			}
			return p.Secrets.Put(p.masterARN(), strings.Replace(text, `"127.0.0.1"`, `"gone.invalid"`, 1))
		},
		"its secret is scheduled for deletion": func(p *play) error { return p.Secrets.Delete(p.masterARN(), false) },
		"its secret is deleted":                func(p *play) error { return p.Secrets.Delete(p.masterARN(), true) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := prepared(t, operations[4], shorter(20*time.Second))
			if err := remove(p); err != nil {
				t.Fatal(err)
			}
			p.mustDeployDatabase(nil)
			p.lastAnswer("SUCCESS")
			p.checkAnswers("auditor") // as it is not gone in truth
			if !strings.Contains(p.log.String(), "there is no database any more") || strings.Contains(p.log.String(), "tried for") {
				t.Error("the log does not say so")
			}
		})
	}
}

func TestSecretsManagerHasTrouble(t *testing.T) {
	t.Parallel()
	faults := map[string]secretsmanager.Fault{
		"throttles":                        {Code: "ThrottlingException", Times: 4},
		"has a fault of its own":           {Code: "InternalServiceError", Status: http.StatusInternalServerError, Times: 4},
		"is unavailable":                   {Code: "ServiceUnavailable", Status: http.StatusServiceUnavailable, Times: 4},
		"breaks connections":               {Drop: true, Times: 4},
		"does not know a policy yet":       {Code: "AccessDeniedException", Times: 5},
		"is slow":                          {Delay: 700 * time.Millisecond},
		"throttles in the middle":          {Code: "ThrottlingException", Skip: 1, Times: 4},
		"breaks connections in the middle": {Drop: true, Skip: 2, Times: 4},
	}
	for _, o := range operations {
		t.Run("in "+o.name, func(t *testing.T) {
			t.Parallel()
			p := prepared(t, o, nil)
			for name, fault := range faults {
				inMiddle := fault.Skip > 0
				if o.name != operations[0].name && (name == "has a fault of its own" || name == "is unavailable") || inMiddle && !o.proved {
					continue // nothing that the others do not show; and a deletion reads one secret once
				}
				p.run(name, func(t *testing.T) {
					before := len(p.Secrets.Calls())
					fault.Operation = "GetSecretValue"
					p.Secrets.Inject(fault)
					p.mustDeployDatabase(o.after)
					p.Secrets.ClearFaults()
					calls := p.Secrets.Calls()[before:]
					hits := slices.DeleteFunc(slices.Clone(calls), func(c secretsmanager.Call) bool { return c.Code != fault.Code || c.Principal != "" })
					if len(hits) < fault.Times || inMiddle && calls[0].Principal == "" {
						t.Errorf("the fault hit %d of %d calls, the test is of no use", len(hits), len(calls))
					}
					p.checkAnswers()
					p.mustDeployDatabase(o.before)
				})
			}
		})
	}
	for name, test := range map[string]struct {
		fault secretsmanager.Fault
		says  string
	}{
		"throttles for ever":          {secretsmanager.Fault{Code: "ThrottlingException"}, "Secrets Manager answered ThrottlingException"},
		"has a fault for ever":        {secretsmanager.Fault{Code: "InternalServiceError", Status: http.StatusInternalServerError}, "Secrets Manager answered InternalServiceError"},
		"breaks connections for ever": {secretsmanager.Fault{Drop: true}, "Secrets Manager cannot be reached: check the VPC endpoint"},
		"never allows it":             {secretsmanager.Fault{Code: "AccessDeniedException"}, "allow secretsmanager:GetSecretValue on it for the function's role"},
		"never answers":               {secretsmanager.Fault{Delay: time.Hour}, "Secrets Manager did not answer in time: check the VPC endpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := prepared(t, operations[0], shorter(12*time.Second))
			test.fault.Operation = "GetSecretValue"
			p.Secrets.Inject(test.fault)
			err := p.deployDatabase(operations[0].after)
			p.Secrets.ClearFaults()
			p.wantFailure(err, cloudformation.UpdateRollbackComplete, test.says, "(tried for ")
			p.checkAnswers()
		})
	}
}

func TestASecretOfNoUse(t *testing.T) {
	t.Parallel()
	const planted = "plantedPasswordOfNobody"
	p := prepared(t, operations[1], nil)
	p.rememberValue(fmt.Sprintf(`{"password": %q}`, planted))
	user := p.resource(databaseStack, "AWS::SecretsManager::Secret", "auditor").PhysicalID
	before := p.exactly("auditor")
	for secret, arn := range map[string]string{"master's": p.masterARN(), "user's": user} {
		for name, test := range map[string]struct{ text, says string }{
			"is no JSON":       {planted, "not JSON"},
			"is a list":        {`["` + planted + `"]`, "not JSON"},
			"is cut off":       {`{"username":"auditor","password":"` + planted, "not JSON"},
			"has no host":      {`{"username":"auditor","password":"` + planted + `"}`, "the secret names no host (" + arn + "): attach it to the database"},
			"has no password":  {`{"username":"auditor","host":"127.0.0.1"}`, "no username or no password"},
			"has a wrong port": {`{"username":"auditor","host":"127.0.0.1","password":"x","port":"` + planted + `"}`, "not JSON"},
		} {
			p.run("the "+secret+" secret "+name, func(t *testing.T) {
				body := fmt.Sprintf(`{"ARN": %q, "VersionId": "1", "SecretString": %q, "VersionStages": ["AWSCURRENT"]}`, arn, test.text)
				// Secrets Manager gives it until the update has failed; the rollback finds it mended.
				p.Secrets.Inject(secretsmanager.Fault{Operation: "GetSecretValue", Resource: arn, Body: []byte(body), Times: 1})
				started := time.Now()
				err := p.deployDatabase(operations[1].after)
				p.wantFailure(err, cloudformation.UpdateRollbackComplete, test.says, arn)
				if err != nil && strings.Contains(err.Error(), "tried for") {
					t.Errorf("it was tried again, for %v", time.Since(started))
				}
				p.checkAnswers()
				if p.exactly("auditor") != before {
					t.Error("the account is not what it was")
				}
			})
		}
	}
	p.run("the user's secret is another user's", func(t *testing.T) {
		body := fmt.Sprintf(`{"ARN": %q, "VersionId": "1", "SecretString": "{\"username\":\"admin\",\"password\":\"x\"}", "VersionStages": ["AWSCURRENT"]}`, user)
		p.Secrets.Inject(secretsmanager.Fault{Operation: "GetSecretValue", Resource: user, Body: []byte(body), Times: 1})
		p.wantFailure(p.deployDatabase(operations[1].after), cloudformation.UpdateRollbackComplete, "is for another user than auditor")
		p.checkAnswers()
	})
}

func TestAnotherDeploymentChangesAccounts(t *testing.T) {
	t.Parallel()
	t.Run("for a while: this one waits", func(t *testing.T) {
		t.Parallel()
		p := prepared(t, operations[0], nil)
		b := newBrake(p, itsTurn)
		result := p.begin(operations[0].after)
		b.at("SELECT GET_LOCK")
		b.release()
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		p.checkAnswers()
	})
	t.Run("for ever: this one says who", func(t *testing.T) {
		t.Parallel()
		p := prepared(t, operations[0], shorter(12*time.Second))
		b := newBrake(p, itsTurn)
		defer b.release()
		var id int
		if err := b.conn.QueryRowContext(t.Context(), "SELECT CONNECTION_ID()").Scan(&id); err != nil {
			t.Fatal(err)
		}
		p.wantFailure(p.deployDatabase(operations[0].after), cloudformation.UpdateRollbackComplete, "another deployment changes accounts",
			fmt.Sprintf(`its connection %d, of the user "root"`, id), fmt.Sprintf("CALL mysql.rds_kill(%d)", id))
		b.release()
		p.checkAnswers()
	})
}

func TestTheURLForTheAnswerFails(t *testing.T) {
	t.Parallel()
	short := []operation{operations[0], operations[1], operations[3], operations[4]}
	long := operations[:1] // as it takes its time
	for name, test := range map[string]struct {
		fault       cloudformation.AnswerFault
		answers     int // that arrive
		invocations int
		operations  []operation
	}{
		"once, with a fault":                 {cloudformation.AnswerFault{Times: 1, Status: http.StatusInternalServerError}, 2, 1, short},
		"once, with a broken connection":     {cloudformation.AnswerFault{Times: 1}, 2, 1, short},
		"once, when it has the answer":       {cloudformation.AnswerFault{Times: 1, AfterTaken: true}, 2, 1, short},
		"for good":                           {cloudformation.AnswerFault{Times: 1, Status: http.StatusForbidden}, 2, 2, short},
		"for good, when it has the answer":   {cloudformation.AnswerFault{Times: 1, Status: http.StatusForbidden, AfterTaken: true}, 2, 2, short},
		"for as long as an invocation tries": {cloudformation.AnswerFault{Times: 7, Status: http.StatusServiceUnavailable}, 8, 2, long},
		"for as long as an invocation tries, when it has the answer": {
			cloudformation.AnswerFault{Times: 7, Status: http.StatusServiceUnavailable, AfterTaken: true}, 8, 2, long,
		},
	} {
		for _, o := range test.operations {
			t.Run(name+", in "+o.name, func(t *testing.T) {
				t.Parallel()
				p := prepared(t, o, nil)
				b := newBrake(p, itsTurn)
				result := p.begin(o.after)
				b.at("SELECT GET_LOCK")
				before, logged := len(p.Answers()), len(p.log.String())
				p.FailAnswers(test.fault)
				b.release()
				if err := <-result; err != nil {
					t.Fatal(err)
				}
				// A rename has the next event, a deletion, at once.
				id := p.answersSince(before)[0].RequestID
				answers := func() (n int) {
					for _, a := range p.Answers()[before:] {
						if a.RequestID == id {
							n++
						}
					}
					return n
				}
				invocations := func() int { return strings.Count(p.log.String()[logged:], `"requestId":"`+id+`","duration"`) }
				p.eventually("every answer", func() bool { return answers() >= test.answers && invocations() >= test.invocations })
				if answers() != test.answers || invocations() != test.invocations {
					t.Errorf("%d answers of %d invocations arrived, want %d of %d", answers(), invocations(), test.answers, test.invocations)
				}
				p.checkAnswers()
			})
		}
	}
}
