// Package mysqlname says which names Drawbridge takes for MySQL accounts and schemas: in its config, in the properties of
// custom resources, and before a statement.
//
// Where MySQL would refuse some of the others, it takes the rest for another name: it cuts a user name at a zero byte,
// trims white space, and makes a question mark of a character beyond the Basic Multilingual Plane (MySQL Reference Manual,
// "Schema Object Names" and "Account User Names and Passwords").
package mysqlname

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Username says what is wrong with the name of an account, such as "is too long"; "" if nothing is.
func Username(name string) string {
	if fault := fault(name, 32); fault != "" {
		return fault
	}
	if len(name) > 95 {
		// A connection's CURRENT_USER() lacks the end of a longer one, which then cannot be proved.
		return "has more than 95 bytes in UTF-8"
	}
	return ""
}

// Schema says what is wrong with the name of a schema that an account is to read; "" if nothing is.
func Schema(name string) string {
	if fault := fault(name, 64); fault != "" {
		return fault
	}
	// With the backslashes before its wildcards, it must still be as short as a name.
	wildcards := strings.Count(name, "_") + strings.Count(name, "%") + strings.Count(name, `\`)
	if utf8.RuneCountInString(name)+wildcards > 64 {
		return `is too long for a grant, in which _, % and \ count twice`
	}
	if IsSystemSchema(name) {
		return "is one of MySQL's own schemas"
	}
	return ""
}

// systemSchemas hold what is the server's own; mysql holds everybody's password hashes.
var systemSchemas = []string{"mysql", "sys", "information_schema", "performance_schema"}

// IsSystemSchema reports whether a schema is one of MySQL's own.
func IsSystemSchema(name string) bool { return slices.Contains(systemSchemas, strings.ToLower(name)) }

// fault is what is wrong with a name of at most that many characters.
func fault(name string, most int) string {
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return "is empty"
	case n > most:
		return "is too long"
	case strings.TrimSpace(name) != name:
		return "starts or ends with a space"
	}
	for _, r := range name {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return "holds a character that cannot be printed"
		}
		if r > 0xFFFF {
			return "holds a character that MySQL does not take in names"
		}
	}
	return ""
}
