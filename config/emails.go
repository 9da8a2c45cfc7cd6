package config

import (
	"net/mail"
	"strings"
)

func (c *checker) emails(at place, addresses []string) {
	listed := unique{}
	for i, text := range addresses {
		at := at.index(i)
		address, err := mail.ParseAddress(text)
		if err != nil || address.Address != text {
			c.problem(at, "%s is not an email address", show(text))
		} else if listed.seen(strings.ToLower(text), at) != "" {
			c.problem(at, "%s is listed twice", show(text))
		}
	}
}
