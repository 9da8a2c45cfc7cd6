package mysqldb

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"

	"drawbridge/internal/rdsca"
)

const (
	// connectTimeout bounds making one connection, with TLS and log-in.
	connectTimeout = 10 * time.Second
	// ioTimeout bounds the wait for the next bytes from or to the server. It is
	// the last resort: callers bound their own work with a context.
	ioTimeout = 60 * time.Second
)

// Option changes what Open does.
type Option func(*connector)

// WithSecretReader reads the secret through r instead of a client that Open
// makes itself.
func WithSecretReader(r SecretReader) Option {
	return func(c *connector) { c.secret.reader = r }
}

// ReadOnly makes MySQL refuse every statement that would change data, tables or
// users, whatever the user's grants are. It goes further than a read-only
// transaction, which a statement such as DROP TABLE would end first.
func ReadOnly() Option {
	return func(c *connector) { c.base.Params["transaction_read_only"] = "ON" }
}

// WithHandshakes calls seen for each TLS connection, after the server's certificate
// was verified and before the user logs in. It may be called from several
// goroutines at once.
func WithHandshakes(seen func(tls.ConnectionState)) Option {
	return func(c *connector) {
		c.base.TLS.VerifyConnection = func(state tls.ConnectionState) error {
			seen(state)
			return nil
		}
	}
}

// Open prepares a pool of connections to MySQL. It does not connect yet: the
// first use does. Errors of connecting, then and later, are of type *Error.
//
// Every connection speaks TLS 1.2 or newer, and the server's certificate must
// be signed by a certificate authority of RDS or of s.CAFile, for s.Host. The
// session is in utf8mb4 and in UTC, and dates come as time.Time.
//
// With a secret, its value is read at the first connection and kept. When MySQL
// refuses it, it is read again, and the connection is tried once more.
//
// Connections go to s.ReplicaHosts in turn, and to s.Host where none of them takes one. A replica that does not is left alone
// for awayPause.
func Open(s Settings, options ...Option) (*sql.DB, error) {
	c, err := NewConnector(s, options...)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(c), nil
}

// NewConnector is Open for several pools that share what they know of the secret.
func NewConnector(s Settings, options ...Option) (driver.Connector, error) {
	if s.Host == "" && s.SecretARN == "" {
		return nil, errors.New("there is no host to connect to: name one, or a secret that names one")
	}
	roots, err := rdsca.PoolWith(s.CAFile)
	if err != nil {
		return nil, err
	}
	c := &connector{settings: s, base: baseConfig(roots)}
	for _, host := range s.ReplicaHosts {
		c.replicas = append(c.replicas, &replica{host: host})
	}
	for _, option := range options {
		option(c)
	}
	if s.SecretARN != "" {
		c.secret.arn = s.SecretARN
		if c.secret.reader == nil {
			if c.secret.reader, err = newSecretReader(s.SecretARN); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

// baseConfig is the driver's configuration without server and user.
func baseConfig(roots *x509.CertPool) *mysql.Config {
	cfg := mysql.NewConfig()
	cfg.Net = "tcp"
	cfg.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	cfg.Timeout = connectTimeout
	cfg.ReadTimeout = ioTimeout
	cfg.WriteTimeout = ioTimeout
	cfg.ParseTime = true
	cfg.Loc = time.UTC
	// TIMESTAMP columns come in the session's time zone, whatever the server's is.
	cfg.Params = map[string]string{"time_zone": "'+00:00'"}
	// What the driver would print comes back as an error, too.
	cfg.Logger = &mysql.NopLogger{}
	return cfg
}

// connector makes connections for database/sql.
type connector struct {
	settings Settings
	base     *mysql.Config
	secret   secretCache
	prepared bool
	numbered bool

	replicas []*replica
	next     atomic.Uint64
}

// Driver implements driver.Connector.
func (c *connector) Driver() driver.Driver { return mysql.MySQLDriver{} }

// Connect implements driver.Connector.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) { return c.logIn(ctx, c.spread) }

// logIn connects as who the settings or the secret say.
func (c *connector) logIn(ctx context.Context, connectAs func(context.Context, *Secret) (driver.Conn, error)) (driver.Conn, error) {
	if c.settings.SecretARN == "" {
		return connectAs(ctx, &Secret{Username: c.settings.Username, Password: c.settings.Password})
	}
	value, err := c.secret.get(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := connectAs(ctx, value)
	if !passwordRefused(err) {
		return conn, err
	}
	newer, secretErr := c.secret.newerThan(ctx, value)
	if secretErr != nil {
		return nil, secretErr
	}
	if newer == value {
		return nil, err
	}
	return connectAs(ctx, newer)
}

// connectTo connects to a replica, or to the database itself where its name is "", with what the settings leave open taken
// from value.
func (c *connector) connectTo(ctx context.Context, replica string, value *Secret) (driver.Conn, error) {
	host := cmp.Or(replica, c.settings.Host, value.Host)
	port := cmp.Or(c.settings.Port, value.Port, DefaultPort)
	if host == "" {
		return nil, secretContent(c.secret.arn, "it has no host, and RDS_HOSTNAME is not set")
	}
	where := net.JoinHostPort(host, strconv.Itoa(port))

	cfg := c.base.Clone()
	cfg.Addr = where
	cfg.TLS.ServerName = host
	cfg.DBName = cmp.Or(c.settings.Database, value.Database)
	cfg.User, cfg.Passwd = value.Username, value.Password
	if err := cfg.Apply(mysql.Charset("utf8mb4", "")); err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, explain(err, where)
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := connector.Connect(ctx)
	if err == nil && c.prepared {
		conn, err = keepPrepared(conn)
	}
	if err == nil && c.numbered {
		conn, err = number(ctx, conn, replica)
	}
	if err != nil {
		return nil, explainConnect(ctx, err, where)
	}
	return conn, nil
}

// explainConnect is explain for an attempt to connect, where running out of
// time means that nothing answered.
func explainConnect(ctx context.Context, err error, where string) *Error {
	e := explain(err, where)
	if e.Kind == TimedOut || (e.Kind == Unreachable && ctx.Err() != nil) {
		return &Error{Unreachable, where + " cannot be reached (no answer in time): check that it runs and that the network lets this machine in", err}
	}
	if e.Kind == Forbidden {
		// At log-in MySQL says so of a database that may not exist at all.
		return &Error{AccessDenied, where + " does not let the user into the database: grant it the right to read there, or check RDS_DB_NAME", err}
	}
	return e
}

func passwordRefused(err error) bool {
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && refused.Number == passwordAccessDenied
}
