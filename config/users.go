package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

var userKey = regexp.MustCompile(`^[a-z][a-z0-9]{0,19}$`)

func (c *checker) readOnlyUsers(root place, e *Environment) {
	at := root.key("readOnlyUsers")
	for _, key := range []string{BIUser, WebAppUser} {
		if _, ok := e.ReadOnlyUsers[key]; !ok {
			c.problem(at.entry(key), "is missing")
		}
	}
	if n := len(e.ReadOnlyUsers); n > 20 {
		// Each has a policy on the Lambda function's role, whose policies may have 10,240 characters together (IAM User
		// Guide, "IAM and AWS STS quotas").
		c.problem(at, "holds %d users", n)
	}
	usernames := unique{}
	for _, key := range slices.Sorted(maps.Keys(e.ReadOnlyUsers)) {
		at, user := at.entry(key), e.ReadOnlyUsers[key]
		if !userKey.MatchString(key) {
			c.problem(at, "%s cannot be the key of a user", show(key))
		}
		c.username(at.key("username"), user.Username, e.Database.MasterUsername, usernames)
		c.schemas(at.key("schemas"), user.Schemas)
		if key == WebAppUser {
			c.ownSchema(root, at.key("schemas"), user.Schemas, e.Database.Name)
		}
		c.between(at.key("maxConnections"), user.MaxConnections, 1, 100000)
	}
}

// username checks a MySQL user name. MySQL tells upper from lower case in user
// names; people do not, so that names which differ in case alone are refused.
func (c *checker) username(at place, name, master string, others unique) {
	if fault := mysqlNameFault(name, 32); fault != "" {
		c.problem(at, "%s", fault)
	} else if len(name) > 95 {
		// MySQL's CURRENT_USER() cuts a longer one, which then cannot be proved.
		c.problem(at, "%s has more than 95 bytes in UTF-8", show(name))
	} else if strings.EqualFold(name, master) {
		c.problem(at, "%s is the master user, who may write", show(name))
	} else if isReservedAccount(name) {
		c.problem(at, "%s is an account that MySQL or RDS keeps for itself", show(name))
	} else if first := others.seen(strings.ToLower(name), at); first != "" {
		c.problem(at, "%s is also the name at %s", show(name), first)
	}
}

func (c *checker) schemas(at place, schemas []string) {
	listed := unique{}
	for i, schema := range schemas {
		at := at.index(i)
		if fault := mysqlNameFault(schema, 64); fault != "" {
			c.problem(at, "%s", fault)
		} else if patternLength(schema) > 64 {
			c.problem(at, `%s is too long for a grant, in which _, %% and \ count twice`, show(schema))
		} else if isSystemSchema(schema) {
			c.problem(at, "%s is one of MySQL's own schemas", show(schema))
		} else if listed.seen(schema, at) != "" {
			c.problem(at, "%s is listed twice", show(schema))
		}
	}
	if len(schemas) == 0 {
		c.problem(at, "is empty")
	}
}

// patternLength is the number of characters of a schema's name in a grant, where wildcards have a backslash before them.
func patternLength(schema string) int {
	return utf8.RuneCountInString(schema) + strings.Count(schema, "_") + strings.Count(schema, "%") + strings.Count(schema, `\`)
}

// ownSchema checks that the web app may read the database that it opens. A list
// that is wrong in another way already has its line.
func (c *checker) ownSchema(root, at place, schemas []string, database string) {
	if database == "" || c.isWrong(root.key("database").key("name")) || slices.Contains(schemas, database) {
		return
	}
	for i := range schemas {
		if c.isWrong(at.index(i)) {
			return
		}
	}
	c.problem(at, "does not list %s, the database that the web app opens", show(database))
}

// mysqlNameFault returns what is wrong with a name that MySQL stores as utf8mb3
// with a limit in characters, or "". (MySQL Reference Manual, "Schema Object
// Names" and "Account User Names and Passwords".)
func mysqlNameFault(name string, most int) string {
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return "is empty"
	case n > most:
		return show(name) + " is too long"
	case strings.TrimSpace(name) != name:
		return show(name) + " starts or ends with a space"
	}
	for _, r := range name {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return show(name) + " holds a character that cannot be printed"
		}
		if r > 0xFFFF {
			return show(name) + " holds a character that MySQL does not take in names"
		}
	}
	return ""
}
