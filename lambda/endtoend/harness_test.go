package endtoend

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"drawbridge/internal/lockedbuffer"
	"drawbridge/internal/mysqltest"
	"drawbridge/rehearsal"
	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/rehearsaltest"
	"drawbridge/rehearsal/resources"
	"drawbridge/rehearsal/runtimeapi"
	"drawbridge/rehearsal/secretsmanager"
	"drawbridge/rehearsal/template"
)

const (
	databaseStack = "drawbridge-dev-Database"
	bastionStack  = "drawbridge-dev-Bastion"
	tunnelStack   = "drawbridge-dev-Tunnel"
)

type config = rehearsaltest.Config

// synthesize is the environment dev, after change, which may be nil, has edited its config.
func synthesize(t testing.TB, change func(dev config)) *template.Assembly {
	t.Helper()
	return rehearsaltest.Synthesize(t, change)
}

func TestMain(m *testing.M) {
	flag.Parse()
	// Tests that run in parallel wait most of their time, for a server that is away or for time to run out.
	err := flag.Set("test.parallel", strconv.Itoa(max(8, runtime.GOMAXPROCS(0))))
	if err != nil {
		panic(err)
	}
	rehearsaltest.Main(m)
}

// public puts the database into the public phase.
func public(dev config) { dev["exposure"] = "public" }

// users is the config's readOnlyUsers.
func users(dev config) config { return dev["readOnlyUsers"].(map[string]any) }

// user is one entry of readOnlyUsers.
func user(dev config, key string) config { return users(dev)[key].(map[string]any) }

// all makes one change of several.
func all(changes ...func(config)) func(config) {
	return func(dev config) {
		for _, change := range changes {
			if change != nil {
				change(dev)
			}
		}
	}
}

// play is an account in which the environment dev is deployed.
type play struct {
	*rehearsal.Player
	t      testing.TB
	server *mysqltest.Server
	log    *lockedbuffer.Buffer // what the function wrote

	mu      sync.Mutex
	secrets map[string]bool // every secret that was seen, for the end
}

// newPlay starts a MySQL server and an empty account, after change, which may be nil, has edited its options. At the end
// of the test it looks for secrets where none may be.
func newPlay(t testing.TB, change func(*rehearsal.Options)) *play {
	t.Helper()
	p := &play{t: t, server: mysqltest.Start(t), log: &lockedbuffer.Buffer{}, secrets: map[string]bool{}}
	options := rehearsal.Options{
		Database: &resources.MySQL{
			Endpoint: resources.Endpoint{Address: p.server.Host, Port: p.server.Port}, Admin: p.server.Root(t),
		},
		FunctionEnvironment: map[string]string{"DRAWBRIDGE_DB_CA_FILE": p.server.CAFile},
		FunctionLog:         p.log,
		FunctionRetries:     []time.Duration{50 * time.Millisecond, 50 * time.Millisecond},
	}
	if change != nil {
		change(&options)
	}
	var err error
	if p.Player, err = rehearsal.New(options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.remember()
		p.checkNoSecretIsShown()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the function's log:\n%s", p.log)
		}
	})
	return p
}

// run runs a subtest, to which the play belongs until it ends.
func (p *play) run(name string, f func(t *testing.T)) {
	outer := p.t.(*testing.T)
	outer.Run(name, func(t *testing.T) {
		p.t = t
		defer func() { p.t = outer }()
		f(t)
	})
}

// shorter gives the function less time than its template does, for tests in which it uses it up.
func shorter(timeout time.Duration) func(*rehearsal.Options) {
	return func(o *rehearsal.Options) { o.FunctionTimeout = timeout }
}

// deploy deploys every stack of the environment, with a changed config. The change may be nil.
func (p *play) deploy(change func(dev config)) error {
	p.t.Helper()
	return p.deployAssembly(synthesize(p.t, change))
}

func (p *play) deployAssembly(assembly *template.Assembly) error {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 5*time.Minute)
	defer cancel()
	err := p.DeployAll(ctx, assembly)
	p.remember()
	return err
}

// mustDeploy deploys what has to go well.
func (p *play) mustDeploy(change func(dev config)) {
	p.t.Helper()
	if err := p.deploy(change); err != nil {
		p.t.Fatal(err)
	}
}

// resource is the only resource of a type in a stack whose logical id has a text in it.
func (p *play) resource(stack, kind, text string) cloudformation.State {
	p.t.Helper()
	var found []cloudformation.State
	for _, r := range p.Resources(stack) {
		if r.Type == kind && strings.Contains(r.LogicalID, text) {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		p.t.Fatalf("%d resources of type %s have %q in their ids, want 1", len(found), kind, text)
	}
	return found[0]
}

// secretOf is what stands in the secret of a read-only user, by its key in the config.
func (p *play) secretOf(key string) (arn string, value map[string]any) {
	p.t.Helper()
	r := p.resource(databaseStack, "AWS::SecretsManager::Secret", "ReadOnlyUser"+key)
	text, err := p.Secrets.Value(r.PhysicalID, secretsmanager.Current)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		p.t.Fatal(err)
	}
	return r.PhysicalID, value
}

// logIn logs in as a read-only user with the password in its secret, and reads from a schema's table.
func (p *play) logIn(key, query string) error {
	p.t.Helper()
	_, secret := p.secretOf(key)
	db := p.server.Open(p.t, secret["username"].(string), secret["password"].(string), "")
	defer db.Close() //nolint:errcheck // nothing is buffered
	rows, err := db.QueryContext(p.t.Context(), query)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // only read
	for rows.Next() {
	}
	return rows.Err()
}

// accounts are the MySQL accounts of that user name, as 'user'@'host'.
func (p *play) accounts(username string) (found []string) {
	p.t.Helper()
	root := p.server.Root(p.t)
	defer root.Close() //nolint:errcheck // only read
	rows, err := root.Query("SELECT User, Host FROM mysql.user WHERE User = ? ORDER BY Host", username)
	if err != nil {
		p.t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // only read
	for rows.Next() {
		var user, host string
		if err := rows.Scan(&user, &host); err != nil {
			p.t.Fatal(err)
		}
		found = append(found, fmt.Sprintf("'%s'@'%s'", user, host))
	}
	return found
}

// asMaster runs a statement as somebody who may do all that a master user may.
func (p *play) asMaster(statement string, arguments ...any) {
	p.t.Helper()
	root := p.server.Root(p.t)
	defer root.Close() //nolint:errcheck // nothing is buffered
	if _, err := root.Exec(statement, arguments...); err != nil {
		p.t.Fatal(err)
	}
}

// function is the Lambda function.
func (p *play) function() *runtimeapi.Function {
	p.t.Helper()
	for _, f := range p.Account.Functions.All() {
		return f
	}
	p.t.Fatal("no function runs")
	return nil
}

// remember notes all secrets that there are now.
func (p *play) remember() {
	for _, stack := range []string{databaseStack, tunnelStack} {
		for _, r := range p.Resources(stack) {
			if r.Type != "AWS::SecretsManager::Secret" {
				continue
			}
			for _, stage := range []string{secretsmanager.Current, secretsmanager.Pending, secretsmanager.Previous} {
				text, err := p.Secrets.Value(r.PhysicalID, stage)
				if err == nil {
					p.rememberValue(text)
				}
			}
		}
	}
}

func (p *play) rememberValue(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var value struct{ Password string }
	if json.Unmarshal([]byte(text), &value) == nil {
		if value.Password != "" {
			p.secrets[value.Password] = true
		}
		return
	}
	for line := range strings.Lines(text) { // a private key
		if line = strings.TrimSpace(line); len(line) > 20 && !strings.HasPrefix(line, "-----") {
			p.secrets[line] = true
		}
	}
}

// checkNoSecretIsShown looks for every secret of the play in what people and other services get to see.
func (p *play) checkNoSecretIsShown() {
	shown := map[string]string{"the function's log": p.log.String()}
	for _, answer := range p.Answers() {
		shown["the answer of "+answer.LogicalID] += answer.Reason + "\n"
	}
	for _, operation := range p.Operations() {
		shown["the events of CloudFormation"] += operation.String() + "\n"
	}
	for arn, f := range p.Account.Functions.All() {
		for name, value := range maps.All(f.Config().Environment) {
			shown["the environment of "+arn] += name + "=" + value + "\n"
		}
	}
	for _, stack := range []string{databaseStack, tunnelStack} {
		for name, value := range p.Outputs(stack) {
			shown["the outputs of "+stack] += name + "=" + value + "\n"
		}
		for _, r := range p.Resources(stack) {
			if strings.HasPrefix(r.Type, "Custom::") {
				shown["the physical ids and attributes of "+stack] += fmt.Sprintln(r.PhysicalID, r.Attributes)
			}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.secrets) < 3 {
		p.t.Errorf("only %d secrets were seen: this test would miss those that are shown", len(p.secrets))
	}
	for where, text := range shown {
		for secret := range p.secrets {
			if strings.Contains(text, secret) {
				p.t.Errorf("%s shows a secret", where)
			}
		}
		if strings.Contains(text, "X-Amz-Signature") {
			p.t.Errorf("%s shows the URL for an answer", where)
		}
	}
}
