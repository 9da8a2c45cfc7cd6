package secretsmanager

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"

	"drawbridge/rehearsal/awsapi"
	"drawbridge/rehearsal/iam"
)

// Options say whose secrets the server keeps.
type Options = awsapi.Options

// Credentials are temporary credentials of a role.
type Credentials = awsapi.Credentials

// Server is a running Secrets Manager.
type Server struct {
	api    *awsapi.Service
	public *Endpoint

	mu        sync.Mutex
	secrets   map[string]*secret // by ARN
	endpoints map[*Endpoint]bool
}

// Endpoint is one address of the server: its public one, or a VPC endpoint.
type Endpoint struct {
	URL string // http://ADDRESS:PORT

	server  *Server
	address *awsapi.Address

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
	s := &Server{
		// Every request comes through an endpoint, which brings the protocol.
		api:     awsapi.NewService("secretsmanager", options, nil),
		secrets: map[string]*secret{}, endpoints: map[*Endpoint]bool{},
	}
	var err error
	if s.public, err = s.listen(nil, nil); err != nil {
		return nil, err
	}
	return s, nil
}

// URL is the public endpoint, which no policy guards.
func (s *Server) URL() string { return s.public.URL }

// ServeHTTP answers a request as the public endpoint does, for an [awsapi.Endpoint].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.public.ServeHTTP(w, r) }

// OpenEndpoint opens a VPC endpoint with this policy on a listener, which it closes; nil means a loopback port of its own.
func (s *Server) OpenEndpoint(policy iam.Policy, listener net.Listener) (*Endpoint, error) {
	if policy == nil {
		return nil, errors.New("a VPC endpoint must have a policy: AWS's default allows everything, which has to be said")
	}
	return s.listen(policy, listener)
}

func (s *Server) listen(policy iam.Policy, listener net.Listener) (_ *Endpoint, err error) {
	e := &Endpoint{server: s, policy: policy}
	if listener != nil {
		e.address = awsapi.Serve(listener, e)
	} else if e.address, err = awsapi.Listen(e); err != nil {
		return nil, err
	}
	e.URL = e.address.URL
	s.mu.Lock()
	s.endpoints[e] = true
	s.mu.Unlock()
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
	return e.address.Close()
}

// Close closes every address and forgets the secrets.
func (s *Server) Close() error {
	s.mu.Lock()
	endpoints := s.endpoints
	s.endpoints = map[*Endpoint]bool{}
	s.mu.Unlock()
	var errs []error
	for e := range endpoints {
		errs = append(errs, e.address.Close())
	}
	return errors.Join(errs...)
}

// Credentials makes credentials for a role, named by its ARN.
func (s *Server) Credentials(principal string) Credentials { return s.api.Credentials(principal) }

// Down takes the server down: it closes every connection without an answer.
func (s *Server) Down() { s.api.Down() }

// Up ends what Down began.
func (s *Server) Up() { s.api.Up() }

// Calls are the requests so far, in order.
func (s *Server) Calls() []Call {
	var calls []Call
	for _, c := range s.api.Calls() {
		calls = append(calls, Call{Operation: c.Operation, SecretID: c.Resource, Principal: c.Principal, Code: c.Code})
	}
	return calls
}

func (s *Server) arn(name string) string {
	return fmt.Sprintf("arn:aws:secretsmanager:%s:%s:secret:%s-%s", s.api.Region, s.api.AccountID, name,
		awsapi.RandomText(6, awsapi.Upper+awsapi.Lower+awsapi.Digits))
}
