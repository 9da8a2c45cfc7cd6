package mysqldb

import (
	"database/sql"
	"slices"
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

func TestQuoteSchemaPattern(t *testing.T) {
	for name, want := range map[string]string{
		"monsters": "`monsters`", "monster_teams": "`monster\\_teams`", "100%": "`100\\%`", `a\b`: "`a\\\\b`", `a\_b`: "`a\\\\\\_b`", "a`_": "`a``\\_`", "": "``",
	} {
		if got := QuoteSchemaPattern(name); got != want {
			t.Errorf("%q became %s, want %s", name, got, want)
		}
	}
}

func TestQuoteLiteral(t *testing.T) {
	for text, want := range map[string]string{
		"": "''", "monsters": "'monsters'", "it's": `'it\'s'`, `a\b`: `'a\\b'`, `\'`: `'\\\''`, "a\x00\n\r\x1ab": `'a\0\n\r\Zb'`, `"`: `'"'`, "%_": "'%_'", "日本 👾": "'日本 👾'",
	} {
		if got, err := QuoteLiteral(text); got != want || err != nil {
			t.Errorf("%q became %s (%v), want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"hunter2\xff", "\xc3", "\xed\xa0\x80", "\xbf'"} {
		if got, err := QuoteLiteral(text); got != "" || err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q became %s (%v), want an error that does not repeat it", text, got, err)
		}
	}
}

// openOne opens a pool of one connection, so that what a statement left behind on it would meet the next one.
func openOne(f *testing.F, server *mysqltest.Server) *sql.DB {
	f.Helper()
	user, password := server.RootLogin()
	db, err := Open(Settings{Host: server.Host, Port: server.Port, CAFile: server.CAFile, Username: user, Password: password})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	return db
}

// FuzzQuoteLiteral selects texts as literals from a real server, and wants the
// same bytes back and nothing beside them.
func FuzzQuoteLiteral(f *testing.F) {
	for _, seed := range []string{
		"", "it's", `\`, `\'`, `'\`, "''", `"`, "`", "\x00", "\n\r\t\b\x1a", "%_", `\%\_`, "x'; DROP USER admin; -- ", "x' OR '1", "/*!50000 SLEEP(9) */", "?", ":a", "日本", "👾",
		"\xff", "\xbf'", "\u202e", "\ufeff", "a b ", strings.Repeat("'", 1000),
	} {
		f.Add(seed)
	}
	db := openOne(f, mysqltest.Shared(f))
	f.Fuzz(func(t *testing.T, text string) {
		quoted, err := QuoteLiteral(text)
		if (err == nil) != utf8.ValidString(text) {
			t.Fatalf("%q: %v", text, err)
		}
		if err != nil {
			return
		}
		var back []byte
		var after int
		if err := db.QueryRow("SELECT "+quoted+", 42").Scan(&back, &after); err != nil || string(back) != text || after != 42 {
			t.Errorf("%q came back as %q (%v)", text, back, err)
		}
	})
}

// FuzzQuoteSchemaPattern grants a schema of a real server and wants the grant
// to match that schema, and none that differs in one character.
func FuzzQuoteSchemaPattern(f *testing.F) {
	for _, seed := range []string{
		"monster_teams", "100%", `a\b`, `a\_b`, `a\\b`, `\`, "_", "%", "a`b", "a`.* TO root@localhost; -- ", "a.b", "a b", "*", "日本_", "naïve%", `x\`, "__", "select",
	} {
		f.Add(seed)
	}
	server := mysqltest.Shared(f)
	db := openOne(f, server)
	const user, password = "pattern_reader", "x"
	for _, statement := range []string{"DROP USER IF EXISTS " + user, "CREATE USER " + user + " IDENTIFIED BY '" + password + "'"} {
		if _, err := db.Exec(statement); err != nil {
			f.Fatal(err)
		}
	}
	f.Cleanup(func() {
		if _, err := db.Exec("DROP USER " + user); err != nil {
			f.Error(err)
		}
	})
	reader := server.Open(f, user, password, "")
	f.Fuzz(func(t *testing.T, name string) {
		quoted := QuoteSchemaPattern(name)
		// What MySQL takes for the name of a schema; see FuzzQuoteIdentifier.
		if n := utf8.RuneCountInString(quoted) - 2 - strings.Count(name, "`"); !utf8.ValidString(name) || name == "" || n > 64 || strings.TrimSpace(name) != name ||
			strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > 0xFFFF }) || slices.Contains(serverSchemas, strings.ToLower(name)) {
			return
		}
		others := lookalikes(name)
		for _, schema := range append(others, name) {
			if _, err := db.Exec("CREATE DATABASE IF NOT EXISTS " + QuoteIdentifier(schema)); err != nil {
				t.Fatalf("%q: %v", schema, err)
			}
			defer db.Exec("DROP DATABASE IF EXISTS " + QuoteIdentifier(schema)) //nolint:errcheck // the next creation would show it
		}
		if _, err := db.Exec("GRANT SELECT ON " + quoted + ".* TO " + user); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		rows, err := reader.Query("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN ('information_schema', 'performance_schema')")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var visible []string
		for rows.Next() {
			var schema string
			if err := rows.Scan(&schema); err != nil {
				t.Fatal(err)
			}
			visible = append(visible, schema)
		}
		if len(visible) != 1 || visible[0] != name {
			t.Errorf("the grant %s shows the schemas %q, want %q", quoted, visible, name)
		}
		if _, err := db.Exec("REVOKE SELECT ON " + quoted + ".* FROM " + user); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
	})
}

var serverSchemas = []string{"mysql", "sys", "information_schema", "performance_schema"}

// lookalikes are the names that differ from name in one character, which is a
// wildcard or an escape where it means more than itself.
func lookalikes(name string) []string {
	var others []string
	for i, r := range name {
		if strings.ContainsRune(`_%\`, r) {
			before, after := name[:i], name[i+1:]
			others = append(others, before+"X"+after)
			if shorter := before + after; r != '_' && shorter != "" && strings.TrimSpace(shorter) == shorter {
				others = append(others, shorter)
			}
		}
	}
	return others
}
