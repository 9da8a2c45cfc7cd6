package main

import (
	"database/sql"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/mysqltest"
)

// loopback is where the tests log in from.
const loopback = "127.0.0.0/8"

const userType = "Custom::ReadOnlyUser"

// userRig is a rig with a schema that has a table with a row, and a secret for a user called username.
type userRig struct {
	*rig
	schema   string
	username string
	password string
}

var users atomic.Int64

func newUserRig(t *testing.T) *userRig {
	t.Helper()
	r := newDatabaseRig(t)
	return r.user(t)
}

func (r *rig) user(t *testing.T) *userRig {
	t.Helper()
	n := users.Add(1)
	u := &userRig{rig: r, schema: r.server.NewSchema(t), username: fmt.Sprintf("lambda_user_%d", n), password: fmt.Sprintf("First-Secret-Pw-%d", n)}
	r.root("CREATE TABLE " + u.schema + ".monsters (id INT PRIMARY KEY, name TEXT)")
	r.root("INSERT INTO " + u.schema + ".monsters VALUES (1, 'Mike')")
	u.setUser(u.username, u.password, nil)
	u.dropsUser(u.username)
	return u
}

// properties are those of the user, with changes.
func (u *userRig) properties(changes ...any) map[string]any {
	properties := map[string]any{
		"Username": u.username, "Host": loopback, "Schemas": []any{u.schema}, "MaxConnections": "10", "SecretArn": arnOf(u.username),
	}
	for i := 0; i < len(changes); i += 2 {
		properties[changes[i].(string)] = changes[i+1]
	}
	return properties
}

func (u *userRig) id() string { return "mysql-user:" + u.username }

// created creates the user.
func (u *userRig) created() {
	u.t.Helper()
	u.succeeded(u.create(userType, u.properties()), u.id())
}

// works fails the test unless the user can log in with the password, read, and not write.
func (u *userRig) works(username, password string) {
	u.t.Helper()
	db := u.server.Open(u.t, username, password, "")
	defer db.Close() //nolint:errcheck // nothing is buffered
	var name string
	if err := db.QueryRow("SELECT name FROM " + u.schema + ".monsters").Scan(&name); err != nil || name != "Mike" {
		u.t.Errorf("%s reads %q: %v", username, name, err)
	}
	if _, err := db.Exec("DELETE FROM " + u.schema + ".monsters"); err == nil {
		u.t.Errorf("%s can write", username)
	}
}

func TestUserIsCreatedUpdatedAndDeletedAsOftenAsAsked(t *testing.T) {
	u := newUserRig(t)
	for range 2 {
		u.created()
		u.works(u.username, u.password)
	}
	second := u.server.NewSchema(t)
	more := u.properties("Schemas", []any{u.schema, second}, "MaxConnections", "20")
	for range 2 {
		u.succeeded(u.update(userType, u.id(), u.properties(), more), u.id())
		if !strings.Contains(u.grants(), strings.ReplaceAll(second, "_", `\_`)) {
			u.t.Errorf("the grants %s lack %s", u.grants(), second)
		}
	}
	for range 2 {
		u.succeeded(u.update(userType, u.id(), more, u.properties()), u.id())
		if strings.Contains(u.grants(), strings.ReplaceAll(second, "_", `\_`)) {
			u.t.Errorf("the grants %s still have %s", u.grants(), second)
		}
	}
	for range 2 {
		u.succeeded(u.delete(userType, u.id(), u.properties()), u.id())
		if hosts := u.account(u.username); hosts != "" {
			t.Errorf("the account is still there, at %s", hosts)
		}
	}
}

// revoke takes the user's right to read the schema away.
func (u *userRig) revoke() {
	u.t.Helper()
	u.root(fmt.Sprintf("REVOKE SELECT ON `%s`.* FROM `%s`@`%s`", strings.ReplaceAll(u.schema, "_", `\_`), u.username, loopback))
}

// grants is what SHOW GRANTS says of the user.
func (u *userRig) grants() string {
	u.t.Helper()
	rows, err := u.server.Root(u.t).Query(fmt.Sprintf("SHOW GRANTS FOR `%s`@`%s`", u.username, loopback))
	if err != nil {
		u.t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err is asked
	var all []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			u.t.Fatal(err)
		}
		all = append(all, line)
	}
	if rows.Err() != nil {
		u.t.Fatal(rows.Err())
	}
	return strings.Join(all, "; ")
}

func TestUserMovesToAnotherHostUnderTheSameID(t *testing.T) {
	u := newUserRig(t)
	u.created()
	u.succeeded(u.update(userType, u.id(), u.properties(), u.properties("Host", "127.0.0.1")), u.id())
	if hosts := u.account(u.username); hosts != "127.0.0.1" {
		t.Errorf("the account is at %q", hosts)
	}
	u.works(u.username, u.password)
}

func TestUserGetsThePasswordOfTheSecret(t *testing.T) {
	u := newUserRig(t)
	u.created()
	u.setUser(u.username, "Second-Secret-Pw", nil)
	u.succeeded(u.update(userType, u.id(), u.properties(), u.properties()), u.id())
	u.works(u.username, "Second-Secret-Pw")
	if u.logsIn(u.username, u.password) {
		t.Error("the password that the secret had before still works")
	}
}

func TestUserWhoseSecretNamesASchemaThatIsNotThere(t *testing.T) {
	u := newUserRig(t)
	u.setUser(u.username, u.password, map[string]any{"dbname": "absent_schema"})
	u.created()
	u.succeeded(u.flip(u.username), gateID)
}

func TestUserThatIsNotOursIsRefusedAndLeftAlone(t *testing.T) {
	for name, test := range map[string]struct {
		attribute, want string
	}{
		"somebody's":            {"", "was not made by Drawbridge"},
		"of the same stack's":   {`{"drawbridge": {"stack": "` + stackID + `", "resource": "AnotherResource"}}`, "AnotherResource"},
		"with other attributes": {`{"comment": "by hand"}`, "was not made by Drawbridge"},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUserRig(t)
			statement := fmt.Sprintf("CREATE USER %s@`%s` IDENTIFIED BY 'Own-Password-1'", u.username, loopback)
			if test.attribute != "" {
				statement += " ATTRIBUTE '" + test.attribute + "'"
			}
			u.root(statement)
			id := "mysql-user-unfinished:" + u.username
			u.failed(u.create(userType, u.properties()), id, test.want)
			u.succeeded(u.delete(userType, id, u.properties()), id)
			// Of a user that was made, and that has taken its mark away.
			u.failed(u.delete(userType, u.id(), u.properties()), u.id(), "DROP USER as the master user")
			if !u.logsIn(u.username, "Own-Password-1") {
				t.Error("the account was changed or dropped")
			}
		})
	}
}

func TestUserOfAnotherStackIsAdopted(t *testing.T) {
	u := newUserRig(t)
	u.root(fmt.Sprintf(`CREATE USER %s@'10.9.0.0/16' IDENTIFIED BY 'Own-Password-1' ATTRIBUTE '{"drawbridge": {"stack": "arn:old", "resource": "R"}}'`, u.username))
	u.created()
	u.works(u.username, u.password)
	if hosts := u.account(u.username); hosts != loopback {
		t.Errorf("the account is at %q", hosts)
	}
}

func TestCreateThatFailedIsDeleted(t *testing.T) {
	t.Run("before it changed anything, without a connection", func(t *testing.T) {
		for name, changes := range map[string]map[string]any{
			"a secret of another user":        {"username": "somebody"},
			"a secret without a host":         {"host": nil},
			"a secret without a password":     {"password": nil},
			"a secret with a host that is no": {"host": "no-such-host.invalid"},
		} {
			t.Run(name, func(t *testing.T) {
				u := newUserRig(t)
				u.setUser(u.username, u.password, changes)
				u.limit = 3 * time.Second
				made := u.create(userType, u.properties())
				u.failed(made, "not-created:5c7cf1a9-1111")
				calls := u.secrets.called("")
				u.f.masterSecretARN = ""
				u.succeeded(u.delete(userType, made.PhysicalResourceID, u.properties()), made.PhysicalResourceID)
				if u.secrets.called("") != calls || u.account(u.username) != "" {
					t.Error("the delete called Secrets Manager, or there is an account")
				}
			})
		}
	})
	t.Run("after it made the account", func(t *testing.T) {
		u := newUserRig(t)
		made := u.create(userType, u.properties("Schemas", []any{u.schema, "absent_schema"}))
		u.failed(made, "mysql-user-unfinished:"+u.username, "absent_schema", "create each schema before a user may read it")
		if u.account(u.username) == "" {
			t.Fatal("no account was made, the test is of no use")
		}
		for range 2 {
			u.succeeded(u.delete(userType, made.PhysicalResourceID, nil), made.PhysicalResourceID)
			if u.account(u.username) != "" {
				t.Error("the account is still there")
			}
		}
	})
	t.Run("and the secret was changed since", func(t *testing.T) {
		u := newUserRig(t)
		u.setMaster(map[string]any{"password": "not-the-masters"})
		id := "mysql-user-unfinished:" + u.username
		u.succeeded(u.delete(userType, id, nil), id)
		if !strings.Contains(u.log(), "may still be there") {
			t.Error("the log does not say what may be left")
		}
	})
	t.Run("and is delivered again after it was finished by an update", func(t *testing.T) {
		// CloudFormation keeps the id of a failed Create when rollback is off and the next deployment mends it.
		u := newUserRig(t)
		id := "mysql-user-unfinished:" + u.username
		u.failed(u.create(userType, u.properties("Schemas", []any{"absent_schema"})), id)
		u.succeeded(u.update(userType, id, u.properties(), u.properties()), id)
		u.works(u.username, u.password)
	})
}

func TestUserIsRenamed(t *testing.T) {
	u := newUserRig(t)
	u.created()
	newName, newPassword := u.username+"_b", "Renamed-Secret-Pw"
	u.setUser(newName, newPassword, nil)
	u.dropsUser(newName)
	renamed := u.properties("Username", newName, "SecretArn", arnOf(newName))
	for range 2 {
		u.succeeded(u.update(userType, u.id(), u.properties(), renamed), "mysql-user:"+newName)
		u.works(newName, newPassword)
		u.works(u.username, u.password) // until CloudFormation says that it may go
	}
	u.succeeded(u.delete(userType, u.id(), u.properties()), u.id())
	u.works(newName, newPassword)
	if u.account(u.username) != "" {
		t.Error("the old account is still there")
	}
}

func TestRenameThatFails(t *testing.T) {
	prepare := func(t *testing.T) (u *userRig, newName string, renamed map[string]any) {
		u = newUserRig(t)
		u.created()
		newName = u.username + "_b"
		u.setUser(newName, "Renamed-Secret-Pw", nil)
		u.dropsUser(newName)
		return u, newName, u.properties("Username", newName, "SecretArn", arnOf(newName), "Schemas", []any{u.schema, "absent_schema"})
	}
	t.Run("drops what it made and keeps the old id", func(t *testing.T) {
		u, newName, renamed := prepare(t)
		u.failed(u.update(userType, u.id(), u.properties(), renamed), u.id(), "absent_schema")
		if u.account(newName) != "" {
			t.Error("the new account is still there")
		}
		u.works(u.username, u.password)
		u.succeeded(u.update(userType, u.id(), renamed, u.properties()), u.id()) // the rollback
		u.works(u.username, u.password)
	})
	t.Run("and could not drop it: the rollback does", func(t *testing.T) {
		u, newName, renamed := prepare(t)
		u.root(fmt.Sprintf(`CREATE USER %s@'%s' IDENTIFIED BY 'x-X-1234' ATTRIBUTE '{"drawbridge": {"stack": "%s", "resource": "TheResource"}}'`,
			newName, loopback, stackID))
		for range 2 {
			u.succeeded(u.update(userType, u.id(), renamed, u.properties()), u.id())
			if u.account(newName) != "" {
				t.Error("the new account is still there")
			}
		}
		u.works(u.username, u.password)
	})
	t.Run("does not drop what it found", func(t *testing.T) {
		u, newName, renamed := prepare(t)
		u.root(fmt.Sprintf("CREATE USER %s@'%s' IDENTIFIED BY 'Own-Password-1'", newName, loopback))
		u.failed(u.update(userType, u.id(), u.properties(), renamed), u.id(), "was not made by Drawbridge")
		u.succeeded(u.update(userType, u.id(), renamed, u.properties()), u.id())
		if !u.logsIn(newName, "Own-Password-1") {
			t.Error("somebody's account was changed or dropped")
		}
	})
}

func TestUpdateAndDeleteTakeOldPropertiesOfAnyForm(t *testing.T) {
	u := newUserRig(t)
	u.created()
	for _, old := range []map[string]any{nil, {}, {"Username": 7.0}, {"Username": []any{}, "Nonsense": map[string]any{}}, {"Username": strings.Repeat("x", 100)}} {
		u.succeeded(u.update(userType, u.id(), old, u.properties()), u.id())
	}
	u.works(u.username, u.password)
	u.succeeded(u.delete(userType, "of-another-version", nil), "of-another-version")
	if u.account(u.username) == "" {
		t.Error("a delete of another id dropped the user")
	}
	u.succeeded(u.delete(userType, u.id(), map[string]any{"Username": 7.0}), u.id())
}

func TestUserWithoutConnectionsLeft(t *testing.T) {
	u := newUserRig(t)
	u.succeeded(u.create(userType, u.properties("MaxConnections", "1")), u.id())
	busy, err := u.server.Open(t, u.username, u.password, "").Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close() //nolint:errcheck // the test is over
	u.limit = 3 * time.Second
	u.failed(u.update(userType, u.id(), u.properties(), u.properties("MaxConnections", "1")), u.id(), "no connection left for this user", "(tried for ")
	u.limit = time.Minute
	u.succeeded(u.update(userType, u.id(), u.properties(), u.properties("MaxConnections", "4")), u.id())
	if !u.logsIn(u.username, u.password) {
		t.Error("the password was changed")
	}
}

func TestDeleteOfADatabaseThatIsGone(t *testing.T) {
	for name, break_ := range map[string]func(*rig){
		"its host name is not known any more": func(r *rig) { r.setMaster(map[string]any{"host": "gone.invalid"}) },
		"its secret is gone":                  func(r *rig) { r.f.masterSecretARN = arnOf("gone") },
		"its secret is being deleted": func(r *rig) {
			r.secrets.change(arnOf("master"), func(s *fakeSecret) { s.deleted = true })
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newDatabaseRig(t)
			break_(r)
			r.succeeded(r.delete(userType, "mysql-user:tester", nil), "mysql-user:tester")
			r.succeeded(r.delete(userType, "mysql-user-unfinished:tester", nil), "mysql-user-unfinished:tester")
			if !strings.Contains(r.log(), "there is no database any more") {
				t.Error("the log does not say so")
			}
			r.limit = 2 * time.Second
			r.failed(r.create(userType, goodProperties(userType)), "not-created:5c7cf1a9-1111")
		})
	}
}

func TestDeleteWhenSecretsManagersNameIsNotKnown(t *testing.T) {
	u := newUserRig(t)
	u.created()
	u.limit = 2 * time.Second
	u.secrets.broken = &net.DNSError{Err: "no such host", Name: "vpce-1.secretsmanager.example.com", IsNotFound: true}
	u.failed(u.delete(userType, u.id(), u.properties()), u.id(), "Secrets Manager cannot be reached", "(tried for ", "is not dropped")
	u.secrets.broken = nil
	u.works(u.username, u.password)
}

// CloudFormation makes an id up where a Create did not answer in time.
func TestDeleteByAnIDThatCloudFormationMadeUp(t *testing.T) {
	u := newUserRig(t)
	u.created()
	const id = "drawbridge-dev-Database-TheResource-1ABCDEF"
	u.succeeded(u.delete(userType, id, u.properties()), id)
	if u.logsIn(u.username, u.password) {
		t.Error("the account is still there")
	}
	u.succeeded(u.delete(userType, id, nil), id)
}

func TestDatabaseIsDown(t *testing.T) {
	server := mysqltest.Start(t)
	r := newRigOn(t, server)
	u := r.user(t)
	u.created()
	server.Stop(t)
	u.limit = 2 * time.Second
	u.failed(u.delete(userType, u.id(), nil), u.id(), "cannot be reached (connection refused)", "(tried for ", "the user "+u.username+" is not dropped",
		"aws cloudformation delete-stack --stack-name drawbridge-dev-Database --retain-resources TheResource")
	unfinished := "mysql-user-unfinished:" + u.username
	u.succeeded(u.delete(userType, unfinished, nil), unfinished)
	u.failed(u.update(userType, u.id(), u.properties(), u.properties()), u.id(), "cannot be reached")

	// It comes back while a request waits for it.
	u.limit = time.Minute
	answered := make(chan answer)
	go func() { answered <- u.delete(userType, u.id(), nil) }()
	time.Sleep(300 * time.Millisecond)
	server.Restart(t)
	u.succeeded(<-answered, u.id())
	if u.account(u.username) != "" {
		t.Error("the account is still there")
	}
}

func TestDatabaseThatRefusesConnectionsForAWhile(t *testing.T) {
	u := newUserRig(t)
	proxy := newProxy(t, u.server.Addr(), nil)
	proxy.refuse.Store(3)
	u.setMaster(map[string]any{"port": proxy.port})
	u.created()
	u.works(u.username, u.password)
	if proxy.refuse.Load() > 0 {
		t.Error("the proxy was not asked, the test is of no use")
	}
}

func TestConnectionThatBreaksInTheMiddle(t *testing.T) {
	u := newUserRig(t)
	// Each connection is cut a little later than the one before, so that they are cut at several places.
	cut := int64(1500)
	proxy := newProxy(t, u.server.Addr(), func() int64 { cut += 400; return cut })
	u.setMaster(map[string]any{"port": proxy.port})
	u.created()
	u.works(u.username, u.password)
	u.succeeded(u.delete(userType, u.id(), nil), u.id())
	if proxy.connections.Load() < 3 {
		t.Errorf("%d connections, the test is of no use", proxy.connections.Load())
	}
}

func TestServerIsKilledInTheMiddle(t *testing.T) {
	server := mysqltest.Start(t)
	r := newRigOn(t, server)
	u := r.user(t)
	// Whoever holds the lock keeps the create waiting.
	holder, err := mysqldb.Open(masterSettings(server))
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close() //nolint:errcheck // the server is gone
	lock(t, holder)
	answered := make(chan answer)
	go func() { answered <- u.create(userType, u.properties()) }()
	waiting(t, server.Root(t))
	server.Kill(t)
	time.Sleep(100 * time.Millisecond)
	server.Restart(t)
	u.succeeded(<-answered, u.id())
	u.works(u.username, u.password)
}

func masterSettings(server *mysqltest.Server) mysqldb.Settings {
	username, password := server.Master()
	return mysqldb.Settings{Host: server.Host, Port: server.Port, Username: username, Password: password, CAFile: server.CAFile}
}

// lock takes the lock of package readonlyuser.
func lock(t *testing.T, db *sql.DB) {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	var got int
	if err := conn.QueryRowContext(t.Context(), "SELECT GET_LOCK((SELECT CONCAT('drawbridge.', LEFT(SHA2(authentication_string, 256), 40)) FROM mysql.user WHERE User = 'admin'), 0)").Scan(&got); err != nil || got != 1 {
		t.Fatalf("got %d: %v", got, err)
	}
}

// waiting returns when a connection waits for a lock that lock took.
func waiting(t *testing.T, root *sql.DB) {
	t.Helper()
	for range 600 {
		var n int
		if err := root.QueryRow("SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User lock'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("nobody waits for the lock")
}

func TestSomebodyElseChangesAccounts(t *testing.T) {
	u := newUserRig(t)
	holder := u.server.MasterDB(t)
	lock(t, holder)
	u.limit = 2 * time.Second
	u.failed(u.create(userType, u.properties()), "not-created:5c7cf1a9-1111", "another deployment changes accounts", "(tried for ")
	if u.account(u.username) != "" {
		t.Error("an account was made")
	}
}

func TestSecretsManagerHasTrouble(t *testing.T) {
	for name, errs := range map[string][]error{
		"throttles":                {apiError("ThrottlingException"), apiError("ThrottlingException")},
		"has a fault of its own":   {&types.InternalServiceError{}},
		"refuses access at first":  {apiError("AccessDeniedException"), apiError("AccessDeniedException")},
		"cannot be reached":        {&net.OpError{Op: "dial", Err: io.ErrUnexpectedEOF}},
		"fails in the middle only": {nil, apiError("ThrottlingException"), nil, nil, nil, apiError("AccessDeniedException")},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUserRig(t)
			u.secrets.fail = errs
			u.created()
			u.works(u.username, u.password)
		})
	}
	t.Run("always refuses access", func(t *testing.T) {
		u := newUserRig(t)
		u.secrets.broken = apiError("AccessDeniedException")
		u.limit = time.Second
		u.failed(u.create(userType, u.properties()), "not-created:5c7cf1a9-1111", "allow secretsmanager:GetSecretValue", "(tried for ")
	})
	t.Run("is slow", func(t *testing.T) {
		u := newUserRig(t)
		u.secrets.delay = 100 * time.Millisecond
		u.created()
	})
}

func TestSecretsThatAreOfNoUse(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"not JSON":     {"hunter2hunter2", "not JSON"},
		"another JSON": {`["hunter2hunter2"]`, "not JSON"},
		"no password":  {`{"username":"u"}`, "no username or no password: put a value with these keys into it"},
		"no host":      {`{"username":"u","password":"hunter2hunter2"}`, "the secret names no host (" + arnOf("master") + ")"},
		"a wrong port": {`{"username":"u","password":"hunter2hunter2","host":"h","port":"hunter2hunter2"}`, "not JSON"},
	} {
		t.Run("the master's: "+name, func(t *testing.T) {
			u := newUserRig(t)
			u.private = append(u.private, "hunter2hunter2")
			u.secrets.set("master", test.text)
			u.failed(u.create(userType, u.properties()), "not-created:5c7cf1a9-1111", test.want)
			u.failed(u.delete(userType, u.id(), nil), u.id(), test.want)
		})
		t.Run("the user's: "+name, func(t *testing.T) {
			u := newUserRig(t)
			u.private = append(u.private, "hunter2hunter2")
			u.secrets.set(u.username, strings.ReplaceAll(test.text, `"u"`, strconv.Quote(u.username)))
			want := strings.ReplaceAll(test.want, arnOf("master"), arnOf(u.username))
			u.failed(u.create(userType, u.properties()), "not-created:5c7cf1a9-1111", want)
		})
	}
	t.Run("the master's password is wrong", func(t *testing.T) {
		u := newUserRig(t)
		u.setMaster(map[string]any{"password": "not-the-masters"})
		u.failed(u.create(userType, u.properties()), "not-created:5c7cf1a9-1111", "refused the user name or password")
	})
}

// proxy passes connections to a server on.
type proxy struct {
	port        int
	refuse      atomic.Int64 // so many connections are cut at once
	limit       func() int64 // bytes from the server after which a connection is cut
	connections atomic.Int64
}

// newProxy starts a proxy. limit may be nil.
func newProxy(t *testing.T, to string, limit func() int64) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	p := &proxy{limit: limit, port: listener.Addr().(*net.TCPAddr).Port}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			p.connections.Add(1)
			if p.refuse.Add(-1) >= 0 {
				_ = client.Close()
				continue
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				_ = client.Close()
				continue
			}
			var fromServer io.Reader = server
			if p.limit != nil {
				fromServer = io.LimitReader(server, p.limit())
			}
			end := func() { _, _ = client.Close(), server.Close() }
			go func() { _, _ = io.Copy(server, client); end() }()
			go func() { _, _ = io.Copy(client, fromServer); end() }()
		}
	}()
	return p
}
