package instancemetadata

import (
	"cmp"
	"net"
	"net/http"
	"sync"
	"time"

	"drawbridge/rehearsal/awsapi"
)

// Options describe the instance. All but the role must be given.
type Options struct {
	AccountID        string // 12 digits
	Region           string
	AvailabilityZone string // such as "eu-west-1a"
	InstanceID       string // such as "i-0123456789abcdef0"
	InstanceType     string // such as "t4g.micro"
	ImageID          string // such as "ami-0123456789abcdef0"
	Architecture     string // "arm64" or "x86_64"
	PrivateIP        string

	// RoleARN is the role of the instance's profile, which has its name; "" means that it has none.
	RoleARN string
	// Issuer makes the role's credentials. The services that are to take them share it.
	Issuer *awsapi.Issuer
	// Lifetime is how long credentials are good for; 0 means six hours. New ones are given out when half of it is over,
	// or five minutes before its end.
	Lifetime time.Duration
}

// Server is the instance metadata service of one instance. It is an [http.Handler] too.
type Server struct {
	options Options
	started time.Time

	mu          sync.Mutex
	tokens      map[string]time.Time // with their ends
	credentials credentials
	requests    []Request
}

// Request is a request that the server got. It holds nothing secret.
type Request struct {
	Method, Path string
	Status       int
}

// New makes the service of one instance.
func New(options Options) *Server {
	options.Lifetime = cmp.Or(options.Lifetime, 6*time.Hour)
	if options.Issuer == nil {
		options.Issuer = &awsapi.Issuer{}
	}
	return &Server{options: options, started: time.Now(), tokens: map[string]time.Time{}}
}

// Serve serves the service on a listener, such as one at 169.254.169.254:80 in a network namespace. It does not wait;
// closing the address closes the listener.
func (s *Server) Serve(listener net.Listener) *awsapi.Address { return awsapi.Serve(listener, s) }

// Requests are the requests so far, in order.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

func (s *Server) record(r *http.Request, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, Request{r.Method, r.URL.Path, status})
}
