// Package mysqlsession opens the mysql client on the jump server as the database's master user, for a person who has a
// shell there. root reads the password; the client, which runs as that person, gets it through a pipe, so that it is
// never in an argument list, the environment or a file.
package mysqlsession
