package mysqlsession

import (
	"errors"
	"fmt"
	"strings"

	"drawbridge/host/bastion/sshd"
	"drawbridge/host/settings"
	"drawbridge/internal/mysqldb"
)

// CAFile holds the certificate authorities of RDS's databases.
const CAFile = "/etc/drawbridge/rds-ca.pem"

const (
	// longestValue is the longest value that certainly fits into a line as the client reads it, in bytes.
	longestValue = 2000

	// longestFile is what fits into any pipe: a page, where many pipes are open.
	longestFile = 4096
)

// options is the text of an option file (MariaDB Knowledge Base, "Configuring MariaDB with Option Files") with which the
// client connects to the database, and to nothing that it cannot verify. A client of MySQL does not know the last
// option and refuses to start.
func options(database settings.Database, login mysqldb.Secret) (string, error) {
	if _, err := sshd.Target(database); err != nil {
		return "", err
	}
	text := "[client]\n"
	for _, option := range []struct{ name, value string }{
		{"host", database.Host},
		{"port", database.Port},
		{"protocol", "tcp"},
		{"user", login.Username},
		{"password", login.Password},
		{"ssl-ca", CAFile},
	} {
		value, err := quote(option.value)
		if err != nil {
			return "", fmt.Errorf("the %s in the database's secret cannot be given to the mysql client: %w", option.name, err)
		}
		text += option.name + "=" + value + "\n"
	}
	text += "ssl-verify-server-cert\n"
	if len(text) > longestFile {
		return "", errors.New("the host, the user and the password together are too long for the mysql client: change them")
	}
	return text, nil
}

// quote writes a value for an option file, where a backslash begins an escape sequence, a # a comment and a quote a quoted
// part.
func quote(value string) (string, error) {
	quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\b", `\b`).Replace(value) + `"`
	if strings.ContainsFunc(quoted, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", errors.New("it holds a control character: change it")
	}
	if len(quoted) > longestValue {
		return "", errors.New("it is too long: change it")
	}
	return quoted, nil
}
