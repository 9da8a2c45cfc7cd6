package s3

import (
	"cmp"
	"encoding/xml"
	"net/http"
	"strings"

	"drawbridge/rehearsal/awsapi"
	"drawbridge/rehearsal/iam"
)

// protocol implements [awsapi.Protocol].
type protocol struct{ *Server }

func (p protocol) Name(r *awsapi.Request) (operation, resource string) {
	operation = map[string]string{http.MethodHead: "HeadObject", http.MethodGet: "GetObject"}[r.Method]
	return operation, p.object(r)
}

// object is BUCKET/KEY, wherever the bucket stands ("Virtual hosting of general purpose buckets", Amazon S3 User Guide).
func (s *Server) object(r *awsapi.Request) string {
	path := strings.TrimPrefix(r.URL.Path, "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.buckets {
		if strings.HasPrefix(r.Host, name+".") {
			return name + "/" + path
		}
	}
	return path
}

func (p protocol) Answer(r *awsapi.Request) (awsapi.Answer, error) {
	query := r.URL.Query()
	query.Del("x-id") // the SDKs name the operation again
	bucket, key, _ := strings.Cut(r.Resource, "/")
	if r.Operation == "" || key == "" || len(query) > 0 {
		return nil, &awsapi.Error{Code: "NotImplemented", Message: "the rehearsal does not play this operation", Status: http.StatusNotImplemented}
	}
	// HeadObject needs the same permission as GetObject.
	if err := p.Authorize(r, "s3:GetObject", "arn:aws:s3:::"+r.Resource, nil, iam.Policies{}); err != nil {
		return nil, err
	}
	answer, err := p.open(r, bucket, key)
	if err != nil {
		// Whether there is such an object is told only to those who may list the bucket.
		if err := p.Authorize(r, "s3:ListBucket", "arn:aws:s3:::"+bucket, nil, iam.Policies{}); err != nil {
			return nil, err
		}
		return nil, err
	}
	return answer, nil
}

// words are S3's for the errors that all services know ("Error responses", Amazon S3 API Reference).
var words = map[string]struct {
	code   string
	status int
}{
	awsapi.MissingSignature: {"AccessDenied", http.StatusForbidden},
	awsapi.UnknownClient:    {"InvalidAccessKeyId", http.StatusForbidden},
	awsapi.WrongSignature:   {"SignatureDoesNotMatch", http.StatusForbidden},
	awsapi.Expired:          {"ExpiredToken", http.StatusBadRequest},
	awsapi.Denied:           {"AccessDenied", http.StatusForbidden},
}

func (protocol) Refuse(w http.ResponseWriter, r *awsapi.Request, e *awsapi.Error) {
	word := words[e.Code]
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(cmp.Or(word.status, e.HTTPStatus()))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write([]byte(xml.Header))
	_ = xml.NewEncoder(w).Encode(struct {
		XMLName                 xml.Name `xml:"Error"`
		Code, Message, Resource string
	}{Code: cmp.Or(word.code, e.Code), Message: e.Message, Resource: r.URL.Path})
}
