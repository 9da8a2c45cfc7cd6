// Package loopbacktls makes TLS identities for servers that run on this machine, each signed by a certificate authority
// of its own whose private key is not kept.
package loopbacktls

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Identity is what a server needs to be verified by a client that knows CA. All fields are PEM.
type Identity struct {
	CA   []byte // the certificate authority, for clients
	Cert []byte // the server's certificate, for localhost, 127.0.0.1 and the further names
	Key  []byte // the private key of Cert
}

// Write puts the identity into a folder as ca.pem, server-cert.pem and server-key.pem, the names that MySQL's own files
// have. Others than the files' owner can read ca.pem alone.
func (i *Identity) Write(dir string) error {
	for _, file := range []struct {
		name    string
		content []byte
		mode    os.FileMode
	}{{"ca.pem", i.CA, 0o644}, {"server-cert.pem", i.Cert, 0o600}, {"server-key.pem", i.Key, 0o600}} {
		if err := os.WriteFile(filepath.Join(dir, file.name), file.content, file.mode); err != nil {
			return err
		}
	}
	return nil
}

// lifetime is long enough for whatever runs until somebody presses Ctrl-C.
const lifetime = 30 * 24 * time.Hour

// New makes an Identity for localhost, 127.0.0.1 and further names, which are DNS names or IP addresses.
func New(names ...string) (*Identity, error) {
	notBefore := time.Now().Add(-time.Hour)
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	ca := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "Drawbridge loopback CA"},
		NotBefore:             notBefore,
		NotAfter:              notBefore.Add(lifetime),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return nil, err
	}
	if ca, err = x509.ParseCertificate(caDER); err != nil {
		return nil, err
	}

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: "Drawbridge loopback server"},
		NotBefore:    ca.NotBefore,
		NotAfter:     ca.NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, ip)
		} else {
			leaf.DNSNames = append(leaf.DNSNames, name)
		}
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), caKey)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return &Identity{
		CA:   pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}),
		Cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leafDER}),
		Key:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	}, nil
}
