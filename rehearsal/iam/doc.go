// Package iam decides what a request may do, from the policies of a template ("Policy evaluation logic", IAM User
// Guide): a Deny wins; an endpoint's policy must allow; then the role's own policies or the resource's policy must. It
// knows one account, as one environment has.
//
// What it does not know of a policy's language is an error, never a grant.
package iam
