// Package resources plays the types of AWS resources that the templates hold, for the deployer of the package
// cloudformation. Secrets, their rotation and policies, parameters, IAM roles, VPC endpoints, wait conditions and Lambda
// functions have real effects on the servers and programs of the rehearsal; the database is the caller's; the others get
// plausible ids and attributes and have none.
package resources
