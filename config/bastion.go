package config

import (
	"encoding/json"

	"drawbridge/internal/sshkeys"
	"drawbridge/internal/unixaccounts"
)

const (
	maxAdministrators = 100
	// maxParameterBytes is the size of a standard parameter's value.
	// (AWS Systems Manager User Guide, "Managing parameter tiers".)
	maxParameterBytes = 4096
)

// Parameter returns the value of the administrator's Systems Manager parameter.
func (a Administrator) Parameter() string {
	text, err := json.Marshal(a)
	if err != nil {
		panic(err) // cannot happen: strings alone
	}
	return string(text)
}

func (c *checker) bastion(at place, e *Environment) {
	c.cidrs(at.key("sshCidrs"), e.Bastion.SSHCIDRs, narrow)
	c.instanceType(at.key("instanceType"), e.Bastion.InstanceType, e.Architecture)
	c.between(at.key("hostKeyGeneration"), e.Bastion.HostKeyGeneration, 1, maxGeneration)

	people := at.key("administrators")
	names, owners := unique{}, unique{}
	for i := range e.Bastion.Administrators {
		c.administrator(people.index(i), &e.Bastion.Administrators[i], names, owners)
	}
	if n := len(e.Bastion.Administrators); n > maxAdministrators {
		c.problem(people, "lists %d administrators", n)
	}
}

// administrator checks one person and replaces the keys by their plain form.
func (c *checker) administrator(at place, a *Administrator, names, owners unique) {
	name := at.key("name")
	if !unixaccounts.IsName(a.Name) {
		c.problem(name, "%s is not a Unix account name", show(a.Name))
	} else if unixaccounts.IsSystem(a.Name) {
		c.problem(name, "%s is an account or group of the system", show(a.Name))
	} else if first := names.seen(a.Name, name); first != "" {
		c.problem(name, "%s is also the name at %s", show(a.Name), first)
	}
	keys := at.key("publicKeys")
	for i, text := range a.PublicKeys {
		at := keys.index(i)
		key, fault := publicKey(text, sshkeys.LeastPersonRSA, false)
		a.PublicKeys[i] = key
		if fault != "" {
			c.problem(at, "%s", fault)
		} else if first := owners.seen(key, at); first != "" {
			// The log could not say who logged in.
			c.problem(at, "is the same key as at %s", first)
		}
	}
	if len(a.PublicKeys) == 0 {
		c.problem(keys, "is empty")
	}
	c.oneOf(at.key("access"), string(a.Access), string(Shell), string(TunnelOnly))
	if n := len(a.Parameter()); n > maxParameterBytes {
		c.problem(at, "takes %d bytes, more than a Systems Manager parameter holds: leave out some keys", n)
	}
}
