package mysqldb

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"

	"github.com/go-sql-driver/mysql"
)

// Kind is what went wrong, for the program that has to decide what to do next.
type Kind int

const (
	// Other is anything that the kinds below do not name, for example a
	// statement that MySQL does not understand.
	Other Kind = iota
	// Unreachable: nothing answers at the address, the connection broke, or the
	// server is starting or stopping. Trying again later may help.
	Unreachable
	// Full: the server has as many connections as it or the user may have. Trying
	// again later may help.
	Full
	// Unverified: the server does not offer TLS, or its certificate is not one
	// to trust for that host name.
	Unverified
	// AccessDenied: MySQL refused the user, the password, or the host that the
	// user comes from.
	AccessDenied
	// Forbidden: the user is known but may not do that.
	Forbidden
	// UnknownDatabase: the server has no such schema, or none was named.
	UnknownDatabase
	// SecretUnreadable: Secrets Manager did not give the secret, or it does not
	// hold what it should.
	SecretUnreadable
	// TimedOut: the server answers, but not within the time there was.
	TimedOut
	// CalledOff: the program itself ended the work.
	CalledOff
)

var kindNames = map[Kind]string{
	Other:            "other",
	Unreachable:      "unreachable",
	Full:             "full",
	Unverified:       "unverified",
	AccessDenied:     "access denied",
	Forbidden:        "forbidden",
	UnknownDatabase:  "unknown database",
	SecretUnreadable: "secret unreadable",
	TimedOut:         "timed out",
	CalledOff:        "called off",
}

func (k Kind) String() string { return kindNames[k] }

// Error is an error in words for a person. It never holds a secret.
type Error struct {
	Kind     Kind
	sentence string
	cause    error
}

// ErrNoDatabase is for callers that need a database where the connection is in
// none.
var ErrNoDatabase error = &Error{Kind: UnknownDatabase, sentence: "no database is chosen: set RDS_DB_NAME, or dbname in the secret"}

// Error is one sentence: what was wrong, where, and what to do.
func (e *Error) Error() string { return e.sentence }

// Unwrap gives the driver's or the SDK's own error.
func (e *Error) Unwrap() error { return e.cause }

// Explain turns an error of database/sql, of the driver or of this package
// into an *Error. An error that already is one stays as it is; nil stays nil.
func Explain(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return explain(err, "the database")
}

// explain is Explain for the server that where names, as host:port.
func explain(err error, where string) *Error {
	if kind, sentence, ok := explainTLS(err, where); ok {
		return &Error{kind, sentence, err}
	}
	if refused, ok := errors.AsType[*mysql.MySQLError](err); ok {
		kind, sentence := explainServer(refused, where)
		return &Error{kind, sentence, err}
	}

	switch {
	case errors.Is(err, context.Canceled):
		return &Error{CalledOff, fmt.Sprintf("the work with %s was called off before it ended", where), err}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{TimedOut, fmt.Sprintf("%s did not answer in time: try again, or ask for less", where), err}
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return &Error{Other, fmt.Sprintf("%s: %v", where, err), err} // which would look like an error of the network
	}
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, mysql.ErrPktSync) || errors.Is(err, mysql.ErrMalformPkt) {
		return &Error{Unreachable, fmt.Sprintf("%s cannot be reached (%s): check that it runs and that the network lets this machine in", where, networkReason(err)), err}
	}
	return &Error{Other, fmt.Sprintf("%s: %v", where, err), err}
}

// networkReason is the short form of a network error: "connection refused"
// instead of "dial tcp 10.0.0.1:3306: connect: connection refused".
func networkReason(err error) string {
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		return "no answer in time"
	}
	if name, ok := errors.AsType[*net.DNSError](err); ok {
		if name.IsNotFound {
			return "no such host name"
		}
		return "its host name could not be looked up"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		return innermost(op.Err).Error()
	}
	return "the connection broke"
}

func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

func explainTLS(err error, where string) (Kind, string, bool) {
	const trust = "if it is not an RDS database, name its certificate authority in DRAWBRIDGE_DB_CA_FILE"
	if errors.Is(err, mysql.ErrNoTLS) {
		return Unverified, fmt.Sprintf("%s does not offer TLS, and without TLS nothing is sent to it: turn TLS on at the server", where), true
	}
	if wrong, ok := errors.AsType[x509.HostnameError](err); ok {
		return Unverified, fmt.Sprintf("the certificate of %s is not for the name %q: connect by a name that the certificate holds", where, wrong.Host), true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return Unverified, fmt.Sprintf("the certificate of %s is from an authority that is not trusted here: %s", where, trust), true
	}
	if wrong, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if wrong.Reason == x509.Expired {
			return Unverified, fmt.Sprintf("the certificate of %s has expired or is not valid yet: renew it, and check this machine's clock", where), true
		}
		return Unverified, fmt.Sprintf("the certificate of %s is not valid (%v): give the server another", where, wrong), true
	}
	_, verification := errors.AsType[*tls.CertificateVerificationError](err)
	_, alert := errors.AsType[tls.AlertError](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	if verification || alert || record {
		return Unverified, fmt.Sprintf("%s and this program could not agree on TLS (%v): check the server's certificate and its TLS versions", where, innermost(err)), true
	}
	return 0, "", false
}

// Numbers of the MySQL reference manual's "Server Error Message Reference".
const (
	tooManyConnections     = 1040
	databaseAccessDenied   = 1044
	passwordAccessDenied   = 1045
	noDatabaseSelected     = 1046
	unknownDatabase        = 1049
	serverShutdown         = 1053
	hostIsBlocked          = 1129
	hostNotPrivileged      = 1130
	tableAccessDenied      = 1142
	columnAccessDenied     = 1143
	tooManyUserConnections = 1203
	specificAccessDenied   = 1227
	userLimitReached       = 1226
	queryInterrupted       = 1317
	definerAccessDenied    = 1449
	passwordExpired        = 1820
	passwordExpiredAtLogin = 1862
	queryTimeout           = 3024
	accountLocked          = 3118
	serverOffline          = 3032
)

func explainServer(err *mysql.MySQLError, where string) (Kind, string) {
	switch err.Number {
	case passwordAccessDenied:
		return AccessDenied, fmt.Sprintf("%s refused the user name or password: check them, and that the user may connect from this machine", where)
	case hostNotPrivileged, hostIsBlocked:
		return AccessDenied, fmt.Sprintf("%s lets nobody connect from this machine (error %d): check the host part of the user's name", where, err.Number)
	case passwordExpired, passwordExpiredAtLogin, accountLocked:
		return AccessDenied, fmt.Sprintf("%s says that the account is locked or its password has expired (error %d): an administrator can change that", where, err.Number)
	case databaseAccessDenied, tableAccessDenied, columnAccessDenied, specificAccessDenied, definerAccessDenied:
		return Forbidden, fmt.Sprintf("%s does not allow that (error %d, %s): grant the user what it needs", where, err.Number, err.Message)
	case unknownDatabase, noDatabaseSelected:
		return UnknownDatabase, fmt.Sprintf("%s has no database of the given name (%s): check RDS_DB_NAME", where, err.Message)
	case tooManyConnections, tooManyUserConnections, userLimitReached:
		return Full, fmt.Sprintf("%s has no connection left for this user (error %d): try again later", where, err.Number)
	case serverShutdown, serverOffline:
		return Unreachable, fmt.Sprintf("%s is going down or offline (error %d): try again later", where, err.Number)
	case queryTimeout, queryInterrupted:
		return TimedOut, fmt.Sprintf("%s did not finish in time (error %d): try again, or ask for less", where, err.Number)
	}
	return Other, fmt.Sprintf("%s answered with error %d: %s", where, err.Number, err.Message)
}
