package mysqldb

import "strings"

// QuoteIdentifier makes any name of a schema, table, column or user part safe
// to stand in a statement where MySQL expects an identifier: it is put in
// backticks, and each backtick inside is doubled ("Schema Object Names" in the
// MySQL reference manual). Names that MySQL does not allow, such as an empty one,
// stay names that MySQL refuses.
func QuoteIdentifier(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}
