package resources

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"drawbridge/internal/mysqltest"
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

func TestMySQLPlaysAnInstance(t *testing.T) {
	server := mysqltest.Start(t) // the master user's password changes
	database := &MySQL{Endpoint: Endpoint{server.Host, server.Port}, Admin: server.Root(t)}
	instance := DBInstance{Identifier: "db-1", DBName: "monster_teams", MasterUsername: "admin", MasterPassword: `a'b"c\d` + "`e"}
	endpoint, err := database.Create(t.Context(), instance)
	if err != nil || endpoint.Port != server.Port {
		t.Fatalf("%v, %v", endpoint, err)
	}
	works := func(password string) error {
		return server.Open(t, "admin", password, "monster_teams").PingContext(t.Context())
	}
	if err := works(instance.MasterPassword); err != nil {
		t.Errorf("the instance's password: %v", err)
	}
	after := instance
	after.MasterPassword = "another"
	if err := database.Modify(t.Context(), instance, after); err != nil {
		t.Fatal(err)
	}
	if works("another") != nil || works(instance.MasterPassword) == nil {
		t.Error("modifying did not change the password")
	}
	instance.MasterUsername = "somebody"
	if _, err := database.Create(t.Context(), instance); err == nil || !strings.Contains(err.Error(), "no account of the master user somebody") {
		t.Errorf("%v", err)
	}
	closed, cancel := context.WithCancel(t.Context())
	cancel()
	if err := database.Modify(closed, instance, after); err == nil {
		t.Error("a statement without a server went well")
	}
}

func TestPrintingAnInstanceKeepsThePassword(t *testing.T) {
	i := DBInstance{Identifier: "db-1", MasterPassword: "hunter2"}
	if text := fmt.Sprintf("%v %+v %#v %s", i, i, i, i); strings.Contains(text, "hunter2") {
		t.Error(text)
	}
}
