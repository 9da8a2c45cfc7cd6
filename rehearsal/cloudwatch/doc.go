// Package cloudwatch is Amazon CloudWatch on loopback, as far as this project's hosts use it: PutMetricData (Amazon
// CloudWatch API Reference) in the protocol Smithy RPC v2 CBOR, which the AWS SDK for Go speaks with it.
//
// Requests must be signed, and be allowed by the policies of the role that signed them, which may name the namespace by
// the condition key cloudwatch:namespace. Faults can be planted.
package cloudwatch
