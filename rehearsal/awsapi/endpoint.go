package awsapi

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Endpoint is one address for several services: what AWS_ENDPOINT_URL names. It tells services apart by the signing name
// in a request's signature: "secretsmanager", "ssm", "monitoring" (CloudWatch), "s3".
type Endpoint map[string]http.Handler

// ServeHTTP hands a request to its service. One that is signed for no service of these is refused.
func (e Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts, ok := parseAuthorization(r)
	if !ok {
		http.Error(w, "the request is not signed", http.StatusForbidden)
		return
	}
	service, ok := e[parts.service]
	if !ok {
		known := strings.Join(slices.Sorted(maps.Keys(e)), ", ")
		http.Error(w, "the service "+parts.service+" is not played here, only "+known, http.StatusNotFound)
		return
	}
	service.ServeHTTP(w, r)
}
