package readonlyuser

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"drawbridge/internal/mysqltest"
)

func TestJudgeReadsEveryForm(t *testing.T) {
	for line, want := range map[string]Rights{
		"GRANT USAGE ON *.* TO `u`@`%`":                                                            {},
		"GRANT SELECT, SHOW VIEW ON `shop\\_1`.* TO `u`@`10.0.0.0/16`":                             {Reading: []string{"SELECT", "SHOW VIEW"}},
		"GRANT SELECT ON `a ON b`.`c``d, INSERT` TO `u`@`%`":                                       {Reading: []string{"SELECT"}},
		"GRANT SELECT (`a ON b`, `x``y`), UPDATE (`id`), DELETE ON `s`.`t` TO `u`@`%`":             {Reading: []string{"SELECT"}, Beyond: []string{"UPDATE", "DELETE"}},
		"GRANT SELECT (`), INSERT (`) ON `s`.`t` TO `u`@`%`":                                       {Reading: []string{"SELECT"}},
		"GRANT SELECT (`DROP`) ON `s`.`t` TO `u`@`%`":                                              {Reading: []string{"SELECT"}},
		`GRANT SELECT ("a "" b", id) ON s."t" TO u@"%"`:                                            {Reading: []string{"SELECT"}},
		"GRANT SELECT ON `s`.* TO `u`@`%` WITH GRANT OPTION":                                       {Reading: []string{"SELECT"}, Beyond: []string{"GRANT OPTION"}},
		"GRANT USAGE ON *.* TO `GRANT OPTION`@`%`":                                                 {},
		"GRANT ALL PRIVILEGES ON `s`.* TO `u`@`%`":                                                 {Beyond: []string{"ALL PRIVILEGES"}},
		"GRANT BACKUP_ADMIN,XA_RECOVER_ADMIN ON *.* TO `u`@`%`":                                    {Beyond: []string{"BACKUP_ADMIN", "XA_RECOVER_ADMIN"}},
		"GRANT EXECUTE ON PROCEDURE `s`.`p` TO `u`@`%`":                                            {Beyond: []string{"EXECUTE"}},
		"GRANT PROXY ON ``@`` TO `root`@`localhost` WITH GRANT OPTION":                             {Beyond: []string{"PROXY"}},
		"GRANT `r`@`%`,`odd``, role`@`%` TO `u`@`%` WITH ADMIN OPTION":                             {Beyond: []string{"ADMIN OPTION"}, Roles: []string{"`r`@`%`", "`odd``, role`@`%`"}},
		"REVOKE SELECT ON `mysql`.* FROM `u`@`%`":                                                  {},
		"GRANT USAGE ON *.* TO 'u'@'%' IDENTIFIED BY PASSWORD '*81F5E21E35407D884A6CD4A731AEBFB6'": {Unclear: true},
		"GRANT USAGE ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*81F5E21E35407D884A6CD4A731AEBFB6'": {},
		"something else": {Unclear: true},
		"":               {Unclear: true},
	} {
		got := Judge([]string{line})
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s is %+v, want %+v", line, got, want)
		}
		if strings.Contains(fmt.Sprint(got), "81F5E21E") {
			t.Errorf("%s: the password's hash is in %+v", line, got)
		}
	}
}

// TestJudgeReadsTheServer has the server say what accounts may do, in each of the ways in which it quotes names.
func TestJudgeReadsTheServer(t *testing.T) {
	f := newFixture(t, mysqltest.Shared(t))
	f.ensure(here, password, false)
	f.byHand("CREATE ROLE `a,``b`", "CREATE PROCEDURE SCHEMA.p() SELECT 1")
	t.Cleanup(func() { f.byHand("DROP ROLE `a,``b`") })
	judged := func(want Rights) {
		t.Helper()
		db, err := f.login(password)
		if err != nil {
			t.Fatal(err)
		}
		for _, setting := range []string{"SET sql_mode = ''", "SET sql_mode = 'ANSI_QUOTES'", "SET sql_quote_show_create = OFF", "SET sql_mode = '', sql_quote_show_create = OFF"} {
			db.SetMaxOpenConns(1)
			if _, err := db.Exec(setting); err != nil {
				t.Fatal(err)
			}
			conn, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			lines, err := readStrings(t.Context(), conn, "SHOW GRANTS")
			if err != nil {
				t.Fatal(err)
			}
			got := Judge(lines)
			if len(got.Roles) > 0 {
				lines, err = readStrings(t.Context(), conn, "SHOW GRANTS FOR CURRENT_USER() USING "+strings.Join(got.Roles, ", "))
				if err != nil {
					t.Fatalf("%s: %v", setting, err)
				}
				got = Judge(lines)
			}
			slices.Sort(got.Beyond)
			if fmt.Sprint(got.Reading, got.Beyond, len(got.Roles), got.Unclear) != fmt.Sprint(want.Reading, want.Beyond, len(want.Roles), want.Unclear) {
				t.Errorf("%s: %q are %+v, want %+v", setting, lines, got, want)
			}
			_ = conn.Close()
		}
	}
	judged(Rights{Reading: []string{"SELECT"}})
	f.byHand("GRANT INSERT, UPDATE (name) ON SCHEMA.monsters TO @USER", "GRANT EXECUTE ON PROCEDURE SCHEMA.p TO @USER", "GRANT BACKUP_ADMIN ON *.* TO @USER")
	judged(Rights{Reading: []string{"SELECT"}, Beyond: []string{"BACKUP_ADMIN", "EXECUTE", "INSERT", "UPDATE"}})
	f.ensure(here, password, true)
	f.byHand("GRANT DELETE ON SCHEMA.* TO `a,``b`", "GRANT `a,``b` TO @USER")
	judged(Rights{Reading: []string{"SELECT"}, Beyond: []string{"DELETE"}, Roles: []string{"one"}})
}
