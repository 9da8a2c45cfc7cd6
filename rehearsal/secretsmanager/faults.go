package secretsmanager

import (
	"time"

	"drawbridge/rehearsal/awsapi"
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

// Inject plants a fault. The first fault that fits a request is the one that hits.
func (s *Server) Inject(f Fault) {
	s.api.Inject(awsapi.Fault{
		Operation: f.Operation, Resource: f.SecretID, Skip: f.Skip, Times: f.Times,
		Delay: f.Delay, Code: f.Code, Status: f.Status, Body: f.Body, Drop: f.Drop,
	})
}

// ClearFaults takes all faults away.
func (s *Server) ClearFaults() { s.api.ClearFaults() }
