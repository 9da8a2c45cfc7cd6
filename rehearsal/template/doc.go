// Package template reads what `cdk synth` writes: the stacks of a cloud assembly, their CloudFormation templates and
// assets. It resolves a template's functions to values and sorts its resources by what they depend on.
//
// It knows the functions that CDK writes ("Intrinsic function reference" in the AWS CloudFormation Template Reference
// Guide). What it does not know is an error that names the place and the function, never a value that only looks right.
package template
