package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"drawbridge/internal/mysqltest"
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

// signature is in every answer's URL: whoever knows it can answer.
const signature = "X-Amz-Signature=f00dfeed"

const stackID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/drawbridge-dev-Database/51af3dc0-da77-11e4-872e-1234567db123"

// rig is a function with what is around it: Secrets Manager, CloudFormation's bucket and the log.
type rig struct {
	t       *testing.T
	f       *function
	secrets *fakeSecrets
	server  *mysqltest.Server // nil unless the test needs one
	limit   time.Duration     // of each invocation

	bucket  *httptest.Server
	refuse  func(attempt int) int // a status to answer instead, 0 for none
	mu      sync.Mutex
	bodies  []string
	logged  bytes.Buffer
	said    []string // whatever else came out: errors
	private []string // more texts that must not come out
}

// answer is what CloudFormation is told.
type answer struct {
	Status, Reason, PhysicalResourceID, RequestID, LogicalResourceID, StackID string
	Data                                                                      map[string]any
}

// newRig makes a function without a database. When the test ends, everything that came out of it is searched for
// passwords, private keys and the answer's URL.
func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, secrets: newFakeSecrets(), limit: 60 * time.Second}
	r.bucket = httptest.NewServer(http.HandlerFunc(r.receive))

	logger, client := slog.Default(), http.DefaultClient
	slog.SetDefault(slog.New(slog.NewJSONHandler(&lockedWriter{mu: &r.mu, w: &r.logged}, nil)))
	http.DefaultClient = answerClient(answerTimes{
		attempt: 2 * time.Second, all: 5 * time.Second, firstWait: time.Millisecond, maxWait: 10 * time.Millisecond, retries: 3,
	})
	r.f = newFunction(arnOf("master"), "", func() (secretsManager, error) { return r.secrets, nil })
	t.Cleanup(func() {
		r.bucket.Close()
		slog.SetDefault(logger)
		log.SetOutput(os.Stderr)
		log.SetFlags(log.LstdFlags)
		http.DefaultClient = client
		r.scan()
	})
	return r
}

// newDatabaseRig makes a function with the server that all tests share.
func newDatabaseRig(t *testing.T) *rig {
	t.Helper()
	return newRigOn(t, mysqltest.Shared(t))
}

// newRigOn makes a function whose database is the server.
func newRigOn(t *testing.T, server *mysqltest.Server) *rig {
	t.Helper()
	r := newRig(t)
	r.server, r.f.caFile = server, server.CAFile
	r.setMaster(nil)
	return r
}

// setMaster writes the master user's secret, with changes.
func (r *rig) setMaster(changes map[string]any) {
	username, password := r.server.Master()
	value := map[string]any{"host": r.server.Host, "port": r.server.Port, "username": username, "password": password, "engine": "mysql"}
	maps.Copy(value, changes)
	r.secrets.setJSON("master", value)
}

// setUser writes a user's secret, with changes, and returns its ARN.
func (r *rig) setUser(username, password string, changes map[string]any) string {
	value := map[string]any{"host": r.server.Host, "port": r.server.Port, "username": username, "password": password, "engine": "mysql"}
	maps.Copy(value, changes)
	return r.secrets.setJSON(username, value)
}

// receive takes an answer as S3 does.
func (r *rig) receive(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bodies = append(r.bodies, string(body))
	status := 0
	if r.refuse != nil {
		status = r.refuse(len(r.bodies))
	}
	if request.Method != http.MethodPut || request.URL.RawQuery != signature || request.Header.Get("Content-Type") != "" {
		status = http.StatusForbidden // the signature covers all of these
	}
	if status != 0 {
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "<Error><Code>SignatureDoesNotMatch</Code><SignatureProvided>%s</SignatureProvided></Error>", signature)
	}
}

// event is an event of CloudFormation with that resource type and those properties.
func (r *rig) event(requestType, resourceType string, properties map[string]any, changes ...any) map[string]any {
	all := map[string]any{"ServiceToken": "arn:aws:lambda:eu-west-1:123456789012:function:f", "ServiceTimeout": "900"}
	maps.Copy(all, properties)
	event := map[string]any{
		"RequestType": requestType, "ResourceType": resourceType, "ResourceProperties": all,
		"RequestId": "5c7cf1a9-1111", "LogicalResourceId": "TheResource", "StackId": stackID,
		"ResponseURL": r.bucket.URL + "/answer?" + signature,
	}
	for i := 0; i < len(changes); i += 2 {
		event[changes[i].(string)] = changes[i+1]
	}
	return event
}

// invoke delivers an event.
func (r *rig) invoke(event any) error {
	r.t.Helper()
	text, err := json.Marshal(event)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), r.limit)
	defer cancel()
	err = r.f.invoke(ctx, text)
	if err != nil {
		r.mu.Lock()
		r.said = append(r.said, fmt.Sprintf("%v %+v %#v", err, err, err))
		r.mu.Unlock()
	}
	return err
}

// request delivers an event of CloudFormation and returns the answer.
func (r *rig) request(event map[string]any) answer {
	r.t.Helper()
	r.mu.Lock()
	before := len(r.bodies)
	r.mu.Unlock()
	if err := r.invoke(event); err != nil {
		r.t.Fatalf("the invocation failed: %v", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.bodies) != before+1 {
		r.t.Fatalf("answered %d times, want once", len(r.bodies)-before)
	}
	body := r.bodies[before]
	if len(body) > 4096 {
		r.t.Errorf("the answer has %d bytes, CloudFormation takes 4096", len(body))
	}
	var a answer
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		r.t.Fatal(err)
	}
	if a.RequestID != event["RequestId"] || a.LogicalResourceID != event["LogicalResourceId"] || a.StackID != event["StackId"] {
		r.t.Errorf("the answer %+v is not for the request", a)
	}
	return a
}

func (r *rig) create(resourceType string, properties map[string]any) answer {
	r.t.Helper()
	return r.request(r.event("Create", resourceType, properties))
}

func (r *rig) update(resourceType, id string, old, properties map[string]any) answer {
	r.t.Helper()
	return r.request(r.event("Update", resourceType, properties, "PhysicalResourceId", id, "OldResourceProperties", old))
}

func (r *rig) delete(resourceType, id string, properties map[string]any) answer {
	r.t.Helper()
	return r.request(r.event("Delete", resourceType, properties, "PhysicalResourceId", id))
}

// succeeded fails the test unless a says SUCCESS with that physical id.
func (r *rig) succeeded(a answer, id string) {
	r.t.Helper()
	if a.Status != "SUCCESS" || a.PhysicalResourceID != id || a.Reason != "" {
		r.t.Fatalf("answered %s, id %q, reason %q; want SUCCESS with the id %q", a.Status, a.PhysicalResourceID, a.Reason, id)
	}
}

// failed fails the test unless a says FAILED with that physical id and a reason that holds all parts.
func (r *rig) failed(a answer, id string, parts ...string) {
	r.t.Helper()
	if a.Status != "FAILED" || a.PhysicalResourceID != id {
		r.t.Fatalf("answered %s, id %q, reason %q; want FAILED with the id %q", a.Status, a.PhysicalResourceID, a.Reason, id)
	}
	for _, part := range parts {
		if !strings.Contains(a.Reason, part) {
			r.t.Errorf("the reason %q should hold %q", a.Reason, part)
		}
	}
}

// log is what was logged so far.
func (r *rig) log() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.logged.String()
}

// scan searches everything that came out.
func (r *rig) scan() {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	forbidden := append(r.secrets.secretsEver(r.t), r.private...)
	forbidden = append(forbidden, signature, "f00dfeed")
	if r.server != nil {
		_, master := r.server.Master()
		_, root := r.server.RootLogin()
		forbidden = append(forbidden, master, root)
	}
	came := map[string]string{"an answer": strings.Join(r.bodies, "\n"), "the log": r.logged.String(), "an error": strings.Join(r.said, "\n")}
	for where, text := range came {
		for _, secret := range forbidden {
			if strings.Contains(text, secret) {
				r.t.Errorf("%s holds the secret %.12q…", where, secret)
			}
		}
	}
	for line := range strings.Lines(came["the log"]) {
		if !json.Valid([]byte(line)) {
			r.t.Errorf("a line of the log is not JSON: %s", line)
		}
	}
}

// root runs a statement as the user who may do everything.
func (r *rig) root(statement string) {
	r.t.Helper()
	if _, err := r.server.Root(r.t).Exec(statement); err != nil {
		r.t.Fatalf("%s: %v", statement, err)
	}
}

// account is the host of the accounts of that name, joined by spaces.
func (r *rig) account(username string) string {
	r.t.Helper()
	var hosts sql.NullString
	err := r.server.Root(r.t).QueryRow("SELECT GROUP_CONCAT(host ORDER BY host SEPARATOR ' ') FROM mysql.user WHERE user = ?", username).Scan(&hosts)
	if err != nil {
		r.t.Fatal(err)
	}
	return hosts.String
}

// dropsUser drops all accounts of those names when the test ends.
func (r *rig) dropsUser(names ...string) {
	r.t.Cleanup(func() {
		for _, name := range names {
			for host := range strings.FieldsSeq(r.account(name)) {
				r.root(fmt.Sprintf("DROP USER `%s`@`%s`", name, host))
			}
		}
	})
}

// logsIn reports whether MySQL takes the log-in.
func (r *rig) logsIn(username, password string) bool {
	r.t.Helper()
	db := r.server.Open(r.t, username, password, "")
	defer db.Close() //nolint:errcheck // nothing is buffered
	return db.Ping() == nil
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
