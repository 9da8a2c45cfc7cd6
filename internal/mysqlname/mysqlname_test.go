package mysqlname

import (
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for name, test := range map[string]struct{ username, schema string }{
		"":                        {"is empty", "is empty"},
		"monster_teams":           {"", ""},
		"o'brien \\ \"x\" `y` 1%": {"", ""},
		"читатель":                {"", ""},
		strings.Repeat("ä", 32):   {"", ""},
		strings.Repeat("ä", 33):   {"is too long", ""},
		strings.Repeat("名", 32):   {"has more than 95 bytes in UTF-8", ""},
		strings.Repeat("x", 64):   {"is too long", ""},
		strings.Repeat("x", 65):   {"is too long", "is too long"},
		strings.Repeat("_", 32):   {"", ""},
		strings.Repeat("_", 33):   {"is too long", `is too long for a grant, in which _, % and \ count twice`},
		"Performance_Schema":      {"", "is one of MySQL's own schemas"},
		" a":                      {"starts or ends with a space", "starts or ends with a space"},
		"a\u00a0":                 {"starts or ends with a space", "starts or ends with a space"},
		"a\x00b":                  {"holds a character that cannot be printed", "holds a character that cannot be printed"},
		"a\u202eb":                {"holds a character that cannot be printed", "holds a character that cannot be printed"},
		"\xff":                    {"holds a character that cannot be printed", "holds a character that cannot be printed"},
		"👾":                       {"holds a character that MySQL does not take in names", "holds a character that MySQL does not take in names"},
	} {
		if got := Username(name); got != test.username {
			t.Errorf("the user %q %q, want %q", name, got, test.username)
		}
		if got := Schema(name); got != test.schema {
			t.Errorf("the schema %q %q, want %q", name, got, test.schema)
		}
	}
}
