package secretsmanager

import (
	"encoding/json"
	"net/http"
	"strings"

	"drawbridge/rehearsal/awsapi"
	"drawbridge/rehearsal/iam"
)

var protocol = awsapi.JSON{Target: "secretsmanager."}

// ServeHTTP answers one request of the protocol AWS JSON 1.1.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.server.api.Serve(w, r, e) }

// Name implements [awsapi.Protocol].
func (e *Endpoint) Name(r *awsapi.Request) (operation, secretID string) {
	var in struct{ SecretId string }
	_ = json.Unmarshal(r.Body, &in) // what is wrong with it is said by Answer
	return protocol.Operation(r), in.SecretId
}

// Refuse implements [awsapi.Protocol].
func (e *Endpoint) Refuse(w http.ResponseWriter, r *awsapi.Request, failure *awsapi.Error) {
	protocol.Refuse(w, r, failure)
}

// Answer implements [awsapi.Protocol].
func (e *Endpoint) Answer(r *awsapi.Request) (awsapi.Answer, error) {
	s := e.server
	if err := protocol.Check(r); err != nil {
		return nil, err
	}
	run, known := operations[r.Operation]
	if !known {
		return nil, &awsapi.Error{Code: awsapi.NoOperation, Message: "the rehearsal does not play this operation"}
	}
	if r.Resource == "" {
		return nil, &awsapi.Error{Code: "ValidationException", Message: "the request names no SecretId"}
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if err := e.authorize(r); err != nil {
		return nil, err
	}
	found, err := s.lookUp(r.Resource)
	if err == nil && r.Operation != "DescribeSecret" {
		found, err = s.find(r.Resource)
	}
	if err != nil {
		return nil, err
	}
	result, err := run(found, r)
	if err != nil {
		return nil, err
	}
	return protocol.Result(result)
}

// authorize asks the policies. A caller may not learn from the answer whether a secret exists.
func (e *Endpoint) authorize(r *awsapi.Request) error {
	s := e.server
	var policies iam.Policies
	e.mu.Lock()
	policies.Endpoint = e.policy
	e.mu.Unlock()
	resource := r.Resource
	if found, err := s.lookUp(r.Resource); err == nil {
		resource, policies.Resource = found.arn, found.policy
	} else if !strings.HasPrefix(resource, "arn:") {
		resource = "arn:aws:secretsmanager:" + s.api.Region + ":" + s.api.AccountID + ":secret:" + resource
	}
	return s.api.Authorize(r, "secretsmanager:"+r.Operation, resource, nil, policies)
}
