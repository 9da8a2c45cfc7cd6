package secretsmanager

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"drawbridge/rehearsal/iam"
)

// Options say whose secrets the server keeps.
type Options struct {
	AccountID string // 12 digits
	Region    string

	// Roles holds the policies of those who call.
	Roles *iam.Directory
}

// Server is a running Secrets Manager.
type Server struct {
	options Options
	public  *Endpoint
	ctx     context.Context
	stop    context.CancelFunc

	mu        sync.Mutex
	secrets   map[string]*secret // by ARN
	clients   map[string]client  // by access key id
	faults    []*Fault
	calls     []Call
	endpoints map[*Endpoint]bool
}

// Endpoint is one address of the server: its public one, or a VPC endpoint.
type Endpoint struct {
	URL string // http://127.0.0.1:PORT

	server   *Server
	http     *http.Server
	requests sync.WaitGroup

	mu     sync.Mutex
	policy iam.Policy // nil for the public one
}

// Call is a request that the server got. It holds no value of a secret.
type Call struct {
	Operation string // such as "GetSecretValue"
	SecretID  string // as the caller named it
	Principal string // the ARN of the role that signed it; "" if nobody did
	Code      string // of the error that was answered; "" if it went well
}

// Start starts a server on a loopback port of its own.
func Start(options Options) (*Server, error) {
	if options.Roles == nil {
		options.Roles = &iam.Directory{}
	}
	s := &Server{
		options: options, secrets: map[string]*secret{}, clients: map[string]client{}, endpoints: map[*Endpoint]bool{},
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	var err error
	if s.public, err = s.listen(nil); err != nil {
		return nil, err
	}
	return s, nil
}

// URL is the public endpoint, which no policy guards.
func (s *Server) URL() string { return s.public.URL }

// OpenEndpoint opens a VPC endpoint with this policy on a port of its own.
func (s *Server) OpenEndpoint(policy iam.Policy) (*Endpoint, error) {
	if policy == nil {
		return nil, errors.New("a VPC endpoint must have a policy: AWS's default allows everything, which has to be said")
	}
	return s.listen(policy)
}

func (s *Server) listen(policy iam.Policy) (*Endpoint, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := &Endpoint{URL: "http://" + listener.Addr().String(), server: s, policy: policy}
	e.http = &http.Server{
		Handler: e, ReadHeaderTimeout: time.Minute,
		BaseContext: func(net.Listener) context.Context { return s.ctx },
	}
	s.mu.Lock()
	s.endpoints[e] = true
	s.mu.Unlock()
	go func() { _ = e.http.Serve(listener) }() // ends with Close
	return e, nil
}

// SetPolicy changes the policy of a VPC endpoint.
func (e *Endpoint) SetPolicy(policy iam.Policy) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.policy = policy
}

// Close closes this address.
func (e *Endpoint) Close() error {
	e.server.mu.Lock()
	delete(e.server.endpoints, e)
	e.server.mu.Unlock()
	err := e.http.Close()
	e.requests.Wait()
	return err
}

// Close closes every address and forgets the secrets.
func (s *Server) Close() error {
	s.stop()
	s.mu.Lock()
	endpoints := s.endpoints
	s.endpoints = map[*Endpoint]bool{}
	s.mu.Unlock()
	var errs []error
	for e := range endpoints {
		errs = append(errs, e.http.Close())
		e.requests.Wait()
	}
	return errors.Join(errs...)
}

// Calls are the requests so far, in order.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// randomText is n random characters of the alphabet.
func randomText(n int, alphabet string) string {
	var text strings.Builder
	for text.Len() < n {
		var b [1]byte
		_, _ = rand.Read(b[:]) // it never fails
		// The bytes beyond the last whole alphabet would favour its first characters.
		if int(b[0]) < 256-256%len(alphabet) {
			text.WriteByte(alphabet[int(b[0])%len(alphabet)])
		}
	}
	return text.String()
}

func (s *Server) arn(name string) string {
	return fmt.Sprintf("arn:aws:secretsmanager:%s:%s:secret:%s-%s", s.options.Region, s.options.AccountID, name, randomText(6, letters+digits))
}
