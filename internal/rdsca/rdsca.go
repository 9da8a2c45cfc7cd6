// Package rdsca holds the certificate authorities that sign the certificates
// of MySQL databases on Amazon RDS, so that whoever connects to one can verify
// it. They are in the program itself: a Lambda function without a way to the
// internet has nowhere to fetch them from.
package rdsca

import (
	"crypto/x509"
	_ "embed"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
)

//go:generate node refresh.cjs

//go:embed rds-ca.pem
var bundle []byte

// MissingRegions are the AWS Regions that RDS for MySQL serves and for whose
// databases the embedded bundle holds no certificate authority: they are newer
// than the bundle, or publish theirs apart (China, GovCloud). There, download
// the Region's bundle that the page "Using SSL/TLS to encrypt a connection to
// a DB instance" of the Amazon RDS User Guide names, and add it with [PoolWith].
var MissingRegions = []string{
	"ap-east-2",
	"ap-southeast-5",
	"ap-southeast-6",
	"ap-southeast-7",
	"ca-west-1",
	"cn-north-1",
	"cn-northwest-1",
	"il-central-1",
	"mx-central-1",
	"us-gov-east-1",
	"us-gov-west-1",
}

// parsed reads the embedded bundle once.
var parsed = sync.OnceValue(func() []*x509.Certificate {
	certificates, err := parse(bundle)
	if err != nil {
		// The bundle is part of the program; its tests read it too.
		panic("internal/rdsca: the embedded certificates cannot be read: " + err.Error())
	}
	return certificates
})

// Certificates returns the embedded certificate authorities.
func Certificates() []*x509.Certificate {
	return append([]*x509.Certificate(nil), parsed()...)
}

// Covers says whether the databases of a Region can be verified with the
// embedded certificate authorities.
func Covers(region string) bool {
	return slices.ContainsFunc(parsed(), func(c *x509.Certificate) bool {
		return strings.Contains(c.Subject.CommonName, " "+region+" ")
	})
}

// Pool returns a pool of the embedded certificate authorities. It is the
// caller's own.
func Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range parsed() {
		pool.AddCert(c)
	}
	return pool
}

// PoolWith returns a pool of the embedded certificate authorities and those in
// the PEM file pemFile. An empty pemFile adds none. It is an error when the
// file cannot be read, is larger than 1 MiB, holds no certificate, or holds a
// damaged one.
func PoolWith(pemFile string) (*x509.CertPool, error) {
	pool := Pool()
	if pemFile == "" {
		return pool, nil
	}
	text, err := readSmall(pemFile)
	if err != nil {
		return nil, fmt.Errorf("the file of database certificate authorities cannot be read: %w", err)
	}
	certificates, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("the file of database certificate authorities %s cannot be used: %w", pemFile, err)
	}
	for _, c := range certificates {
		pool.AddCert(c)
	}
	return pool, nil
}

// maxFile is the largest file that PoolWith reads, in bytes. All authorities of
// RDS together take an eighth of it.
const maxFile = 1 << 20

// readSmall reads a file of at most maxFile bytes. The path may name something
// that has no end, such as /dev/zero.
func readSmall(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s is larger than 1 MiB: name a file that holds the authorities alone", path)
	}
	return text, err
}

// parse returns the certificates in a PEM text, at least one.
func parse(text []byte) ([]*x509.Certificate, error) {
	var certificates []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("its certificate number %d is damaged: %w", len(certificates)+1, err)
		}
		certificates = append(certificates, c)
	}
	if len(certificates) == 0 {
		return nil, fmt.Errorf("it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)")
	}
	return certificates, nil
}
