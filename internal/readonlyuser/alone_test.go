package readonlyuser

import (
	"errors"
	"strings"
	"testing"

	"drawbridge/internal/mysqltest"
)

func TestProveAlone(t *testing.T) {
	for name, test := range map[string]struct {
		there, gone string // statements; NAME is the user's name
		want        string // a part of the error; empty: no error
	}{
		"alone": {"DO 0", "DO 0", ""},
		"an account of the same name elsewhere": {
			"CREATE USER 'NAME'@'%' IDENTIFIED BY 'x'", "DROP USER 'NAME'@'%'", "`@`%`",
		},
		"an account of another name": {"CREATE USER 'NAME2'@'%' IDENTIFIED BY 'x'", "DROP USER 'NAME2'@'%'", ""},
		"an account of the name in capitals": {
			"CREATE USER 'UPPER'@'%' IDENTIFIED BY 'x'", "DROP USER 'UPPER'@'%'", "",
		},
		"the anonymous account": {"CREATE USER ''@'10.9.9.9'", "DROP USER ''@'10.9.9.9'", "``@`10.9.9.9`"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, mysqltest.Shared(t))
			f.ensure(here, password, false)
			fill := func(statement string) string {
				statement = strings.ReplaceAll(statement, "UPPER", strings.ToUpper(f.user.Username))
				return strings.ReplaceAll(statement, "NAME", f.user.Username)
			}
			f.byHand(fill(test.there))
			t.Cleanup(func() { f.byHand(fill(test.gone)) })
			err := ProveAlone(t.Context(), f.server.MasterDB(t), f.user)
			proof, refused := errors.AsType[*ProofError](err)
			switch {
			case test.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case test.want != "" && (!refused || !strings.Contains(proof.Error(), test.want)):
				t.Errorf("got %v, want something about %s", err, test.want)
			}
		})
	}
}
