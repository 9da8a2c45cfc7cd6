package mysqldb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"drawbridge/internal/mysqltest"
)

// fakeReader gives out one secret.
type fakeReader struct {
	mu    sync.Mutex
	value string
	err   error
	delay time.Duration
	reads atomic.Int32
}

func (f *fakeReader) set(value string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.value = value
}

func (f *fakeReader) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	f.reads.Add(1)
	select {
	case <-time.After(f.delay):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if aws.ToString(in.SecretId) != testARN {
		return nil, fmt.Errorf("asked for %q", aws.ToString(in.SecretId))
	}
	if f.err != nil {
		return nil, f.err
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: aws.String(f.value)}, nil
}

// secretFor is the JSON of RDS's keys for a user of the server.
func secretFor(server *mysqltest.Server, user, password string) string {
	value, _ := json.Marshal(map[string]any{"engine": "mysql", "host": server.Host, "port": server.Port, "username": user, "password": password})
	return string(value)
}

// newUser creates a user who may log in and returns a function that changes the
// password.
func newUser(t *testing.T, server *mysqltest.Server, name, password string) (change func(string)) {
	t.Helper()
	root := server.Root(t)
	run := func(query string) {
		t.Helper()
		if _, err := root.Exec(query); err != nil {
			t.Fatal(err)
		}
	}
	run(fmt.Sprintf("CREATE USER %s IDENTIFIED BY '%s'", name, password))
	t.Cleanup(func() { _, _ = root.Exec("DROP USER " + name) })
	return func(password string) {
		t.Helper()
		run(fmt.Sprintf("ALTER USER %s IDENTIFIED BY '%s'", name, password))
	}
}

func TestSecretGivesWhatTheEnvironmentDoesNot(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	user, password := server.Master()
	secret := func(fields map[string]any) string {
		all := map[string]any{"username": user, "password": password}
		for key, value := range fields {
			all[key] = value
		}
		text, _ := json.Marshal(all)
		return string(text)
	}
	for name, test := range map[string]struct {
		secret   string
		settings Settings
		database string
	}{
		"everything is in the secret": {secret(map[string]any{"host": server.Host, "port": server.Port, "dbname": schema}), Settings{}, schema},
		"a port in quotes":            {secret(map[string]any{"host": server.Host, "port": fmt.Sprint(server.Port), "dbname": schema}), Settings{}, schema},
		"the environment wins": {
			secret(map[string]any{"host": "no-such-host.invalid", "port": 1, "dbname": "absent"}),
			Settings{Host: server.Host, Port: server.Port, Database: schema}, schema,
		},
		"no database in either": {secret(map[string]any{"host": server.Host, "port": server.Port}), Settings{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			settings := test.settings
			settings.SecretARN, settings.CAFile = testARN, server.CAFile
			db := open(t, settings, WithSecretReader(&fakeReader{value: test.secret}))
			var database, who *string
			if err := db.QueryRowContext(timeLimited(t), "SELECT DATABASE(), CURRENT_USER()").Scan(&database, &who); err != nil {
				t.Fatal(err)
			}
			if aws.ToString(database) != test.database || !strings.HasPrefix(aws.ToString(who), user+"@") {
				t.Errorf("in %q as %q, want %q as %q", aws.ToString(database), aws.ToString(who), test.database, user)
			}
		})
	}
}

func TestRotatedPasswordIsPickedUp(t *testing.T) {
	server := mysqltest.Shared(t)
	change := newUser(t, server, "rotated", "First-pass-1")
	reader := &fakeReader{value: secretFor(server, "rotated", "First-pass-1")}
	db := open(t, Settings{SecretARN: testARN, CAFile: server.CAFile}, WithSecretReader(reader))
	db.SetMaxIdleConns(0) // every use makes a connection
	connect := func() error { return db.PingContext(timeLimited(t)) }

	for range 3 {
		if err := connect(); err != nil {
			t.Fatal(err)
		}
	}
	if n := reader.reads.Load(); n != 1 {
		t.Errorf("three connections read the secret %d times, want once", n)
	}

	change("Second-pass-2")
	reader.set(secretFor(server, "rotated", "Second-pass-2"))
	if err := connect(); err != nil {
		t.Fatalf("after the rotation: %v", err)
	}
	change("Third-pass-3")
	reader.set(secretFor(server, "rotated", "Third-pass-3"))
	if err := connect(); err != nil {
		t.Fatalf("after another rotation: %v", err)
	}
	if n := reader.reads.Load(); n != 3 {
		t.Errorf("two rotations led to %d readings in all, want 3", n)
	}

	// The secret lags behind: the error says so, and Secrets Manager is not
	// asked at every attempt.
	change("Fourth-pass-4")
	for range 5 {
		wantKind(t, connect(), AccessDenied, "refused the user name or password", "Third-pass-3", "Fourth-pass-4")
	}
	if n := reader.reads.Load(); n != 4 {
		t.Errorf("five refused connections read the secret %d times, want once", n-3)
	}
}

func TestConcurrentConnectionsReadTheSecretOnce(t *testing.T) {
	server := mysqltest.Shared(t)
	change := newUser(t, server, "crowd", "First-pass-1")
	reader := &fakeReader{value: secretFor(server, "crowd", "First-pass-1"), delay: 300 * time.Millisecond}
	db := open(t, Settings{SecretARN: testARN, CAFile: server.CAFile}, WithSecretReader(reader))
	db.SetMaxIdleConns(0)
	crowd := func() {
		t.Helper()
		ctx := timeLimited(t)
		errs := make(chan error)
		for range 10 {
			go func() { errs <- db.PingContext(ctx) }()
		}
		for range 10 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	}
	crowd()
	if n := reader.reads.Load(); n != 1 {
		t.Errorf("the first ten connections read the secret %d times, want once", n)
	}
	change("Second-pass-2")
	reader.set(secretFor(server, "crowd", "Second-pass-2"))
	crowd()
	if n := reader.reads.Load(); n != 2 {
		t.Errorf("after the rotation ten connections read the secret %d times, want once", n-1)
	}
}

func TestOneCallerGivingUpDoesNotFailTheOthers(t *testing.T) {
	cache := &secretCache{arn: testARN, reader: &fakeReader{value: `{"username":"u","password":"p"}`, delay: 300 * time.Millisecond}}
	impatient, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	gaveUp := make(chan error)
	go func() {
		_, err := cache.get(impatient)
		gaveUp <- err
	}()
	time.Sleep(20 * time.Millisecond)
	value, err := cache.get(timeLimited(t))
	if err != nil || value.Username != "u" {
		t.Errorf("the patient caller got %v, %v", value, err)
	}
	wantKind(t, <-gaveUp, SecretUnreadable, "did not answer in time")
}

func TestUselessSecrets(t *testing.T) {
	for name, test := range map[string]struct{ value, part string }{
		"not JSON":             {"hunter2", "not JSON"},
		"JSON of another kind": {`["hunter2"]`, "not JSON"},
		"no password":          {`{"username":"u"}`, "no username or no password"},
		"no user name":         {`{"password":"hunter2"}`, "no username or no password"},
		"a number as password": {`{"username":"u","password":2222}`, "not JSON"},
		"a port that is none":  {`{"username":"u","password":"hunter2","port":"hunter2"}`, "not JSON"},
		"a port out of range":  {`{"username":"u","password":"hunter2","port":70000}`, "not JSON"},
		"no host anywhere":     {`{"username":"u","password":"hunter2"}`, "no host"},
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, Settings{SecretARN: testARN}, WithSecretReader(&fakeReader{value: test.value}))
			wantKind(t, db.PingContext(timeLimited(t)), SecretUnreadable, test.part, "hunter2", "2222")
		})
	}
	t.Run("unreadable for a reason that is not AWS's", func(t *testing.T) {
		db := open(t, Settings{SecretARN: testARN}, WithSecretReader(&fakeReader{err: errors.New("no credentials")}))
		wantKind(t, db.PingContext(timeLimited(t)), SecretUnreadable, "cannot be reached")
	})
}

func TestParseSecret(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want Secret
	}{
		"what RDS writes": {
			`{"engine":"mysql","host":"db.example.com","port":3307,"username":"u","password":"p","dbname":"shop","dbInstanceIdentifier":"x"}`,
			Secret{"db.example.com", 3307, "u", "p", "shop"},
		},
		"one that is attached to no database": {`{"username":"u","password":"p"}`, Secret{Username: "u", Password: "p"}},
		"a port in quotes, or none":           {`{"username":"u","password":"p","port":"3306","host":null}`, Secret{Port: 3306, Username: "u", Password: "p"}},
		"empty places":                        {`{"username":"u","password":"p","port":"","host":"","dbname":""}`, Secret{Username: "u", Password: "p"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := ParseSecret(testARN, &test.text); err != nil || got != test.want {
				t.Errorf("got %v with password %q, %v; want %v", got, got.Password, err, test.want)
			}
		})
	}
	for _, text := range []*string{nil, aws.String(""), aws.String("null"), aws.String("hunter2"), aws.String(`{"password":"hunter2"}`), aws.String(`{"password":{"hunter2":1}}`)} {
		_, err := ParseSecret(testARN, text)
		wantKind(t, err, SecretUnreadable, "the secret "+testARN+" cannot be used: it ", "hunter2")
		if !errors.Is(err, ErrSecretContent) {
			t.Errorf("%v does not wrap ErrSecretContent", err)
		}
	}
}

func TestUselessSecretsAreToldFromUnreadableOnes(t *testing.T) {
	for reason, test := range map[string]struct {
		reader *fakeReader
		want   bool
	}{
		"useless":           {&fakeReader{value: "hunter2"}, true},
		"useless, no host":  {&fakeReader{value: `{"username":"u","password":"hunter2"}`}, true},
		"unreadable":        {&fakeReader{err: errors.New("no route")}, false},
		"unreadable so far": {&fakeReader{err: context.DeadlineExceeded}, false},
	} {
		err := open(t, Settings{SecretARN: testARN}, WithSecretReader(test.reader)).PingContext(timeLimited(t))
		wantKind(t, err, SecretUnreadable, "the secret "+testARN, "hunter2")
		if errors.Is(err, ErrSecretContent) != test.want {
			t.Errorf("%s: %v", reason, err)
		}
	}
}

// FuzzParseSecret looks for text that panics, gives a log-in without a part that it needs, or comes back in the error.
func FuzzParseSecret(f *testing.F) {
	for _, text := range []string{`{"username":"u","password":"p","port":3306}`, `{"port":"\u0031"}`, "[]", "", `{"username":1e999}`, "\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		secret, err := ParseSecret(testARN, &text)
		if err == nil && (secret.Username == "" || secret.Password == "" || secret.Port < 0 || secret.Port > 65535) {
			t.Errorf("took %v", secret)
		}
		if err != nil && (len(err.Error()) > 300 || secret != Secret{}) {
			t.Errorf("%v, with %v", err, secret)
		}
	})
}

func TestPrintingASecretHidesThePassword(t *testing.T) {
	s := Secret{"db.example.com", 3306, "webapp", "hunter2", "shop"}
	asJSON, err := json.Marshal(map[string]any{"value": s, "pointer": &s})
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "value", s, "pointer", &s)
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "value", s, "pointer", &s)
	for form, printed := range map[string]string{
		"%v": fmt.Sprintf("%v %v", s, &s), "%+v": fmt.Sprintf("%+v %+v", s, &s), "%#v": fmt.Sprintf("%#v %#v", s, &s),
		"encoding/json": string(asJSON), "log/slog": logged.String(),
	} {
		if strings.Contains(printed, "hunter2") || !strings.Contains(printed, "db.example.com") || !strings.Contains(printed, "webapp") {
			t.Errorf("%s should print host and user, and no password: %s", form, printed)
		}
	}
}

func TestSecretARNs(t *testing.T) {
	for text, want := range map[string]bool{testARN: true, "": false, "webapp": false, testARN + ":password::": false, testARN + "\n": false, "arn:aws:s3:::bucket": false} {
		if IsSecretARN(text) != want {
			t.Errorf("IsSecretARN(%q) is not %v", text, want)
		}
	}
}

// TestAWSClient lets the real SDK talk to a Secrets Manager on loopback.
func TestAWSClient(t *testing.T) {
	server := mysqltest.Shared(t)
	user, password := server.Master()
	answer := func(w http.ResponseWriter, status int, body map[string]string) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
	for name, test := range map[string]struct {
		handle func(http.ResponseWriter)
		want   string // part of the error's sentence; empty means no error
	}{
		"reads the secret": {func(w http.ResponseWriter) {
			answer(w, 200, map[string]string{"SecretString": secretFor(server, user, password)})
		}, ""},
		"may not read it": {func(w http.ResponseWriter) {
			answer(w, 400, map[string]string{"__type": "AccessDeniedException", "Message": "no"})
		}, "allow secretsmanager:GetSecretValue"},
		"finds none": {func(w http.ResponseWriter) {
			answer(w, 400, map[string]string{"__type": "ResourceNotFoundException", "Message": "no"})
		}, "check the ARN"},
		"finds bytes": {func(w http.ResponseWriter) {
			answer(w, 200, map[string]string{"SecretBinary": "aHVudGVyMg=="})
		}, "holds bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			var region atomic.Value
			manager := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				region.Store(r.Header.Get("Authorization"))
				if target := r.Header.Get("X-Amz-Target"); target != "secretsmanager.GetSecretValue" {
					t.Errorf("called %q", target)
				}
				test.handle(w)
			}))
			defer manager.Close()
			awsEnvironment(t, manager.URL)

			err := open(t, Settings{SecretARN: testARN, CAFile: server.CAFile}).PingContext(timeLimited(t))
			if test.want == "" && err != nil {
				t.Error(err)
			} else if test.want != "" {
				wantKind(t, err, SecretUnreadable, test.want, password, "hunter2")
			}
			if signed, _ := region.Load().(string); !strings.Contains(signed, "/eu-west-1/secretsmanager/") {
				t.Errorf("signed for %q, want the region of the ARN", signed)
			}
		})
	}
	t.Run("reaches nobody", func(t *testing.T) {
		awsEnvironment(t, fmt.Sprintf("http://127.0.0.1:%d", closedPort(t)))
		wantKind(t, open(t, Settings{SecretARN: testARN}).PingContext(timeLimited(t)), SecretUnreadable, "Secrets Manager cannot be reached")
	})
}

// awsEnvironment sets the SDK's own variables, so that nothing of the machine's
// AWS settings plays a part.
func awsEnvironment(t *testing.T, endpoint string) {
	t.Helper()
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": endpoint, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": "",
		"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
}
