package waitcondition

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"drawbridge/rehearsal/awsapi"
)

// Server takes the signals of all handles.
type Server struct {
	base    string
	address *awsapi.Address

	mu       sync.Mutex
	handles  map[string]*Handle // by URL
	refusals []string
}

// Listen starts a server without handles on a loopback port of its own.
func Listen() (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return Serve(listener), nil
}

// Serve starts a server without handles on a listener, whose address the instances must reach.
func Serve(listener net.Listener) *Server {
	s := &Server{base: "http://" + listener.Addr().String(), handles: map[string]*Handle{}}
	s.address = awsapi.Serve(listener, s)
	return s
}

// Close closes the server and its listener.
func (s *Server) Close() error { return s.address.Close() }

// NewHandle makes a handle with a URL that nobody can guess, of the form that CloudFormation gives. The ARN is the
// stack's, the name the handle's logical id.
func (s *Server) NewHandle(stackARN, name string) *Handle {
	query := url.Values{
		"X-Amz-Algorithm": {"AWS4-HMAC-SHA256"}, "X-Amz-Credential": {"AKIA/20260101/eu-west-1/s3/aws4_request"},
		"X-Amz-Date": {time.Now().UTC().Format("20060102T150405Z")}, "X-Amz-Expires": {"86399"}, "X-Amz-SignedHeaders": {"host"},
		"X-Amz-Signature": {awsapi.RandomText(64, "0123456789abcdef")},
	}
	h := &Handle{URL: s.base + "/" + url.QueryEscape(stackARN+"/"+name) + "?" + query.Encode(), changed: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handles[h.URL] = h
	return h
}

// Handle is the handle with this URL.
func (s *Server) Handle(url string) (*Handle, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.handles[url]
	if !ok {
		return nil, fmt.Errorf("there is no wait condition handle with this URL") // which is a secret
	}
	return found, nil
}

// Delete takes a handle away: signals to it are refused from then on.
func (s *Server) Delete(h *Handle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.handles, h.URL)
}

// Refusals say what was wrong with the requests that were refused, in order.
func (s *Server) Refusals() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.refusals)
}

// ServeHTTP takes a PUT as S3 does with a pre-signed URL. Unlike S3, which would take anything and leave CloudFormation
// to find no signal in it, it refuses what is no signal, so that its sender is told.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, err := s.take(r)
	if err != nil {
		s.mu.Lock()
		s.refusals = append(s.refusals, err.Error())
		s.mu.Unlock()
		http.Error(w, err.Error(), status)
	}
}

func (s *Server) take(r *http.Request) (status int, err error) {
	h, err := s.Handle(s.base + r.URL.EscapedPath() + "?" + r.URL.RawQuery)
	switch {
	case err != nil:
		return http.StatusForbidden, err
	case r.Method != http.MethodPut:
		return http.StatusForbidden, fmt.Errorf("a signal is sent by PUT, not %s", r.Method)
	case r.Header.Get("Content-Type") != "":
		// The URL is signed for a request without one.
		return http.StatusForbidden, fmt.Errorf("the signal has the Content-Type %q, and must have none", r.Header.Get("Content-Type"))
	case r.ContentLength < 0:
		return http.StatusLengthRequired, fmt.Errorf("the signal has no Content-Length")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return http.StatusBadRequest, fmt.Errorf("the signal was cut off")
	}
	signal, err := parse(body)
	if err != nil {
		return http.StatusBadRequest, fmt.Errorf("the signal is of no use: %w", err)
	}
	return http.StatusOK, h.Send(signal)
}
