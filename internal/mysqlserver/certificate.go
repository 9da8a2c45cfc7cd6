package mysqlserver

import (
	"crypto/x509"
	"fmt"
	"path/filepath"

	"drawbridge/internal/loopbacktls"
)

// certificates are the files of a server's TLS identity, PEM, and the pool
// that holds its authority.
type certificates struct {
	caFile, certFile, keyFile string
	pool                      *x509.CertPool
}

// newCertificates writes a TLS identity with further names to dir. MySQL's own generated
// certificates carry no host name, so no client that verifies one can use them.
func newCertificates(dir string, names []string) (certificates, error) {
	c := certificates{
		caFile:   filepath.Join(dir, "ca.pem"),
		certFile: filepath.Join(dir, "server-cert.pem"),
		keyFile:  filepath.Join(dir, "server-key.pem"),
		pool:     x509.NewCertPool(),
	}
	identity, err := loopbacktls.New(names...)
	if err != nil {
		return c, err
	}
	c.pool.AppendCertsFromPEM(identity.CA)
	if err := identity.Write(dir); err != nil {
		return c, fmt.Errorf("writing the server's certificates: %w", err)
	}
	return c, nil
}
