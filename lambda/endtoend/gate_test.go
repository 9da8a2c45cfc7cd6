package endtoend

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"unicode"

	"drawbridge/rehearsal"
	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/resources"
	"drawbridge/rehearsal/template"
)

// connections sets the maxConnections of the user bi: a change of the user that asks nothing of its readers.
func connections(n int) func(config) {
	return func(dev config) { user(dev, "bi")["maxConnections"] = n }
}

// schemas sets what a user may read.
func schemas(key string, names ...any) func(config) {
	return func(dev config) { user(dev, key)["schemas"] = names }
}

// withUser adds a user who reads the sample data.
func withUser(key, username string) func(config) {
	return func(dev config) {
		users(dev)[key] = config{"username": username, "schemas": []any{"monster_teams"}}
	}
}

// isPublic says whether the instance has a public address.
func (p *play) isPublic() bool {
	p.t.Helper()
	return p.resource(databaseStack, "AWS::RDS::DBInstance", "").Properties["PubliclyAccessible"] == true
}

// waysIn are the logical ids of the routes and rules of the public phase.
func (p *play) waysIn() (ids []string) {
	for _, r := range p.Resources(databaseStack) {
		if strings.HasPrefix(r.LogicalID, "PublicAccess") {
			ids = append(ids, r.LogicalID)
		}
	}
	return ids
}

// mustBe looks that instance, routes and rules are those of a phase.
func (p *play) mustBe(public bool) {
	p.t.Helper()
	if p.isPublic() != public || (len(p.waysIn()) == 3) != public || !public && len(p.waysIn()) > 0 {
		p.t.Errorf("public is %v, with the routes and rules %v; want %v", p.isPublic(), p.waysIn(), public)
	}
}

// failure is how a deployment failed.
func (p *play) failure(err error) *cloudformation.Failure {
	p.t.Helper()
	failure, ok := errors.AsType[*cloudformation.Failure](err)
	if !ok {
		p.t.Fatalf("want a failed deployment, got %v", err)
	}
	return failure
}

// skip finds the command for going on without the gate at the end of an error.
var skip = regexp.MustCompile(`aws cloudformation continue-update-rollback --stack-name drawbridge-dev-Database --resources-to-skip (FlipGate[0-9A-F]{8})$`)

// checkRefusal looks at the gate's error: CloudFormation must take it, and a person must find the ways on in it.
func (p *play) checkRefusal(reason string, says ...string) {
	p.t.Helper()
	for _, text := range append(says, ". Mend that with -c exposure=public, then flip again.") {
		if !strings.Contains(reason, text) {
			p.t.Errorf("the error does not say %q: %s", text, reason)
		}
	}
	if id := skip.FindStringSubmatch(reason); id == nil || id[1] != p.resource(databaseStack, "Custom::FlipGate", "").LogicalID {
		p.t.Errorf("the error does not end with the way to go on without the gate: %s", reason)
	}
	if len(reason) > 1000 || strings.ContainsFunc(reason, unicode.IsControl) {
		p.t.Errorf("the error has %d bytes, or more than one line: %q", len(reason), reason)
	}
}

// mustRefuse deploys a flip that the gate has to refuse, and looks that it left everything as it was.
func (p *play) mustRefuse(change func(config), says ...string) {
	p.t.Helper()
	before, from := p.Resources(databaseStack), len(p.Operations())
	failure := p.failure(p.deploy(change))
	if !strings.HasPrefix(failure.LogicalID, "FlipGate") || failure.Status != cloudformation.UpdateRollbackComplete {
		p.t.Fatalf("the gate was to fail and the stack to be rolled back: %v", failure)
	}
	if status := p.Status(databaseStack); status != cloudformation.UpdateRollbackComplete {
		p.t.Errorf("the stack is %s", status)
	}
	p.checkRefusal(failure.Reason, append(says, "the database stays public")...)
	for _, o := range p.Operations()[from:] {
		switch o.Type {
		case "AWS::RDS::DBInstance", "AWS::EC2::Route", "AWS::EC2::SecurityGroupIngress":
			p.t.Errorf("a refused flip did this: %s", o)
		}
	}
	p.mustBe(true)
	if after := p.Resources(databaseStack); !reflect.DeepEqual(before, after) {
		p.t.Errorf("the rollback left\n%v\nwant\n%v", after, before)
	}
}

// mustServe looks that both users of dev read and do not write.
func (p *play) mustServe() {
	p.t.Helper()
	for _, key := range []string{"bi", "webapp"} {
		if err := p.logIn(key, "SELECT COUNT(*) FROM monster_teams.teams"); err != nil {
			p.t.Errorf("%s cannot read: %v", key, err)
		}
		if err := p.logIn(key, "DELETE FROM monster_teams.teams"); err == nil {
			p.t.Errorf("%s can write", key)
		}
	}
}

// tester is the account of the user bi: VPC's block is all of loopback here.
const tester = "'tester'@'127.0.0.0/8'"

// Each of these is done by hand while the database is public. The gate then refuses the flip, and the way on that
// docs/public-phase.md gives for it mends it: any change of the user, in the public phase.
func TestTheFlipIsRefusedWhenAReadOnlyUser(t *testing.T) {
	t.Parallel()
	const tooMuch = "it has a grant too many: "
	tests := []struct {
		name   string
		byHand []string // statements of an administrator
		says   []string
		mend   []string // statements, where a change of the user is not enough
		tidy   []string // statements after the flip
	}{
		{"was dropped", []string{"DROP USER " + tester},
			[]string{"bi (MySQL user tester): logging in as the MySQL user tester with the secret arn:aws:secretsmanager:", "refused the user name or password"}, nil, nil},
		{"has another password", []string{"ALTER USER " + tester + " IDENTIFIED BY 'changed by hand'"},
			[]string{"bi (MySQL user tester): logging in as", "refused the user name or password"}, nil, nil},
		{"is locked", []string{"ALTER USER " + tester + " ACCOUNT LOCK"},
			[]string{"bi (MySQL user tester): logging in as", "the account is locked"}, nil, nil},
		{"has an expired password", []string{"ALTER USER " + tester + " PASSWORD EXPIRE"},
			[]string{"bi (MySQL user tester): logging in as", "its password has expired"}, nil, nil},
		{"must show a certificate", []string{"ALTER USER " + tester + " REQUIRE X509"},
			[]string{"bi (MySQL user tester): logging in as", "refused the user name or password"}, nil, nil},
		{"may log in from another host only", []string{"RENAME USER " + tester + " TO 'tester'@'10.9.8.7'"},
			[]string{"bi (MySQL user tester): logging in as"}, nil, nil},
		{"may log in from everywhere", []string{"RENAME USER " + tester + " TO 'tester'@'%'"},
			[]string{"the server took it for another account, tester@%"}, nil, nil},
		{"may not read any more", []string{"REVOKE ALL PRIVILEGES, GRANT OPTION FROM " + tester},
			[]string{`it lacks SELECT on the schema "monster_teams"`}, nil, nil},
		{"may write in the schema", []string{"GRANT INSERT, SELECT ON `monster\\_teams`.* TO " + tester},
			[]string{tooMuch + "GRANT SELECT, INSERT ON `monster\\_teams`.*", "INSERT INTO `monster_teams`."}, nil, nil},
		{"may write everywhere", []string{"GRANT INSERT, UPDATE, DELETE ON *.* TO " + tester},
			[]string{tooMuch + "GRANT INSERT, UPDATE, DELETE ON *.*"}, nil, nil},
		{"may read everywhere", []string{"GRANT SELECT ON *.* TO " + tester},
			[]string{tooMuch + "GRANT SELECT ON *.*"}, nil, nil},
		{"may read a schema whose name is alike", []string{"CREATE DATABASE IF NOT EXISTS monsterXteams", "GRANT SELECT ON `monster_teams`.* TO " + tester},
			[]string{tooMuch + "GRANT SELECT ON `monster_teams`.*", `it can see other schemas: ["monsterXteams"]`}, nil, nil},
		{"may take on a role that writes", []string{"CREATE ROLE writer", "GRANT INSERT ON monster_teams.* TO writer", "GRANT writer TO " + tester},
			[]string{tooMuch + "GRANT `writer`@`%` TO"}, nil, []string{"DROP ROLE writer"}},
		{"has a role that writes", []string{"CREATE ROLE writer", "GRANT INSERT ON `monster\\_teams`.* TO writer", "GRANT writer TO " + tester, "SET DEFAULT ROLE writer TO " + tester},
			[]string{tooMuch + "GRANT `writer`@`%` TO", "the server would let it INSERT"}, nil, []string{"DROP ROLE writer"}},
		{"may write in one table", []string{"GRANT UPDATE ON monster_teams.teams TO " + tester},
			[]string{tooMuch + "GRANT UPDATE ON `monster_teams`.`teams`"}, nil, nil},
		{"may write in one column", []string{"GRANT UPDATE (name) ON monster_teams.teams TO " + tester},
			[]string{tooMuch + "GRANT UPDATE (`name`) ON `monster_teams`.`teams`"}, nil, nil},
		{"may run a routine that writes", []string{"CREATE PROCEDURE monster_teams.wipe() SQL SECURITY DEFINER DELETE FROM monster_teams.teams",
			"GRANT EXECUTE ON PROCEDURE monster_teams.wipe TO " + tester},
			[]string{tooMuch + "GRANT EXECUTE ON PROCEDURE `monster_teams`.`wipe`"}, nil, []string{"DROP PROCEDURE monster_teams.wipe"}},
		{"may pass on what it has", []string{"GRANT SELECT ON `monster\\_teams`.* TO " + tester + " WITH GRANT OPTION"},
			[]string{tooMuch + "GRANT SELECT ON `monster\\_teams`.*", "WITH GRANT OPTION"}, nil, nil},
		{"may act for the master user", []string{"GRANT PROXY ON admin@'%' TO " + tester},
			[]string{tooMuch + "GRANT PROXY ON"}, nil, nil},
		{"may write like everybody", []string{"CREATE USER ''@'%'", "CREATE DATABASE open", "GRANT INSERT ON open.* TO ''@'%'"},
			[]string{"2 of 2 read-only users", `it can see other schemas: ["open"]`}, []string{"DROP USER ''@'%'", "DROP DATABASE open"}, nil},
	}
	p := newPlay(t, nil)
	now := 20
	p.mustDeploy(all(public, connections(now)))
	for _, test := range tests {
		p.run(test.name, func(t *testing.T) {
			for _, statement := range test.byHand {
				p.asMaster(statement)
			}
			p.mustRefuse(connections(now), append(test.says, "of 2 read-only users do not work", "bi (MySQL user tester)")...)

			for _, statement := range test.mend {
				p.asMaster(statement)
			}
			now = 41 - now
			p.mustDeploy(all(public, connections(now)))
			p.mustDeploy(connections(now))
			p.mustBe(false)
			p.mustServe()
			p.mustDeploy(all(public, connections(now)))
			p.mustBe(true)
			for _, statement := range test.tidy {
				p.asMaster(statement)
			}
		})
	}
	p.run("is one of several, of which all are named", func(t *testing.T) {
		long := strings.Repeat("x", 60)
		for _, statement := range []string{
			"DROP USER 'webapp'@'127.0.0.0/8'", "CREATE TABLE monster_teams." + long + " (id INT)",
			"GRANT INSERT (id), UPDATE (id) ON monster_teams." + long + " TO " + tester, "GRANT DELETE ON monster_teams.* TO " + tester,
		} {
			p.asMaster(statement)
		}
		p.mustRefuse(connections(now), "2 of 2 read-only users do not work", "bi (MySQL user tester)", "webapp (MySQL user webapp)", tooMuch)
	})
}

func TestTheFlipIsRefusedWhenItsOwnDeployment(t *testing.T) {
	t.Parallel()
	p := newPlay(t, nil)
	p.mustDeploy(public)
	const together = "was added in the same deployment as the flip: deploy it first with -c exposure=public, then flip"
	p.run("adds a user, and goes through after that was deployed first", func(t *testing.T) {
		auditor := withUser("auditor", "auditor")
		p.mustRefuse(auditor, "1 of 3 read-only users", "auditor (MySQL user auditor): "+together)
		if accounts := p.accounts("auditor"); accounts != nil {
			t.Errorf("there is %v", accounts)
		}
		p.mustDeploy(all(public, auditor))
		p.mustDeploy(auditor)
		p.mustBe(false)
		p.mustServe()
		p.mustDeploy(public)
	})
	p.run("renames a user", func(t *testing.T) {
		rename := func(dev config) { user(dev, "bi")["username"] = "dashboard" }
		p.mustRefuse(rename, "bi (MySQL user dashboard): "+together)
		p.mustServe()
		if accounts := p.accounts("tester"); len(accounts) != 1 {
			t.Errorf("the user is %v", accounts)
		}
	})
	p.run("gives a user another schema", func(t *testing.T) {
		p.asMaster("CREATE DATABASE sales")
		sales := schemas("bi", "monster_teams", "sales")
		p.mustRefuse(sales, "bi (MySQL user tester)", `it lacks SELECT on the schema "sales" alone`)
		p.mustDeploy(all(public, sales))
		p.mustDeploy(sales)
		p.mustBe(false)
		p.mustDeploy(public)
	})
	p.run("and not when it takes the user that does not work out", func(t *testing.T) {
		auditor := withUser("auditor", "auditor")
		p.mustDeploy(all(public, auditor))
		p.asMaster("ALTER USER 'auditor'@'127.0.0.0/8' ACCOUNT LOCK")
		p.mustRefuse(auditor, "auditor (MySQL user auditor)")
		p.mustDeploy(nil)
		p.mustBe(false)
		if accounts := p.accounts("auditor"); accounts != nil {
			t.Errorf("%v is left", accounts)
		}
	})
}

// stoppable is a database whose instance RDS can change while nobody can connect.
type stoppable struct {
	*resources.MySQL
	stopped atomic.Bool
}

func (s *stoppable) Modify(ctx context.Context, before, after resources.DBInstance) error {
	if s.stopped.Load() {
		return nil
	}
	return s.MySQL.Modify(ctx, before, after)
}

func TestTheGateWhileNobodyCanLogIn(t *testing.T) {
	t.Parallel()
	database := &stoppable{}
	p := newPlay(t, func(o *rehearsal.Options) {
		database.MySQL = o.Database.(*resources.MySQL)
		o.Database = database
		impatient(o)
	})
	empty := sampleData(false)
	p.mustDeploy(all(public, empty))
	p.run("a flip is refused, and its rollback passes", func(t *testing.T) {
		p.server.Stop(t)
		database.stopped.Store(true)
		p.mustRefuse(empty, "2 of 2 read-only users", "bi (MySQL user tester)", "webapp (MySQL user webapp)", "cannot be reached", "(tried for ")
	})
	p.run("the flip goes through when it is back", func(t *testing.T) {
		p.server.Restart(t)
		database.stopped.Store(false)
		p.mustDeploy(empty)
		p.mustBe(false)
	})
	p.run("a flip is refused while a user has no connection left, until it may have more", func(t *testing.T) {
		p.mustDeploy(all(public, empty, connections(1)))
		_, secret := p.secretOf("bi")
		open, err := p.server.Open(t, "tester", secret["password"].(string), "").Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer open.Close() //nolint:errcheck // it did nothing
		p.mustRefuse(all(empty, connections(1)), "1 of 2 read-only users", "bi (MySQL user tester)", "has no connection left for this user")
		p.mustDeploy(all(public, empty, connections(21)))
		p.mustDeploy(all(empty, connections(21)))
		p.mustBe(false)
	})
	p.run("the way back to public passes without a log-in", func(t *testing.T) {
		p.server.Stop(t)
		database.stopped.Store(true)
		before := len(p.Secrets.Calls())
		p.mustDeploy(all(public, empty, connections(21)))
		p.mustBe(true)
		if calls := p.Secrets.Calls()[before:]; len(calls) > 0 {
			t.Errorf("the function asked for %v", calls)
		}
	})
}

func TestWhatIsNoFlipPassesTheGate(t *testing.T) {
	t.Parallel()
	gate := func(p *play, from int) (actions []cloudformation.Action) {
		for _, o := range p.Operations()[from:] {
			if o.Type == "Custom::FlipGate" && o.Err == "" {
				actions = append(actions, o.Action)
			}
		}
		return actions
	}
	for _, phase := range []struct {
		name   string
		change func(config)
	}{{"public", public}, {"private", nil}} {
		t.Run(phase.name, func(t *testing.T) {
			p := newPlay(t, nil)
			p.run("the first deployment", func(t *testing.T) {
				p.mustDeploy(phase.change)
				p.mustBe(phase.change != nil)
				p.mustServe()
				if did := gate(p, 0); !slices.Equal(did, []cloudformation.Action{cloudformation.Create}) {
					t.Errorf("the gate did %v", did)
				}
			})
			p.run("adding a user", func(t *testing.T) {
				from := len(p.Operations())
				p.mustDeploy(all(phase.change, withUser("auditor", "auditor")))
				p.mustBe(phase.change != nil)
				if err := p.logIn("auditor", "SELECT COUNT(*) FROM monster_teams.teams"); err != nil {
					t.Error(err)
				}
				if did := gate(p, from); !slices.Equal(did, []cloudformation.Action{cloudformation.Update}) {
					t.Errorf("the gate did %v", did)
				}
			})
			p.run("removing one, while another does not work", func(t *testing.T) {
				p.asMaster("ALTER USER " + tester + " ACCOUNT LOCK")
				p.mustDeploy(phase.change)
				if accounts := p.accounts("auditor"); accounts != nil {
					t.Errorf("%v is left", accounts)
				}
			})
			p.run("deleting the stacks", func(t *testing.T) {
				if err := p.DestroyAll(t.Context(), synthesize(t, phase.change)); err != nil {
					t.Fatal(err)
				}
				if status := p.Status(databaseStack); status != cloudformation.DeleteComplete {
					t.Errorf("the stack is %s", status)
				}
				if left := append(p.accounts("tester"), p.accounts("webapp")...); left != nil {
					t.Errorf("%v are left", left)
				}
			})
		})
	}
}

// neverStable plays AWS::ECS::Service: it fails when it is made.
type neverStable struct{ cloudformation.Provider }

func (neverStable) Create(context.Context, cloudformation.Request) (cloudformation.Resource, error) {
	return cloudformation.Resource{}, errors.New("it did not become stable")
}

// failing makes the deployment of a stack fail after everything else in it has gone well.
func failing(t testing.TB, assembly *template.Assembly, stack string) *template.Assembly {
	t.Helper()
	found, err := assembly.Stack(stack)
	if err != nil {
		t.Fatal(err)
	}
	last := template.Resource{Type: "AWS::ECS::Service"}
	for id := range found.Template.Resources {
		last.DependsOn = append(last.DependsOn, id)
	}
	found.Template.Resources["NeverSignalled"] = last
	return assembly
}

// withFailures lets the stacks of failing be deployed.
func withFailures(o *rehearsal.Options) {
	o.Providers = map[string]cloudformation.Provider{"AWS::ECS::Service": neverStable{}}
}

// CloudFormation does not document the order in which it rolls back.
func TestTheRollbackOfAFailedReturnToPublic(t *testing.T) {
	t.Parallel()
	for _, inOrder := range []bool{false, true} {
		t.Run(fmt.Sprintf("in the order of dependencies: %v", inOrder), func(t *testing.T) {
			p := newPlay(t, func(o *rehearsal.Options) {
				withFailures(o)
				o.RollbackInOrder = inOrder
			})
			p.mustDeploy(public)
			p.mustDeploy(nil)
			failedReturn := func() *cloudformation.Failure {
				t.Helper()
				failure := p.failure(p.deployAssembly(failing(t, synthesize(t, public), databaseStack)))
				if failure.LogicalID != "NeverSignalled" {
					t.Fatal(failure)
				}
				return failure
			}
			p.run("passes with users that work", func(t *testing.T) {
				before := p.Resources(databaseStack)
				if failure := failedReturn(); failure.Status != cloudformation.UpdateRollbackComplete {
					t.Fatal(failure)
				}
				p.mustBe(false)
				if after := p.Resources(databaseStack); !reflect.DeepEqual(before, after) {
					t.Errorf("the rollback left\n%v\nwant\n%v", after, before)
				}
			})
			p.run("is refused with one that does not, and goes on as the error says", func(t *testing.T) {
				p.asMaster("ALTER USER " + tester + " ACCOUNT LOCK")
				failure := failedReturn()
				if failure.Status != cloudformation.UpdateRollbackFailed {
					t.Fatal(failure)
				}
				p.checkRefusal(failure.RollbackReason[strings.Index(failure.RollbackReason, ": ")+2:], "bi (MySQL user tester)", "the account is locked")
				if err := p.ContinueUpdateRollback(t.Context(), databaseStack); err == nil {
					t.Error("the rollback went on with the gate")
				}
				command := skip.FindStringSubmatch(failure.RollbackReason)
				if docs, err := os.ReadFile("../../docs/public-phase.md"); err != nil || !strings.Contains(string(docs), "\n"+command[0]+"\n") {
					t.Errorf("docs/public-phase.md does not give %q: %v", command[0], err)
				}
				id := command[1]
				if err := p.ContinueUpdateRollback(t.Context(), databaseStack, id); err != nil {
					t.Fatal(err)
				}
				if status := p.Status(databaseStack); status != cloudformation.UpdateRollbackComplete {
					t.Errorf("the stack is %s", status)
				}
				p.mustBe(false)
			})
			p.run("can also be mended and go on with the gate", func(t *testing.T) {
				if failure := failedReturn(); failure.Status != cloudformation.UpdateRollbackFailed {
					t.Fatal(failure)
				}
				p.asMaster("ALTER USER " + tester + " ACCOUNT UNLOCK")
				if err := p.ContinueUpdateRollback(t.Context(), databaseStack); err != nil {
					t.Fatal(err)
				}
				p.mustBe(false)
				p.mustServe()
			})
			p.run("leaves a stack that can return to public, refuse a flip and flip", func(t *testing.T) {
				p.mustDeploy(public)
				p.asMaster("ALTER USER " + tester + " ACCOUNT LOCK")
				p.mustRefuse(nil, "the account is locked")
				p.asMaster("ALTER USER " + tester + " ACCOUNT UNLOCK")
				p.mustDeploy(nil)
				p.mustBe(false)
				p.mustServe()
			})
		})
	}
}
