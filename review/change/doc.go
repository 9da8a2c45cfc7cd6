// Package change compares two synthesized environments and says what deploying the second over the first does: what
// CloudFormation makes, removes, replaces or interrupts, what becomes of data and addresses, and who can reach what.
//
// It reads assemblies alone: no git, no AWS account and no CDK library. What replaces a resource comes from
// CloudFormation's own schemas, in the copy that the CDK CLI carries; the few facts that are not in them stand in rules.go
// and data.go with the page that they come from.
//
// It knows what the templates say, and not what is deployed. Where somebody has changed resources by hand, or the first
// side has never been deployed, CloudFormation does something else.
package change
