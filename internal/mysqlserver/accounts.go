package mysqlserver

import (
	"crypto/rand"
	"fmt"
	"strings"
)

const (
	rootUser  = "root"
	localhost = "localhost" // what MySQL calls clients on loopback
)

// accounts are a server's two users, root and the master user.
type accounts struct{ rootPassword, masterUser, masterPassword string }

func newAccounts(masterUser string) accounts { return accounts{rand.Text(), masterUser, rand.Text()} }

// What RDS's master user may do, from the page "Master user account
// privileges" of the Amazon RDS User Guide, row "RDS for MySQL 8.0.36 and
// higher". MySQL 8.4 has SET_ANY_DEFINER in place of that row's SET_USER_ID.
var (
	// Privileges that exist on the whole server only, or that reading needs.
	serverPrivileges = []string{
		"SELECT", "SHOW VIEW", "SHOW DATABASES", "RELOAD", "PROCESS", "REPLICATION SLAVE", "REPLICATION CLIENT",
		"CREATE USER", "CREATE ROLE", "DROP ROLE",
		"APPLICATION_PASSWORD_ADMIN", "ROLE_ADMIN", "SET_ANY_DEFINER", "XA_RECOVER_ADMIN",
	}
	// Privileges that change something in a schema.
	schemaPrivileges = []string{
		"INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "REFERENCES", "INDEX", "ALTER", "CREATE TEMPORARY TABLES",
		"LOCK TABLES", "EXECUTE", "CREATE VIEW", "CREATE ROUTINE", "ALTER ROUTINE", "EVENT", "TRIGGER",
	}
)

// setupSQL returns the statements, one a line, that give a new server its
// users.
//
// RDS lets nobody write to the schema mysql ("Role-based privilege model for
// RDS for MySQL"). Here the privileges that write are granted on every schema
// by a pattern, and the schemas mysql and sys have a narrower grant of their
// own: MySQL looks no further than the most specific grant. Revoking them with
// partial_revokes would do the same, but that setting also turns wildcards in
// grants off, which hides a grant that forgets to escape its schema's name.
//
// Root logs in from host alone: from "localhost", or from the address of a
// server that does not listen on loopback, whose clients have it there.
func (a accounts) setupSQL(host string) string {
	const role = "rds_superuser_role"
	statements := []string{
		fmt.Sprintf("ALTER USER '%s'@'%s' IDENTIFIED BY '%s'", rootUser, localhost, a.rootPassword),
		fmt.Sprintf("CREATE ROLE '%s'@'%%'", role),
		fmt.Sprintf("CREATE USER '%s'@'%%' IDENTIFIED BY '%s'", a.masterUser, a.masterPassword),
	}
	if host != localhost {
		statements = append(statements, fmt.Sprintf("RENAME USER '%s'@'%s' TO '%s'@'%s'", rootUser, localhost, rootUser, host))
	}
	for _, grantee := range []string{role, a.masterUser} {
		statements = append(statements,
			fmt.Sprintf("GRANT %s ON *.* TO '%s'@'%%' WITH GRANT OPTION", strings.Join(serverPrivileges, ", "), grantee),
			fmt.Sprintf("GRANT %s ON `%%`.* TO '%s'@'%%' WITH GRANT OPTION", strings.Join(schemaPrivileges, ", "), grantee),
			fmt.Sprintf("GRANT SELECT, SHOW VIEW, EXECUTE ON `mysql`.* TO '%s'@'%%'", grantee),
			fmt.Sprintf("GRANT SELECT, SHOW VIEW, EXECUTE ON `sys`.* TO '%s'@'%%'", grantee),
		)
	}
	statements = append(statements, fmt.Sprintf("GRANT '%s'@'%%' TO '%s'@'%%'", role, a.masterUser))
	return strings.Join(statements, ";\n") + ";\n"
}
