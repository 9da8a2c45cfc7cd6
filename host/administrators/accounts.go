package administrators

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"drawbridge/host/bastion/sshd"
	"drawbridge/host/install"
	"drawbridge/internal/unixaccounts"
)

const (
	// mark is the comment field of the accounts that are ours. useradd writes it together with the account, so there is
	// never one of which it is not known.
	mark = "Drawbridge administrator"

	// leastUID is where the numbers of people's accounts begin (UID_MIN in login.defs of both distributions).
	leastUID = 1000

	// noPassword can neither be entered nor does it lock the account, as "!" would (shadow(5)).
	noPassword = "*"

	// expired is a day long gone, as the number of days since 1970 (shadow(5)): PAM refuses the account.
	expired = "1"

	bash = "/bin/bash"
)

// account is a Unix account.
type account struct {
	name     string
	uid      int
	comment  string
	home     string
	shell    string
	password string
	expires  string   // days since 1970, or "" for never
	groups   []string // the supplementary ones, sorted
}

// system is who this host knows.
type system struct {
	accounts map[string]account
	groups   map[string][]string // their members
}

// readSystem reads passwd(5), shadow(5) and group(5).
func readSystem(h *install.Host) (*system, error) {
	var texts [3]string
	for i, file := range []string{"/etc/passwd", "/etc/shadow", "/etc/group"} {
		text, err := h.Read(file)
		if err != nil {
			return nil, fmt.Errorf("the accounts of this host cannot be read, so nothing was changed: %w", err)
		}
		texts[i] = string(text)
	}
	return parseSystem(texts[0], texts[1], texts[2]), nil
}

// parseSystem leaves out lines that are not entries, as the C library does. It keeps the first of two entries of a name.
func parseSystem(passwd, shadow, group string) *system {
	s := &system{accounts: map[string]account{}, groups: map[string][]string{}}
	entries := func(text string, fields int, add func(f []string)) {
		for line := range strings.Lines(text) {
			if f := strings.Split(strings.TrimRight(line, "\n"), ":"); len(f) == fields && f[0] != "" {
				add(f)
			}
		}
	}
	entries(passwd, 7, func(f []string) {
		if _, twice := s.accounts[f[0]]; twice {
			return
		}
		uid, err := strconv.Atoi(f[2])
		if err != nil {
			uid = -1 // never ours, but its name is taken
		}
		s.accounts[f[0]] = account{name: f[0], uid: uid, comment: f[4], home: f[5], shell: f[6]}
	})
	seen := map[string]bool{}
	entries(shadow, 9, func(f []string) {
		if a, ok := s.accounts[f[0]]; ok && !seen[f[0]] {
			seen[f[0]] = true
			a.password, a.expires = f[1], f[7]
			s.accounts[f[0]] = a
		}
	})
	entries(group, 4, func(f []string) {
		if _, twice := s.groups[f[0]]; twice {
			return
		}
		s.groups[f[0]] = strings.FieldsFunc(f[3], func(r rune) bool { return r == ',' })
		for _, member := range s.groups[f[0]] {
			if a, ok := s.accounts[member]; ok && !slices.Contains(a.groups, f[0]) {
				a.groups = append(a.groups, f[0])
				s.accounts[member] = a
			}
		}
	})
	for name, a := range s.accounts {
		slices.Sort(a.groups)
		s.accounts[name] = a
	}
	return s
}

// ours reports whether this program made the account.
func (a account) ours() bool {
	return a.comment == mark && a.uid >= leastUID && a.home == homeOf(a.name) && unixaccounts.IsName(a.name)
}

func homeOf(name string) string { return "/home/" + name }

// form is what makes an account let a person in, or nobody.
type form struct {
	shell, expires string
	group          string // the only supplementary group, or ""
}

var disabled = form{shell: sshd.NoLogin, expires: expired}

func formOf(a access) form {
	if a == shell {
		return form{shell: bash, group: sshd.ShellGroup}
	}
	return form{shell: sshd.NoLogin, group: sshd.TunnelGroup}
}

// has reports whether the account has the form already.
func (a account) has(f form) bool {
	var groups []string
	if f.group != "" {
		groups = []string{f.group}
	}
	return a.shell == f.shell && a.expires == f.expires && a.password == noPassword && slices.Equal(a.groups, groups)
}

// command is a program and its arguments.
type command []string

// create makes the account of a person, without a home folder.
func create(name string, f form) command {
	return command{"useradd", "--comment", mark, "--home-dir", homeOf(name), "--no-create-home", "--shell", f.shell,
		"--expiredate", f.expires, "--password", noPassword, "--user-group", "--groups", f.group, name}
}

// adjust gives an account of ours another form.
func adjust(name string, f form) command {
	return command{"usermod", "--shell", f.shell, "--expiredate", f.expires, "--password", noPassword, "--groups", f.group, name}
}
