package mysqldb

import (
	"strings"
	"testing"
	"unicode/utf8"

	"drawbridge/internal/mysqltest"
)

func TestQuoteIdentifier(t *testing.T) {
	for name, want := range map[string]string{
		"monsters": "`monsters`", "a`b": "`a``b`", "``": "``````", `a"b'c\`: "`a\"b'c\\`", "a.b": "`a.b`", "": "``", "x` FROM y -- ": "`x`` FROM y -- `",
	} {
		if got := QuoteIdentifier(name); got != want {
			t.Errorf("%q became %s, want %s", name, got, want)
		}
	}
}

// FuzzQuoteIdentifier gives a table of a real server a column of the quoted
// name, and wants the same name back.
func FuzzQuoteIdentifier(f *testing.F) {
	for _, seed := range []string{"id", "a`b", "`", "``", `\`, `'"`, "a b", "100%", "select", "naïve", "日本", "x` INT); DROP TABLE y; --", "/*!", "@a", "a.b", "?", "\u202e", "\a"} {
		f.Add(seed)
	}
	server := mysqltest.Shared(f)
	user, password := server.RootLogin()
	db := server.Open(f, user, password, server.NewSchema(f))
	// A temporary table belongs to its connection.
	db.SetMaxOpenConns(1)
	f.Fuzz(func(t *testing.T, name string) {
		// "Schema Object Names" in the MySQL reference manual: 1 to 64 characters
		// of the Basic Multilingual Plane but U+0000, no white space at the
		// end.
		if n := utf8.RuneCountInString(name); !utf8.ValidString(name) || n < 1 || n > 64 || strings.TrimRight(name, " \t\n\v\f\r") != name ||
			strings.ContainsFunc(name, func(r rune) bool { return r == 0 || r > 0xFFFF }) {
			return
		}
		quoted := QuoteIdentifier(name)
		if _, err := db.Exec("CREATE TEMPORARY TABLE quoting (" + quoted + " INT)"); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		defer db.Exec("DROP TEMPORARY TABLE quoting") //nolint:errcheck // the next creation would fail
		rows, err := db.Query("SELECT quoting." + quoted + " FROM quoting")
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		defer rows.Close()
		if columns, err := rows.Columns(); err != nil || len(columns) != 1 || columns[0] != name {
			t.Errorf("%q came back as %q (%v)", name, columns, err)
		}
	})
}
