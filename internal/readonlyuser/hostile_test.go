package readonlyuser

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/mysqltest"
)

func TestNamesThatMySQLWouldRefuseOrMistake(t *testing.T) {
	f := newFixture(t, mysqltest.Shared(t))
	s := f.begin()
	long := func(n int) string { return strings.Repeat("ä", n) }
	for name, test := range map[string]struct {
		change   func(u *User, o *Owner, password *string)
		property string
	}{
		"no username":                   {func(u *User, _ *Owner, _ *string) { u.Username = "" }, "Username"},
		"a username of 33 characters":   {func(u *User, _ *Owner, _ *string) { u.Username = long(33) }, "Username"},
		"a username of 96 bytes":        {func(u *User, _ *Owner, _ *string) { u.Username = strings.Repeat("名", 32) }, "Username"},
		"a username with a zero byte":   {func(u *User, _ *Owner, _ *string) { u.Username = "admin\x00x" }, "Username"},
		"a username with white space":   {func(u *User, _ *Owner, _ *string) { u.Username = "admin " }, "Username"},
		"a username with a line break":  {func(u *User, _ *Owner, _ *string) { u.Username = "a\nb" }, "Username"},
		"a username read backwards":     {func(u *User, _ *Owner, _ *string) { u.Username = "a\u202eb" }, "Username"},
		"a username with an emoji":      {func(u *User, _ *Owner, _ *string) { u.Username = "👾" }, "Username"},
		"a username that is not UTF-8":  {func(u *User, _ *Owner, _ *string) { u.Username = "a\xff" }, "Username"},
		"no host":                       {func(u *User, _ *Owner, _ *string) { u.Host = "" }, "Host"},
		"a host of 256 characters":      {func(u *User, _ *Owner, _ *string) { u.Host = strings.Repeat("x", 256) }, "Host"},
		"a host with a quote":           {func(u *User, _ *Owner, _ *string) { u.Host = "10.0.0.1' OR '1" }, "Host"},
		"a host with a backslash":       {func(u *User, _ *Owner, _ *string) { u.Host = `10.0.0.1\` }, "Host"},
		"a host with a backtick":        {func(u *User, _ *Owner, _ *string) { u.Host = "10.0.0.1`" }, "Host"},
		"a host with a zero byte":       {func(u *User, _ *Owner, _ *string) { u.Host = "10.0.0.1\x00" }, "Host"},
		"a host with a space":           {func(u *User, _ *Owner, _ *string) { u.Host = "10.0.0.1 " }, "Host"},
		"a host with an at sign":        {func(u *User, _ *Owner, _ *string) { u.Host = "a@b" }, "Host"},
		"a host with a line break":      {func(u *User, _ *Owner, _ *string) { u.Host = "10.0.0.1\n" }, "Host"},
		"a host beyond ASCII":           {func(u *User, _ *Owner, _ *string) { u.Host = "bücher.example" }, "Host"},
		"no schemas":                    {func(u *User, _ *Owner, _ *string) { u.Schemas = nil }, "Schemas"},
		"an empty schema":               {func(u *User, _ *Owner, _ *string) { u.Schemas = []string{"a", ""} }, "Schemas"},
		"a schema of 65 characters":     {func(u *User, _ *Owner, _ *string) { u.Schemas = []string{long(65)} }, "Schemas"},
		"a schema too long to escape":   {func(u *User, _ *Owner, _ *string) { u.Schemas = []string{long(60) + "_%\\"} }, "Schemas"},
		"a schema with a zero byte":     {func(u *User, _ *Owner, _ *string) { u.Schemas = []string{"a\x00"} }, "Schemas"},
		"a schema with an emoji":        {func(u *User, _ *Owner, _ *string) { u.Schemas = []string{"👾"} }, "Schemas"},
		"a schema that is not UTF-8":    {func(u *User, _ *Owner, _ *string) { u.Schemas = []string{"\xc3"} }, "Schemas"},
		"the server's schema":           {func(u *User, _ *Owner, _ *string) { u.Schemas = []string{"mysql"} }, "Schemas"},
		"the server's schema, shouting": {func(u *User, _ *Owner, _ *string) { u.Schemas = []string{"Information_Schema"} }, "Schemas"},
		"no connections":                {func(u *User, _ *Owner, _ *string) { u.MaxConnections = 0 }, "MaxConnections"},
		"connections below zero":        {func(u *User, _ *Owner, _ *string) { u.MaxConnections = -1 }, "MaxConnections"},
		"too many connections":          {func(u *User, _ *Owner, _ *string) { u.MaxConnections = 100_001 }, "MaxConnections"},
		"no stack":                      {func(_ *User, o *Owner, _ *string) { o.Stack = "" }, "Stack"},
		"no resource":                   {func(_ *User, o *Owner, _ *string) { o.Resource = "" }, "Resource"},
		"an owner that is not UTF-8":    {func(_ *User, o *Owner, _ *string) { o.Resource = "\xff" }, "Resource"},
		"no password":                   {func(_ *User, _ *Owner, p *string) { *p = "" }, "password"},
		"a password with a zero byte":   {func(_ *User, _ *Owner, p *string) { *p = "hunter2\x00" }, "password"},
		"a password that is not UTF-8":  {func(_ *User, _ *Owner, p *string) { *p = "hunter2\xff" }, "password"},
	} {
		t.Run(name, func(t *testing.T) {
			u, o, secret := f.user, here, password
			test.change(&u, &o, &secret)
			before := f.column("SELECT CONCAT(User, '@', Host) FROM mysql.user ORDER BY User, Host")
			created, err := s.Ensure(t.Context(), u, o, secret, false)
			wrong, ok := errors.AsType[*InvalidError](err)
			if created || !ok || wrong.Property != test.property || !strings.HasPrefix(err.Error(), test.property+" is ") {
				t.Errorf("got %v, want an *InvalidError about %s", err, test.property)
			}
			if strings.Contains(err.Error(), "hunter2") || len(err.Error()) > 400 {
				t.Errorf("the error is too long or holds the password: %s", err)
			}
			if after := f.column("SELECT CONCAT(User, '@', Host) FROM mysql.user ORDER BY User, Host"); !slices.Equal(before, after) {
				t.Errorf("the accounts %q became %q", before, after)
			}
			if test.property == "Username" {
				if err := s.Rotate(t.Context(), u.Username, password, password+"2"); err == nil {
					t.Error("Rotate took the name")
				}
			}
		})
	}
	if err := s.Rotate(t.Context(), f.user.Username, password, "a\x00b"); err == nil || strings.Contains(err.Error(), "a\x00b") {
		t.Errorf("Rotate with a zero byte in the password gave %v", err)
	}
}

func TestUnusualNames(t *testing.T) {
	server := mysqltest.Shared(t)
	long := func(n int) string { return strings.Repeat("ä", n) }
	for name, change := range map[string]func(u *User, password *string){
		"a username of 32 characters":   func(u *User, _ *string) { u.Username = long(32) },
		"a username of 95 bytes":        func(u *User, _ *string) { u.Username = strings.Repeat("名", 31) + "ä" },
		"quotes of every kind":          func(u *User, _ *string) { u.Username = "a'b\"c`d" },
		"backslashes":                   func(u *User, _ *string) { u.Username = `a\b\'` },
		"an at sign":                    func(u *User, _ *string) { u.Username = "a@b@%" },
		"a username of wildcards":       func(u *User, _ *string) { u.Username = "%_%" },
		"SQL in the username":           func(u *User, _ *string) { u.Username = "x'; DROP USER admin; -- " + "x" },
		"another script":                func(u *User, _ *string) { u.Username = "читатель" },
		"a schema of 64 characters":     func(u *User, _ *string) { u.Schemas = []string{long(64)} },
		"a schema as long as can be":    func(u *User, _ *string) { u.Schemas = []string{long(58) + "_%\\"} },
		"a schema of quotes":            func(u *User, _ *string) { u.Schemas = []string{"a'b\"c`d``"} },
		"a schema of grants":            func(u *User, _ *string) { u.Schemas = []string{"`.* TO `x`@`%`"} },
		"schemas that escape":           func(u *User, _ *string) { u.Schemas = []string{`a\_b`, `a_b`, `a\b`, `a\\b`, `a%b`, `\`, `_`} },
		"a schema with dots and spaces": func(u *User, _ *string) { u.Schemas = []string{"a.b c.*"} },
		"a password of every character": func(_ *User, password *string) { *password = "a'b\"c`d\\e%f_g\nh\r\x1a;-- 👾" + long(50) },
		"a password that looks quoted":  func(_ *User, password *string) { *password = `\' RETAIN CURRENT PASSWORD -- ` },
	} {
		t.Run(name, func(t *testing.T) {
			f := &fixture{T: t, server: server, root: server.Root(t)}
			f.user = User{Username: fmt.Sprintf("odd%d", usernames.Add(1)), Host: "127.0.0.0/8", Schemas: []string{"plain"}, MaxConnections: 20}
			secret := password
			change(&f.user, &secret)
			for _, schema := range f.user.Schemas {
				for _, name := range []string{schema, strings.NewReplacer("_", "X", "%", "Y").Replace(schema)} {
					f.byHandRaw("CREATE DATABASE IF NOT EXISTS "+mysqldb.QuoteIdentifier(name), "CREATE TABLE IF NOT EXISTS "+mysqldb.QuoteIdentifier(name)+".t (id INT)")
					t.Cleanup(func() { f.byHandRaw("DROP DATABASE IF EXISTS " + mysqldb.QuoteIdentifier(name)) })
				}
			}
			t.Cleanup(func() { f.byHandRaw("DROP USER IF EXISTS " + f.user.account().String()) })
			before := f.column("SELECT COUNT(*) FROM mysql.user")

			s := f.begin()
			for i := range 2 {
				created, err := s.Ensure(t.Context(), f.user, here, secret, i > 0)
				if err != nil || created != (i == 0) {
					t.Fatalf("Ensure %d: created %v, error %v", i, created, err)
				}
			}
			db, err := f.login(secret)
			if err != nil {
				t.Fatalf("log in: %v", err)
			}
			if err := Prove(t.Context(), db, f.user); err != nil {
				t.Errorf("Prove: %v", err)
			}
			if err := s.Rotate(t.Context(), f.user.Username, secret, secret+"2"); err != nil {
				t.Errorf("Rotate: %v", err)
			}
			f.wantLogin(secret+"2", true)
			f.wantLogin(secret, true)
			_ = db.Close()
			if dropped, err := s.Drop(t.Context(), f.user.Username, here); !dropped || err != nil {
				t.Errorf("Drop: %v, %v", dropped, err)
			}
			if after := f.column("SELECT COUNT(*) FROM mysql.user"); !slices.Equal(before, after) {
				t.Errorf("%s accounts became %s", before, after)
			}
		})
	}
}

// byHandRaw is byHand for names that hold anything.
func (f *fixture) byHandRaw(statements ...string) {
	f.Helper()
	for _, statement := range statements {
		if _, err := f.root.Exec(statement); err != nil {
			f.Errorf("%s: %v", statement, err)
		}
	}
}

func TestHosts(t *testing.T) {
	f := newFixture(t, mysqltest.Shared(t))
	s := f.begin()
	for _, host := range []string{
		"%", "localhost", "10.0.0.0/16", "10.0.0.0/255.255.0.0", "10.0.%", "::1", "fe80::1", "db.example.com", "%.Example.com", "a_b", strings.Repeat("x", 255),
	} {
		f.user.Host = host
		if _, err := s.Ensure(t.Context(), f.user, here, password, true); err != nil {
			t.Errorf("%s: %v", host, err)
		}
		if hosts := f.hosts(); len(hosts) != 1 || hosts[0] != strings.ToLower(host) {
			t.Errorf("%s became %q", host, hosts)
		}
	}
}

// FuzzEnsure gives accounts any name, schema and password. What is accepted comes back from the server as it was given,
// and nothing else appears on it; what is refused changes nothing.
func FuzzEnsure(f *testing.F) {
	for _, seed := range [][3]string{
		{"reader", "monster_teams", "x"}, {"a'b", "a`b", "a'b"}, {`a\`, `a\_`, `a\`}, {"a\x00", "a\x00", "a\x00"}, {"a ", " a", " a "},
		{"👾", "👾", "👾"}, {"\xff", "\xff", "\xff"}, {"a'@'%", "%", "' REQUIRE NONE -- "}, {"admin", "mysql", "x"}, {"?", "_", "\x1a\n\r\t\b"},
		{"\ufeffa", "a\u00a0", "\u2028"}, {"/*!a*/", "a;b", ";"}, {"\u0301", "Ａ", "\u202e"}, {"�", "�", "�"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	server := mysqltest.Shared(f)
	root := server.Root(f)
	everything := `SELECT GROUP_CONCAT(QUOTE(User), '@', QUOTE(Host) ORDER BY User, Host),
		(SELECT GROUP_CONCAT(QUOTE(SCHEMA_NAME) ORDER BY SCHEMA_NAME) FROM information_schema.SCHEMATA) FROM mysql.user`
	s, err := Begin(context.Background(), server.MasterDB(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	look := func(t *testing.T) (users, schemas string) {
		t.Helper()
		if err := root.QueryRow(everything).Scan(&users, &schemas); err != nil {
			t.Fatal(err)
		}
		return users, schemas
	}
	f.Fuzz(func(t *testing.T, username, schema, secret string) {
		usersBefore, schemasBefore := look(t)
		u := User{Username: username, Host: "127.0.0.0/8", Schemas: []string{schema}, MaxConnections: 3}
		created, err := s.Ensure(t.Context(), u, here, secret, false)
		if err != nil {
			_, invalid := errors.AsType[*InvalidError](err)
			_, taken := errors.AsType[*NotOursError](err)
			// A password may be too long for MySQL.
			if !invalid && !taken && !created && len(secret) < 200 {
				t.Errorf("%q, %q, %q: %v", username, schema, secret, err)
			}
			if len(secret) > 3 && !strings.Contains(username+schema, secret) && strings.Contains(err.Error(), secret) {
				t.Errorf("the error holds the password %q: %v", secret, err)
			}
		}
		if created {
			var hash string
			if err := root.QueryRow("SELECT HEX(User) FROM mysql.user WHERE Host = '127.0.0.0/8'").Scan(&hash); err != nil || hash != fmt.Sprintf("%X", username) {
				t.Errorf("%q became %s (%v)", username, hash, err)
			}
			if err == nil {
				proveFuzzed(t, server, u, secret)
			}
			if dropped, err := s.Drop(t.Context(), username, here); !dropped || err != nil {
				t.Fatalf("Drop of %q: %v, %v", username, dropped, err)
			}
		}
		if users, schemas := look(t); users != usersBefore || schemas != schemasBefore {
			t.Fatalf("%q, %q: the server held %s and %s, and now holds %s and %s", username, schema, usersBefore, schemasBefore, users, schemas)
		}
	})
}

// proveFuzzed makes u's schema, and wants a log-in as u to read there.
func proveFuzzed(t *testing.T, server *mysqltest.Server, u User, secret string) {
	t.Helper()
	root := server.Root(t)
	quoted := mysqldb.QuoteIdentifier(u.Schemas[0])
	if _, err := root.Exec("CREATE DATABASE " + quoted); err != nil {
		if number(err) != 1007 { // it is there
			t.Errorf("%q can be granted, but not made: %v", u.Schemas[0], err)
		}
		return
	}
	defer root.Exec("DROP DATABASE " + quoted) //nolint:errcheck // the caller looks for what is left over
	if err := Prove(t.Context(), server.Open(t, u.Username, secret, ""), u); err != nil {
		t.Errorf("%q, %q, %q: %v", u.Username, u.Schemas, secret, err)
	}
}

func TestNoErrorRepeatsAPassword(t *testing.T) {
	const secret = "hunter2-correct-horse"
	for _, number := range []uint16{1064, 1149, 1300, 1105, 3854, 65000} {
		err := withheld(fmt.Errorf("x: %w", &mysql.MySQLError{Number: number, Message: "near '" + secret[3:] + "' at line 1"}))
		if strings.Contains(err.Error(), "correct") || strings.Contains(mysqldb.Explain(err).Error(), "correct") {
			t.Errorf("%d: %v", number, err)
		}
		if refused, ok := errors.AsType[*mysql.MySQLError](err); !ok || refused.Number != number {
			t.Errorf("the number %d is lost: %v", number, err)
		}
	}
	// What a server that does not know a part of the statement says.
	f := newFixture(t, mysqltest.Shared(t))
	s := f.begin()
	err := s.execWithPassword(t.Context(), "create x", "CREATE USER x IDENTIFIED '"+secret+"' BY")
	if number(err) != 1064 || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
	if err := s.exec(t.Context(), "create x", "CREATE USER x IDENTIFIED '"+secret+"' BY"); !strings.Contains(err.Error(), "hunter2") {
		t.Errorf("MySQL repeats no statement any more, and this test shows nothing: %v", err)
	}
}
