package instancemetadata

import (
	"time"

	"drawbridge/rehearsal/awsapi"
)

// credentials are the role's at the moment.
type credentials struct {
	awsapi.Credentials
	issued, expires time.Time
}

// roleCredentials are those that are good now: new ones when the end of the last is near.
func (s *Server) roleCredentials() credentials {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, lifetime := time.Now(), s.options.Lifetime
	if left := s.credentials.expires.Sub(now); left <= min(lifetime/2, 5*time.Minute) {
		s.credentials = credentials{s.options.Issuer.Issue(s.options.RoleARN, lifetime), now, now.Add(lifetime)}
	}
	return s.credentials
}
