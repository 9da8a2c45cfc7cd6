package endtoend

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/go-sql-driver/mysql"

	"drawbridge/internal/mysqldb"
	server "drawbridge/rehearsal/secretsmanager"
)

const webAppStack = "drawbridge-dev-WebApp"

// login is what a secret of a read-only user holds, without what the attachment adds.
type login struct{ Username, Password string }

// stage is the log-in that a secret holds under a staging label; empty where it holds none.
func (p *play) stage(arn, label string) (l login) {
	text, err := p.Secrets.Value(arn, label)
	if err == nil {
		err = json.Unmarshal([]byte(text), &l)
	}
	if err != nil {
		return login{}
	}
	return l
}

// works says whether MySQL takes a log-in, into the schema that the user reads.
func (p *play) works(l login) bool {
	p.t.Helper()
	db := p.server.Open(p.t, l.Username, l.Password, "monster_teams")
	defer db.Close() //nolint:errcheck // nothing is buffered
	err := db.Ping()
	if refused, ok := errors.AsType[*mysql.MySQLError](err); ok && refused.Number == 1045 {
		return false
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return true
}

// invoke invokes the function as Secrets Manager does, and waits.
func (p *play) invoke(ctx context.Context, functionARN string, event []byte) error {
	defer p.remember()
	_, err := p.Account.Functions.Invoke(ctx, functionARN, event)
	return err
}

// rotate rotates a secret, which must go well, and looks that the password that worked before works on.
func (p *play) rotate(arn string) {
	p.t.Helper()
	before := p.stage(arn, server.Current)
	if err := p.Secrets.Rotate(p.t.Context(), arn, p.invoke); err != nil {
		p.t.Fatal(err)
	}
	p.checkRotated(arn, before)
}

// checkRotated looks at a secret after a rotation.
func (p *play) checkRotated(arn string, before login) {
	p.t.Helper()
	after := p.stage(arn, server.Current)
	switch {
	case after.Password == before.Password || after.Username != before.Username:
		p.t.Error("the secret has the same password, or another user")
	case !p.works(after):
		p.t.Error("the new password does not work")
	case !p.works(before):
		p.t.Error("the password before does not work any more")
	case p.stage(arn, server.Previous) != before:
		p.t.Error("AWSPREVIOUS is not the password before")
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	p := newPlay(t, nil)
	p.mustDeploy(nil)
	arn, _ := p.secretOf("webapp")

	p.run("the test at deployment leaves nothing behind", func(t *testing.T) {
		if !strings.Contains(p.log.String(), `"step":"testSecret"`) {
			t.Error("there was no test")
		}
		stages, err := p.Secrets.Stages(arn)
		if err != nil || stages[server.Pending] != "" {
			t.Errorf("the secret has the labels %v, %v", stages, err)
		}
		for _, call := range p.Secrets.Calls() {
			if call.SecretID == arn && call.Operation != "GetSecretValue" && call.Operation != "DescribeSecret" {
				t.Errorf("the function called %s", call.Operation)
			}
		}
		var second sql.NullString
		if err := p.server.Root(t).QueryRow("SELECT User_attributes->>'$.additional_password' FROM mysql.user WHERE User = 'webapp'").Scan(&second); err != nil || second.Valid {
			t.Errorf("the account has a second password: %v", err)
		}
		if !p.works(p.stage(arn, server.Current)) {
			t.Error("the password does not work")
		}
	})
	p.run("gives the user a new password without a person, and keeps the one before until the next", func(t *testing.T) {
		_, all := p.secretOf("webapp")
		first := p.stage(arn, server.Current)
		p.rotate(arn)
		second := p.stage(arn, server.Current)
		if !regexp.MustCompile(`^[A-Za-z0-9]{32}$`).MatchString(second.Password) {
			t.Error("the new password is not 32 letters and digits")
		}
		_, now := p.secretOf("webapp")
		if now["password"] = all["password"]; !reflect.DeepEqual(now, all) {
			t.Errorf("the secret now has %v in place of %v", slices.Sorted(maps.Keys(now)), slices.Sorted(maps.Keys(all)))
		}
		p.rotate(arn)
		if p.works(first) {
			t.Error("the password before the last one still works")
		}
		p.mustServe()
	})
	p.run("goes on after it was cut off at any of its calls", func(t *testing.T) {
		calls := 0
		for ; ; calls++ {
			if calls > 40 {
				t.Fatal("it does not end")
			}
			before := p.stage(arn, server.Current)
			p.Secrets.ClearFaults()
			p.Secrets.Inject(server.Fault{Skip: calls, Times: 1, Code: "InvalidParameterException"})
			err := p.Secrets.Rotate(t.Context(), arn, p.invoke)
			p.Secrets.ClearFaults()
			if err == nil {
				break
			}
			if !p.works(p.stage(arn, server.Current)) || !p.works(before) {
				t.Errorf("cut off at call %d, the current password does not work", calls)
			}
			if err := p.Secrets.RetryRotation(t.Context(), arn, p.invoke); err != nil {
				t.Fatalf("cut off at call %d: %v", calls, err)
			}
			p.checkRotated(arn, before)
		}
		if calls < 8 {
			t.Errorf("a rotation made %d calls alone", calls)
		}
	})
	steps := []string{"createSecret", "setSecret", "testSecret", "finishSecret"}
	for _, step := range steps {
		p.run("goes on when the success of "+step+" got lost", func(t *testing.T) {
			before := p.stage(arn, server.Current)
			lost := errors.New("lost")
			err := p.Secrets.Rotate(t.Context(), arn, func(ctx context.Context, function string, event []byte) error {
				if err := p.invoke(ctx, function, event); err != nil {
					t.Fatal(err)
				}
				if strings.Contains(string(event), step) {
					return lost
				}
				return nil
			})
			if !errors.Is(err, lost) || !p.works(before) {
				t.Fatalf("%v; the password before works: %v", err, p.works(before))
			}
			// After finishSecret nothing is left to be done.
			if err := p.Secrets.RetryRotation(t.Context(), arn, p.invoke); err != nil && step != "finishSecret" {
				t.Fatal(err)
			}
			p.checkRotated(arn, before)
		})
	}
	p.run("takes every event twice", func(t *testing.T) {
		before := p.stage(arn, server.Current)
		var events [][]byte
		twice := func(ctx context.Context, function string, event []byte) error {
			events = append(events, event)
			return errors.Join(p.invoke(ctx, function, event), p.invoke(ctx, function, event))
		}
		if err := p.Secrets.Rotate(t.Context(), arn, twice); err != nil {
			t.Fatal(err)
		}
		p.checkRotated(arn, before)
		after, err := p.Secrets.Stages(arn)
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range events { // Lambda may deliver very late
			if _, err := p.function().Invoke(t.Context(), event); err != nil {
				t.Error(err)
			}
		}
		if late, err := p.Secrets.Stages(arn); err != nil || !maps.Equal(late, after) {
			t.Errorf("late events moved the labels from %v to %v, %v", after, late, err)
		}
		p.checkRotated(arn, before)
	})
	limit := 20
	update := func() error {
		limit = 61 - limit
		return p.deploy(func(dev config) { user(dev, "webapp")["maxConnections"] = limit })
	}
	for _, step := range steps[:3] {
		p.run("goes on after an update of the user that comes after "+step, func(t *testing.T) {
			before := p.stage(arn, server.Current)
			err := p.Secrets.Rotate(t.Context(), arn, func(ctx context.Context, function string, event []byte) error {
				err := p.invoke(ctx, function, event)
				if err == nil && strings.Contains(string(event), step) {
					err = update()
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			p.checkRotated(arn, before)
		})
	}
	p.run("goes well beside updates of the user", func(t *testing.T) {
		for range 5 {
			before, rotated := p.stage(arn, server.Current), make(chan error, 1)
			go func() { rotated <- p.Secrets.Rotate(t.Context(), arn, p.invoke) }()
			if err := errors.Join(update(), update(), <-rotated); err != nil {
				t.Fatal(err)
			}
			p.checkRotated(arn, before)
		}
	})
}

// webAppSettings are those that the template gives the web app, read as it reads them.
func (p *play) webAppSettings() mysqldb.Settings {
	p.t.Helper()
	environment := map[string]string{"DRAWBRIDGE_DB_CA_FILE": p.server.CAFile}
	for _, option := range p.resource(webAppStack, "AWS::ElasticBeanstalk::Environment", "").Properties["OptionSettings"].([]any) {
		option := option.(map[string]any)
		if option["Namespace"] == "aws:elasticbeanstalk:application:environment" {
			environment[option["OptionName"].(string)] = option["Value"].(string)
		}
	}
	settings, err := mysqldb.FromEnv(func(name string) (string, bool) { value, ok := environment[name]; return value, ok })
	if err != nil {
		p.t.Fatal(err)
	}
	return settings
}

// client is a client of Secrets Manager with the rights of a role in a stack.
func (p *play) client(stack, role string) *secretsmanager.Client {
	p.t.Helper()
	c := p.Secrets.Credentials(p.resource(stack, "AWS::IAM::Role", role).Attributes["Arn"].(string))
	return secretsmanager.New(secretsmanager.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String(p.Secrets.URL()),
		Credentials: credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken),
	})
}

func TestTheWebAppKeepsServingThroughRotations(t *testing.T) {
	t.Parallel()
	p := newPlay(t, nil)
	p.mustDeploy(nil)
	db, err := mysqldb.Open(p.webAppSettings(), mysqldb.ReadOnly(), mysqldb.WithSecretReader(p.client(webAppStack, "InstanceRole")))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // only read
	// A connection lives for a few queries, so that many log in between any two steps of a rotation.
	db.SetMaxOpenConns(4)
	db.SetConnMaxLifetime(5 * time.Millisecond)
	read := func(from interface {
		QueryRowContext(context.Context, string, ...any) *sql.Row
	}) error {
		var teams int
		return from.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM teams").Scan(&teams)
	}
	long, err := db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer long.Rollback() //nolint:errcheck // only read

	var stop atomic.Bool
	var queries, failed atomic.Int64
	var visitors sync.WaitGroup
	defer visitors.Wait()
	defer stop.Store(true)
	for range 3 {
		visitors.Go(func() {
			for !stop.Load() {
				queries.Add(1)
				if err := read(db); err != nil && failed.Add(1) <= 5 {
					t.Error(err)
				}
			}
		})
	}
	arn, _ := p.secretOf("webapp")
	for range 3 {
		before := db.Stats().MaxLifetimeClosed
		p.rotate(arn)
		for db.Stats().MaxLifetimeClosed < before+20 && failed.Load() == 0 {
			time.Sleep(time.Millisecond)
		}
		if err := read(long); err != nil {
			t.Errorf("the transaction that is under way: %v", err)
		}
	}
	stop.Store(true)
	visitors.Wait()
	if failed.Load() > 0 || queries.Load() < 100 {
		t.Errorf("%d of %d queries failed", failed.Load(), queries.Load())
	}
}

func TestThePasswordOfTheBIUserIsRotatedOnceConfigSaysSo(t *testing.T) {
	t.Parallel()
	p := newPlay(t, nil)
	rotate := func(on bool) func(config) { return func(dev config) { user(dev, "bi")["rotate"] = on } }
	p.mustDeploy(rotate(true))
	arn, _ := p.secretOf("bi")
	p.rotate(arn)
	p.mustDeploy(rotate(false))
	if err := p.Account.Rotate(t.Context(), arn); err == nil {
		t.Error("it is still rotated")
	}
	p.mustServe()
}

// The vendor's form holds that password.
func TestThePasswordOfTheBIUserIsNotRotated(t *testing.T) {
	t.Parallel()
	p := newPlay(t, impatient)
	p.mustDeploy(sampleData(false))
	arn, _ := p.secretOf("bi")
	before := p.stage(arn, server.Current)
	p.run("it has no schedule", func(t *testing.T) {
		if err := p.Account.Rotate(t.Context(), arn); err == nil || !strings.Contains(err.Error(), "No Lambda rotation function") {
			t.Errorf("the rotation said: %v", err)
		}
	})
	p.run("the function's role may read the secret and not write it", func(t *testing.T) {
		client := p.client(databaseStack, "DatabaseFunctionRole")
		if _, err := client.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &arn}); err != nil {
			t.Error(err)
		}
		_, err := client.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
			SecretId: &arn, ClientRequestToken: aws.String(strings.Repeat("a", 32)), SecretString: aws.String("x"),
		})
		if err == nil || !strings.Contains(err.Error(), "AccessDeniedException") {
			t.Errorf("writing the secret said: %v", err)
		}
	})
	p.run("nor when somebody turns rotation on by hand", func(t *testing.T) {
		if err := p.Secrets.SetRotation(arn, p.function().Config().ARN); err != nil {
			t.Fatal(err)
		}
		err := p.Secrets.Rotate(t.Context(), arn, p.invoke)
		if err == nil || !strings.Contains(err.Error(), "allow secretsmanager:DescribeSecret on it for the function's role") {
			t.Errorf("the rotation said: %v", err)
		}
	})
	p.run("and neither is the master user's", func(t *testing.T) {
		master := p.resource(databaseStack, "AWS::SecretsManager::Secret", "MasterSecret").PhysicalID
		if err := p.Secrets.SetRotation(master, p.function().Config().ARN); err != nil {
			t.Fatal(err)
		}
		err := p.Secrets.Rotate(t.Context(), master, p.invoke)
		if err == nil || !strings.Contains(err.Error(), "allow secretsmanager:DescribeSecret on it for the function's role") {
			t.Errorf("the rotation said: %v", err)
		}
	})
	p.run("not even when the web app's secret names that user", func(t *testing.T) {
		master, webapp := p.resource(databaseStack, "AWS::SecretsManager::Secret", "MasterSecret").PhysicalID, p.resource(databaseStack, "AWS::SecretsManager::Secret", "webapp").PhysicalID
		text, err := p.Secrets.Value(master, server.Current)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Secrets.Put(webapp, text); err != nil {
			t.Fatal(err)
		}
		err = p.Secrets.Rotate(t.Context(), webapp, p.invoke)
		if err == nil || !strings.Contains(err.Error(), "`admin`@`%` was not made by Drawbridge") {
			t.Errorf("the rotation said: %v", err)
		}
		if !p.works(p.stage(master, server.Current)) || p.works(p.stage(webapp, server.Pending)) {
			t.Error("the master user has another password")
		}
	})
	p.run("the password is what it was", func(t *testing.T) {
		if p.stage(arn, server.Current) != before || !p.works(before) {
			t.Error("it is another, or does not work")
		}
		p.sendAgain(databaseStack, "Custom::ReadOnlyUser", "bi", cfn.RequestUpdate, nil).must(t)
	})
}
