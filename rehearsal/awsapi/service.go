package awsapi

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"

	"drawbridge/rehearsal/iam"
)

// Options say whose service it is.
type Options struct {
	AccountID string // 12 digits
	Region    string

	// Roles holds the policies of those who call; nil means that nobody may do anything.
	Roles *iam.Directory
	// Issuer knows the credentials of those who call; nil means an issuer of its own.
	Issuer *Issuer
}

// Service is the part that every service has.
type Service struct {
	Options

	signingName string
	protocol    Protocol
	faults      faults

	mu    sync.Mutex
	down  bool
	calls []Call
}

// Call is a request that a service got. It holds nothing secret.
type Call struct {
	Operation string // such as "GetParametersByPath"
	Resource  string // as the caller named it; what it is depends on the service
	Principal string // the ARN of the role that signed it; "" if nobody did, or a fault came first
	Code      string // of the error that was answered; "" if it went well
}

// Request is a request that a service got.
type Request struct {
	*http.Request
	Call
	Body []byte // at most 1 MiB
}

// Answer writes the answer to a request.
type Answer func(w http.ResponseWriter)

// Protocol is how the requests and answers of a service look.
type Protocol interface {
	// Name is the operation and the resource that a request is about, as far as it says so.
	Name(r *Request) (operation, resource string)
	// Answer answers a request that r.Principal has signed. An error is an [Error] or an [iam.Denied].
	Answer(r *Request) (Answer, error)
	// Refuse writes an error.
	Refuse(w http.ResponseWriter, r *Request, e *Error)
}

// NewService makes the common part of a service. The signing name stands in signatures, such as "ssm".
func NewService(signingName string, options Options, protocol Protocol) *Service {
	if options.Roles == nil {
		options.Roles = &iam.Directory{}
	}
	if options.Issuer == nil {
		options.Issuer = &Issuer{}
	}
	return &Service{Options: options, signingName: signingName, protocol: protocol}
}

// ServeHTTP answers one request.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.Serve(w, r, s.protocol) }

// Serve answers one request by a protocol other than the service's own, such as that of a VPC endpoint.
func (s *Service) Serve(w http.ResponseWriter, r *http.Request, protocol Protocol) {
	s.mu.Lock()
	down := s.down
	s.mu.Unlock()
	if down {
		panic(http.ErrAbortHandler)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return // the caller is gone
	}
	request := &Request{Request: r, Body: body}
	request.Operation, request.Resource = protocol.Name(request)
	answer, err := s.answer(request, protocol)

	var failure *Error
	var denied *iam.Denied
	switch {
	case errors.As(err, &denied):
		failure = &Error{Code: Denied, Message: denied.Error()}
	case err != nil && !errors.As(err, &failure) && !errors.Is(err, errDropped):
		failure = &Error{Code: "InternalFailure", Message: err.Error(), Status: http.StatusInternalServerError}
	}
	if failure != nil {
		request.Code = failure.Code
	}
	s.mu.Lock()
	s.calls = append(s.calls, request.Call)
	s.mu.Unlock()

	w.Header().Set("X-Amzn-RequestId", newRequestID())
	switch {
	case failure != nil:
		protocol.Refuse(w, request, failure)
	case answer == nil:
		panic(http.ErrAbortHandler)
	default:
		answer(w)
	}
}

func (s *Service) answer(r *Request, protocol Protocol) (Answer, error) {
	fault := s.faults.next(r.Call)
	if answer, err := fault.answer(r.Context()); answer != nil || err != nil {
		return answer, err
	}
	var err error
	if r.Principal, err = s.Issuer.authenticate(r, s.Region, s.signingName); err != nil {
		return nil, err
	}
	answer, err := protocol.Answer(r)
	if err == nil && fault.Truncate {
		return truncated(answer), nil
	}
	return answer, err
}

// Authorize asks the policies of the role that signed a request, and others that have a say in it. The context holds
// condition keys of the service, and may be nil. An error is an [iam.Denied].
func (s *Service) Authorize(r *Request, action, resource string, context map[string]string, others iam.Policies) error {
	others.Identity = slices.Concat(others.Identity, s.Roles.Policies(r.Principal))
	return iam.Evaluate(iam.Request{
		Principal: r.Principal, Account: s.AccountID, Action: action, Resource: resource, Context: context,
	}, others)
}

// Credentials makes credentials for a role, named by its ARN.
func (s *Service) Credentials(principal string) Credentials { return s.Issuer.Issue(principal, 0) }

// Inject plants a fault. The first fault that fits a request is the one that hits.
func (s *Service) Inject(fault Fault) { s.faults.inject(fault) }

// ClearFaults takes all faults away.
func (s *Service) ClearFaults() { s.faults.clear() }

// PendingFaults counts the planted faults that are still to hit.
func (s *Service) PendingFaults() int { return s.faults.pending() }

// Down takes the service down: it closes every connection without an answer, and knows nothing of the requests.
func (s *Service) Down() { s.setDown(true) }

// Up ends what Down began.
func (s *Service) Up() { s.setDown(false) }

func (s *Service) setDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// Calls are the requests so far, in order.
func (s *Service) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}
