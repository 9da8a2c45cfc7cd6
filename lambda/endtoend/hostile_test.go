package endtoend

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/cfn"

	"drawbridge/internal/mysqldb"
	"drawbridge/rehearsal"
)

// hostileUsernames are names that config takes, and that mean something to a shell, to SQL, to a grant, to JSON or to
// CloudFormation.
var hostileUsernames = []string{ // with bi and webapp, as many as config takes
	`o'brien`, `a "quoted" name`, "tick`tock", `back\slash`, `ends in \`, `100%_`, `%`, `'@'%`, `x'; DROP USER webapp; -- x`,
	`${AWS::Region}`, `$(id) <tag>&`, `{"a":1}`, "Zoë", "Zoe\u0308", "ｗｅｂａｐｐ", "名前", strings.Repeat("u", 32), strings.Repeat("名", 31) + "ä",
}

// hostileSchemas are schemas' names of that kind.
var hostileSchemas = []string{
	`o'schema`, `a "quoted" schema`, "tick`schema", `back\schema`, `ends in \`, `100% of it`, `_`, `%`, `a.b`, `x; DROP DATABASE monster_teams; --`,
	"Schéma", "名前", strings.Repeat("s", 64), strings.Repeat("名", 50), // a file system takes no longer folder
	"s_" + strings.Repeat("x", 60), strings.Repeat("_", 32),
}

// makeSchema makes a schema with one table and one row.
func (p *play) makeSchema(name string) {
	p.t.Helper()
	quoted := mysqldb.QuoteIdentifier(name)
	for _, statement := range []string{"CREATE DATABASE " + quoted, "CREATE TABLE " + quoted + ".facts (id INT)", "INSERT INTO " + quoted + ".facts VALUES (1)"} {
		p.asMaster(statement)
	}
}

// hostile adds one user for each name, each with a schema of its own.
func hostile(usernames []string) func(config) {
	return func(dev config) {
		for i, username := range usernames {
			users(dev)[fmt.Sprintf("hostile%02d", i)] = config{
				"username": username, "schemas": []any{hostileSchemas[i%len(hostileSchemas)]}, "rotate": i%2 == 0,
			}
		}
	}
}

// checkHostile looks that each user reads its own schema and nothing else.
func (p *play) checkHostile(usernames []string) {
	p.t.Helper()
	for i, username := range usernames {
		key := fmt.Sprintf("hostile%02d", i)
		if accounts := p.accounts(username); !slices.Equal(accounts, []string{"'" + username + "'@'127.0.0.0/8'"}) {
			p.t.Errorf("the accounts of %q are %q", username, accounts)
		}
		arn, secret := p.secretOf(key)
		if secret["username"] != username {
			p.t.Errorf("the secret %s is for %q", arn, secret["username"])
			continue
		}
		db := p.server.Open(p.t, username, secret["password"].(string), "")
		rows, err := db.Query("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN ('information_schema', 'performance_schema')")
		if err != nil {
			p.t.Errorf("%q: %v", username, err)
			continue
		}
		var seen []string
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				p.t.Error(err)
			}
			seen = append(seen, name)
		}
		own := hostileSchemas[i%len(hostileSchemas)]
		if rows.Err() != nil || !slices.Equal(seen, []string{own}) {
			p.t.Errorf("%q sees %q, want %q: %v", username, seen, own, rows.Err())
		}
		table := mysqldb.QuoteIdentifier(own) + ".facts"
		var id int
		if err := db.QueryRow("SELECT id FROM " + table).Scan(&id); err != nil {
			p.t.Errorf("%q cannot read %q: %v", username, own, err)
		}
		if _, err := db.Exec("INSERT INTO " + table + " VALUES (2)"); err == nil {
			p.t.Errorf("%q can write in %q", username, own)
		}
		_ = db.Close() // only read
	}
}

func TestHostileNamesThatConfigTakes(t *testing.T) {
	t.Parallel()
	p := newPlay(t, nil)
	for _, name := range append(hostileSchemas, "monster_teams", "monsterXteams", "s-"+strings.Repeat("x", 60)) {
		p.makeSchema(name)
	}
	// The same names for other entries: each becomes the name of another resource.
	renamed := append(slices.Clone(hostileUsernames[:len(hostileUsernames)-1]), strings.Repeat("n", 31)+`\`)
	for i := range renamed {
		if r := []rune(renamed[i]); len(r) < 31 {
			renamed[i] += "'2"
		} else {
			renamed[i] = string(r[:30]) + "'2"
		}
	}
	p.run("are deployed, proved, and each reads its own schema alone", func(t *testing.T) {
		p.mustDeploy(all(public, hostile(hostileUsernames)))
		p.checkHostile(hostileUsernames)
	})
	p.run("pass the gate", func(t *testing.T) {
		p.mustDeploy(hostile(hostileUsernames))
		p.mustBe(false)
	})
	p.run("rotate", func(t *testing.T) {
		for i := 0; i < len(hostileUsernames); i += 2 {
			arn, _ := p.secretOf(fmt.Sprintf("hostile%02d", i))
			if err := p.Account.Rotate(t.Context(), arn); err != nil {
				t.Errorf("%q: %v", hostileUsernames[i], err)
			}
		}
		p.checkHostile(hostileUsernames)
	})
	p.run("are renamed", func(t *testing.T) {
		p.mustDeploy(hostile(renamed))
		p.checkHostile(renamed)
		for _, username := range hostileUsernames {
			if accounts := p.accounts(username); accounts != nil {
				t.Errorf("%q is left", accounts)
			}
		}
	})
	p.run("are dropped, and nobody else", func(t *testing.T) {
		p.mustDeploy(nil)
		var others int
		if err := p.server.Root(t).QueryRow("SELECT COUNT(*) FROM mysql.user WHERE Host = '127.0.0.0/8'").Scan(&others); err != nil || others != 2 {
			t.Errorf("%d users are left, want bi's and webapp's: %v", others, err)
		}
		if err := p.logIn("webapp", "SELECT * FROM monster_teams.facts"); err != nil {
			t.Error(err)
		}
	})
}

func TestASchemaWithAWildcardInItsNameIsThatSchemaAlone(t *testing.T) {
	t.Parallel()
	p := newPlay(t, nil)
	p.makeSchema("monsterXteams")
	p.mustDeploy(nil)
	if err := p.logIn("bi", "SELECT * FROM monsterXteams.facts"); err == nil || !strings.Contains(err.Error(), "1142") {
		t.Errorf("monsterXteams can be read: %v", err)
	}
	if err := p.logIn("bi", "SELECT * FROM monster_teams.teams"); err != nil {
		t.Error(err)
	}
	p.run("a name that is too long with its wildcards escaped is refused", func(t *testing.T) {
		answer := p.sendAgain(databaseStack, "Custom::ReadOnlyUser", "bi", cfn.RequestUpdate, func(e *cfn.Event) {
			e.ResourceProperties["Schemas"] = []any{"monster_teams", strings.Repeat("_", 33)}
		})
		if answer.Status != "FAILED" || !strings.Contains(answer.Reason, `Schemas[1] is not`) || !strings.Contains(answer.Reason, `_, % and \ count twice`) {
			t.Errorf("%s: %s", answer.Status, answer.Reason)
		}
		if err := p.logIn("bi", "SELECT * FROM monster_teams.teams"); err != nil {
			t.Error(err)
		}
	})
}

// What config refuses comes to the function only in an event that somebody else sends. The account, if it made one, would
// be the hostile resource's.
func TestHostileProperties(t *testing.T) {
	t.Parallel()
	p := newPlay(t, nil)
	p.mustDeploy(nil)
	var before int
	count := func() (users int) {
		t.Helper()
		if err := p.server.Root(t).QueryRow("SELECT COUNT(*) FROM mysql.user").Scan(&users); err != nil {
			t.Fatal(err)
		}
		return users
	}
	before = count()
	list := func(items ...any) []any { return items }
	tests := []struct {
		name, property string
		value          any
	}{
		{"a username with a NUL", "Username", "tester\x00"},
		{"a username of 33 characters", "Username", strings.Repeat("u", 33)},
		{"a username of 33 characters of three bytes", "Username", strings.Repeat("名", 33)},
		{"a username of 96 bytes, the last of which MySQL forgets", "Username", strings.Repeat("名", 32)},
		{"a username with an emoji", "Username", "tester😀"},
		{"a username with a line feed", "Username", "tes\nter"},
		{"a username with an escape", "Username", "tester\x1b[31m"},
		{"a username with a zero-width space", "Username", "tester\u200b"},
		{"a username with a replacement character", "Username", "tester\ufffd"},
		{"a username that begins with a space", "Username", " tester"},
		{"a username that ends with a space", "Username", "tester "},
		{"an empty username", "Username", ""},
		{"a list as username", "Username", list("tester")},
		{"null as username", "Username", nil},
		{"a schema with a NUL", "Schemas", list("monster_teams\x00")},
		{"a schema of 65 characters", "Schemas", list(strings.Repeat("s", 65))},
		{"a schema with an emoji", "Schemas", list("monster_teams", "😀")},
		{"a schema with a tab", "Schemas", list("monster\tteams")},
		{"an empty schema", "Schemas", list("")},
		{"no schemas", "Schemas", list()},
		{"a text as schemas", "Schemas", "monster_teams"},
		{"a schema twice", "Schemas", list("monster_teams", "monster_teams")},
		{"MySQL's own schema", "Schemas", list("mysql")},
		{"MySQL's own schema in capitals", "Schemas", list("MySQL")},
		{"an empty host", "Host", ""},
		{"a host with a quote", "Host", "10.0.0.0/16'"},
		{"a host with a statement", "Host", "%' IDENTIFIED BY 'x'; -- "},
		{"a host with a backslash", "Host", `10.0.0.0\`},
		{"a host with a backquote", "Host", "10.0.0.0`"},
		{"a host with a space", "Host", "10.0.0.0 /16"},
		{"a host with a NUL", "Host", "10.0.0.0\x00"},
		{"a host with an @", "Host", "a@b"},
		{"a host of 256 characters", "Host", strings.Repeat("h", 256)},
		{"a host in other letters", "Host", "хост"},
		{"no connections", "MaxConnections", "0"},
		{"connections without end", "MaxConnections", "100001"},
		{"a statement as connections", "MaxConnections", "20 ACCOUNT UNLOCK"},
		{"a number with a sign", "MaxConnections", "+20"},
		{"another service's ARN", "SecretArn", "arn:aws:s3:::bucket"},
		{"a property of nobody's", "Password", "x"},
	}
	for _, test := range tests {
		p.run(test.name, func(t *testing.T) {
			hostile := func(e *cfn.Event) {
				e.LogicalResourceID = "Hostile"
				e.ResourceProperties[test.property] = test.value
			}
			answer := p.sendAgain(databaseStack, "Custom::ReadOnlyUser", "bi", cfn.RequestCreate, hostile)
			if answer.Status != "FAILED" || !strings.HasPrefix(answer.PhysicalResourceID, "not-created:") {
				t.Errorf("it is %s: %s (%s)", answer.Status, answer.Reason, answer.PhysicalResourceID)
			}
			if !strings.Contains(answer.Reason, test.property) {
				t.Errorf("the error does not name %s: %s", test.property, answer.Reason)
			}
			if text, ok := test.value.(string); ok && test.property == "Password" && strings.Contains(answer.Reason, `"`+text+`"`) {
				t.Errorf("the error shows the value: %s", answer.Reason)
			}
			p.sendAgain(databaseStack, "Custom::ReadOnlyUser", "bi", cfn.RequestDelete, func(e *cfn.Event) {
				hostile(e)
				e.PhysicalResourceID = answer.PhysicalResourceID
			}).must(t)
			update := p.sendAgain(databaseStack, "Custom::ReadOnlyUser", "bi", cfn.RequestUpdate, func(e *cfn.Event) {
				id := e.LogicalResourceID
				hostile(e)
				e.LogicalResourceID = id
			})
			if update.Status != "FAILED" || update.PhysicalResourceID != "mysql-user:tester" || !strings.Contains(update.Reason, test.property) {
				t.Errorf("as an update it is %s: %s (%s)", update.Status, update.Reason, update.PhysicalResourceID)
			}
			if after := count(); after != before {
				t.Errorf("there are %d accounts in place of %d", after, before)
			}
			if err := p.logIn("bi", "SELECT COUNT(*) FROM monster_teams.teams"); err != nil {
				t.Error(err)
			}
		})
	}
	p.run("the gate and the sample data refuse them too", func(t *testing.T) {
		for name, change := range map[string]func(map[string]any){
			"Exposure":          func(v map[string]any) { v["Exposure"] = "Public" },
			"Users[0].Username": func(v map[string]any) { v["Users"].([]any)[0].(map[string]any)["Username"] = "a\x00" },
			"Users[1].Schemas":  func(v map[string]any) { v["Users"].([]any)[1].(map[string]any)["Schemas"] = list() },
			"Users[0].Name":     func(v map[string]any) { delete(v["Users"].([]any)[0].(map[string]any), "Name") },
		} {
			answer := p.sendAgain(databaseStack, "Custom::FlipGate", "", cfn.RequestUpdate, func(e *cfn.Event) { change(e.ResourceProperties) })
			if answer.Status != "FAILED" || !strings.Contains(answer.Reason, name) {
				t.Errorf("%s: %s: %s", name, answer.Status, answer.Reason)
			}
		}
		answer := p.sendAgain(databaseStack, "Custom::SampleData", "", cfn.RequestUpdate, func(e *cfn.Event) { e.ResourceProperties["Schema"] = "a\x00" })
		if answer.Status != "FAILED" || !strings.Contains(answer.Reason, "Schema") {
			t.Errorf("%s: %s", answer.Status, answer.Reason)
		}
	})
}

// The host of the templates is the VPC's block, whatever that is.
func TestHosts(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"127.0.0.1", "%", "127.0.0.0/255.0.0.0", "127.%"} {
		t.Run(host, func(t *testing.T) {
			p := newPlay(t, func(o *rehearsal.Options) { o.VPCCIDR = host })
			p.mustDeploy(public)
			p.mustDeploy(nil)
			p.mustServe()
			if accounts := p.accounts("tester"); !slices.Equal(accounts, []string{"'tester'@'" + host + "'"}) {
				t.Errorf("the accounts are %v", accounts)
			}
		})
	}
}
