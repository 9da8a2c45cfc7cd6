package parameterstore

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"drawbridge/rehearsal/awsapi"
)

type parameter struct {
	name, kind, value string
	version           int64
	changed           time.Time
}

// The rules for names and values ("PutParameter", AWS Systems Manager API Reference).
var nameRule = regexp.MustCompile(`^(/?[a-zA-Z0-9_.-]+)(/[a-zA-Z0-9_.-]+)*$`)

const (
	maxName   = 1011
	maxLevels = 15
	maxValue  = 4096 // bytes, of a standard parameter
)

// Put makes a parameter of the type String, or gives it another value.
func (s *Server) Put(name, value string) error { return s.PutType(name, "String", value) }

// PutType is Put for the types String and StringList.
func (s *Server) PutType(name, kind, value string) error {
	switch first := strings.ToLower(strings.TrimPrefix(name, "/")); {
	case len(name) > maxName || strings.Count(name, "/") > maxLevels || !nameRule.MatchString(name):
		return fmt.Errorf("%q cannot be a parameter's name: it has other characters than letters, digits and ._-/, or is too long or deep", name)
	case strings.Contains(name, "/") && !strings.HasPrefix(name, "/"):
		return fmt.Errorf("%q cannot be a parameter's name: a name with levels begins with /", name)
	case strings.HasPrefix(first, "aws") || strings.HasPrefix(first, "ssm"):
		return fmt.Errorf("%q cannot be a parameter's name: aws and ssm are kept for AWS", name)
	case kind != "String" && kind != "StringList":
		return fmt.Errorf("the parameter %s is of the type %s, which is not played here", name, kind)
	case value == "" || len(value) > maxValue:
		return fmt.Errorf("the value of the parameter %s has %d bytes: it must have from 1 to %d", name, len(value), maxValue)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parameters[name] = parameter{name, kind, value, s.parameters[name].version + 1, time.Now()}
	return nil
}

// Delete takes a parameter away. One that is not there is no error.
func (s *Server) Delete(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.parameters, name)
}

// Value is the value of a parameter.
func (s *Server) Value(name string) (value string, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, found := s.parameters[name]
	return p.value, found
}

func (s *Server) arn(name string) string {
	return fmt.Sprintf("arn:aws:ssm:%s:%s:parameter/%s", s.Region, s.AccountID, strings.TrimPrefix(name, "/"))
}

func notFound() error {
	// The service itself gives no message.
	return &awsapi.Error{Code: "ParameterNotFound"}
}
