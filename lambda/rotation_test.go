package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"drawbridge/internal/mysqldb"
)

// token is the id of a new version, as Secrets Manager makes them.
func token(n int) string { return fmt.Sprintf("00000000-0000-0000-0000-%012d", n) }

// begin makes what Secrets Manager makes before the first step: a pending version without a value.
func (u *userRig) begin(n int) {
	u.secrets.change(arnOf(u.username), func(s *fakeSecret) {
		s.rotates = true
		s.put(token(n), nil, pending)
	})
}

// step delivers one step.
func (u *userRig) step(step string, n int) error {
	u.t.Helper()
	return u.invoke(map[string]any{"SecretId": arnOf(u.username), "ClientRequestToken": token(n), "Step": step, "RotationToken": "x"})
}

// steps delivers steps that must succeed, each as often as times says.
func (u *userRig) steps(n, times int, steps ...string) {
	u.t.Helper()
	for _, step := range steps {
		for range times {
			if err := u.step(step, n); err != nil {
				u.t.Fatalf("%s: %v", step, err)
			}
		}
	}
}

var allSteps = []string{"createSecret", "setSecret", "testSecret", "finishSecret"}

func TestRotation(t *testing.T) {
	for _, times := range []int{1, 2} {
		t.Run(fmt.Sprintf("each step %d times", times), func(t *testing.T) {
			u := newUserRig(t)
			u.setUser(u.username, u.password, map[string]any{"dbname": u.schema, "dbInstanceIdentifier": "db", "more": map[string]any{"a": []any{1.5, "<&>"}}})
			u.created()
			var before map[string]any
			_ = json.Unmarshal([]byte(u.secrets.text(arnOf(u.username), current)), &before)
			passwords := []string{u.password}
			for n := 1; n <= 3; n++ {
				u.begin(n)
				u.steps(n, times, "createSecret")
				next := u.secrets.password(arnOf(u.username), pending)
				if u.logsIn(u.username, next) {
					t.Fatal("the new password works before it was set")
				}
				u.steps(n, times, "setSecret")
				u.works(u.username, next)
				u.works(u.username, passwords[n-1]) // whoever has not read the secret again
				u.steps(n, times, "testSecret")
				if got := u.secrets.password(arnOf(u.username), current); got != passwords[n-1] {
					t.Fatal("the new version is current before the last step")
				}
				u.steps(n, times, "finishSecret")
				if got := u.secrets.password(arnOf(u.username), current); got != next {
					t.Fatal("the new version is not the current one")
				}
				if n >= 2 && u.logsIn(u.username, passwords[n-2]) {
					t.Error("the password before the last one still works")
				}
				passwords = append(passwords, next)
				u.secrets.change(arnOf(u.username), func(s *fakeSecret) { s.versions[token(n)].remove(pending) })
				u.steps(n, times, allSteps...) // late deliveries
				u.works(u.username, next)
			}
			var after map[string]any
			_ = json.Unmarshal([]byte(u.secrets.text(arnOf(u.username), current)), &after)
			delete(before, "password")
			delete(after, "password")
			if fmt.Sprint(before) != fmt.Sprint(after) {
				t.Errorf("the other keys were %v and are %v", before, after)
			}
		})
	}
}

func TestRotationDuringAnUpdate(t *testing.T) {
	for i := range allSteps {
		t.Run("after "+allSteps[i], func(t *testing.T) {
			u := newUserRig(t)
			u.created()
			u.begin(1)
			u.steps(1, 1, allSteps[:i+1]...)
			u.succeeded(u.update(userType, u.id(), u.properties(), u.properties("MaxConnections", "7")), u.id())
			next := u.secrets.password(arnOf(u.username), pending)
			if works := u.logsIn(u.username, next); works != (i >= 1) {
				t.Errorf("the new password works: %v", works)
			}
			u.works(u.username, u.password)
			u.steps(1, 1, allSteps[i+1:]...)
			u.works(u.username, next)
			u.succeeded(u.flip(u.username), gateID)
		})
	}
}

func TestRotationThatFailedHalfWayIsStartedAgain(t *testing.T) {
	u := newUserRig(t)
	u.created()
	u.begin(1)
	u.steps(1, 1, "createSecret", "setSecret")
	u.begin(2)
	u.steps(2, 1, allSteps...)
	u.works(u.username, u.secrets.password(arnOf(u.username), current))
	if err := u.step("finishSecret", 1); err == nil || !strings.Contains(err.Error(), "has no version") && !strings.Contains(err.Error(), "is not pending") {
		t.Errorf("the first rotation went on: %v", err)
	}
}

func TestRotationTestsTheCurrentVersionWhenNoneIsPending(t *testing.T) {
	u := newUserRig(t)
	u.created()
	u.begin(1)
	u.steps(1, 2, "testSecret")
	u.setUser(u.username, "Not-The-Password", nil)
	if err := u.step("testSecret", 1); err == nil || !strings.Contains(err.Error(), "refused the user name or password") {
		t.Errorf("a password that does not work passes: %v", err)
	}
}

func TestRotationTestReads(t *testing.T) {
	u := newUserRig(t)
	u.created()
	u.begin(1)
	u.steps(1, 1, "createSecret", "setSecret")
	u.revoke()
	u.steps(1, 1, "testSecret") // there is nothing that it may read
	u.root("GRANT SELECT (id) ON " + u.schema + ".monsters TO " + u.username + "@'" + loopback + "'")
	u.steps(1, 1, "testSecret")
}

func TestRotationIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		event func(*userRig) map[string]any
		want  string
	}{
		"a step that is none":        {func(*userRig) map[string]any { return map[string]any{"Step": "dropSecret"} }, `"dropSecret" is not a step of a rotation`},
		"no token":                   {func(*userRig) map[string]any { return map[string]any{"ClientRequestToken": ""} }, "the event is not a rotation"},
		"a secret's name, no ARN":    {func(u *userRig) map[string]any { return map[string]any{"SecretId": u.username} }, "the event is not a rotation"},
		"a field of the wrong type":  {func(*userRig) map[string]any { return map[string]any{"SecretId": 7} }, "the event is not a rotation"},
		"a secret that is not there": {func(*userRig) map[string]any { return map[string]any{"SecretId": arnOf("absent")} }, "ResourceNotFoundException"},
		"a version that is not there": {func(*userRig) map[string]any {
			return map[string]any{"ClientRequestToken": token(9)}
		}, "has no version"},
		"a version that is not pending": {func(u *userRig) map[string]any {
			u.secrets.change(arnOf(u.username), func(s *fakeSecret) { s.put(token(2), nil, "ELSE") })
			return map[string]any{"ClientRequestToken": token(2)}
		}, "is not pending"},
		"a secret that is not rotated": {func(u *userRig) map[string]any {
			u.secrets.change(arnOf(u.username), func(s *fakeSecret) { s.rotates = false })
			return nil
		}, "is not rotated"},
		"a pending version for another user": {func(u *userRig) map[string]any {
			u.pending(map[string]any{"username": "admin"})
			return nil
		}, "is for another user or host"},
		"a pending version for another host": {func(u *userRig) map[string]any {
			u.pending(map[string]any{"host": "elsewhere.example.com"})
			return nil
		}, "is for another user or host"},
		"a secret that holds the master's username": {func(u *userRig) map[string]any {
			master, password := u.server.Master()
			u.setUser(u.username, password, map[string]any{"username": master})
			u.pending(map[string]any{"username": master})
			return nil
		}, "was not made by Drawbridge"},
		"a user whom somebody dropped": {func(u *userRig) map[string]any {
			u.pending(nil)
			u.root("DROP USER " + u.username + "@'" + loopback + "'")
			return nil
		}, "does not log in as"},
		"a pending version that is no JSON": {func(u *userRig) map[string]any {
			u.pendingText("hunter2hunter2")
			return nil
		}, "not JSON"},
		"a current version that is no JSON": {func(u *userRig) map[string]any {
			u.secrets.set(u.username, "hunter2hunter2")
			return map[string]any{"Step": "createSecret"}
		}, "not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUserRig(t)
			u.private = append(u.private, "hunter2hunter2")
			u.created()
			u.begin(1)
			event := map[string]any{"SecretId": arnOf(u.username), "ClientRequestToken": token(1), "Step": "setSecret"}
			for key, value := range test.event(u) {
				event[key] = value
			}
			if err := u.invoke(event); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			master, password := u.server.Master()
			if !u.logsIn(master, password) {
				t.Error("the master's password was changed")
			}
		})
	}
}

// pending gives the pending version a value: the user's, with changes.
func (u *userRig) pending(changes map[string]any) {
	value := map[string]any{"host": u.server.Host, "port": u.server.Port, "username": u.username, "password": "Pending-Secret-Pw-1"}
	for key, change := range changes {
		value[key] = change
	}
	text, _ := json.Marshal(value)
	u.pendingText(string(text))
}

func (u *userRig) pendingText(text string) {
	u.secrets.ever = append(u.secrets.ever, text)
	u.secrets.change(arnOf(u.username), func(s *fakeSecret) { s.put(token(1), &text, pending) })
}

func TestRotationWaitsOutTrouble(t *testing.T) {
	u := newUserRig(t)
	u.created()
	proxy := newProxy(t, u.server.Addr(), nil)
	u.setMaster(map[string]any{"port": proxy.port})
	u.begin(1)
	for _, step := range allSteps {
		proxy.refuse.Store(2)
		u.secrets.fail = []error{apiError("ThrottlingException"), nil, apiError("AccessDeniedException")}
		u.steps(1, 1, step)
	}
	u.works(u.username, u.secrets.password(arnOf(u.username), current))

	u.begin(2)
	u.steps(2, 1, "createSecret")
	u.setMaster(map[string]any{"port": 1})
	u.limit = time.Second
	if err := u.step("setSecret", 2); err == nil || !strings.Contains(err.Error(), "cannot be reached") || !strings.Contains(err.Error(), "(tried for ") {
		t.Errorf("got %v", err)
	}
}

func TestWebAppServesAcrossTwoRotations(t *testing.T) {
	u := newUserRig(t)
	u.created()
	// As the web app opens it.
	db, err := mysqldb.Open(mysqldb.Settings{SecretARN: arnOf(u.username), Database: u.schema, CAFile: u.server.CAFile}, mysqldb.WithSecretReader(u.secrets), mysqldb.ReadOnly())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // the test is over
	db.SetMaxIdleConns(0)
	ctx, stop := context.WithCancel(t.Context())
	served, failed := make(chan int), make(chan error, 1)
	go func() {
		n := 0
		for ; ctx.Err() == nil; n++ {
			var name string
			if err := db.QueryRow("SELECT name FROM monsters").Scan(&name); err != nil || name != "Mike" {
				failed <- fmt.Errorf("request %d: %q, %w", n, name, err)
				break
			}
		}
		served <- n
	}()
	for n := 1; n <= 2; n++ {
		u.begin(n)
		u.steps(n, 1, allSteps...)
	}
	time.Sleep(100 * time.Millisecond)
	stop()
	if n := <-served; n < 4 {
		t.Errorf("%d requests were served, the test is of no use", n)
	}
	select {
	case err := <-failed:
		t.Error(err)
	default:
	}
	u.works(u.username, u.secrets.password(arnOf(u.username), current))
}

func TestNewPasswords(t *testing.T) {
	seen := map[string]bool{}
	for range 500 {
		password, err := newPassword()
		if err != nil {
			t.Fatal(err)
		}
		if len(password) != 32 || strings.Trim(password, lower+upper+digits) != "" || seen[password] ||
			!strings.ContainsAny(password, lower) || !strings.ContainsAny(password, upper) || !strings.ContainsAny(password, digits) {
			t.Fatal("a password is not 32 letters and digits of each kind, or came twice")
		}
		seen[password] = true
	}
}

// The username in a secret is whatever somebody writes there: with it alone, one user's secret would open another's
// account.
func TestRotationWithTheNameOfAnotherUserIsRefused(t *testing.T) {
	u := newUserRig(t)
	u.created()
	victim := u.username + "_victim"
	u.root(fmt.Sprintf("CREATE USER %s@`%s` IDENTIFIED BY 'Own-Password-1' ATTRIBUTE '{\"drawbridge\": {\"stack\": \"%s\", \"resource\": \"Another\"}}'",
		victim, loopback, stackID))
	t.Cleanup(func() { u.root(fmt.Sprintf("DROP USER %s@`%s`", victim, loopback)) })
	u.begin(1)
	u.setUser(u.username, "Unknown-Password-1", map[string]any{"username": victim})
	u.pending(map[string]any{"username": victim})
	event := map[string]any{"SecretId": arnOf(u.username), "ClientRequestToken": token(1), "Step": "setSecret"}
	if err := u.invoke(event); err == nil || !strings.Contains(err.Error(), "does not log in as "+victim) {
		t.Errorf("got %v", err)
	}
	if !u.logsIn(victim, "Own-Password-1") {
		t.Error("the other user's password was changed")
	}
}

// Some decoders take a key of any case, and with characters that fold to its own, for "password".
func TestRotationLeavesNoSecondPassword(t *testing.T) {
	u := newUserRig(t)
	u.setUser(u.username, u.password, map[string]any{"pa\u017f\u017fword": "Folded-Password-1", "PASSWORD": "Upper-Password-1"})
	u.begin(1)
	u.steps(1, 1, "createSecret")
	var value map[string]any
	if err := json.Unmarshal([]byte(u.secrets.text(arnOf(u.username), pending)), &value); err != nil {
		t.Fatal(err)
	}
	for key := range value {
		if key != "password" && strings.EqualFold(key, "password") {
			t.Errorf("the key %q is still there", key)
		}
	}
}

func TestRotationOfASecretThatWasNeverRotated(t *testing.T) {
	u := newUserRig(t)
	u.created()
	u.begin(1)
	u.secrets.change(arnOf(u.username), func(s *fakeSecret) { s.neverRotated = true })
	u.steps(1, 1, allSteps...)
}
