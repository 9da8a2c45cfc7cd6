package lambda

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"drawbridge/internal/mysqltest"
	"drawbridge/rehearsal/iam"
	"drawbridge/rehearsal/runtimeapi"
	"drawbridge/rehearsal/secretsmanager"
)

const (
	account = "123456789012"
	region  = "eu-west-1"
	role    = "arn:aws:iam::" + account + ":role/function"
)

// world is what is around both functions: the database, Secrets Manager, and who receives CloudFormation's answers.
type world struct {
	mysql       *mysqltest.Server
	schema      string
	secrets     *secretsmanager.Server
	credentials runtimeapi.Credentials
	master      string // the ARN of the master user's secret

	bucket *httptest.Server
	mu     sync.Mutex
	answer []byte // the last one
	users  int
}

func newWorld(b *testing.B) *world {
	b.Helper()
	w := &world{mysql: mysqltest.Start(b)}
	w.schema = w.mysql.NewSchema(b)
	if _, err := w.mysql.Root(b).Exec("CREATE TABLE " + w.schema + ".monsters (name VARCHAR(10))"); err != nil {
		b.Fatal(err)
	}

	policy, err := iam.ParsePolicy(map[string]any{"Version": "2012-10-17", "Statement": map[string]any{
		"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*",
	}})
	if err != nil {
		b.Fatal(err)
	}
	var roles iam.Directory
	roles.Attach(role, "secrets", policy)
	w.secrets, err = secretsmanager.Start(secretsmanager.Options{AccountID: account, Region: region, Roles: &roles})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = w.secrets.Close() })
	w.credentials = runtimeapi.Credentials(w.secrets.Credentials(role))
	username, password := w.mysql.Master()
	w.master = w.login(b, username, password)

	w.bucket = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.answer = body
	}))
	b.Cleanup(w.bucket.Close)
	return w
}

// secret makes a secret and returns its ARN.
func (w *world) secret(b *testing.B, name string, value *string) (arn string) {
	b.Helper()
	arn, err := w.secrets.Create(name, "", value)
	if err != nil {
		b.Fatal(err)
	}
	return arn
}

// login makes a secret with a log-in as RDS writes it, and returns its ARN.
func (w *world) login(b *testing.B, username, password string) (arn string) {
	b.Helper()
	text, err := json.Marshal(map[string]any{
		"engine": "mysql", "host": w.mysql.Host, "port": w.mysql.Port, "username": username, "password": password,
	})
	if err != nil {
		b.Fatal(err)
	}
	value := string(text)
	return w.secret(b, username, &value)
}

// user is a MySQL user that is still to be made. Nobody has had its name before.
type user struct{ name, password, secret string }

func (w *world) newUser(b *testing.B) user {
	b.Helper()
	w.users++
	u := user{name: fmt.Sprintf("user%d", w.users), password: rand.Text()}
	u.secret = w.login(b, u.name, u.password)
	return u
}

// reads fails b unless the user was made: it can log in, over TLS, and read the schema.
func (w *world) reads(b *testing.B, u user) {
	b.Helper()
	db := w.mysql.Open(b, u.name, u.password, w.schema)
	defer db.Close() //nolint:errcheck // nothing was written
	var rows int
	if err := db.QueryRowContext(context.Background(), "SELECT COUNT(*) FROM monsters").Scan(&rows); err != nil {
		b.Fatalf("the user %s does not work: %v", u.name, err)
	}
}

// succeeded fails b unless the last answer to CloudFormation said SUCCESS.
func (w *world) succeeded(b *testing.B) {
	b.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	var answer struct{ Status, Reason string }
	if err := json.Unmarshal(w.answer, &answer); err != nil || answer.Status != "SUCCESS" {
		b.Fatalf("the answer to CloudFormation is %q (%s), not SUCCESS", answer.Status, answer.Reason)
	}
	w.answer = nil
}
