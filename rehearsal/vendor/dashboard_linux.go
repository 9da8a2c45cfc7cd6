package vendor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Login is what the vendor's form asks for, with the keys of the secret that holds it.
type Login struct{ Username, Password, DBName string }

// GoString leaves the password out.
func (l Login) GoString() string { return l.String() }

// String leaves the password out.
func (l Login) String() string { return l.Username + " on " + l.DBName }

// Open opens the database as the vendor's dashboard does: through the port on its loopback, with TLS and the certificate
// authority, in PEM, verified, but not the host name. Each use is a new connection. Whoever opens it closes it.
func (v *Vendor) Open(l Login, port string, ca []byte) (*sql.DB, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return nil, errors.New("the database's certificate authority is not PEM")
	}
	c := mysql.NewConfig()
	c.User, c.Passwd, c.DBName = l.Username, l.Password, l.DBName
	c.Net, c.Addr = "tcp", "127.0.0.1:"+port
	c.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		return v.Namespace.Dial(ctx, network, address)
	}
	c.TLS = &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // the name only: VerifyConnection does the rest
		VerifyConnection: func(state tls.ConnectionState) error {
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: pool})
			return err
		},
	}
	c.Logger = log.New(io.Discard, "", 0) // what it would log is also returned
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxIdleConns(0)
	return db, nil
}

// Recovery waits until query goes through, and returns how long that took, to about 0.1 s. One that hangs holds up no
// other.
func Recovery(ctx context.Context, patience time.Duration, query func(context.Context) error) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	start, through := time.Now(), make(chan time.Duration, 1)
	next := time.NewTicker(100 * time.Millisecond)
	defer next.Stop()
	for {
		go func() {
			if query(ctx) == nil {
				select {
				case through <- time.Since(start):
				default: // another one was first
				}
			}
		}()
		select {
		case took := <-through:
			return took, nil
		case <-ctx.Done():
			return 0, fmt.Errorf("no query went through within %s", patience)
		case <-next.C:
		}
	}
}
