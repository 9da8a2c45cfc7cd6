package secretsmanager

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Credentials are temporary credentials of a role.
type Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }

type client struct {
	Credentials
	principal string
}

const (
	lower   = "abcdefghijklmnopqrstuvwxyz"
	upper   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	letters = upper + lower
	digits  = "0123456789"
)

// Credentials makes credentials for a role, named by its ARN.
func (s *Server) Credentials(principal string) Credentials {
	c := Credentials{
		AccessKeyID:     "ASIA" + randomText(16, upper+digits),
		SecretAccessKey: randomText(40, letters+digits),
		SessionToken:    randomText(120, letters+digits),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[c.AccessKeyID] = client{c, principal}
	return c
}

// The header of AWS Signature Version 4 ("Create a signed AWS API request", IAM User Guide).
var authorization = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([A-Z0-9]+)/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=[0-9a-f]{64}$`)

// maxSkew is how old a signature may be.
const maxSkew = 5 * time.Minute

// authenticate is the ARN of the role that signed the request.
func (s *Server) authenticate(r *http.Request, body []byte) (principal string, err error) {
	header := r.Header.Get("Authorization")
	match := authorization.FindStringSubmatch(header)
	if match == nil {
		return "", &apiError{code: "MissingAuthenticationTokenException", message: "the request is not signed", status: http.StatusForbidden}
	}
	s.mu.Lock()
	known, ok := s.clients[match[1]]
	s.mu.Unlock()
	if !ok || r.Header.Get("X-Amz-Security-Token") != known.SessionToken {
		return "", &apiError{code: "UnrecognizedClientException", message: "The security token included in the request is invalid."}
	}
	invalid := &apiError{code: "InvalidSignatureException", message: "The request signature we calculated does not match the signature you provided."}
	signedAt, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || time.Since(signedAt).Abs() > maxSkew {
		return "", invalid
	}
	if match[2] != s.options.Region || match[3] != "secretsmanager" {
		return "", &apiError{code: "InvalidSignatureException", message: "Credential should be scoped to the region " + s.options.Region + " and the service secretsmanager."}
	}
	// The same request, signed again, must get the same signature.
	signed := strings.Split(match[4], ";")
	again := &http.Request{Method: r.Method, URL: &url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path}, Host: r.Host, Header: http.Header{}}
	for _, name := range signed {
		switch name {
		case "host", "x-amz-date", "x-amz-security-token":
		case "content-length":
			again.ContentLength = int64(len(body))
		default:
			again.Header[http.CanonicalHeaderKey(name)] = r.Header.Values(name)
		}
	}
	if !slices.Contains(signed, "host") {
		return "", invalid
	}
	hash := sha256.Sum256(body)
	credentials := aws.Credentials{AccessKeyID: known.AccessKeyID, SecretAccessKey: known.SecretAccessKey, SessionToken: known.SessionToken}
	if err := v4.NewSigner().SignHTTP(context.Background(), credentials, again, hex.EncodeToString(hash[:]), match[3], match[2], signedAt); err != nil {
		return "", invalid
	}
	if !hmac.Equal([]byte(again.Header.Get("Authorization")), []byte(header)) {
		return "", invalid
	}
	return known.principal, nil
}
