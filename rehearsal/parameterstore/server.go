package parameterstore

import (
	"sync"

	"drawbridge/rehearsal/awsapi"
)

// Server is a Parameter Store. It is an [net/http.Handler], to be served by an [awsapi.Address] or [awsapi.Endpoint].
// A call's Resource is the path or name that the caller asked for.
type Server struct {
	*awsapi.Service

	mu         sync.Mutex
	parameters map[string]parameter // by name
	pageLimit  int
}

// New makes a store without parameters.
func New(options awsapi.Options) *Server {
	s := &Server{parameters: map[string]parameter{}, pageLimit: maxPage}
	s.Service = awsapi.NewService("ssm", options, protocol{s})
	return s
}

// LimitPages makes pages hold at most n parameters even where a caller asks for more, as Parameter Store may do at any
// time: with 0, the first page is empty, and names a next one.
func (s *Server) LimitPages(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pageLimit = n
}
