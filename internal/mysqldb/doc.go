// Package mysqldb connects to a MySQL server with TLS that is always verified
// and with a user name and password that come either from the environment or
// from a secret in AWS Secrets Manager. The password of a secret may be rotated
// at any time: the next connection uses the new one.
//
// [FromEnv] reads the settings, [Open] makes a [database/sql.DB] of them, and
// [Explain] turns any error into one sentence for a person, with a [Kind] for
// the program.
package mysqldb
