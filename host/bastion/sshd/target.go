package sshd

import (
	"fmt"
	"regexp"
	"strconv"

	"drawbridge/host/settings"
)

// hostName is a host name or an IPv4 address. It holds nothing that means something in sshd_config or in a key's options.
var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)

// Target is the database as sshd's PermitOpen and a key's permitopen name it, "host:port". sshd compares it letter by
// letter with what the client asks for (sshd_config(5)), so it stays as the stack's outputs give it to people.
func Target(database settings.Database) (string, error) {
	port, err := strconv.ParseUint(database.Port, 10, 16)
	if err != nil || port == 0 || strconv.FormatUint(port, 10) != database.Port {
		return "", fmt.Errorf("the database's port in %s is %q, but it must be a number from 1 to 65535", settings.File, database.Port)
	}
	if !hostName.MatchString(database.Host) {
		return "", fmt.Errorf("the database's host in %s is %q, but it must be a host name or an IPv4 address", settings.File, database.Host)
	}
	return database.Host + ":" + database.Port, nil
}
