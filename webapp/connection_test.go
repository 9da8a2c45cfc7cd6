package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/mysqltest"
)

const (
	sessionProof = "the server says that <code>transaction_read_only</code> is 1"
	accountProof = "The account may only read"
	accountFault = "The account may do more than read"
)

// TestReadOnlyAndHowWeKnow looks at the overview as accounts that may do more or
// less.
func TestReadOnlyAndHowWeKnow(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	user := newReader(t, server, schema)
	roles := []string{"reading_" + schema, "writing_" + schema, "outer_" + schema}
	mustExec(t, root, "CREATE TABLE t (id INT PRIMARY KEY, secret_column INT)", "CREATE ROLE "+strings.Join(roles, ", "),
		fmt.Sprintf("GRANT SELECT ON %s.* TO %s", schema, roles[0]), fmt.Sprintf("GRANT DELETE ON %s.t TO %s", schema, roles[1]), fmt.Sprintf("GRANT %s TO %s", roles[1], roles[2]))
	t.Cleanup(func() { _, _ = server.Root(t).Exec("DROP ROLE " + strings.Join(roles, ", ")) })
	page := func(t *testing.T, name, password string) answer {
		t.Helper()
		return newSiteWith(t, settingsOf(server, schema, name, password)).get(t, "/", 200)
	}
	master, masterPassword := server.Master()
	for _, test := range []struct {
		name         string
		grants, undo []string
		has, hasNot  []string
	}{
		{"an account as it should be", nil, nil, []string{sessionProof, accountProof + ": it has SELECT and SHOW VIEW, and nothing else", "<code>GET</code> and <code>HEAD</code>"}, []string{accountFault}},
		{"INSERT, and UPDATE of a column", []string{"GRANT INSERT, UPDATE (secret_column) ON t TO " + user}, []string{"REVOKE INSERT, UPDATE (secret_column) ON t FROM " + user},
			[]string{sessionProof, accountFault + "</strong>: INSERT, UPDATE. Nothing here uses that"}, []string{accountProof}},
		{"a role that reads", []string{"GRANT " + roles[0] + " TO " + user}, []string{"REVOKE " + roles[0] + " FROM " + user}, []string{accountProof + ", with its role too"}, []string{accountFault}},
		{"a role within a role that deletes", []string{fmt.Sprintf("GRANT %s, %s TO %s", roles[0], roles[2], user)}, []string{fmt.Sprintf("REVOKE %s, %s FROM %s", roles[0], roles[2], user)},
			[]string{accountFault + "</strong>, with its 2 roles: DELETE."}, []string{accountProof}},
		{"the right to pass rights on", []string{"GRANT SELECT ON t TO " + user + " WITH GRANT OPTION"}, []string{"REVOKE GRANT OPTION ON t FROM " + user}, []string{": GRANT OPTION."}, []string{accountProof}},
		{"nothing but a role that is not active", []string{"REVOKE SELECT, SHOW VIEW ON `" + strings.ReplaceAll(schema, "_", `\_`) + "`.* FROM " + user, "GRANT SELECT (id) ON t TO " + user}, nil, []string{accountProof + ": it has SELECT, and nothing else"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			mustExec(t, root, test.grants...)
			defer mustExec(t, root, test.undo...)
			page := page(t, user, readerPassword)
			page.has(t, test.has...)
			page.hasNot(t, test.hasNot...)
			withoutHashes(t, page)
		})
	}
	for _, powerful := range []struct{ name, password, excess string }{
		{"root", rootPassword(server), ": INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, SHUTDOWN, PROCESS and "}, {master, masterPassword, ", with its role: "},
	} {
		t.Run(powerful.name, func(t *testing.T) {
			page := page(t, powerful.name, powerful.password)
			page.has(t, sessionProof, accountFault+"</strong>"+powerful.excess)
			page.hasNot(t, accountProof)
			withoutHashes(t, page)
		})
	}
}

// withoutHashes fails when a page holds something like the hash of a password.
func withoutHashes(t *testing.T, page answer) {
	t.Helper()
	page.hasNot(t, "IDENTIFIED", "$A$005$", "caching_sha2")
	if found := regexp.MustCompile(`\*[0-9A-F]{16,}`).FindString(page.body); found != "" {
		t.Errorf("the page holds %q", found)
	}
}

// TestSessionThatWouldWrite sees that the overview says what the server says, not
// what the app would like.
func TestSessionThatWouldWrite(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	user := newReader(t, server, schema)
	// A pool that did not ask to be read-only.
	settings := settingsOf(server, schema, user, readerPassword)
	careless, err := mysqldb.Open(settings, mysqldb.Numbered())
	if err != nil {
		t.Fatal(err)
	}
	defer careless.Close()
	site := newSiteWith(t, settings, func(a *app) { a.db = &database{DB: careless} })
	page := site.get(t, "/", 200)
	page.has(t, "The server says that this connection would take writes", accountProof)
	page.hasNot(t, sessionProof)
}

func TestAUserWithAnOddName(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Root(t)
	const name = "<b>`o'x\"\\"
	quoted := "'<b>`o''x\"\\\\'"
	mustExec(t, root, "CREATE USER "+quoted+" IDENTIFIED BY '"+readerPassword+"'", "GRANT SELECT ON "+schema+".* TO "+quoted)
	t.Cleanup(func() { _, _ = root.Exec("DROP USER " + quoted) })
	page := newSiteWith(t, settingsOf(server, schema, name, readerPassword)).get(t, "/", 200)
	page.has(t, "&lt;b&gt;", accountProof, "@%</code>")
	page.hasNot(t, "<b>")
}
