package readonlyuser

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"drawbridge/internal/mysqltest"
)

func TestEnsureMakesAnAccountThatReadsAndNothingElse(t *testing.T) {
	f := newFixture(t, mysqltest.Shared(t))
	f.user.Schemas = append(f.user.Schemas, f.schema())
	if !f.ensure(here, password, false) {
		t.Error("Ensure does not say that it made the account")
	}
	f.wantProof()
	text := strings.Join(f.state(), "\n")
	for _, want := range []string{
		"IDENTIFIED WITH 'caching_sha2_password'", "REQUIRE SSL", "MAX_USER_CONNECTIONS 20", "PASSWORD EXPIRE NEVER", "ACCOUNT UNLOCK",
		fmt.Sprintf(`"drawbridge": {"stack": "%s", "resource": "%s"}`, here.Stack, here.Resource),
		"GRANT USAGE ON *.* TO " + f.user.account().String(),
		"GRANT SELECT ON `" + strings.ReplaceAll(f.user.Schemas[0], "_", `\_`) + "`.* TO " + f.user.account().String(),
		"GRANT SELECT ON `" + strings.ReplaceAll(f.user.Schemas[1], "_", `\_`) + "`.* TO " + f.user.account().String(),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the account lacks %q:\n%s", want, text)
		}
	}
	if n := strings.Count(text, "GRANT "); n != 3 {
		t.Errorf("%d grants, want 3:\n%s", n, text)
	}
	db, err := f.login(password)
	if err != nil {
		t.Fatal(err)
	}
	lookalike := strings.Replace(f.user.Schemas[0], "_", "X", 1)
	for statement, want := range map[string]uint16{
		"SELECT * FROM " + f.user.Schemas[0] + ".monsters":              0,
		"SELECT * FROM " + f.user.Schemas[1] + ".monsters":              0,
		"SELECT * FROM " + lookalike + ".monsters":                      1142,
		"SELECT * FROM mysql.user":                                      1142,
		"INSERT INTO " + f.user.Schemas[0] + ".monsters VALUES (2, '')": 1142,
		"DROP TABLE " + f.user.Schemas[0] + ".monsters":                 1142,
		"CREATE TABLE " + f.user.Schemas[0] + ".more (id INT)":          1142,
	} {
		if _, err := db.Exec(statement); number(err) != want {
			t.Errorf("%s gave %v, want error %d", statement, err, want)
		}
	}
}

// What somebody may have done to the account, and Ensure undoes.
func TestEnsureRepairs(t *testing.T) {
	for name, test := range map[string]struct {
		byHand        []string
		passwordWorks bool
	}{
		"another password":                       {[]string{"ALTER USER @USER IDENTIFIED BY 'other'"}, false},
		"an expired password":                    {[]string{"ALTER USER @USER PASSWORD EXPIRE"}, false},
		"an expired password, thought to work":   {[]string{"ALTER USER @USER PASSWORD EXPIRE"}, true},
		"a password that expires":                {[]string{"ALTER USER @USER PASSWORD EXPIRE INTERVAL 1 DAY"}, true},
		"a lock":                                 {[]string{"ALTER USER @USER ACCOUNT LOCK"}, true},
		"a lock after failed log-ins":            {[]string{"ALTER USER @USER FAILED_LOGIN_ATTEMPTS 1 PASSWORD_LOCK_TIME UNBOUNDED"}, true},
		"no TLS needed":                          {[]string{"ALTER USER @USER REQUIRE NONE"}, true},
		"a client certificate needed":            {[]string{"ALTER USER @USER REQUIRE X509"}, true},
		"other limits":                           {[]string{"ALTER USER @USER WITH MAX_USER_CONNECTIONS 1 MAX_QUERIES_PER_HOUR 2 MAX_UPDATES_PER_HOUR 3 MAX_CONNECTIONS_PER_HOUR 4"}, true},
		"a rule about reusing passwords":         {[]string{"ALTER USER @USER PASSWORD HISTORY 5 PASSWORD REUSE INTERVAL 9 DAY"}, true},
		"another plugin":                         {[]string{"ALTER USER @USER IDENTIFIED WITH sha256_password BY 'x'"}, false},
		"another plugin, with the same password": {[]string{"ALTER USER @USER IDENTIFIED WITH sha256_password BY '" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(password) + "'"}, true},
		"all at once": {[]string{"ALTER USER @USER IDENTIFIED WITH sha256_password BY 'x' REQUIRE NONE WITH MAX_USER_CONNECTIONS 0 PASSWORD EXPIRE ACCOUNT LOCK",
			"GRANT INSERT, CREATE USER, FILE, ROLE_ADMIN ON *.* TO @USER WITH GRANT OPTION"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, mysqltest.Shared(t))
			f.ensure(here, password, false)
			before := f.withoutHash()
			f.byHand(test.byHand...)
			if strings.Join(f.withoutHash(), "\n") == strings.Join(before, "\n") && name != "another password" {
				t.Fatal("what was done by hand cannot be seen")
			}
			if f.ensure(here, password, test.passwordWorks) {
				t.Error("Ensure says that it made an account that was there")
			}
			if after := f.withoutHash(); strings.Join(after, "\n") != strings.Join(before, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
			}
			f.wantProof()
			f.wantLogin("other", false)
		})
	}
}

// withoutHash is state without the password's hash, which has a new salt each time.
func (f *fixture) withoutHash() []string {
	f.Helper()
	lines := f.state()
	for i, line := range lines {
		if before, rest, ok := strings.Cut(line, " AS '"); ok && strings.HasPrefix(line, "CREATE USER") {
			_, after, _ := strings.Cut(rest, " REQUIRE ")
			lines[i] = before + " REQUIRE " + after
		}
	}
	return lines
}

func TestEnsureFollowsItsArguments(t *testing.T) {
	f := newFixture(t, mysqltest.Shared(t))
	first, second := f.user.Schemas[0], f.schema()
	f.ensure(here, password, false)

	t.Run("a schema more", func(t *testing.T) {
		f.user.Schemas = []string{first, second}
		f.ensure(here, password, true)
		f.wantProof()
	})
	t.Run("another schema instead", func(t *testing.T) {
		f.user.Schemas = []string{second}
		f.ensure(here, password, true)
		f.wantProof()
		f.user.Schemas = []string{first}
		f.wantProof("lacks SELECT on the schema", "a grant too many", "can see other schemas", "does not exist")
	})
	t.Run("a schema that is not there yet", func(t *testing.T) {
		f.user.Schemas = []string{first, "not_there"}
		f.ensure(here, password, true)
		f.wantProof(`the schema "not_there" does not exist`)
		f.user.Schemas = []string{first, first}
		f.ensure(here, password, true)
		f.wantProof()
	})
	t.Run("another limit", func(t *testing.T) {
		f.user.MaxConnections = 7
		f.ensure(here, password, true)
		if text := strings.Join(f.state(), "\n"); !strings.Contains(text, "MAX_USER_CONNECTIONS 7") {
			t.Errorf("the limit is not 7:\n%s", text)
		}
	})
	t.Run("another host", func(t *testing.T) {
		for _, host := range []string{"127.0.0.1", "127.0.0.0/255.0.0.0", "%", "LocalHost", "127.0.0.%", "127.0.0.0/8"} {
			f.user.Host = host
			f.ensure(here, password, true)
			if hosts := f.hosts(); len(hosts) != 1 || hosts[0] != strings.ToLower(host) {
				t.Errorf("the account's hosts are %q, want %q", hosts, host)
			}
			f.wantProof()
		}
	})
	t.Run("the password only when it does not work", func(t *testing.T) {
		f.ensure(here, "another", true)
		f.wantLogin(password, true)
		f.wantLogin("another", false)
		f.ensure(here, "another", false)
		f.wantLogin(password, false)
		f.wantLogin("another", true)
	})
	t.Run("both passwords of a rotation stay when one works, neither when none does", func(t *testing.T) {
		f.ensure(here, password, false)
		if err := f.session(func(s *Session) error { return s.Rotate(t.Context(), f.user.Username, password, "pending") }); err != nil {
			t.Fatal(err)
		}
		f.ensure(here, password, true)
		f.wantLogin(password, true)
		f.wantLogin("pending", true)
		f.ensure(here, "third", false)
		f.wantLogin(password, false)
		f.wantLogin("pending", false)
		f.wantLogin("third", true)
	})
}

func TestEnsureAndWhoseAccountsThereAre(t *testing.T) {
	made := func(host string, o Owner) string {
		return fmt.Sprintf(`CREATE USER 'NAME'@'%s' IDENTIFIED BY 'x' ATTRIBUTE '{"team": "bi", "drawbridge": {"stack": "%s", "resource": "%s"}}'`, host, o.Stack, o.Resource)
	}
	for name, test := range map[string]struct {
		there   []string
		refused any // a pointer to the error's type; nil: Ensure succeeds
		says    string
	}{
		"ours":                            {[]string{made("127.0.0.0/8", here)}, nil, ""},
		"ours at another host":            {[]string{made("10.0.0.0/16", here)}, nil, ""},
		"ours at two hosts":               {[]string{made("10.0.0.0/16", here), made("127.0.0.0/8", here)}, nil, ""},
		"ours at two other hosts":         {[]string{made("10.0.0.0/16", here), made("10.1.0.0/16", here)}, nil, ""},
		"of another stack":                {[]string{made("127.0.0.0/8", elsewhere)}, nil, ""},
		"of another stack, other host":    {[]string{made("10.0.0.0/16", elsewhere)}, nil, ""},
		"of another name in another case": {[]string{"CREATE USER 'upper'@'%' IDENTIFIED BY 'x'"}, nil, ""},

		"of another resource of the stack": {[]string{made("127.0.0.0/8", neighbour)}, new(*OwnedByAnotherError), "WebAppUser"},
		"ours, and of another resource":    {[]string{made("127.0.0.0/8", here), made("10.0.0.0/16", neighbour)}, new(*OwnedByAnotherError), "10.0.0.0/16"},
		"ours, and of another stack":       {[]string{made("127.0.0.0/8", here), made("10.0.0.0/16", elsewhere)}, new(*OwnedByAnotherError), "10.0.0.0/16"},
		"nobody's":                         {[]string{"CREATE USER 'NAME'@'127.0.0.0/8' IDENTIFIED BY 'x'"}, new(*NotOursError), "was not made by Drawbridge"},
		"nobody's at another host":         {[]string{"CREATE USER 'NAME'@'%' IDENTIFIED BY 'x'"}, new(*NotOursError), "`%`"},
		"ours, and nobody's":               {[]string{made("127.0.0.0/8", here), "CREATE USER 'NAME'@'' IDENTIFIED BY 'x'"}, new(*NotOursError), "drop or rename it"},
		"a role":                           {[]string{"CREATE ROLE 'NAME'"}, new(*NotOursError), "`%`"},
		"another attribute":                {[]string{`CREATE USER 'NAME'@'%' IDENTIFIED BY 'x' ATTRIBUTE '{"stack": "a", "resource": "b"}'`}, new(*NotOursError), ""},
		"an attribute of another shape":    {[]string{`CREATE USER 'NAME'@'%' IDENTIFIED BY 'x' ATTRIBUTE '{"drawbridge": true}'`}, new(*NotOursError), ""},
		"an attribute without a resource":  {[]string{`CREATE USER 'NAME'@'%' IDENTIFIED BY 'x' ATTRIBUTE '{"drawbridge": {"stack": "a"}}'`}, new(*NotOursError), ""},
		"a comment":                        {[]string{`CREATE USER 'NAME'@'%' IDENTIFIED BY 'x' COMMENT '{"drawbridge": {"stack": "a", "resource": "b"}}'`}, new(*NotOursError), ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, mysqltest.Shared(t))
			for _, statement := range test.there {
				statement = strings.ReplaceAll(statement, "NAME", f.user.Username)
				f.byHand(strings.ReplaceAll(statement, "upper", strings.ToUpper(f.user.Username)))
			}
			if strings.Contains(test.there[0], "upper") {
				defer f.byHand("DROP USER '" + strings.ToUpper(f.user.Username) + "'")
			}
			before := f.state()
			if test.refused == nil {
				created := f.ensure(here, password, false)
				if want := strings.Contains(test.there[0], "upper"); created != want {
					t.Errorf("created is %v, want %v", created, want)
				}
				f.wantProof()
				if hosts := f.hosts(); len(hosts) != 1 {
					t.Errorf("there are accounts at %q", hosts)
				}
				// It is here's now: the neighbour is refused.
				err := f.session(func(s *Session) error {
					_, err := s.Ensure(t.Context(), f.user, neighbour, password, true)
					return err
				})
				if taken, ok := errors.AsType[*OwnedByAnotherError](err); !ok || taken.Owner != here {
					t.Errorf("another resource gets %v, want an *OwnedByAnotherError that names %v", err, here)
				}
				return
			}
			err := f.session(func(s *Session) error {
				created, err := s.Ensure(t.Context(), f.user, here, password, false)
				if created {
					t.Error("created is true")
				}
				return err
			})
			if !errors.As(err, test.refused) || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), f.user.Username) {
				t.Errorf("got %v, want a %T that says %q and %q", err, test.refused, test.says, f.user.Username)
			}
			if after := f.state(); strings.Join(after, "\n") != strings.Join(before, "\n") {
				t.Errorf("a refusal changed\n%q\ninto\n%q", before, after)
			}
		})
	}
}

func TestEnsureKeepsWhatOthersWroteIntoTheAttribute(t *testing.T) {
	f := newFixture(t, mysqltest.Shared(t))
	f.ensure(here, password, false)
	f.byHand(`ALTER USER @USER ATTRIBUTE '{"team": "bi"}'`)
	f.ensure(here, password, true)
	if text := strings.Join(f.state(), "\n"); !strings.Contains(text, `"team": "bi"`) || !strings.Contains(text, `"resource": "BiUser"`) {
		t.Errorf("the attribute lacks one of the two:\n%s", text)
	}
}

func TestEnsureGoesOnWhereItBroke(t *testing.T) {
	f := newFixture(t, mysqltest.Shared(t))
	// Between making the account and its grants, and with grants that a dropped account left behind.
	if err := f.session(func(s *Session) error {
		_, err := s.create(t.Context(), f.user, here, password)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	f.byHand("GRANT INSERT ON SCHEMA.* TO @USER")
	if f.ensure(here, password, true) {
		t.Error("Ensure says that it made an account that was there")
	}
	f.wantProof()
}

func TestRotate(t *testing.T) {
	f := newFixture(t, mysqltest.Shared(t))
	f.ensure(here, password, false)
	rotate := func(current, next string) error {
		return f.session(func(s *Session) error { return s.Rotate(t.Context(), f.user.Username, current, next) })
	}
	before := f.withoutHash()

	t.Run("keeps the password before, and no other", func(t *testing.T) {
		for _, test := range []struct{ next, works, gone string }{
			{"second", password, "third"}, {"third", "second", password}, {"fourth'\\", "third", "second"},
		} {
			if err := rotate(test.works, test.next); err != nil {
				t.Fatal(err)
			}
			f.wantLogin(test.next, true)
			f.wantLogin(test.works, true)
			f.wantLogin(test.gone, false)
		}
	})
	t.Run("after a rotation that was called off keeps the current password", func(t *testing.T) {
		if err := rotate("third", "fifth"); err != nil { // "fourth" never became current
			t.Fatal(err)
		}
		f.wantLogin("fifth", true)
		f.wantLogin("third", true)
		f.wantLogin("fourth'\\", false)
	})
	t.Run("changes nothing else", func(t *testing.T) {
		f.ensure(here, password, false) // discards the second password
		if after := f.withoutHash(); strings.Join(after, "\n") != strings.Join(before, "\n") {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
		}
	})
	t.Run("an account of whatever owner", func(t *testing.T) {
		f.ensure(elsewhere, password, true)
		if err := rotate(password, "sixth"); err != nil {
			t.Error(err)
		}
		f.wantLogin("sixth", true)
	})
	t.Run("never an account that is not ours", func(t *testing.T) {
		master, masterPassword := f.server.Master()
		root, _ := f.server.RootLogin()
		for _, username := range []string{master, root, "mysql.sys"} {
			err := f.session(func(s *Session) error { return s.Rotate(t.Context(), username, "mine", "mine now") })
			if refused, ok := errors.AsType[*NotOursError](err); !ok || refused.Username != username {
				t.Errorf("%s: got %v, want a *NotOursError", username, err)
			}
		}
		if err := f.server.Open(t, master, masterPassword, "").Ping(); err != nil {
			t.Errorf("the master's password has changed: %v", err)
		}
	})
	t.Run("only an account that is there", func(t *testing.T) {
		err := f.session(func(s *Session) error { return s.Rotate(t.Context(), "nobody", "x", "y") })
		if missing, ok := errors.AsType[*NoAccountError](err); !ok || missing.Username != "nobody" {
			t.Errorf("got %v, want a *NoAccountError", err)
		}
	})
}

func TestDrop(t *testing.T) {
	f := newFixture(t, mysqltest.Shared(t))
	tryDrop := func(username string, o Owner) (dropped bool, err error) {
		err = f.session(func(s *Session) (err error) {
			dropped, err = s.Drop(t.Context(), username, o)
			return err
		})
		return dropped, err
	}
	drop := func(username string, o Owner) bool {
		t.Helper()
		dropped, err := tryDrop(username, o)
		if err != nil {
			t.Errorf("Drop: %v", err)
		}
		return dropped
	}
	f.ensure(here, password, false)
	for name, o := range map[string]Owner{"of another stack": elsewhere, "of another resource": neighbour, "of no owner": {}} {
		dropped, err := tryDrop(f.user.Username, o)
		if dropped || len(f.hosts()) != 1 {
			t.Errorf("an account was dropped for a resource %s", name)
		}
		if _, ok := errors.AsType[*OwnedByAnotherError](err); !ok {
			t.Errorf("a resource %s: got %v, want an *OwnedByAnotherError", name, err)
		}
	}
	f.wantProof()
	if !drop(f.user.Username, here) || len(f.hosts()) != 0 {
		t.Error("the account is still there")
	}
	if drop(f.user.Username, here) {
		t.Error("a second Drop says that it dropped something")
	}
	f.wantLogin(password, false)

	for _, username := range []string{"admin", "root"} {
		dropped, err := tryDrop(username, here)
		if _, ok := errors.AsType[*NotOursError](err); dropped || !ok {
			t.Errorf("%s: %v, %v, want a *NotOursError", username, dropped, err)
		}
	}
	for _, username := range []string{"", strings.Repeat("x", 33), "a\x00", "\xff", "x "} {
		if drop(username, here) {
			t.Errorf("%q was dropped", username)
		}
	}
	t.Run("an account that has taken its mark away is not forgotten", func(t *testing.T) {
		f.ensure(here, password, false)
		reader, err := f.login(password)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := reader.Exec("ALTER USER CURRENT_USER() IDENTIFIED BY 'mine' ATTRIBUTE '{\"drawbridge\": null}'"); err != nil {
			t.Fatalf("MySQL no longer lets an account change its own attribute (%v): see whether Drop can be simpler", err)
		}
		dropped, err := tryDrop(f.user.Username, here)
		if _, ok := errors.AsType[*NotOursError](err); dropped || !ok {
			t.Errorf("got %v, %v, want a *NotOursError", dropped, err)
		}
		f.byHand("DROP USER @USER")
	})
	t.Run("an account that was made by hand beside ours stays", func(t *testing.T) {
		f.ensure(here, password, false)
		f.byHand("CREATE USER '" + f.user.Username + "'@'10.9.9.9' IDENTIFIED BY 'x'")
		if !drop(f.user.Username, here) {
			t.Error("ours was not dropped")
		}
		if hosts := f.hosts(); len(hosts) != 1 || hosts[0] != "10.9.9.9" {
			t.Errorf("there are accounts at %q, want 10.9.9.9", hosts)
		}
	})
}
