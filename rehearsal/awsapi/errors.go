package awsapi

import (
	"errors"
	"net/http"
)

// Error is an error as a service answers it.
type Error struct {
	Code    string // such as "AccessDeniedException"
	Message string
	Status  int // 0 means 400
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// HTTPStatus is the status of the answer.
func (e *Error) HTTPStatus() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

// The codes of requests that the service does not take ("Common errors", in the API reference of each service). Services
// of another protocol than AWS JSON have other words for them.
const (
	MissingSignature = "MissingAuthenticationTokenException"
	UnknownClient    = "UnrecognizedClientException"
	WrongSignature   = "InvalidSignatureException"
	Expired          = "ExpiredTokenException"
	Denied           = "AccessDeniedException"
	NoOperation      = "UnknownOperationException"
)

// errDropped closes the connection without an answer.
var errDropped = errors.New("the connection is closed, as a fault says")
