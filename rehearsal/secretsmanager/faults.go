package secretsmanager

import (
	"context"
	"errors"
	"time"
)

// Fault makes requests fail, or be slow. What it leaves empty it does not look at or do.
type Fault struct {
	Operation string // such as "GetSecretValue"; "" means any
	SecretID  string // as callers name it; "" means any
	Skip      int    // this many requests pass first
	Times     int    // this many requests are hit then; 0 means all until ClearFaults

	Delay  time.Duration // before the answer
	Code   string        // of the error to answer, such as "ThrottlingException"
	Status int           // of that answer; 0 means 400
	Body   []byte        // what is answered in place of the result, with status 200
	Drop   bool          // the connection is closed without an answer
}

var errDropped = errors.New("the connection is closed, as a fault says")

// Inject plants a fault. The first fault that fits a request is the one that hits.
func (s *Server) Inject(fault Fault) {
	if fault.Times == 0 {
		fault.Times = -1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &fault)
}

// ClearFaults takes all faults away.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// fault is what a planted fault answers to a call; nothing means that it goes on.
func (s *Server) fault(ctx context.Context, call *Call) ([]byte, error) {
	hit := s.nextFault(call)
	if hit == nil {
		return nil, nil
	}
	if hit.Delay > 0 {
		select {
		case <-time.After(hit.Delay):
		case <-ctx.Done():
			return nil, errDropped
		}
	}
	switch {
	case hit.Drop:
		return nil, errDropped
	case hit.Code != "":
		return nil, &apiError{code: hit.Code, message: "a planted fault", status: hit.Status}
	}
	return hit.Body, nil
}

func (s *Server) nextFault(call *Call) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.Operation != "" && f.Operation != call.Operation || f.SecretID != "" && f.SecretID != call.SecretID || f.Times == 0 {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.Times > 0 {
			f.Times--
		}
		hit := *f
		return &hit
	}
	return nil
}
