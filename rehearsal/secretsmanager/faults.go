package secretsmanager

import "drawbridge/rehearsal/awsapi"

// Fault makes requests fail, or be slow; its Resource is a secret as callers name it.
type Fault = awsapi.Fault

// Inject plants a fault. The first fault that fits a request is the one that hits.
func (s *Server) Inject(f Fault) { s.api.Inject(f) }

// ClearFaults takes all faults away.
func (s *Server) ClearFaults() { s.api.ClearFaults() }
