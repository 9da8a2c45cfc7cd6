package secretsmanager

import "drawbridge/rehearsal/awsapi"

func notFound(message string) *awsapi.Error {
	return &awsapi.Error{Code: "ResourceNotFoundException", Message: message}
}

func invalidParameter(message string) *awsapi.Error {
	return &awsapi.Error{Code: "InvalidParameterException", Message: message}
}

func invalidRequest(message string) *awsapi.Error {
	return &awsapi.Error{Code: "InvalidRequestException", Message: message}
}
