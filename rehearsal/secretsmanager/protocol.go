package secretsmanager

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"drawbridge/rehearsal/iam"
)

// ServeHTTP answers one request of the protocol AWS JSON 1.1.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.requests.Add(1)
	defer e.requests.Done()
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return // the caller is gone
	}
	operation, _ := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "secretsmanager.")
	var in struct{ SecretId string }
	_ = json.Unmarshal(body, &in) // what is wrong with it is said below

	call := Call{Operation: operation, SecretID: in.SecretId}
	answer, err := e.answer(r, body, &call)
	var failure *apiError
	if errors.As(err, &failure) {
		call.Code = failure.code
	}
	e.server.mu.Lock()
	e.server.calls = append(e.server.calls, call)
	e.server.mu.Unlock()

	h := w.Header()
	h.Set("Content-Type", "application/x-amz-json-1.1")
	h.Set("X-Amzn-RequestId", newToken())
	switch {
	case errors.Is(err, errDropped):
		panic(http.ErrAbortHandler)
	case failure != nil:
		h.Set("X-Amzn-ErrorType", failure.code)
		w.WriteHeader(failure.httpStatus())
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": failure.code, "Message": failure.message})
	default:
		_, _ = w.Write(answer)
	}
}

func (e *Endpoint) answer(r *http.Request, body []byte, call *Call) ([]byte, error) {
	s := e.server
	if content, err := s.fault(r.Context(), call); content != nil || err != nil {
		return content, err
	}
	if r.Method != http.MethodPost || r.URL.Path != "/" || r.Header.Get("Content-Type") != "application/x-amz-json-1.1" {
		return nil, &apiError{code: "SerializationException", message: "the request is not of the protocol AWS JSON 1.1"}
	}
	principal, err := s.authenticate(r, body)
	if err != nil {
		return nil, err
	}
	call.Principal = principal
	run, known := operations[call.Operation]
	if !known {
		return nil, &apiError{code: "UnknownOperationException", message: "the rehearsal does not play this operation"}
	}
	if call.SecretID == "" {
		return nil, &apiError{code: "ValidationException", message: "the request names no SecretId"}
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if err := e.authorize(principal, call); err != nil {
		return nil, err
	}
	found, err := s.lookUp(call.SecretID)
	if err == nil && call.Operation != "DescribeSecret" {
		found, err = s.find(call.SecretID)
	}
	if err != nil {
		return nil, err
	}
	result, err := run(found, body)
	if err != nil {
		return nil, err
	}
	return json.Marshal(result)
}

// authorize asks the policies. A caller may not learn from the answer whether a secret exists.
func (e *Endpoint) authorize(principal string, call *Call) error {
	s := e.server
	policies := iam.Policies{Identity: s.options.Roles.Policies(principal)}
	e.mu.Lock()
	policies.Endpoint = e.policy
	e.mu.Unlock()
	resource := call.SecretID
	if found, err := s.lookUp(call.SecretID); err == nil {
		resource, policies.Resource = found.arn, found.policy
	} else if !strings.HasPrefix(resource, "arn:") {
		resource = "arn:aws:secretsmanager:" + s.options.Region + ":" + s.options.AccountID + ":secret:" + resource
	}
	err := iam.Evaluate(iam.Request{
		Principal: principal, Account: s.options.AccountID, Action: "secretsmanager:" + call.Operation, Resource: resource,
	}, policies)
	if err != nil {
		return &apiError{code: "AccessDeniedException", message: err.Error()}
	}
	return nil
}
