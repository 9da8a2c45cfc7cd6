package readonlyuser

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-sql-driver/mysql"

	"drawbridge/internal/mysqldb"
)

// LockedError says that somebody else changed accounts for as long as [Begin] could wait.
type LockedError struct {
	Connection uint64 // the id of the connection that held the lock when last looked at; 0 when it could not be seen
	Username   string // that connection's MySQL user; empty when it could not be seen
	cause      error
}

func (e *LockedError) Error() string {
	if e.Connection == 0 {
		return "another deployment changes accounts on this MySQL server: wait until it has ended, then try again"
	}
	return fmt.Sprintf("another deployment changes accounts on this MySQL server (its connection %d, of the user %q, "+
		"holds the lock): wait until it has ended, or end that connection (on RDS: CALL mysql.rds_kill(%d)), then try again",
		e.Connection, e.Username, e.Connection)
}

// Unwrap gives the error of the context that ended.
func (e *LockedError) Unwrap() error { return e.cause }

// NotOursError says that there is an account of that name which Drawbridge did not make.
type NotOursError struct{ Username, Host string }

func (e *NotOursError) Error() string {
	return fmt.Sprintf("the MySQL account %s was not made by Drawbridge: drop or rename it, or choose another username",
		account{e.Username, e.Host})
}

// OwnedByAnotherError says that another resource keeps an account of that name.
type OwnedByAnotherError struct {
	Username, Host string
	Owner          Owner
}

func (e *OwnedByAnotherError) Error() string {
	return fmt.Sprintf("the MySQL account %s is kept by the resource %s of the stack %s: choose another username, or drop the account if there is no such resource any more",
		account{e.Username, e.Host}, shorten(e.Owner.Resource, 255), shorten(e.Owner.Stack, 255))
}

// NoAccountError says that there is no account of that name.
type NoAccountError struct{ Username string }

func (e *NoAccountError) Error() string {
	return fmt.Sprintf("there is no MySQL account %q: deploy the stack that makes it", e.Username)
}

// InvalidError says that a value cannot be that of an account.
type InvalidError struct {
	Property string // Username, Host, Schemas, MaxConnections, Stack, Resource or password
	problem  string
}

func (e *InvalidError) Error() string { return e.Property + " " + e.problem }

// ProofError says that an account is not what it should be.
type ProofError struct {
	Username, Host string
	Faults         []string // each a clause, at least one
}

// longestProof is how many bytes of faults an error's text repeats.
const longestProof = 500

// Error holds as many of the faults as a person will read.
func (e *ProofError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "the MySQL account %s is not fit to be a read-only user: ", account{e.Username, e.Host})
	budget := longestProof
	for i, fault := range e.Faults {
		if i > 0 {
			text.WriteString("; ")
		}
		if budget -= len(fault); i > 0 && budget < 0 {
			fmt.Fprintf(&text, "and %d more", len(e.Faults)-i)
			break
		}
		text.WriteString(shorten(fault, longestProof))
	}
	return text.String()
}

// shorten cuts text to at most limit bytes and an ellipsis, between characters.
func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + "…"
}

// harmless are the errors whose text names accounts, schemas and settings but never repeats a statement ("Server Error
// Message Reference").
var harmless = []uint16{
	1044, // access denied for a user to a schema
	1141, // no such grant
	1142, // command denied
	1205, // lock wait timeout
	1213, // deadlock
	1227, // a privilege is missing
	1290, // the server is read-only
	1396, // operation failed for an account
	1698, // access denied for a user
	1819, // the password policy
	3628, // mandatory role
	3638, // the password history
	4006, // the account is a definer
}

// withheld is err without the server's text where that might repeat a part of the statement, and so of a password.
func withheld(err error) error {
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok || slices.Contains(harmless, refused.Number) {
		return err
	}
	return &mysql.MySQLError{Number: refused.Number, SQLState: refused.SQLState,
		Message: "the server's own words are left out, as they may repeat a password"}
}

func refusedByServer(err error) bool {
	_, ok := errors.AsType[*mysql.MySQLError](err)
	return ok
}

// explain is mysqldb.Explain; a connection that broke earlier is as broken as one that breaks now.
func explain(err error) *mysqldb.Error {
	if errors.Is(err, sql.ErrConnDone) {
		err = driver.ErrBadConn
	}
	return mysqldb.Explain(err)
}
