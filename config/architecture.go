package config

import (
	"regexp"
	"strings"
)

// Architecture is the processor architecture of the Lambda, the web app and the
// hosts. The database has its own: that of its instance class.
type Architecture string

const (
	ARM64  Architecture = "arm64"
	X86_64 Architecture = "x86_64"
)

// HostInstanceType is the EC2 instance type of a host whose config names none:
// the smallest on which Amazon Linux's dnf does not run out of memory.
func (a Architecture) HostInstanceType() string {
	if a == X86_64 {
		return "t3.micro"
	}
	return "t4g.micro"
}

// instanceType splits an EC2 instance type into its family's attributes (what
// follows the generation: "g" in t4g, "" in t3) and its size.
var instanceType = regexp.MustCompile(`^[a-z][a-z-]*[0-9]+([a-z0-9-]*)\.([a-z0-9-]+)$`)

// architectureOf reads the architecture from an EC2 instance type's name: a
// "g" among the attributes means Graviton, as does the first family, a1.
// (Amazon EC2 User Guide, "Instance type naming conventions".)
func architectureOf(name string) (a Architecture, size string, ok bool) {
	m := instanceType.FindStringSubmatch(name)
	if m == nil {
		return "", "", false
	}
	if strings.Contains(m[1], "g") || strings.HasPrefix(name, "a1.") {
		return ARM64, m[2], true
	}
	return X86_64, m[2], true
}

func (c *checker) instanceType(at place, name string, want Architecture) {
	got, size, ok := architectureOf(name)
	switch {
	case !ok:
		c.problem(at, "%s is not the name of an EC2 instance type", show(name))
	case got != want:
		c.problem(at, "%s is an %s type, but this is synthesized for %s", show(name), got, want)
	case size == "nano":
		c.problem(at, "%s has too little memory to install its software", show(name))
	}
}
