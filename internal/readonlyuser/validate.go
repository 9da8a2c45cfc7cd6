package readonlyuser

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"drawbridge/internal/mysqlname"
)

// maxConnections is the most that max_connections allows.
const maxConnections = 100_000

// hostForm is narrower than what MySQL takes: nothing in it means something else to a statement or to the server.
var hostForm = regexp.MustCompile(`^[0-9A-Za-z._%:/-]{1,255}$`)

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
	if fault := mysqlname.Username(u.Username); fault != "" {
		return invalid("Username", u.Username, "it "+fault)
	}
	if !ValidHost(u.Host) {
		return invalid("Host", u.Host, "give a host name, an address, or a block of addresses such as 10.0.0.0/16")
	}
	if len(u.Schemas) == 0 {
		return &InvalidError{"Schemas", "is empty: name at least one schema"}
	}
	for _, schema := range u.Schemas {
		if fault := mysqlname.Schema(schema); fault != "" {
			return invalid("Schemas", schema, "it "+fault)
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

func invalid(property, value, problem string) error {
	return &InvalidError{property, fmt.Sprintf("is %q: %s", shorten(value, 100), problem)}
}
