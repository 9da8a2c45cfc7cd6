package mysqlsession

import (
	"errors"
	"fmt"
	"os/user"
	"strconv"
	"strings"
)

// caller is the person for whom the client runs.
type caller struct {
	name, home string
	uid, gid   int
	groups     []int
}

// errNotRoot is for those who leave out sudo.
var errNotRoot = errors.New("only root can read the database's secret: run drawbridge-mysql, which asks sudo for that")

// findCaller finds out who called sudo, which says so in SUDO_UID (sudo(8)), and root itself where nobody did.
func findCaller(effectiveUID int, lookup func(string) (string, bool)) (*caller, error) {
	if effectiveUID != 0 {
		return nil, errNotRoot
	}
	uid, ok := lookup("SUDO_UID")
	if !ok {
		uid = "0"
	}
	if n, err := strconv.ParseUint(uid, 10, 31); err != nil || strconv.FormatUint(n, 10) != uid {
		return nil, fmt.Errorf("SUDO_UID is %q, which is not the number of a user: run drawbridge-mysql as it was installed", uid)
	}
	u, err := user.LookupId(uid)
	if err != nil {
		return nil, fmt.Errorf("the user with the number %s, who called sudo, is not known on this host: log in again", uid)
	}
	groups, err := u.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("the groups of %s cannot be read: %w", u.Username, err)
	}
	c := &caller{name: u.Username, home: u.HomeDir}
	for _, number := range []struct {
		text string
		to   *int
	}{{u.Uid, &c.uid}, {u.Gid, &c.gid}} {
		if *number.to, err = strconv.Atoi(number.text); err != nil {
			return nil, fmt.Errorf("the user %s has the number %q, which is none", u.Username, number.text)
		}
	}
	for _, text := range groups {
		gid, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("a group of the user %s has the number %q, which is none", u.Username, text)
		}
		c.groups = append(c.groups, gid)
	}
	return c, nil
}

// environment is what the client sees: who the person is, and of what there was how to write on the terminal.
func (c *caller) environment(old []string) []string {
	env := []string{"HOME=" + c.home, "USER=" + c.name, "LOGNAME=" + c.name, "PATH=/usr/local/bin:/usr/bin:/bin"}
	for _, variable := range old {
		name, _, _ := strings.Cut(variable, "=")
		if name == "TERM" || name == "LANG" || name == "TZ" || strings.HasPrefix(name, "LC_") {
			env = append(env, variable)
		}
	}
	return env
}
