package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const gateType = "Custom::FlipGate"

// gate are the properties of a gate for users called after their secrets.
func (u *userRig) gate(exposure string, usernames ...string) map[string]any {
	list := []any{}
	for _, username := range usernames {
		list = append(list, map[string]any{
			"Name": "name-of-" + username, "Username": username, "Host": loopback, "Schemas": []any{u.schema}, "SecretArn": arnOf(username),
		})
	}
	return map[string]any{"Exposure": exposure, "Users": list}
}

// flip delivers the flip to private.
func (u *userRig) flip(usernames ...string) answer {
	u.t.Helper()
	return u.update(gateType, gateID, u.gate("public", usernames...), u.gate("private", usernames...))
}

const wayOut = "Mend that with -c exposure=public, then flip again. If this is the rollback of a failed return to public: " +
	"aws cloudformation continue-update-rollback --stack-name drawbridge-dev-Database --resources-to-skip TheResource"

func TestGatePassesWithoutALookAtAnything(t *testing.T) {
	r := newRig(t)
	u := &userRig{rig: r, schema: "s"}
	public, private := u.gate("public", "tester"), u.gate("private", "tester")
	r.succeeded(r.create(gateType, public), gateID)
	r.succeeded(r.create(gateType, private), gateID)
	for name, test := range map[string]struct{ old, new map[string]any }{
		"private to private, with another user":     {private, u.gate("private", "tester", "another")},
		"back to public":                            {private, public},
		"public to public":                          {public, u.gate("public", "another")},
		"old properties of another form":            {map[string]any{"Exposure": []any{"public"}}, private},
		"no old properties":                         {nil, private},
		"an exposure that no version of this knows": {map[string]any{"Exposure": "PUBLIC"}, private},
	} {
		t.Run(name, func(t *testing.T) { r.succeeded(r.update(gateType, gateID, test.old, test.new), gateID) })
	}
	r.succeeded(r.delete(gateType, gateID, private), gateID)
	r.succeeded(r.delete(gateType, gateID, nil), gateID)
	if n := r.secrets.called(""); n != 0 {
		t.Errorf("called Secrets Manager %d times", n)
	}
}

func TestGatePassesTheFlipWhenAllUsersWork(t *testing.T) {
	u := newUserRig(t)
	u.created()
	u.succeeded(u.flip(), gateID)
	calls := u.secrets.called("")
	for range 2 {
		u.succeeded(u.flip(u.username), gateID)
	}
	if u.secrets.called("") == calls {
		t.Error("the secret was not read")
	}
}

func TestGateRefusesTheFlip(t *testing.T) {
	grant := func(format string) func(*userRig) {
		return func(u *userRig) { u.root(fmt.Sprintf(format, u.schema, u.username, loopback)) }
	}
	for name, test := range map[string]struct {
		change func(*userRig)
		want   string
	}{
		"a user who was dropped":       {func(u *userRig) { u.root("DROP USER " + u.username + "@'" + loopback + "'") }, "refused the user name or password"},
		"a user with another password": {func(u *userRig) { u.setUser(u.username, "Another-Pw-1", nil) }, "refused the user name or password"},
		"a user who is locked":         {func(u *userRig) { u.root("ALTER USER " + u.username + "@'" + loopback + "' ACCOUNT LOCK") }, "locked"},
		"a user of another host": {func(u *userRig) {
			u.root("RENAME USER " + u.username + "@'" + loopback + "' TO " + u.username + "@'%'")
		}, "took it for another account"},
		"a user who may write":          {grant("GRANT INSERT ON %[1]s.* TO %[2]s@'%[3]s'"), "grant too many"},
		"a user who may write a column": {grant("GRANT UPDATE (name) ON %[1]s.monsters TO %[2]s@'%[3]s'"), "grant too many"},
		"a user who may write by a role": {func(u *userRig) {
			u.root("CREATE ROLE IF NOT EXISTS gate_writer")
			u.root("GRANT DELETE ON " + u.schema + ".* TO gate_writer")
			u.root("GRANT gate_writer TO " + u.username + "@'" + loopback + "'")
		}, "gate_writer"},
		"a user beside whom another account has the name": {func(u *userRig) {
			u.root("CREATE USER " + u.username + "@'10.9.9.9' IDENTIFIED BY 'x'")
		}, "it also has what is granted to `"},
		"a user who may read another schema":    {func(u *userRig) { u.root("GRANT SELECT ON mysql.* TO " + u.username + "@'" + loopback + "'") }, "grant too many"},
		"a user who may no longer read":         {func(u *userRig) { u.revoke() }, "lacks SELECT"},
		"a secret without a host":               {func(u *userRig) { u.setUser(u.username, u.password, map[string]any{"host": nil}) }, "was added in the same deployment as the flip: deploy it first with -c exposure=public, then flip"},
		"a secret of another user":              {func(u *userRig) { u.setUser(u.username, u.password, map[string]any{"username": "other"}) }, "is for another user"},
		"a secret that is of no use":            {func(u *userRig) { u.secrets.set(u.username, "{}") }, "no username or no password"},
		"a secret that is not there":            {func(u *userRig) { delete(u.secrets.secrets, arnOf(u.username)) }, "ResourceNotFoundException"},
		"a database that is not there":          {func(u *userRig) { u.limit = time.Second; u.setUser(u.username, u.password, map[string]any{"port": 1}) }, "cannot be reached"},
		"a schema that is not there (any more)": {func(u *userRig) { u.root("DROP DATABASE " + u.schema) }, "does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUserRig(t)
			t.Cleanup(func() {
				u.root("DROP ROLE IF EXISTS gate_writer")
				u.root("DROP USER IF EXISTS " + u.username + "@'10.9.9.9'")
			})
			u.created()
			u.succeeded(u.flip(u.username), gateID)
			test.change(u)
			u.failed(u.flip(u.username), gateID, "the database stays public, as 1 of 1 read-only users do not work: name-of-"+u.username+
				" (MySQL user "+u.username+"): ", test.want, wayOut)
			u.succeeded(u.update(gateType, gateID, u.gate("private"), u.gate("public")), gateID) // its rollback
		})
	}
}

func TestGateNamesEverybodyWhoFails(t *testing.T) {
	u := newUserRig(t)
	u.created()
	names := []string{u.username}
	for i := range 7 {
		name := fmt.Sprintf("missing_%d", i)
		u.setUser(name, "Some-Password-1", nil)
		names = append(names, name)
	}
	refusal := u.flip(names...)
	u.failed(refusal, gateID, "7 of 8 read-only users", wayOut)
	for _, name := range names[1:] {
		if !strings.Contains(refusal.Reason, "name-of-"+name) {
			t.Errorf("%s is not named: %s", name, refusal.Reason)
		}
	}
	if strings.Contains(refusal.Reason, u.username) {
		t.Errorf("who works is named: %s", refusal.Reason)
	}
	for i := range 60 {
		names = append(names, fmt.Sprintf("absent_%d", i))
	}
	u.failed(u.flip(names...), gateID, "67 of 68 read-only users", wayOut)
}

func TestGateWaitsForADatabaseThatRestarts(t *testing.T) {
	u := newUserRig(t)
	u.created()
	proxy := newProxy(t, u.server.Addr(), nil)
	proxy.refuse.Store(3)
	u.setUser(u.username, u.password, map[string]any{"port": proxy.port})
	u.secrets.fail = []error{apiError("AccessDeniedException")}
	u.succeeded(u.flip(u.username), gateID)
}
