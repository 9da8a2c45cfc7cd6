package readonlyuser

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxUsername    = 32      // characters ("CREATE USER Statement")
	maxUserBytes   = 95      // of a longer name, a connection's CURRENT_USER() lacks the end
	maxSchema      = 64      // characters ("Identifier Length Limits")
	maxConnections = 100_000 // the most that max_connections allows
)

// systemSchemas hold what is the server's own; mysql holds everybody's password hashes.
var systemSchemas = []string{"mysql", "sys", "information_schema", "performance_schema"}

// hostForm is narrower than what MySQL takes: nothing in it means something else to a statement or to the server.
var hostForm = regexp.MustCompile(`^[0-9A-Za-z._%:/-]{1,255}$`)

// ValidUsername reports whether an account can have that name.
func ValidUsername(name string) bool { return usernameProblem(name) == "" }

// ValidSchema reports whether an account can be given that schema to read.
func ValidSchema(name string) bool {
	return nameProblem(name, maxSchema) == "" && !slices.Contains(systemSchemas, strings.ToLower(name))
}

// ValidHost reports whether an account can be for connections from that host.
func ValidHost(host string) bool { return hostForm.MatchString(host) }

// validate refuses what MySQL would refuse later, and what it would take for something else.
func (u User) validate() error {
	if err := u.validateGrants(); err != nil {
		return err
	}
	if u.MaxConnections < 1 || u.MaxConnections > maxConnections {
		problem := fmt.Sprintf("is %d: give a number from 1 to %d", u.MaxConnections, maxConnections)
		return &InvalidError{"MaxConnections", problem}
	}
	return nil
}

// validateGrants is validate for what a proof is about: who may read what.
func (u User) validateGrants() error {
	if problem := usernameProblem(u.Username); problem != "" {
		return invalid("Username", u.Username, problem)
	}
	if !ValidHost(u.Host) {
		return invalid("Host", u.Host, "give a host name, an address, or a block of addresses such as 10.0.0.0/16")
	}
	if len(u.Schemas) == 0 {
		return &InvalidError{"Schemas", "is empty: name at least one schema"}
	}
	for _, schema := range u.Schemas {
		if problem := nameProblem(schema, maxSchema); problem != "" {
			return invalid("Schemas", schema, problem)
		}
		if !ValidSchema(schema) {
			return invalid("Schemas", schema, "a schema of the server's own is not for a read-only user")
		}
	}
	return nil
}

func (o Owner) validate() error {
	for property, value := range map[string]string{"Stack": o.Stack, "Resource": o.Resource} {
		if value == "" || !utf8.ValidString(value) {
			return invalid(property, value, "name the resource that keeps the account")
		}
	}
	return nil
}

// validatePassword never repeats the password.
func validatePassword(password string) error {
	switch {
	case password == "":
		return &InvalidError{"password", "is empty: an account needs one"}
	case !utf8.ValidString(password) || strings.ContainsRune(password, 0):
		return &InvalidError{"password", "is not UTF-8 text, or holds a zero byte, where MySQL would end it"}
	}
	return nil
}

// usernameProblem says why name cannot be that of an account.
func usernameProblem(name string) string {
	if problem := nameProblem(name, maxUsername); problem != "" || len(name) <= maxUserBytes {
		return problem
	}
	return fmt.Sprintf("it has more than %d bytes in UTF-8, the end of which MySQL forgets", maxUserBytes)
}

// nameProblem says why name cannot be that of an account or a schema ("Schema Object Names"). Where MySQL would refuse
// some of these, it takes others for another name: it cuts a user name at a zero byte, trims white space, and makes a
// question mark of a character beyond the Basic Multilingual Plane.
func nameProblem(name string, longest int) string {
	switch {
	case name == "":
		return "give a name"
	case !utf8.ValidString(name):
		return "it is not UTF-8 text"
	case utf8.RuneCountInString(name) > longest:
		return fmt.Sprintf("it has more than %d characters", longest)
	case strings.ContainsFunc(name, func(r rune) bool { return r > 0xFFFF }):
		return "it holds a character that MySQL has no place for in a name, such as an emoji"
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }):
		return "it holds a character that cannot be printed"
	case strings.TrimSpace(name) != name:
		return "it begins or ends with white space"
	}
	return ""
}

func invalid(property, value, problem string) error {
	return &InvalidError{property, fmt.Sprintf("is %q: %s", shorten(value, 100), problem)}
}
