package readonlyuser

import (
	"regexp"
	"slices"
	"strings"
)

// Rights is what lines of SHOW GRANTS say that an account may do. It names kinds of privileges and roles only: not on
// what, and nothing else of the lines.
type Rights struct {
	// Reading are the privileges that only read, such as SELECT, and Beyond all others, each once.
	Reading, Beyond []string
	// Roles are the roles that the account may take on, quoted as the server quotes them. What a role may do is in other
	// lines: those of SHOW GRANTS FOR CURRENT_USER() USING it.
	Roles []string
	// Unclear says that there are lines in a form that is not known here, which may grant anything.
	Unclear bool
}

// OnlyRead says that the account can do nothing but read.
func (r Rights) OnlyRead() bool { return len(r.Beyond) == 0 && !r.Unclear }

// reading are the privileges that let nobody change anything ("Privileges Provided by MySQL"). USAGE is none at all.
var reading = []string{"SELECT", "SHOW VIEW"}

// What SHOW GRANTS prints, in any setting of ANSI_QUOTES and sql_quote_show_create.
const (
	anyName      = "(?:" + quotedName + `|"(?:[^"]|"")*"|[0-9A-Za-z_$\x{80}-\x{ffff}]+)`
	anyAccount   = anyName + "@" + anyName
	anyPrivilege = `[A-Z_]+(?: [A-Z_]+)*(?: \(` + anyName + `(?:, ?` + anyName + `)*\))?`
	anyObject    = `(?:(?:TABLE|FUNCTION|PROCEDURE) )?(?:\*|` + anyName + `)\.(?:\*|` + anyName + `)`
	grantee      = ` TO ` + anyAccount + `(.*)$`
)

var (
	privilegesLine = regexp.MustCompile(`^GRANT (` + anyPrivilege + `(?:, ?` + anyPrivilege + `)*) ON ` + anyObject + grantee)
	proxyLine      = regexp.MustCompile(`^GRANT PROXY ON ` + anyAccount + ` TO `)
	rolesLine      = regexp.MustCompile(`^GRANT (` + anyAccount + `(?:, ?` + anyAccount + `)*)` + grantee)
	revokeLine     = regexp.MustCompile(`^REVOKE .* FROM `)
	oneAccount     = regexp.MustCompile(anyAccount)
	onePrivilege   = regexp.MustCompile(`([A-Z_]+(?: [A-Z_]+)*)(?: \(` + anyName + `(?:, ?` + anyName + `)*\))?`)
)

// Judge reads lines of SHOW GRANTS. What a server with partial revokes takes back on some schemas counts as granted.
func Judge(lines []string) Rights {
	var r Rights
	for _, line := range lines {
		if m := privilegesLine.FindStringSubmatch(line); m != nil {
			for _, p := range onePrivilege.FindAllStringSubmatch(m[1], -1) {
				r.add(p[1])
			}
			r.addOptions(m[2])
		} else if proxyLine.MatchString(line) {
			r.add("PROXY")
		} else if m := rolesLine.FindStringSubmatch(line); m != nil {
			r.Roles = append(r.Roles, oneAccount.FindAllString(m[1], -1)...)
			r.addOptions(m[2])
		} else if !revokeLine.MatchString(line) {
			r.Unclear = true
		}
	}
	return r
}

// addOptions adds what stands behind the account: "WITH GRANT OPTION" and "WITH ADMIN OPTION" let it pass on what it has.
func (r *Rights) addOptions(tail string) {
	for _, option := range []string{"GRANT OPTION", "ADMIN OPTION"} {
		if strings.Contains(tail, option) {
			r.add(option)
		}
	}
}

func (r *Rights) add(privilege string) {
	list := &r.Beyond
	switch {
	case privilege == "USAGE":
		return
	case slices.Contains(reading, privilege):
		list = &r.Reading
	}
	if !slices.Contains(*list, privilege) {
		*list = append(*list, privilege)
	}
}
