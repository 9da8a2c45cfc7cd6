package secretsmanager

import "net/http"

// apiError is an error as the service answers it.
type apiError struct {
	code    string
	message string
	status  int // 0 means 400
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func notFound(message string) *apiError {
	return &apiError{code: "ResourceNotFoundException", message: message}
}

func invalidParameter(message string) *apiError {
	return &apiError{code: "InvalidParameterException", message: message}
}

func invalidRequest(message string) *apiError {
	return &apiError{code: "InvalidRequestException", message: message}
}

func (e *apiError) httpStatus() int {
	if e.status == 0 {
		return http.StatusBadRequest
	}
	return e.status
}
