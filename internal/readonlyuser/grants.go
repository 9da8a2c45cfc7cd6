package readonlyuser

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"drawbridge/internal/mysqldb"
)

// dialect is what a server makes of a schema's name in a grant.
type dialect struct {
	// partialRevokes is the server's setting: with it on, grants know no wildcards, and a backslash is a part of the
	// name ("Privilege Restriction Using Partial Revokes").
	partialRevokes bool
}

// schema is a schema's name as this server's GRANT takes it for that schema alone.
func (d dialect) schema(name string) string {
	if d.partialRevokes {
		return mysqldb.QuoteIdentifier(name)
	}
	return mysqldb.QuoteSchemaPattern(name)
}

// selectGrant is the one thing on a schema that a read-only user is granted.
func (d dialect) selectGrant(schema string) string {
	return "SELECT ON " + d.schema(schema) + ".*"
}

// grantLine is a line of SHOW GRANTS.
func grantLine(grant string, to account) string { return fmt.Sprintf("GRANT %s TO %s", grant, to) }

// expected are the lines of SHOW GRANTS for u: USAGE, which is no privilege, and SELECT on each schema.
func (d dialect) expected(u User) []string {
	lines := []string{grantLine("USAGE ON *.*", u.account())}
	for _, schema := range u.Schemas {
		lines = append(lines, grantLine(d.selectGrant(schema), u.account()))
	}
	return lines
}

const (
	quotedName    = "`(?:[^`]|``)*`"
	quotedAccount = quotedName + "@" + quotedName
)

// What SHOW GRANTS prints of the grants that can be taken back without touching others.
var (
	schemaSelect = regexp.MustCompile("^SELECT ON " + quotedName + `\.\*$`)
	proxyOrRoles = regexp.MustCompile("^(?:PROXY ON )?" + quotedAccount + "(?:," + quotedAccount + ")*$")
)

// revocable returns what a line of SHOW GRANTS grants, where REVOKE takes that alone.
func revocable(line string, from account) (grant string, ok bool) {
	grant, options, ok := strings.Cut(strings.TrimPrefix(line, "GRANT "), fmt.Sprintf(" TO %s", from))
	if !ok {
		return "", false
	}
	return grant, schemaSelect.MatchString(grant) && options == "" || proxyOrRoles.MatchString(grant)
}

// ensureGrants brings the grants of u's account to SELECT on each schema and nothing else. What is missing is granted
// before the surplus goes, so that a reader whose schema was granted in another form notices nothing.
func (s *Session) ensureGrants(ctx context.Context, u User) error {
	name := u.account()
	have, err := readStrings(ctx, s.conn, fmt.Sprintf("SHOW GRANTS FOR %s", name))
	if err != nil {
		return fmt.Errorf("read the grants of %s: %w", name, explain(err))
	}
	expected := s.dialect.expected(u)
	var surplus []string
	everything := false
	for _, line := range have {
		if slices.Contains(expected, line) {
			continue
		}
		if grant, ok := revocable(line, name); ok {
			surplus = append(surplus, grant)
		} else {
			everything = true
		}
	}
	if everything {
		doing := fmt.Sprintf("take back what %s has beyond SELECT on schemas", name)
		if err := s.exec(ctx, doing, fmt.Sprintf("REVOKE ALL PRIVILEGES, GRANT OPTION FROM %s", name)); err != nil {
			return err
		}
		have = nil
	}
	for _, schema := range u.Schemas {
		grant := s.dialect.selectGrant(schema)
		if slices.Contains(have, grantLine(grant, name)) {
			continue
		}
		if err := s.exec(ctx, fmt.Sprintf("grant %s to %s", grant, name), grantLine(grant, name)); err != nil {
			return err
		}
	}
	for _, grant := range surplus {
		doing := fmt.Sprintf("revoke %s from %s", grant, name)
		if err := s.exec(ctx, doing, fmt.Sprintf("REVOKE IF EXISTS %s FROM %s", grant, name)); err != nil {
			return err
		}
	}
	return nil
}
