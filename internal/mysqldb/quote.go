package mysqldb

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// QuoteIdentifier makes any name of a schema, table, column or user part safe
// to stand in a statement where MySQL expects an identifier: it is put in
// backticks, and each backtick inside is doubled ("Schema Object Names" in the
// MySQL reference manual). Names that MySQL does not allow, such as an empty one,
// stay names that MySQL refuses.
func QuoteIdentifier(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

// QuoteSchemaPattern makes the name of a schema safe to stand in GRANT or
// REVOKE … ON schema.*, where _ and % are wildcards unless a backslash stands
// before them ("GRANT Statement" in the MySQL reference manual). Escapes count
// towards the 64 characters that MySQL allows.
//
// A server with partial_revokes ON knows no wildcards there and takes the
// backslash for a part of the name: use [QuoteIdentifier] on it.
func QuoteSchemaPattern(schema string) string {
	return QuoteIdentifier(wildcards.Replace(schema))
}

var wildcards = strings.NewReplacer(`\`, `\\`, `_`, `\_`, `%`, `\%`)

// QuoteLiteral makes any text safe to stand in a statement where MySQL expects
// a string ("String Literals" in the MySQL reference manual): use it where
// MySQL takes no placeholder, as in CREATE USER. The connection's character set
// must be utf8mb4, which [Open] sees to, and its sql_mode must not hold
// NO_BACKSLASH_ESCAPES. Text that is not UTF-8 is an error that does not repeat
// it.
func QuoteLiteral(text string) (string, error) {
	if !utf8.ValidString(text) {
		return "", errors.New("a text for MySQL is not UTF-8: give it as UTF-8")
	}
	return "'" + literals.Replace(text) + "'", nil
}

var literals = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\x00", `\0`, "\n", `\n`, "\r", `\r`, "\x1a", `\Z`)
