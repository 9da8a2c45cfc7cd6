package loopbacktls

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
)

func TestIdentity(t *testing.T) {
	one, err := New()
	if err != nil {
		t.Fatal(err)
	}
	other, err := New()
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(one.Cert, one.Key)
	if err != nil {
		t.Fatal(err)
	}
	verify := func(ca []byte, name string) error {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(ca)
		_, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name})
		return err
	}
	for _, name := range []string{"localhost", "127.0.0.1"} {
		if err := verify(one.CA, name); err != nil {
			t.Errorf("%s is not verified: %v", name, err)
		}
		if verify(other.CA, name) == nil {
			t.Errorf("%s is verified by an authority that did not sign it", name)
		}
	}
	if verify(one.CA, "example.com") == nil {
		t.Error("it passes for example.com")
	}
}

func TestIdentityOfFurtherNames(t *testing.T) {
	identity, err := New("db.example.com", "10.0.0.10", "fd00::10", "*.eu.example.com")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(identity.Cert, identity.Key)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(identity.CA)
	for name, want := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "db.example.com": true, "10.0.0.10": true, "fd00::10": true, "a.eu.example.com": true,
		"example.com": false, "10.0.0.11": false,
	} {
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); (err == nil) != want {
			t.Errorf("%s: %v, want it verified: %v", name, err, want)
		}
	}
}
