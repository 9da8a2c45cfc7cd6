package readonlyuser

import (
	"errors"
	"strings"
	"testing"

	"drawbridge/internal/mysqltest"
)

// TestServerSettings keeps a user on servers that are set up in ways of their own.
func TestServerSettings(t *testing.T) {
	server := mysqltest.Start(t)
	const policy = "INSTALL COMPONENT 'file://component_validate_password'"
	for name, test := range map[string]struct{ on, off []string }{
		"partial_revokes":   {[]string{"SET GLOBAL partial_revokes = ON"}, []string{"SET GLOBAL partial_revokes = OFF"}},
		"a password policy": {[]string{policy}, []string{"UNINSTALL COMPONENT 'file://component_validate_password'"}},
		"a history of passwords": {
			[]string{"SET GLOBAL password_history = 5", "SET GLOBAL password_reuse_interval = 90"},
			[]string{"SET GLOBAL password_history = DEFAULT", "SET GLOBAL password_reuse_interval = DEFAULT"},
		},
		"passwords that expire":       {[]string{"SET GLOBAL default_password_lifetime = 1"}, []string{"SET GLOBAL default_password_lifetime = DEFAULT"}},
		"the current password needed": {[]string{"SET GLOBAL password_require_current = ON"}, []string{"SET GLOBAL password_require_current = DEFAULT"}},
		"another sql_mode": {
			[]string{"SET GLOBAL sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,PAD_CHAR_TO_FULL_LENGTH'"}, []string{"SET GLOBAL sql_mode = DEFAULT"},
		},
		"names without quotes":   {[]string{"SET GLOBAL sql_quote_show_create = OFF"}, []string{"SET GLOBAL sql_quote_show_create = DEFAULT"}},
		"read-only by default":   {[]string{"SET GLOBAL transaction_read_only = ON"}, []string{"SET GLOBAL transaction_read_only = OFF"}},
		"no TLS needed":          {[]string{"SET GLOBAL require_secure_transport = OFF"}, []string{"SET GLOBAL require_secure_transport = ON"}},
		"roles active at log-in": {[]string{"SET GLOBAL activate_all_roles_on_login = ON"}, []string{"SET GLOBAL activate_all_roles_on_login = OFF"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, server)
			f.byHand(test.on...)
			// Before the fixture's own clean-up, which these settings are not for.
			t.Cleanup(func() { f.byHand(test.off...) })
			// A name of a schema that differs from others by what is a wildcard, or an escape, elsewhere.
			odd := "a%b\\c_" + f.user.Schemas[0]
			lookalike := strings.NewReplacer("%", "X", "_", "Y").Replace(odd)
			f.byHand("CREATE DATABASE `"+odd+"`", "CREATE DATABASE `"+lookalike+"`")
			t.Cleanup(func() { f.byHand("DROP DATABASE `"+odd+"`", "DROP DATABASE `"+lookalike+"`") })
			f.user.Schemas = append(f.user.Schemas, odd)

			f.ensure(here, password, false)
			f.wantProof()
			f.ensure(here, "Second-Passw0rd", false)
			f.ensure(here, password, false)
			if err := f.session(func(s *Session) error { return s.Rotate(t.Context(), f.user.Username, password, "Th1rd-Password") }); err != nil {
				t.Error(err)
			}
			f.wantLogin(password, true)
			f.wantLogin("Th1rd-Password", true)
			f.byHand("GRANT INSERT ON *.* TO @USER", "ALTER USER @USER REQUIRE NONE")
			f.ensure(here, password, true)
			f.wantProof()
		})
	}

	t.Run("a grant from before partial_revokes", func(t *testing.T) {
		f := newFixture(t, server)
		f.ensure(here, password, false)
		f.byHand("SET GLOBAL partial_revokes = ON")
		t.Cleanup(func() { f.byHand("SET GLOBAL partial_revokes = OFF") })
		f.wantProof("lacks SELECT", "a grant too many", "does not exist, or it may not read it")
		f.ensure(here, password, true)
		f.wantProof()
		f.byHand("GRANT SELECT ON *.* TO @USER", "REVOKE SELECT ON mysql.* FROM @USER")
		f.wantProof("GRANT SELECT ON *.*", "REVOKE SELECT ON `mysql`.*")
		f.ensure(here, password, true)
		f.wantProof()
	})

	t.Run("a mandatory role", func(t *testing.T) {
		f := newFixture(t, server)
		f.ensure(here, password, false)
		f.byHand("CREATE ROLE mandatory, within", "GRANT INSERT ON *.* TO within", "GRANT within TO mandatory", "SET GLOBAL mandatory_roles = 'mandatory'")
		t.Cleanup(func() { f.byHand("SET GLOBAL mandatory_roles = ''", "DROP ROLE mandatory, within") })
		f.wantProof("`mandatory`@`%`", "`within`@`%`")
		// It is everybody's: Ensure cannot take it away, and does not fail.
		f.ensure(here, password, true)
		f.byHand("GRANT mandatory TO @USER")
		f.ensure(here, password, true)
		f.wantProof("`mandatory`@`%`")
	})

	t.Run("a server that takes no writes", func(t *testing.T) {
		f := newFixture(t, server)
		f.ensure(here, password, false)
		f.byHand("SET GLOBAL read_only = ON")
		t.Cleanup(func() { f.byHand("SET GLOBAL read_only = OFF") })
		f.wantProof("did not refuse INSERT INTO", "1290")
		err := f.session(func(s *Session) error { return s.Rotate(t.Context(), f.user.Username, password, "x") })
		if number(err) != 1290 {
			t.Errorf("Rotate gave %v, want error 1290", err)
		}
	})

	t.Run("a password that the policy refuses", func(t *testing.T) {
		f := newFixture(t, server)
		f.byHand(policy)
		t.Cleanup(func() { f.byHand("UNINSTALL COMPONENT 'file://component_validate_password'") })
		err := f.session(func(s *Session) error {
			created, err := s.Ensure(t.Context(), f.user, here, "hunter2", false)
			if created {
				t.Error("created is true")
			}
			return err
		})
		if number(err) != 1819 || !strings.Contains(err.Error(), "policy") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v, want error 1819 in MySQL's words", err)
		}
	})

	t.Run("a connection without TLS", func(t *testing.T) {
		f := newFixture(t, server)
		f.ensure(here, password, false)
		f.byHand("SET GLOBAL require_secure_transport = OFF", "ALTER USER @USER REQUIRE NONE")
		t.Cleanup(func() { f.byHand("SET GLOBAL require_secure_transport = ON") })
		f.wantLogin(password, true) // without TLS the server knows only a password that it has seen already
		err := Prove(t.Context(), f.withoutTLS(), f.user)
		if failed, ok := errors.AsType[*ProofError](err); !ok || !strings.Contains(failed.Error(), "not encrypted") {
			t.Errorf("Prove gave %v, want that the connection is not encrypted", err)
		}
	})
}
