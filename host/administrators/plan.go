package administrators

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"drawbridge/host/bastion/sshd"
)

// plan is what a run has to do. It is made before anything is changed.
type plan struct {
	people   []person // who may log in
	problems []string // a sentence each
	ending   []string // people who may log in, whose sessions are to be ended first

	revoke []command // takes access away
	grant  []command // gives it
	homes  []string  // whose home folder is missing

	gone []account // accounts of ours that nobody may use
}

// makePlan compares who is listed with what this host has. look returns what lies at a path without following a link.
func makePlan(list *listed, s *system, old *cache, look func(path string) (fs.FileInfo, error)) *plan {
	p := &plan{problems: slices.Clone(list.problems)}
	accepted := map[string]bool{}
	for _, who := range list.people {
		if why := p.admit(who, s, old, look); why != "" {
			p.problems = append(p.problems, fmt.Sprintf("%s has no access: %s", who.Name, why))
			continue
		}
		accepted[who.Name] = true
		p.people = append(p.people, who)
	}
	p.sharedKeys()

	for _, name := range slices.Sorted(maps.Keys(s.accounts)) {
		if a := s.accounts[name]; a.ours() && !accepted[name] {
			p.gone = append(p.gone, a)
			if !a.has(disabled) {
				p.revoke = append(p.revoke, adjust(name, disabled))
			}
		}
	}
	for _, group := range []string{sshd.ShellGroup, sshd.TunnelGroup} {
		for _, name := range s.groups[group] {
			if !s.accounts[name].ours() {
				p.problems = append(p.problems, fmt.Sprintf("%q was taken out of the group %s, which is for administrators alone", name, group))
				p.revoke = append(p.revoke, command{"gpasswd", "--delete", name, group})
			}
		}
	}
	slices.Sort(p.problems)
	return p
}

// admit adds what lets a person in, or returns a clause that says why that cannot be.
func (p *plan) admit(who person, s *system, old *cache, look func(path string) (fs.FileInfo, error)) (why string) {
	a, exists := s.accounts[who.Name]
	home, homeErr := look(homeOf(who.Name))
	_, group := s.groups[who.Name]
	switch {
	case exists && !a.ours():
		return "an account of that name, which this project did not make, is on the jump server: choose another name"
	case !exists && group:
		return "a group of that name is on the jump server: choose another name"
	case !exists && homeErr == nil:
		return homeOf(who.Name) + " is on the jump server already, and may be another person's: remove it there, or choose another name"
	case homeErr == nil && !home.IsDir():
		return homeOf(who.Name) + " on the jump server is not a folder: remove it there"
	}

	form := formOf(who.Access)
	if !exists {
		p.grant = append(p.grant, create(who.Name, form))
	} else {
		if !a.has(form) {
			p.grant = append(p.grant, adjust(who.Name, form))
		}
		if lost(who, old) && !a.has(disabled) {
			p.ending = append(p.ending, who.Name)
		}
	}
	if who.Access == shell && homeErr != nil {
		p.homes = append(p.homes, who.Name)
	}
	return ""
}

// lost reports whether sessions may run with rights that the person does not have any more.
func lost(now person, old *cache) bool {
	if slices.Contains(old.Ending, now.Name) {
		return true
	}
	before, known := old.person(now.Name)
	if !known {
		return true // sessions that run began with rights that nobody remembers
	}
	return before.Access == shell && now.Access == tunnelOnly ||
		slices.ContainsFunc(before.PublicKeys, func(key string) bool { return !slices.Contains(now.PublicKeys, key) })
}

// sharedKeys says which keys several people have. They keep them: each alone may log in with them, but the log of one's
// key does not say who it was.
func (p *plan) sharedKeys() {
	owner := map[string]string{}
	for _, who := range p.people {
		for _, key := range who.PublicKeys {
			if first, ok := owner[key]; ok && first != who.Name {
				p.problems = append(p.problems, fmt.Sprintf("%s and %s have the same key: give each person a key of their own", first, who.Name))
			}
			owner[key] = who.Name
		}
	}
}
