package endtoend

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"drawbridge/internal/mysqldb"
	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/secretsmanager"
)

// ofFunction are the types of resources whose events the function gets.
var ofFunction = []string{"Custom::ReadOnlyUser", "Custom::FlipGate", "Custom::SampleData", "Custom::SSHKeyPair"}

// checkAnswers checks what must hold whatever went wrong: each event got exactly one answer that counts, before the
// function's time ran out; what CloudFormation now believes of the read-only users is true; and each failure says in one
// sentence what to do. left are the users whose accounts must still be there without a resource, because nobody could
// drop them.
func (p *play) checkAnswers(left ...string) {
	p.t.Helper()
	p.checkDeliveries()
	root := p.server.Root(p.t)
	defer root.Close() //nolint:errcheck // a server that is stopped waits for open connections
	stackID := p.StackID(databaseStack)
	kept := map[string]bool{}
	for _, r := range p.Resources(databaseStack) {
		if r.Type == "Custom::ReadOnlyUser" {
			kept[fmt.Sprint(r.Properties["Username"])] = true
			p.checkUser(root, r)
		}
	}
	for _, a := range readAccounts(p.t, root, "TRUE") {
		if a.owner.Resource == "" {
			continue // not ours
		}
		if slices.Contains(left, a.username) {
			left = slices.DeleteFunc(left, func(l string) bool { return l == a.username })
		} else if !kept[a.username] || a.owner.Stack != stackID {
			p.t.Errorf("the account %s of %+v is left over", a, a.owner)
		}
	}
	if len(left) > 0 {
		p.t.Errorf("the accounts of %q should be left", left)
	}
}

// instructs finds what a person is to do. What is wrong with properties is said together with what was expected.
var instructs = regexp.MustCompile(`\b(allow|attach|check|choose|correct|create|deploy|drop|give|leave|make|put|restore|revoke|set|take|try|wait) |` +
	`the resource's properties are wrong: \w+ is not `)

// tried is how long was tried, which differs from one delivery to the next.
var tried = regexp.MustCompile(`\(tried for [0-9a-z.]+\)`)

// checkDeliveries is the part of checkAnswers that is about the answers alone.
func (p *play) checkDeliveries() {
	p.t.Helper()
	events, taken := map[string]int{}, map[string]int{}
	for _, o := range p.Operations() {
		sent := o.Action == cloudformation.Create || o.Action == cloudformation.Update || o.Action == cloudformation.Delete
		if sent && slices.Contains(ofFunction, o.Type) {
			events[o.LogicalID]++
		}
	}
	first := map[string]cloudformation.Answer{}
	byRequest := map[string]int{}
	for _, a := range p.Answers() {
		if a.Outcome == cloudformation.Late || a.Outcome == cloudformation.Refused {
			p.t.Errorf("an answer for %s is %s", a.LogicalID, a.Outcome)
		}
		if a.Outcome == cloudformation.Taken {
			taken[a.LogicalID]++
			byRequest[a.RequestID]++
		}
		before, again := first[a.RequestID]
		if !again {
			first[a.RequestID] = a
		} else if before.Status != a.Status || tried.ReplaceAllString(before.Reason, "") != tried.ReplaceAllString(a.Reason, "") {
			p.t.Errorf("an event for %s was answered %s %q, and then %s %q", a.LogicalID, before.Status, before.Reason, a.Status, a.Reason)
		}
		if a.Status == "FAILED" {
			checkSentence(p.t, a.Reason)
		}
	}
	for id, n := range events {
		if taken[id] != n {
			p.t.Errorf("%s got %d events, and %d answers counted", id, n, taken[id])
		}
	}
	for id, n := range byRequest {
		if n != 1 {
			p.t.Errorf("%d answers counted for the event %s", n, id)
		}
	}
	for _, end := range []string{"Sandbox.Timedout", "Runtime.ExitError", "did not end within"} {
		if strings.Contains(p.log.String(), end) {
			p.t.Errorf("the function did not end in time by itself: %s", end)
		}
	}
}

func checkSentence(t testing.TB, reason string) {
	t.Helper()
	if strings.ContainsAny(reason, "\n\r\t") || strings.Contains(reason, ". ") || strings.HasSuffix(reason, ".") || len(reason) > 1000 {
		t.Errorf("this is not one sentence: %q", reason)
	}
	if !instructs.MatchString(reason) {
		t.Errorf("this does not say what to do: %q", reason)
	}
}

// checkUser checks that a read-only user is what its resource says.
func (p *play) checkUser(root *sql.DB, r cloudformation.State) {
	p.t.Helper()
	username, host := fmt.Sprint(r.Properties["Username"]), fmt.Sprint(r.Properties["Host"])
	if want := "mysql-user:" + username; r.PhysicalID != want {
		p.t.Errorf("the physical id of %s is %s, want %s", r.LogicalID, r.PhysicalID, want)
	}
	found := readAccounts(p.t, root, "u.User = ?", username)
	if len(found) != 1 {
		p.t.Errorf("%s has the accounts %v, want one", r.LogicalID, found)
		return
	}
	a := found[0]
	want := a
	want.host, want.tls, want.plugin = host, "ANY", "caching_sha2_password"
	want.connections, want.locked, want.expired = fmt.Sprint(r.Properties["MaxConnections"]), "N", "N"
	want.owner.Stack, want.owner.Resource = p.StackID(databaseStack), r.LogicalID
	if a != want {
		p.t.Errorf("the account is %+v, want %+v", a, want)
	}
	name := fmt.Sprintf("`%s`@`%s`", username, host)
	grants := []string{"GRANT USAGE ON *.* TO " + name}
	var schemas []string
	for _, schema := range r.Properties["Schemas"].([]any) {
		schemas = append(schemas, fmt.Sprint(schema))
		grants = append(grants, fmt.Sprintf("GRANT SELECT ON `%s`.* TO %s", strings.ReplaceAll(fmt.Sprint(schema), "_", `\_`), name))
	}
	have := column(p.t, root, "SHOW GRANTS FOR "+name)
	slices.Sort(grants)
	slices.Sort(have)
	if !slices.Equal(grants, have) {
		p.t.Errorf("%s has the grants %q, want %q", name, have, grants)
	}
	text, err := p.Secrets.Value(fmt.Sprint(r.Properties["SecretArn"]), secretsmanager.Current)
	if err != nil {
		p.t.Error(err)
		return
	}
	var login struct{ Username, Password string }
	if json.Unmarshal([]byte(text), &login) != nil || login.Username != username {
		p.t.Errorf("the secret of %s is not its own", username)
	}
	p.checkLogin(root, login.Username, login.Password, schemas)
}

// checkLogin logs in as a user, reads from each schema, and tries to write.
func (p *play) checkLogin(root *sql.DB, username, password string, schemas []string) {
	p.t.Helper()
	db := p.server.Open(p.t, username, password, "")
	defer db.Close() //nolint:errcheck // as above
	if err := db.PingContext(p.t.Context()); err != nil {
		p.t.Errorf("%s cannot log in with the password of its secret: %v", username, err)
		return
	}
	for _, schema := range schemas {
		tables := column(p.t, root, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? LIMIT 1", schema)
		for _, table := range tables {
			column(p.t, db, "SELECT 1 FROM "+mysqldb.QuoteIdentifier(schema)+"."+mysqldb.QuoteIdentifier(table)+" LIMIT 1")
		}
		if _, err := db.ExecContext(p.t.Context(), "CREATE TABLE "+mysqldb.QuoteIdentifier(schema)+".mine (id INT)"); err == nil {
			p.t.Errorf("%s can make a table in %s", username, schema)
		}
	}
}

// mysqlAccount is what the server knows of an account, but for its grants and its password.
type mysqlAccount struct {
	username, host, tls, plugin, connections, locked, expired string

	owner struct{ Stack, Resource string }
}

func (a mysqlAccount) String() string { return fmt.Sprintf("'%s'@'%s'", a.username, a.host) }

// readAccounts are the accounts that a condition on mysql.user AS u picks.
func readAccounts(t testing.TB, root *sql.DB, condition string, arguments ...any) (found []mysqlAccount) {
	t.Helper()
	rows, err := root.Query(`SELECT u.User, u.Host, u.ssl_type, u.plugin, u.max_user_connections, u.account_locked, u.password_expired,
		COALESCE(a.ATTRIBUTE, '{}') FROM mysql.user AS u
		LEFT JOIN information_schema.USER_ATTRIBUTES AS a ON a.USER = u.User AND a.HOST = u.Host
		WHERE `+condition, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // only read
	for rows.Next() {
		var a mysqlAccount
		var attribute []byte
		err := rows.Scan(&a.username, &a.host, &a.tls, &a.plugin, &a.connections, &a.locked, &a.expired, &attribute)
		var marks struct {
			Drawbridge struct{ Stack, Resource string }
		}
		if err == nil {
			err = json.Unmarshal(attribute, &marks)
		}
		if err != nil {
			t.Fatal(err)
		}
		a.owner = marks.Drawbridge
		found = append(found, a)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

// column is the first column of a query.
func column(t testing.TB, db *sql.DB, query string, arguments ...any) (values []string) {
	t.Helper()
	rows, err := db.Query(query, arguments...)
	if err != nil {
		t.Error(err)
		return nil
	}
	defer rows.Close() //nolint:errcheck // only read
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return values
}

// exactly is everything that the server keeps of a user's account, with its passwords as hashes, as text.
func (p *play) exactly(username string) string {
	p.t.Helper()
	root := p.server.Root(p.t)
	defer root.Close() //nolint:errcheck // only read
	var all []string
	for _, table := range []string{"user", "db", "tables_priv", "columns_priv", "procs_priv", "proxies_priv", "global_grants", "password_history"} {
		columns := column(p.t, root, `SELECT CONCAT('IFNULL(HEX(', COLUMN_NAME, '), "-")') FROM information_schema.COLUMNS
			WHERE TABLE_SCHEMA = 'mysql' AND TABLE_NAME = ? AND COLUMN_NAME <> 'Timestamp' ORDER BY ORDINAL_POSITION`, table)
		query := "SELECT CONCAT_WS(' ', " + strings.Join(columns, ", ") + ") FROM mysql." + table + " WHERE User = ? ORDER BY 1"
		for _, row := range column(p.t, root, query, username) {
			all = append(all, table+" "+row)
		}
	}
	return strings.Join(all, "\n")
}

// deployDatabase deploys the stacks Network and Database, with a changed config. The change may be nil.
func (p *play) deployDatabase(change func(config)) error {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 5*time.Minute)
	defer cancel()
	err := p.DeployAll(ctx, synthesize(p.t, change), "Network", "Database")
	p.remember()
	return err
}

// mustDeployDatabase is deployDatabase where it has to go well.
func (p *play) mustDeployDatabase(change func(config)) {
	p.t.Helper()
	if err := p.deployDatabase(change); err != nil {
		p.t.Fatal(err)
	}
}

// answersSince are the answers to the users' events after the first n of all answers.
func (p *play) answersSince(n int) (answers []cloudformation.Answer) {
	for _, a := range p.Answers()[n:] {
		if strings.HasPrefix(a.LogicalID, "ReadOnlyUser") {
			answers = append(answers, a)
		}
	}
	return answers
}

// wantFailure wants a deployment to have failed at a user, and to have said so in these words.
func (p *play) wantFailure(err error, status cloudformation.Status, says ...string) {
	p.t.Helper()
	if err == nil {
		p.t.Error("it went well, want a failure")
		return
	}
	if got := p.Status(databaseStack); got != status {
		p.t.Errorf("the stack is %s, want %s: %v", got, status, err)
	}
	for _, want := range says {
		if !strings.Contains(err.Error(), want) {
			p.t.Errorf("the error is %q, want one with %q", err, want)
		}
	}
}

// eventually waits until something has come about.
func (p *play) eventually(what string, done func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("waited in vain: %s", what)
		}
	}
}
