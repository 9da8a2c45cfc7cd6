package readonlyuser

import (
	"strings"
	"testing"

	"drawbridge/internal/mysqltest"
)

// TestGrantsByHand gives an account each kind of thing that MySQL can grant. Prove must name it, and Ensure take it
// back.
func TestGrantsByHand(t *testing.T) {
	tests := map[string]struct {
		byHand []string
		faults []string
		undo   []string
		// stuck is what Ensure says where MySQL does not let the master take it back.
		stuck string
		// elsewhere: it is not granted to the account, so that Ensure cannot see it.
		elsewhere bool
	}{
		"INSERT everywhere":             {byHand: []string{"GRANT INSERT ON *.* TO @USER"}, faults: []string{"GRANT INSERT ON *.* TO", "let it INSERT INTO"}},
		"SELECT everywhere":             {byHand: []string{"GRANT SELECT ON *.* TO @USER"}, faults: []string{"GRANT SELECT ON *.* TO", `can see other schemas: ["lookalike" "mysql"`}},
		"most things everywhere":        {byHand: []string{"GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, PROCESS, FILE, SUPER ON *.* TO @USER"}, faults: []string{"SUPER", "let it INSERT", "let it UPDATE", "let it DELETE"}},
		"a dynamic privilege":           {byHand: []string{"GRANT BACKUP_ADMIN ON *.* TO @USER"}, faults: []string{"GRANT BACKUP_ADMIN ON *.*"}},
		"CREATE USER":                   {byHand: []string{"GRANT CREATE USER ON *.* TO @USER"}, faults: []string{"GRANT CREATE USER ON *.*"}},
		"the right to grant":            {byHand: []string{"GRANT USAGE ON *.* TO @USER WITH GRANT OPTION"}, faults: []string{"USAGE ON *.* TO", "WITH GRANT OPTION"}},
		"the right to grant the schema": {byHand: []string{"GRANT SELECT ON SCHEMAPATTERN.* TO @USER WITH GRANT OPTION"}, faults: []string{"WITH GRANT OPTION", "lacks SELECT"}},
		"INSERT on the schema":          {byHand: []string{"GRANT INSERT ON SCHEMAPATTERN.* TO @USER"}, faults: []string{"GRANT SELECT, INSERT ON", "let it INSERT"}},
		"UPDATE on the schema":          {byHand: []string{"GRANT UPDATE ON SCHEMAPATTERN.* TO @USER"}, faults: []string{"let it UPDATE"}},
		"DELETE on the schema":          {byHand: []string{"GRANT DELETE ON SCHEMAPATTERN.* TO @USER"}, faults: []string{"let it DELETE"}},
		"temporary tables":              {byHand: []string{"GRANT CREATE TEMPORARY TABLES ON SCHEMAPATTERN.* TO @USER"}, faults: []string{"let it CREATE TEMPORARY TABLE"}},
		"SHOW VIEW on the schema":       {byHand: []string{"GRANT SHOW VIEW ON SCHEMAPATTERN.* TO @USER"}, faults: []string{"SHOW VIEW"}},
		"everything on the schema":      {byHand: []string{"GRANT ALL ON SCHEMAPATTERN.* TO @USER"}, faults: []string{"GRANT ALL PRIVILEGES ON"}},
		"SELECT on another schema":      {byHand: []string{"GRANT SELECT ON other.* TO @USER"}, faults: []string{"GRANT SELECT ON `other`.*"}},
		"SELECT by a pattern":           {byHand: []string{"GRANT SELECT ON `%`.* TO @USER"}, faults: []string{"GRANT SELECT ON `%`.*", "can see other schemas"}},
		"SELECT by an unescaped name":   {byHand: []string{"GRANT SELECT ON `SCHEMA`.* TO @USER"}, faults: []string{"GRANT SELECT ON `SCHEMA`.*", "can see other schemas"}},
		"SELECT by an unescaped name alone": {byHand: []string{"GRANT SELECT ON `SCHEMA`.* TO @USER", "REVOKE SELECT ON SCHEMAPATTERN.* FROM @USER"},
			faults: []string{"lacks SELECT", "GRANT SELECT ON `SCHEMA`.*", "can see other schemas"}},
		"no SELECT":                        {byHand: []string{"REVOKE SELECT ON SCHEMAPATTERN.* FROM @USER"}, faults: []string{`lacks SELECT on the schema "SCHEMA"`, `the schema "SCHEMA" does not exist`}},
		"SELECT on the tables only":        {byHand: []string{"REVOKE SELECT ON SCHEMAPATTERN.* FROM @USER", "GRANT SELECT ON SCHEMA.monsters TO @USER"}, faults: []string{"lacks SELECT", "`monsters`"}},
		"INSERT on a table":                {byHand: []string{"GRANT INSERT ON SCHEMA.monsters TO @USER"}, faults: []string{"GRANT INSERT ON `SCHEMA`.`monsters`", "let it INSERT"}},
		"a table elsewhere":                {byHand: []string{"GRANT SELECT ON mysql.user TO @USER"}, faults: []string{"GRANT SELECT ON `mysql`.`user`", `other schemas: ["mysql"]`}},
		"UPDATE of a column":               {byHand: []string{"GRANT UPDATE (name) ON SCHEMA.monsters TO @USER"}, faults: []string{"GRANT UPDATE (`name`)"}},
		"SELECT of a column elsewhere":     {byHand: []string{"GRANT SELECT (User) ON mysql.user TO @USER"}, faults: []string{"GRANT SELECT (`User`) ON `mysql`.`user`"}},
		"a procedure":                      {byHand: []string{"CREATE PROCEDURE SCHEMA.p() SELECT 1", "GRANT EXECUTE ON PROCEDURE SCHEMA.p TO @USER"}, faults: []string{"GRANT EXECUTE ON PROCEDURE"}},
		"a function":                       {byHand: []string{"CREATE FUNCTION SCHEMA.f() RETURNS INT DETERMINISTIC RETURN 1", "GRANT EXECUTE ON FUNCTION SCHEMA.f TO @USER"}, faults: []string{"GRANT EXECUTE ON FUNCTION"}},
		"all routines of the schema":       {byHand: []string{"GRANT EXECUTE ON SCHEMAPATTERN.* TO @USER"}, faults: []string{"EXECUTE"}},
		"a role":                           {byHand: []string{"CREATE ROLE writer", "GRANT INSERT ON *.* TO writer", "GRANT writer TO @USER"}, faults: []string{"GRANT `writer`@`%` TO"}, undo: []string{"DROP ROLE writer"}},
		"a role that may do nothing":       {byHand: []string{"CREATE ROLE idler", "GRANT idler TO @USER"}, faults: []string{"GRANT `idler`@`%` TO"}, undo: []string{"DROP ROLE idler"}},
		"two roles with quotes and commas": {byHand: []string{"CREATE ROLE `a,``b`@`%`, `c\\d`", "GRANT `a,``b`@`%`, `c\\d` TO @USER"}, faults: []string{"`a,``b`@`%`", "`c\\d`@`%`"}, undo: []string{"DROP ROLE `a,``b`, `c\\d`"}},
		"a role to pass on":                {byHand: []string{"CREATE ROLE lender", "GRANT lender TO @USER WITH ADMIN OPTION"}, faults: []string{"GRANT `lender`@`%` TO", "WITH ADMIN OPTION"}, undo: []string{"DROP ROLE lender"}},
		"a role in a role":                 {byHand: []string{"CREATE ROLE outer_role, inner_role", "GRANT inner_role TO outer_role", "GRANT outer_role TO @USER"}, faults: []string{"GRANT `outer_role`@`%` TO", "take on the role `inner_role`@`%`"}, undo: []string{"DROP ROLE outer_role, inner_role"}},
		"a default role":                   {byHand: []string{"CREATE ROLE inserter", "GRANT INSERT ON SCHEMAPATTERN.* TO inserter", "GRANT inserter TO @USER", "SET DEFAULT ROLE inserter TO @USER"}, faults: []string{"GRANT `inserter`@`%` TO", "let it INSERT"}, undo: []string{"DROP ROLE inserter"}},
		"RDS's own role":                   {byHand: []string{"GRANT rds_superuser_role TO @USER"}, faults: []string{"GRANT `rds_superuser_role`@`%` TO"}},
		"another user as a role":           {byHand: []string{"GRANT root@localhost TO @USER"}, faults: []string{"GRANT `root`@`localhost` TO"}, stuck: "SYSTEM_USER"},
		"the master by proxy":              {byHand: []string{"GRANT PROXY ON 'admin'@'%' TO @USER"}, faults: []string{"GRANT PROXY ON `admin`@`%` TO"}},
		"the master by proxy, to pass on":  {byHand: []string{"GRANT PROXY ON 'admin'@'%' TO @USER WITH GRANT OPTION"}, faults: []string{"GRANT PROXY ON `admin`@`%` TO"}},
		"anybody by proxy":                 {byHand: []string{"GRANT PROXY ON ''@'' TO @USER"}, faults: []string{"GRANT PROXY ON ``@`` TO"}, stuck: "revoke PROXY ON ``@`` from"},
		"what the master may not touch":    {byHand: []string{"GRANT SYSTEM_USER ON *.* TO @USER"}, faults: []string{"GRANT SYSTEM_USER ON *.*"}, stuck: "SYSTEM_USER"},
		"a grant to everybody": {byHand: []string{"CREATE USER ''@'%' IDENTIFIED BY 'x'", "GRANT SELECT ON lookalike.* TO ''@'%'"},
			faults: []string{`can see other schemas: ["lookalike"]`}, undo: []string{"DROP USER ''@'%'"}, elsewhere: true},
	}
	server := mysqltest.Shared(t)
	for _, schema := range []string{"other", "lookalike"} {
		if _, err := server.Root(t).Exec("CREATE DATABASE " + schema); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if _, err := server.Root(t).Exec("DROP DATABASE " + schema); err != nil {
				t.Error(err)
			}
		})
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, server)
			f.ensure(here, password, false)
			before := f.state()
			f.wantProof()
			t.Cleanup(func() { f.byHand(test.undo...) })
			for _, statement := range test.byHand {
				f.byHand(strings.ReplaceAll(statement, "SCHEMAPATTERN", "`"+strings.ReplaceAll(f.user.Schemas[0], "_", `\_`)+"`"))
			}
			f.wantProof(test.faults...)

			if test.stuck != "" {
				err := f.session(func(s *Session) error {
					_, err := s.Ensure(t.Context(), f.user, here, password, true)
					return err
				})
				if number(err) == 0 || !strings.Contains(err.Error(), test.stuck) || !strings.Contains(err.Error(), f.user.Username) {
					t.Errorf("Ensure gave %v, want an error of MySQL that says %q and %q", err, test.stuck, f.user.Username)
				}
				return
			}
			f.ensure(here, password, true)
			if test.elsewhere {
				f.wantProof(test.faults...)
				return
			}
			f.wantProof()
			if after := f.state(); strings.Join(after, "\n") != strings.Join(before, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
			}
		})
	}
}

// A reader whose schema somebody granted in another form keeps reading while Ensure puts that right.
func TestEnsureGrantsBeforeItRevokes(t *testing.T) {
	f := newFixture(t, mysqltest.Shared(t))
	f.ensure(here, password, false)
	f.byHand("GRANT SELECT ON `SCHEMA`.* TO @USER", "REVOKE SELECT ON `"+strings.ReplaceAll(f.user.Schemas[0], "_", `\_`)+"`.* FROM @USER")
	db, err := f.login(password)
	if err != nil {
		t.Fatal(err)
	}
	stop, refused := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			if _, err := db.Exec("DO (SELECT COUNT(*) FROM " + f.user.Schemas[0] + ".monsters)"); err != nil {
				refused <- err
				return
			}
			select {
			case <-stop:
				refused <- nil
				return
			default:
			}
		}
	}()
	f.ensure(here, password, true)
	close(stop)
	if err := <-refused; err != nil {
		t.Errorf("the reader was refused: %v", err)
	}
}
