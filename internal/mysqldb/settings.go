package mysqldb

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"strconv"
	"strings"

	"drawbridge/internal/rdsca"
)

// DefaultPort is the port that MySQL listens on unless told otherwise.
const DefaultPort = 3306

// Settings say which database to connect to and where its user name and
// password come from: either Username and Password are set, or SecretARN is.
//
// Printing Settings, in any way, does not print the password.
type Settings struct {
	// Host is the server's name or address. TLS verifies it against the
	// server's certificate. It may be empty when the secret names a host.
	Host string
	// ReplicaHosts are further servers that hold the same data to be read, as Host is named.
	ReplicaHosts []string
	// Port is the servers' TCP port; 0 means the secret's port, or DefaultPort.
	Port int
	// Database is the schema that connections start in; empty means the
	// secret's, or none.
	Database string

	Username string
	Password string
	// SecretARN names a Secrets Manager secret whose value is JSON with the
	// keys that RDS uses: username and password, and optionally host, port and
	// dbname.
	SecretARN string

	// CAFile is a PEM file with certificate authorities to trust beside those
	// of RDS; empty means RDS's alone.
	CAFile string
}

// FromEnv reads Settings from environment variables:
//
//	RDS_HOSTNAME, RDS_PORT, RDS_DB_NAME   where the database is
//	RDS_REPLICA_HOSTNAME_1, …_2 and so on its read replicas, if any
//	RDS_USERNAME and RDS_PASSWORD         who connects, or
//	RDS_SECRET_ARN                        the secret that says who connects
//	DRAWBRIDGE_DB_CA_FILE                 one more certificate authority
//
// The RDS_ names except the secret's are those that Elastic Beanstalk sets for
// a database of its own. With a secret, host, port and database may be left out
// where the secret holds them; what the environment says wins. A variable that
// is set to nothing counts as not set.
//
// The error, if any, lists every problem, one a line, and no secret.
func FromEnv(lookup func(string) (string, bool)) (Settings, error) {
	get := func(name string) string {
		value, _ := lookup(name)
		return value
	}
	s := Settings{
		Host:      get("RDS_HOSTNAME"),
		Database:  get("RDS_DB_NAME"),
		Username:  get("RDS_USERNAME"),
		Password:  get("RDS_PASSWORD"),
		SecretARN: get("RDS_SECRET_ARN"),
		CAFile:    get("DRAWBRIDGE_DB_CA_FILE"),
	}

	var problems []error
	problem := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf(format, args...))
	}

	if s.Host == "" && s.SecretARN == "" {
		problem("RDS_HOSTNAME is not set: give the database's host name, for example mydb.abc123.eu-west-1.rds.amazonaws.com")
	}
	if s.Host != "" && !validHost(s.Host) {
		problem("RDS_HOSTNAME is %q: give a host name or an address alone, without port, path or spaces", s.Host)
	}
	for n := 1; ; n++ {
		name := fmt.Sprintf("RDS_REPLICA_HOSTNAME_%d", n)
		host := get(name)
		if host == "" {
			break
		}
		if !validHost(host) {
			problem("%s is %q: give a host name or an address alone, without port, path or spaces", name, host)
		}
		s.ReplicaHosts = append(s.ReplicaHosts, host)
	}
	if port := get("RDS_PORT"); port != "" {
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			problem("RDS_PORT is %q: give a number from 1 to 65535, or leave it out for %d", port, DefaultPort)
		}
		s.Port = n
	}
	if s.Database == "" && s.SecretARN == "" {
		problem("RDS_DB_NAME is not set: give the name of the database (schema) to show")
	}

	switch password := s.Username != "" || s.Password != ""; {
	case password && s.SecretARN != "":
		problem("both RDS_SECRET_ARN and RDS_USERNAME or RDS_PASSWORD are set: give the secret, or the user name and password, not both")
	case !password && s.SecretARN == "":
		problem("no user is given: set RDS_USERNAME and RDS_PASSWORD, or RDS_SECRET_ARN")
	case password && s.Username == "":
		problem("RDS_PASSWORD is set but RDS_USERNAME is not: set both")
	case password && s.Password == "":
		problem("RDS_USERNAME is set but RDS_PASSWORD is not: set both")
	}
	if s.SecretARN != "" {
		if _, err := secretRegion(s.SecretARN); err != nil {
			problem("RDS_SECRET_ARN is %q: give the ARN of a Secrets Manager secret, for example arn:aws:secretsmanager:eu-west-1:123456789012:secret:name-AbCdEf", s.SecretARN)
		}
	}
	if _, err := rdsca.PoolWith(s.CAFile); err != nil {
		problem("DRAWBRIDGE_DB_CA_FILE: %w", err)
	}
	return s, errors.Join(problems...)
}

// validHost reports whether host could be a host name or an IP address. What
// it refuses is what people paste by mistake: URLs, host:port pairs, spaces.
func validHost(host string) bool {
	if net.ParseIP(host) != nil {
		return true
	}
	return len(host) <= 253 && !strings.ContainsFunc(host, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '.' || r == '-' || r == '_')
	})
}

// arn:<partition>:secretsmanager:<region>:<account>:secret:<name>-<6 characters>
// ("Actions, resources, and condition keys for AWS Secrets Manager" in the
// Service Authorization Reference). RDS puts a "!" into the names of its own.
var secretARN = regexp.MustCompile(`^arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+$`)

// secretRegion is the AWS region in the ARN of a Secrets Manager secret. It is
// fit for the host name of an endpoint.
func secretRegion(arn string) (string, error) {
	m := secretARN.FindStringSubmatch(arn)
	if m == nil {
		return "", fmt.Errorf("%q is not the ARN of a Secrets Manager secret", arn)
	}
	return m[1], nil
}

// String describes the settings without the password.
func (s Settings) String() string {
	user := strconv.Quote(s.Username)
	if s.SecretARN != "" {
		user = "the secret " + s.SecretARN
	}
	return fmt.Sprintf("database %q on %q port %d as %s", s.Database, s.Host, s.Port, user)
}

// GoString is what %#v prints: the same as String.
func (s Settings) GoString() string { return s.String() }

// MarshalText is what encoding/json and the like write: the same as String.
func (s Settings) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue is what log/slog writes.
func (s Settings) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("host", s.Host), slog.Int("port", s.Port), slog.String("database", s.Database)}
	if s.SecretARN != "" {
		attrs = append(attrs, slog.String("secret", s.SecretARN))
	} else {
		attrs = append(attrs, slog.String("username", s.Username))
	}
	return slog.GroupValue(attrs...)
}
