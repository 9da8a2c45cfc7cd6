package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"drawbridge/internal/mysqlname"
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
	if fault := mysqlname.Username(name); fault != "" {
		c.problem(at, "%s", named(name, fault))
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
		if fault := mysqlname.Schema(schema); fault != "" {
			c.problem(at, "%s", named(schema, fault))
		} else if listed.seen(schema, at) != "" {
			c.problem(at, "%s is listed twice", show(schema))
		}
	}
	if len(schemas) == 0 {
		c.problem(at, "is empty")
	}
}

// named puts a name before what is wrong with it. An empty one is not shown.
func named(name, fault string) string {
	if name == "" {
		return fault
	}
	return show(name) + " " + fault
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
