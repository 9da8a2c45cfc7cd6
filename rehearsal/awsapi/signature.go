package awsapi

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// authorization is the header of AWS Signature Version 4 ("Create a signed AWS API request", IAM User Guide).
var authorization = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([A-Z0-9]+)/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$`)

// maxSkew is how old a signature may be.
const maxSkew = 5 * time.Minute

// signed are the parts of the header Authorization.
type signed struct {
	accessKeyID, region, service string
	headers                      []string // in lower case
	signature                    string
}

func parseAuthorization(r *http.Request) (signed, bool) {
	match := authorization.FindStringSubmatch(r.Header.Get("Authorization"))
	if match == nil {
		return signed{}, false
	}
	return signed{match[1], match[2], match[3], strings.Split(match[4], ";"), match[5]}, true
}

// authenticate is the ARN of the role that signed the request.
func (i *Issuer) authenticate(r *Request, region, service string) (principal string, err error) {
	parts, ok := parseAuthorization(r.Request)
	if !ok {
		return "", &Error{Code: MissingSignature, Message: "the request is not signed", Status: http.StatusForbidden}
	}
	known, ok := i.find(parts.accessKeyID)
	if !ok || r.Header.Get("X-Amz-Security-Token") != known.SessionToken {
		return "", &Error{Code: UnknownClient, Message: "The security token included in the request is invalid."}
	}
	invalid := &Error{Code: WrongSignature, Message: "The request signature we calculated does not match the signature you provided."}
	signedAt, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || time.Since(signedAt).Abs() > maxSkew {
		return "", invalid
	}
	if parts.region != region || parts.service != service {
		return "", &Error{Code: WrongSignature, Message: "Credential should be scoped to the region " + region + " and the service " + service + "."}
	}
	again, err := signAgain(r, parts, known, signedAt)
	if err != nil || !hmac.Equal([]byte(again), []byte(parts.signature)) {
		return "", invalid
	}
	// Only who knows the secret key is told that it has expired.
	if !known.expires.IsZero() && time.Now().After(known.expires) {
		return "", &Error{Code: Expired, Message: "The security token included in the request is expired"}
	}
	return known.principal, nil
}

// signAgain signs the same request, which must give the same signature.
func signAgain(r *Request, parts signed, known issued, signedAt time.Time) (signature string, err error) {
	again := &http.Request{
		Method: r.Method, Host: r.Host, Header: http.Header{},
		URL: &url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery},
	}
	for _, name := range parts.headers {
		switch name {
		case "host", "x-amz-date", "x-amz-security-token":
		case "content-length":
			again.ContentLength = int64(len(r.Body))
		default:
			again.Header[http.CanonicalHeaderKey(name)] = r.Header.Values(name)
		}
	}
	if !slices.Contains(parts.headers, "host") || !slices.Contains(parts.headers, "x-amz-date") {
		return "", errors.New("the host and the time must be signed")
	}
	hash := sha256.Sum256(r.Body)
	credentials := aws.Credentials{AccessKeyID: known.AccessKeyID, SecretAccessKey: known.SecretAccessKey, SessionToken: known.SessionToken}
	err = v4.NewSigner().SignHTTP(context.Background(), credentials, again, hex.EncodeToString(hash[:]), parts.service, parts.region, signedAt,
		// S3 escapes a path once; all others escape it again ("Create a canonical request", IAM User Guide).
		func(o *v4.SignerOptions) { o.DisableURIPathEscaping = parts.service == "s3" })
	if err != nil {
		return "", err
	}
	made, _ := parseAuthorization(again)
	return made.signature, nil
}
