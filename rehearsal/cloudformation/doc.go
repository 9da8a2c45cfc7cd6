// Package cloudformation deploys templates on this machine as AWS CloudFormation does: it creates, updates, replaces and
// deletes resources in the order of their dependencies, rolls back what fails, and cleans up after success.
//
// Custom resources whose function is one of [Functions] get real events and answer to a real URL on loopback. Every
// other resource is the matter of a [Provider] for its type. One resource is worked on at a time, so that what happened
// is the same each time; CloudFormation itself works on independent ones at once.
package cloudformation
