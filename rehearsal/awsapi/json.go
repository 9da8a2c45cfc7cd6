package awsapi

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/google/uuid"
)

func newRequestID() string { return uuid.NewString() }

const jsonType = "application/x-amz-json-1.1"

// JSON is the protocol AWS JSON 1.1 ("AWS JSON 1.1 protocol", Smithy documentation).
type JSON struct {
	Target string // what X-Amz-Target holds before the operation, such as "AmazonSSM."
}

// Operation is the operation that a request asks for.
func (p JSON) Operation(r *Request) string {
	operation, _ := strings.CutPrefix(r.Header.Get("X-Amz-Target"), p.Target)
	return operation
}

// Check refuses requests that are not of this protocol.
func (p JSON) Check(r *Request) error {
	if r.Method != http.MethodPost || r.URL.Path != "/" || r.Header.Get("Content-Type") != jsonType {
		return &Error{Code: "SerializationException", Message: "the request is not of the protocol AWS JSON 1.1"}
	}
	return nil
}

// Decode reads a request's body.
func (p JSON) Decode(r *Request, into any) error {
	if err := json.Unmarshal(r.Body, into); err != nil {
		return &Error{Code: "SerializationException", Message: "the request is not the JSON that was expected"}
	}
	return nil
}

// Result is the answer with a result.
func (p JSON) Result(result any) (Answer, error) {
	text, err := json.Marshal(result)
	if err != nil {
		return nil, err
	}
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", jsonType)
		_, _ = w.Write(text)
	}, nil
}

// Refuse writes an error.
func (p JSON) Refuse(w http.ResponseWriter, _ *Request, e *Error) {
	w.Header().Set("Content-Type", jsonType)
	w.Header().Set("X-Amzn-ErrorType", e.Code)
	w.WriteHeader(e.HTTPStatus())
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": e.Code, "message": e.Message})
}
