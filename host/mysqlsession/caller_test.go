package mysqlsession

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"drawbridge/internal/notrun"
)

func lookup(uid string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if name == "SUDO_UID" && uid != "" {
			return uid, true
		}
		return "0", name == "SUDO_GID"
	}
}

func TestOnlyRootReadsTheSecret(t *testing.T) {
	if _, err := findCaller(1000, lookup("0")); !errors.Is(err, errNotRoot) {
		t.Errorf("error %v", err)
	}
}

func TestACallerWhoIsNobodyIsRefused(t *testing.T) {
	for _, uid := range []string{" ", "-1", "+0", "00", "0x0", "0 ", "root", "4294967295", "4294967296", "2147483648", "0\n", "1e3", "１"} {
		if who, err := findCaller(0, lookup(uid)); err == nil {
			t.Errorf("%q is taken for %+v", uid, who)
		}
	}
	if who, err := findCaller(0, lookup("1999999999")); err == nil || !strings.Contains(err.Error(), "not known") {
		t.Errorf("%+v, error %v", who, err)
	}
	if who, err := findCaller(0, func(name string) (string, bool) { return "", name == "SUDO_UID" }); err == nil {
		t.Errorf("an empty number is taken for %+v", who)
	}
}

func TestRootIsTheCallerWhereNobodyAskedSudo(t *testing.T) {
	for _, uid := range []string{"", "0"} {
		who, err := findCaller(0, lookup(uid))
		if err != nil {
			notrun.Because(t, "root is not known on this machine: %v", err)
		}
		if who.uid != 0 || who.gid != 0 || who.home == "" {
			t.Errorf("%+v", who)
		}
	}
}

func TestTheClientsEnvironmentIsThePersonsOwn(t *testing.T) {
	who := &caller{name: "malia", home: "/home/malia", uid: 1001, gid: 1001}
	got := who.environment([]string{"TERM=xterm", "LANG=C.UTF-8", "LC_ALL=C", "TZ=UTC", "HOME=/root", "USER=root", "PATH=/tmp", "SUDO_UID=1001",
		"AWS_SECRET_ACCESS_KEY=hunter2", "AWS_ENDPOINT_URL=http://x", "MYSQL_PWD=hunter2", "LD_PRELOAD=/tmp/x.so", "TERMINAL=x", "LC", "=", ""})
	want := []string{"HOME=/home/malia", "USER=malia", "LOGNAME=malia", "PATH=/usr/local/bin:/usr/bin:/bin", "TERM=xterm", "LANG=C.UTF-8", "LC_ALL=C", "TZ=UTC"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
