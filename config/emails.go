package config

import (
	"net/mail"
	"strings"
)

// maxEmails keeps the list to people: more of them are one mailing list.
const maxEmails = 20

func (c *checker) emails(at place, addresses []string) {
	if len(addresses) > maxEmails {
		c.problem(at, "has %d addresses, and %d is the most: use a mailing list", len(addresses), maxEmails)
		return
	}
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
