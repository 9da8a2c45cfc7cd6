package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/go-retryablehttp"
)

// answerTimes says how hard an answer is tried.
type answerTimes struct {
	attempt, all       time.Duration // time limits
	firstWait, maxWait time.Duration // between attempts, doubling
	retries            int
}

// patience fits in what workTime leaves of the 180 seconds that the function has.
var patience = answerTimes{attempt: 5 * time.Second, all: 20 * time.Second, firstWait: 500 * time.Millisecond, maxWait: 4 * time.Second, retries: 6}

// answerClient is an HTTP client that tries again while the receiver cannot be reached or answers with 429 or 5xx. It
// logs nothing: whoever sees a pre-signed URL can answer in the function's place. For the same reason it drops the body
// of responses, which cfn.LambdaWrap would log: S3's can hold the signature.
func answerClient(times answerTimes) *http.Client {
	retrying := retryablehttp.NewClient()
	retrying.Logger = nil
	retrying.RetryWaitMin, retrying.RetryWaitMax, retrying.RetryMax = times.firstWait, times.maxWait, times.retries
	retrying.ErrorHandler = retryablehttp.PassthroughErrorHandler
	// Lambda freezes the process between invocations, which breaks idle connections.
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	retrying.HTTPClient = &http.Client{Transport: bodyless{transport}, Timeout: times.attempt}
	client := retrying.StandardClient()
	client.Timeout = times.all
	return client
}

// bodyless gives responses without their bodies.
type bodyless struct{ http.RoundTripper }

func (b bodyless) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	_ = response.Body.Close() // what is not read ends with the connection
	response.Body, response.ContentLength = http.NoBody, 0
	return response, nil
}

// withoutURL is err, of sending an answer, in words without the pre-signed URL that it was sent to.
func withoutURL(err error) error {
	reason := "the request failed"
	sending, isURL := errors.AsType[*url.Error](err)
	var network net.Error
	if !isURL {
		reason = err.Error() // cfn's own words, about the status
	} else if sending.Op == "parse" {
		reason = "its ResponseURL is not a URL"
	} else if number, ok := errors.AsType[syscall.Errno](err); ok {
		reason = number.Error()
	} else if name, ok := errors.AsType[*net.DNSError](err); ok {
		reason = "the host name " + name.Name + " could not be looked up"
	} else if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		reason = "the receiver's certificate is not valid"
	} else if errors.Is(err, context.DeadlineExceeded) || errors.As(sending.Err, &network) && network.Timeout() {
		reason = "nobody took it in time"
	}
	return fmt.Errorf("the answer could not be given to CloudFormation (%s): check that the function's subnet reaches S3", reason)
}

// reasonBytes bounds a reason as it stands in the answer's JSON: the whole answer may have 4096 bytes ("Custom resource
// request and response reference"), and physical id, stack id and data have to fit too.
const reasonBytes = 1000

// bounded is text as one line that encoding/json writes in at most reasonBytes bytes.
func bounded(text string) string { return cut(text, reasonBytes) }

// cut is text as one line that encoding/json writes in at most size bytes, with an ellipsis where it was longer.
func cut(text string, size int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r // invalid UTF-8 has become U+FFFD
	}, text)
	const ellipsis = "…"
	used, end := 0, 0 // end is where text ends if the ellipsis has to follow
	for i, r := range text {
		if used+len(ellipsis) <= size {
			end = i
		}
		if used += jsonBytes(r); used > size {
			return text[:end] + ellipsis
		}
	}
	return text
}

// jsonBytes is how many bytes encoding/json makes of r, which is no control character.
func jsonBytes(r rune) int {
	switch r {
	case '"', '\\':
		return 2
	case '<', '>', '&', '\u2028', '\u2029':
		return 6
	}
	return utf8.RuneLen(r)
}
