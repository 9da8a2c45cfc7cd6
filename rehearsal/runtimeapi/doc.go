// Package runtimeapi runs a Lambda function's own binary on this machine as Lambda does: behind a Runtime API on
// loopback ("Using the Lambda runtime API for custom runtimes", AWS Lambda Developer Guide), with Lambda's environment
// and no more, kept warm between events, killed at its timeout, and invoked again when an asynchronous event failed.
//
// It is not a jail: the function sees this machine's files and loopback. HTTP and HTTPS to anywhere else is refused, so
// that a function with a wrong endpoint fails instead of talking to AWS.
package runtimeapi
