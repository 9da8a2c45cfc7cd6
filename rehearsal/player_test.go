package rehearsal

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"drawbridge/internal/lockedbuffer"
	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/internal/testfunction"
	"drawbridge/rehearsal/resources"
	"drawbridge/rehearsal/secretsmanager"
	"drawbridge/rehearsal/template"
)

func TestMain(m *testing.M) { testfunction.Main(m) }

// database remembers what happened to its instances.
type database struct {
	mu        sync.Mutex
	passwords map[string]string
	events    []string
}

func (d *database) Create(_ context.Context, i resources.DBInstance) (resources.Endpoint, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.passwords[i.Identifier] = i.MasterPassword
	d.events = append(d.events, fmt.Sprintf("create public=%v", i.PubliclyAccessible))
	return resources.Endpoint{Address: "127.0.0.1", Port: 13306}, nil
}

func (d *database) Modify(_ context.Context, before, after resources.DBInstance) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, fmt.Sprintf("modify public=%v to %v", before.PubliclyAccessible, after.PubliclyAccessible))
	if before.MasterPassword != "" || after.MasterPassword == "" {
		return errors.New("the passwords are not those that were promised")
	}
	return nil
}

func (d *database) Delete(_ context.Context, i resources.DBInstance) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, "delete")
	delete(d.passwords, i.Identifier)
	return nil
}

// stage is a player with a small environment of the same shape as the real one.
type stage struct {
	*Player
	t        *testing.T
	database *database
	events   string // a file with what the function got
	log      *lockedbuffer.Buffer
}

func newStage(t *testing.T, change func(*Options)) *stage {
	t.Helper()
	testfunction.NoLeftovers(t)
	s := &stage{
		t: t, database: &database{passwords: map[string]string{}}, events: filepath.Join(t.TempDir(), "events"), log: &lockedbuffer.Buffer{},
	}
	options := Options{
		Database: s.database, ServiceTimeout: 20 * time.Second, FunctionTimeout: 10 * time.Second, FunctionLog: s.log,
		FunctionRetries: []time.Duration{10 * time.Millisecond, 10 * time.Millisecond}, FunctionEnvironment: map[string]string{"EVENTS": s.events},
	}
	if change != nil {
		change(&options)
	}
	var err error
	if s.Player, err = New(options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// stack reads a template of testdata and makes the replacements, given as pairs.
func (s *stage) stack(name string, replacements ...string) *template.Stack {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		s.t.Fatal(err)
	}
	machine := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	replaced := strings.NewReplacer(append(replacements, "MACHINE", machine)...).Replace(string(text))
	for i := 0; i < len(replacements); i += 2 {
		if !strings.Contains(string(text), replacements[i]) {
			s.t.Fatalf("%s does not hold %s", name, replacements[i])
		}
	}
	parsed, err := template.Parse([]byte(replaced))
	if err != nil {
		s.t.Fatal(err)
	}
	return &template.Stack{
		ID: name, Name: "test-" + name, Template: parsed,
		Assets: map[string]template.Asset{"function.zip": {Path: testfunction.Zip(s.t)}},
	}
}

func (s *stage) deploy(name string, replacements ...string) error {
	s.t.Helper()
	return s.Deploy(s.t.Context(), s.stack(name, replacements...), nil)
}

// up deploys the whole environment in the public phase.
func (s *stage) up() {
	s.t.Helper()
	for _, name := range []string{"network", "database", "tunnel"} {
		if err := s.deploy(name); err != nil {
			s.t.Fatalf("%v\n%s", err, s.log)
		}
	}
}

// got are the events that the function got, such as "Create Gate".
func (s *stage) got() (events []string) {
	f, err := os.Open(s.events)
	if err != nil {
		return nil
	}
	defer f.Close() //nolint:errcheck // it was only read
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var e struct{ RequestType, LogicalResourceId string }
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			s.t.Fatal(err)
		}
		events = append(events, e.RequestType+" "+e.LogicalResourceId)
	}
	return events
}

func (s *stage) secret(stack, logicalID string) (arn string, value map[string]any) {
	s.t.Helper()
	r, err := s.Resource(stack, logicalID)
	if err != nil {
		s.t.Fatal(err)
	}
	text, err := s.Secrets.Value(r.PhysicalID, secretsmanager.Current)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		s.t.Fatal(err)
	}
	return r.PhysicalID, value
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the error is %v, want something about %q", err, part)
		}
	}
}

const toPrivate = `"Exposure": "public"`

func TestEnvironment(t *testing.T) {
	s := newStage(t, nil)
	s.up()
	t.Run("the function gets one event for each custom resource", func(t *testing.T) {
		if got := s.got(); !slices.Equal(got, []string{"Create Gate", "Create User", "Create Key"}) {
			t.Errorf("%v", got)
		}
	})
	t.Run("the instance has the master secret's password, and the secrets say where it is", func(t *testing.T) {
		_, master := s.secret("test-database", "MasterSecret")
		_, user := s.secret("test-database", "UserSecret")
		for _, password := range s.database.passwords {
			if password != master["password"] || len(password) != 32 {
				t.Error("it has not")
			}
		}
		delete(user, "password")
		delete(user, "dbInstanceIdentifier")
		if want := `map[dbname:monster_teams engine:mysql host:127.0.0.1 port:13306 username:webapp]`; fmt.Sprint(user) != want {
			t.Errorf("the user's secret is %v", user)
		}
	})
	t.Run("the VPC's block is loopback's", func(t *testing.T) {
		if user, _ := s.Resource("test-database", "User"); user.Properties["Host"] != "127.0.0.0/8" {
			t.Errorf("%v", user.Properties["Host"])
		}
	})
	t.Run("the function reaches the secrets that its policies allow, through the VPC endpoint", func(t *testing.T) {
		read := func(logicalID string) error {
			arn, _ := s.secret("test-database", logicalID)
			return s.invoke(`{"Do":"secret","SecretID":"` + arn + `"}`)
		}
		if err := read("UserSecret"); err != nil {
			t.Error(err)
		}
		wantError(t, read("OtherSecret"), "AccessDenied")
		// The key's secret has no value yet, which is another error than not to be allowed.
		key, err := s.Resource("test-tunnel", "KeySecret")
		if err != nil {
			t.Fatal(err)
		}
		wantError(t, s.invoke(`{"Do":"secret","SecretID":"`+key.PhysicalID+`"}`), "ResourceNotFoundException")
	})
	t.Run("rotation works, and a failed one can be tried again", func(t *testing.T) {
		arn, before := s.secret("test-database", "UserSecret")
		if err := s.Account.Rotate(t.Context(), arn); err != nil {
			t.Fatal(err)
		}
		if _, after := s.secret("test-database", "UserSecret"); before["rotated"] != nil || after["rotated"] != "yes" {
			t.Error("the secret did not change")
		}
		// One of them was the schedule's test. The last may come late through the pipe.
		for deadline := time.Now().Add(10 * time.Second); strings.Count(s.log.String(), "rotation step") != 5; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("not five steps:\n%s", s.log)
			}
		}
		if err := s.deploy("database", `"SHUTDOWN": "no"`, `"FAIL_SET_SECRET": "yes"`); err != nil {
			t.Fatal(err)
		}
		wantError(t, s.Account.Rotate(t.Context(), arn), "setSecret failed as told")
		if err := s.deploy("database"); err != nil {
			t.Fatal(err)
		}
		if err := s.Account.RetryRotation(t.Context(), arn); err != nil {
			t.Error(err)
		}
	})
	t.Run("the flip calls the gate before the instance", func(t *testing.T) {
		s.database.events = nil
		before := len(s.Operations())
		if err := s.deploy("database", toPrivate, `"Exposure": "private"`, `"PubliclyAccessible": true`, `"PubliclyAccessible": false`); err != nil {
			t.Fatal(err)
		}
		var did []string
		for _, o := range s.Operations()[before:] {
			did = append(did, string(o.Action)+" "+o.LogicalID)
		}
		if !slices.Equal(did, []string{"Update Gate", "Update Instance"}) || !slices.Equal(s.database.events, []string{"modify public=true to false"}) {
			t.Errorf("%v, %v", did, s.database.events)
		}
	})
	t.Run("deleting leaves nothing", func(t *testing.T) {
		for _, name := range []string{"test-tunnel", "test-database", "test-network"} {
			if err := s.Delete(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		got := s.got()
		if deleted := got[len(got)-3:]; !slices.Equal(deleted, []string{"Delete Key", "Delete User", "Delete Gate"}) {
			t.Errorf("%v", deleted)
		}
		if len(s.Account.Functions.All()) > 0 || len(s.database.passwords) > 0 {
			t.Error("functions or instances are left")
		}
	})
}

// invoke runs the function of the database stack.
func (s *stage) invoke(event string) error {
	s.t.Helper()
	r, err := s.Resource("test-database", "Function")
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = s.Account.Functions.Invoke(s.t.Context(), fmt.Sprint(r.Attributes["Arn"]), []byte(event))
	return err
}

func TestRefusedFlipLeavesTheInstanceAlone(t *testing.T) {
	s := newStage(t, nil)
	s.up()
	s.database.events = nil
	err := s.deploy("database", toPrivate, `"Exposure": "private", "UpdateAnswer": "fail"`, `"PubliclyAccessible": true`, `"PubliclyAccessible": false`)
	wantError(t, err, "UPDATE_ROLLBACK_COMPLETE", "Gate failed: failed as told")
	if len(s.database.events) > 0 {
		t.Errorf("the instance: %v", s.database.events)
	}
	if s.Status("test-database") != cloudformation.UpdateRollbackComplete {
		t.Errorf("the stack is %s", s.Status("test-database"))
	}
	got := s.got()
	if last := got[len(got)-2:]; !slices.Equal(last, []string{"Update Gate", "Update Gate"}) {
		t.Errorf("%v", last)
	}
}

func TestFunctionThatAnswersBadly(t *testing.T) {
	for answer, want := range map[string]string{
		"fail":           "failed as told",
		"wrong request":  "its RequestId",
		"wrong stack":    "its StackId",
		"wrong resource": "its LogicalResourceId",
		"wrong status":   "neither SUCCESS nor FAILED",
		"no reason":      "without a Reason",
		"no id":          "no PhysicalResourceId",
		"long id":        "more than 1024",
		"too long":       "more than 4096",
		"not JSON":       "not a JSON object",
		"content type":   "did not answer",
		"wrong url":      "did not answer",
		"silence":        "did not answer",
		"crash":          "did not answer",
		"hang":           "did not answer",
		"late":           "did not answer",
	} {
		t.Run(answer, func(t *testing.T) {
			s := newStage(t, func(o *Options) {
				o.FunctionTimeout = 2 * time.Second
				if want == "did not answer" {
					o.ServiceTimeout, o.FunctionTimeout = 300*time.Millisecond, 700*time.Millisecond
				}
			})
			if err := s.deploy("network"); err != nil {
				t.Fatal(err)
			}
			wantError(t, s.deploy("database", toPrivate, `"Exposure": "public", "CreateAnswer": "`+answer+`"`), "Gate failed", want)
			for _, o := range s.Operations() {
				if o.LogicalID == "Instance" {
					t.Errorf("the instance was touched: %s", o)
				}
			}
		})
	}
	t.Run("twice: the first counts", func(t *testing.T) {
		s := newStage(t, nil)
		if err := s.deploy("network"); err != nil {
			t.Fatal(err)
		}
		if err := s.deploy("database", toPrivate, `"Exposure": "public", "CreateAnswer": "twice"`); err != nil {
			t.Fatal(err)
		}
		ignored := 0
		for _, answer := range s.Answers() {
			if answer.Outcome == cloudformation.Ignored {
				ignored++
			}
		}
		if ignored != 1 {
			t.Errorf("%+v", s.Answers())
		}
	})
	t.Run("not at first: a lost answer makes Lambda invoke again", func(t *testing.T) {
		s := newStage(t, nil)
		s.FailAnswers(cloudformation.AnswerFault{Times: 2, Status: 503})
		if err := s.deploy("network"); err != nil {
			t.Fatal(err)
		}
		if err := s.deploy("database"); err != nil {
			t.Fatal(err)
		}
		if got := s.got(); !slices.Equal(got, []string{"Create Gate", "Create Gate", "Create Gate", "Create User"}) {
			t.Errorf("%v", got)
		}
	})
}

func TestWiringMistakesAreFound(t *testing.T) {
	for name, test := range map[string]struct {
		from, to string
		want     string
	}{
		"no permission for rotation":            {`"Principal": "secretsmanager.amazonaws.com"`, `"Principal": "events.amazonaws.com"`, "may not be invoked by Secrets Manager"},
		"an endpoint that is not this VPC's":    {`{"Fn::ImportValue": "secrets-endpoint"}`, `"Z1:vpce-of-others.amazonaws.com"`, "Rotation failed"},
		"no endpoint in a VPC without internet": {`"AWS_ENDPOINT_URL_SECRETS_MANAGER"`, `"ANOTHER_VARIABLE"`, "Rotation failed"},
		"a role without the secret":             {`[{"Ref": "MasterSecret"}, {"Ref": "UserSecret"}]`, `[{"Ref": "MasterSecret"}]`, "AccessDenied"},
		"a variable that Lambda reserves":       {`"SHUTDOWN"`, `"AWS_REGION"`, "AWS_REGION"},
		"another architecture":                  {`"MACHINE"`, `"other"`, "-c architecture="},
		"a program that is not in the assembly": {`"function.zip"`, `"absent.zip"`, "no asset"},
		"a rotation that fails at once":         {`"RotateImmediatelyOnUpdate": false`, `"HostedRotationLambda": {}`, "HostedRotationLambda"},
		"a policy that is not understood":       {`"Resource": [{"Ref": "MasterSecret"}`, `"NotPrincipal": "*", "Resource": [{"Ref": "MasterSecret"}`, "NotPrincipal"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, nil)
			if err := s.deploy("network"); err != nil {
				t.Fatal(err)
			}
			wantError(t, s.deploy("database", test.from, test.to), test.want)
			if s.Status("test-database") != cloudformation.RollbackComplete {
				t.Errorf("the stack is %s", s.Status("test-database"))
			}
		})
	}
}

func TestNothingIsLeftWhenATestPanics(t *testing.T) {
	testfunction.NoLeftovers(t)
	func() {
		defer func() { _ = recover() }()
		p, err := New(Options{Database: &database{passwords: map[string]string{}}})
		if err != nil {
			t.Fatal(err)
		}
		s := &stage{Player: p, t: t, log: &lockedbuffer.Buffer{}}
		defer func() {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}()
		s.up()
		panic("in the middle")
	}()
}
