package administrators

import (
	"reflect"
	"testing"
)

func TestAccountsAreReadFromTheSystemsFiles(t *testing.T) {
	s := parseSystem("root:x:0:0:root:/root:/bin/bash\n"+
		"malia:x:1001:1001:"+mark+":/home/malia:/bin/bash\n"+
		"malia:x:0:0:a second one:/root:/bin/sh\n"+
		"+::::::\n\n# a comment\nbroken:x:1\nodd:x:many:1:"+mark+":/home/odd:/bin/sh\n"+
		"last:x:1002:1002::/home/last:/bin/sh", // no line's end
		"malia:*:20000:0:99999:7::1:\nmalia:$y$x:20000:0:99999:7:::\nghost:*:::::::\nlast:!:20000:0:99999:7:::\n",
		"drawbridge-shell:x:991:malia,ghost\nwheel:x:10:malia,malia,\nmalia:x:1001:\nwheel:x:11:root\nempty:x:12:\n")
	if want := (account{name: "malia", uid: 1001, comment: mark, home: "/home/malia", shell: "/bin/bash", password: "*", expires: "1",
		groups: []string{"drawbridge-shell", "wheel"}}); !reflect.DeepEqual(s.accounts["malia"], want) {
		t.Errorf("got %+v, want %+v", s.accounts["malia"], want)
	}
	for name, want := range map[string]bool{"root": false, "malia": true, "odd": false, "last": false, "ghost": false, "+": false} {
		if got := s.accounts[name].ours(); got != want {
			t.Errorf("%s is ours: %v", name, got)
		}
	}
	if _, ok := s.accounts["odd"]; !ok {
		t.Error("the name of an account whose number cannot be read counts as free")
	}
	if s.accounts["last"].password != "!" || len(s.accounts["root"].groups) > 0 {
		t.Errorf("last is %+v, root %+v", s.accounts["last"], s.accounts["root"])
	}
	if _, ok := s.groups["empty"]; !ok {
		t.Error("a group without members counts as free")
	}
}

func TestAnAccountHasAFormOnlyWithAllOfIt(t *testing.T) {
	a := account{shell: bash, password: noPassword, groups: []string{"drawbridge-shell"}}
	if !a.has(formOf(shell)) || a.has(formOf(tunnelOnly)) || a.has(disabled) {
		t.Error("the form of an account is not recognised")
	}
	for name, change := range map[string]func(*account){
		"the shell": func(a *account) { a.shell = "/bin/sh" }, "the password": func(a *account) { a.password = "!" },
		"the end": func(a *account) { a.expires = "1" }, "no group": func(a *account) { a.groups = nil },
		"one more group": func(a *account) { a.groups = []string{"drawbridge-shell", "wheel"} },
	} {
		b := a
		change(&b)
		if b.has(formOf(shell)) {
			t.Errorf("%s makes no difference", name)
		}
	}
}

func TestUsersOfAProcess(t *testing.T) {
	for status, want := range map[string][]int{
		"Name:\tsshd\nState:\tS (sleeping)\nUid:\t1001\t0\t0\t0\n": {1001, 0},
		"State:\tZ (zombie)\nUid:\t1001\t1001\t1001\t1001\n":       nil,
		"Uid:\tmany\t1001\n": {1001},
		"":                   nil,
	} {
		if got := usersOf(status); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, want %v", status, got, want)
		}
	}
}
