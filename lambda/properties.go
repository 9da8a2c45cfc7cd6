package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/mysqlname"
	"drawbridge/internal/readonlyuser"
)

// properties reads the properties of a custom resource strictly: each has to be there and of its form, and no other may
// be. CloudFormation has made texts of all numbers. The problems of all are collected, without the values.
type properties struct {
	at       string // begins the names of the properties in problems: "Users[0]."
	unread   map[string]any
	problems *[]string
}

// readProperties begins to read the properties of a resource, without those that are CloudFormation's own.
func readProperties(values map[string]any) properties {
	unread := maps.Clone(values)
	delete(unread, "ServiceToken")
	delete(unread, "ServiceTimeout")
	return properties{unread: unread, problems: new([]string)}
}

// form is what a text has to be.
type form struct {
	expected string // to the person who wrote the property
	fits     func(string) bool
}

var (
	mysqlUsername = form{"the name of a MySQL user: 1 to 32 printable characters, at most 95 bytes", func(s string) bool { return mysqlname.Username(s) == "" }}
	mysqlSchema   = form{"the name of a MySQL schema: 1 to 64 printable characters, of which _, % and \\ count twice, not one of MySQL's own schemas", func(s string) bool { return mysqlname.Schema(s) == "" }}
	mysqlHost     = form{"where the user may connect from: an address, a CIDR block such as 10.0.0.0/16, or %", readonlyuser.ValidHost}
	secretARN     = form{"the ARN of a Secrets Manager secret", mysqldb.IsSecretARN}
	oneLine       = form{"1 to 100 printable ASCII characters", func(s string) bool { return isASCII(s, 100) }}
	phase         = form{"public or private", func(s string) bool { return s == public || s == private }}
)

// text reads a text.
func (p properties) text(name string, f form) string {
	value, ok := p.take(name, f.expected)
	if !ok {
		return ""
	}
	return p.check(name, value, f)
}

// check returns value where it is a text of the form.
func (p properties) check(name string, value any, f form) string {
	text, ok := value.(string)
	if !ok {
		p.problem("%s%s is %s, not a text: give %s", p.at, name, kindOf(value), f.expected)
		return ""
	}
	if !f.fits(text) {
		p.problem("%s%s is not %s", p.at, name, f.expected)
		return ""
	}
	return text
}

// number reads a whole number, written as a text.
func (p properties) number(name string, low, high int) int {
	number := 0
	p.text(name, form{fmt.Sprintf("a whole number from %d to %d", low, high), func(text string) bool {
		n, err := strconv.Atoi(text)
		number = n
		return err == nil && text == strconv.Itoa(n) && low <= n && n <= high
	}})
	return number
}

// texts reads a list of at least one text, all different.
func (p properties) texts(name string, f form) []string {
	expected := "a list, each " + f.expected
	value, ok := p.take(name, expected)
	if !ok {
		return nil
	}
	list, ok := value.([]any)
	if !ok || len(list) == 0 {
		p.problem("%s%s is %s: give %s", p.at, name, kindOf(value), expected)
		return nil
	}
	texts := make([]string, len(list))
	for i, value := range list {
		at := fmt.Sprintf("%s[%d]", name, i)
		texts[i] = p.check(at, value, f)
		if texts[i] != "" && slices.Contains(texts[:i], texts[i]) {
			p.problem("%s%s is in the list twice: give it once", p.at, at)
		}
	}
	return texts
}

// objects reads a list of objects, which may be empty.
func (p properties) objects(name string) []properties {
	const expected = "a list of objects"
	value, ok := p.take(name, expected)
	if !ok {
		return nil
	}
	list, ok := value.([]any)
	if !ok {
		p.problem("%s%s is %s: give %s", p.at, name, kindOf(value), expected)
		return nil
	}
	var objects []properties
	for i, value := range list {
		at := fmt.Sprintf("%s%s[%d]", p.at, name, i)
		object, ok := value.(map[string]any)
		if !ok {
			p.problem("%s is %s, not an object: give %s", at, kindOf(value), expected)
			continue
		}
		objects = append(objects, properties{at: at + ".", unread: maps.Clone(object), problems: p.problems})
	}
	return objects
}

// end says that all properties have been read: those that are left are not known.
func (p properties) end() {
	for _, name := range slices.Sorted(maps.Keys(p.unread)) {
		p.problem("%s%.60q is not known: take it out", p.at, name)
	}
}

// err is everything that is wrong, or nil.
func (p properties) err() error {
	if len(*p.problems) == 0 {
		return nil
	}
	return errors.New("the resource's properties are wrong: " + strings.Join(*p.problems, "; "))
}

// take takes a property out of what is unread.
func (p properties) take(name, expected string) (any, bool) {
	value := p.unread[name]
	delete(p.unread, name)
	if value == nil {
		p.problem("%s%s is missing: give %s", p.at, name, expected)
		return nil, false
	}
	return value, true
}

func (p properties) problem(format string, args ...any) {
	*p.problems = append(*p.problems, fmt.Sprintf(format, args...))
}

// kindOf says what a value decoded from JSON is.
func kindOf(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case string:
		return "a text"
	case bool:
		return "true or false"
	case float64:
		return "a number"
	case []any:
		if len(value) == 0 {
			return "an empty list"
		}
		return "a list"
	}
	return "an object"
}

// oldText is a text among properties that may be of any form, as a version of this function before had them.
func oldText(values map[string]any, name string) string {
	text, _ := values[name].(string)
	return text
}

func isASCII(text string, most int) bool {
	return text != "" && len(text) <= most && strings.TrimSpace(text) == text &&
		!strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}
