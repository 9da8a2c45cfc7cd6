package mysqltest

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"

	"drawbridge/internal/loopbacktls"
)

// certificates are the files of a server's TLS identity, PEM, and the pool
// that holds its authority.
type certificates struct {
	caFile, certFile, keyFile string
	pool                      *x509.CertPool
}

// newCertificates writes a TLS identity to dir. MySQL's own generated
// certificates carry no host name, so no client that verifies one can use them.
func newCertificates(dir string) (certificates, error) {
	c := certificates{
		caFile:   filepath.Join(dir, "ca.pem"),
		certFile: filepath.Join(dir, "server-cert.pem"),
		keyFile:  filepath.Join(dir, "server-key.pem"),
		pool:     x509.NewCertPool(),
	}
	identity, err := loopbacktls.New()
	if err != nil {
		return c, err
	}
	c.pool.AppendCertsFromPEM(identity.CA)
	for file, content := range map[string][]byte{c.caFile: identity.CA, c.certFile: identity.Cert, c.keyFile: identity.Key} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			return c, fmt.Errorf("writing the test database's certificates: %w", err)
		}
	}
	return c, nil
}
