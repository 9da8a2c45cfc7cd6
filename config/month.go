package config

import "regexp"

var month = regexp.MustCompile(`^20[0-9]{2}-(0[1-9]|1[0-2])$`)

// month checks a month as YYYY-MM. It says when something that AWS or Debian
// renews was last looked up, and is compared with nothing.
func (c *checker) month(at place, text string) {
	if !month.MatchString(text) {
		c.problem(at, "%s is not a month", show(text))
	}
}
