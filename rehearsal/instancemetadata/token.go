package instancemetadata

import (
	"net/http"
	"strconv"
	"time"

	"drawbridge/rehearsal/awsapi"
)

const (
	tokenPath   = "/latest/api/token"
	tokenHeader = "X-Aws-Ec2-Metadata-Token"
	ttlHeader   = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	maxTTL      = 21600 // seconds
)

// newToken answers PUT /latest/api/token.
func (s *Server) newToken(r *http.Request) (status int, body string, ttl int) {
	ttl, err := strconv.Atoi(r.Header.Get(ttlHeader))
	switch {
	case r.Header.Get("X-Forwarded-For") != "":
		return http.StatusForbidden, "", 0 // it came through a proxy
	case r.Method != http.MethodPut:
		return http.StatusMethodNotAllowed, "", 0
	case err != nil || ttl < 1 || ttl > maxTTL:
		return http.StatusBadRequest, "", 0
	}
	token := awsapi.RandomText(56, awsapi.Upper+awsapi.Lower+awsapi.Digits+"-_") // as long as EC2's own
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[token] = time.Now().Add(time.Duration(ttl) * time.Second)
	return http.StatusOK, token, ttl
}

// admits says whether a request has a token that is still good, and for how many seconds.
func (s *Server) admits(r *http.Request) (ttl int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	end, ok := s.tokens[r.Header.Get(tokenHeader)]
	left := time.Until(end)
	return int(left.Seconds()), ok && left > 0
}
