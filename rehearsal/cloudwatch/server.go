package cloudwatch

import (
	"slices"
	"sync"
	"time"

	"drawbridge/rehearsal/awsapi"
)

// Server is a CloudWatch. It is an [net/http.Handler], to be served by an [awsapi.Address] or [awsapi.Endpoint]. A call's
// Resource is the namespace.
type Server struct {
	*awsapi.Service

	mu   sync.Mutex
	data []Datum
}

// Datum is one value of a metric.
type Datum struct {
	Namespace  string
	Metric     string
	Dimensions map[string]string
	Value      float64
	Unit       string    // "" where the caller gave none
	Time       time.Time // as the caller gave it, or of its arrival
	Principal  string    // the ARN of the role that sent it
}

// New makes a CloudWatch without data.
func New(options awsapi.Options) *Server {
	s := &Server{}
	s.Service = awsapi.NewService("monitoring", options, protocol{s})
	return s
}

// Data are the values that came so far, in order.
func (s *Server) Data() []Datum {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.data)
}
