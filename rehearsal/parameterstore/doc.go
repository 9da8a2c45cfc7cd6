// Package parameterstore is AWS Systems Manager Parameter Store on loopback, as far as this project's hosts use it:
// GetParametersByPath and GetParameter (AWS Systems Manager API Reference), for parameters of the types String and
// StringList.
//
// Requests must be signed, and be allowed by the policies of the role that signed them. Faults can be planted.
package parameterstore
