// Package endtoend tests the Lambda function as it is deployed: its real binary, run as Lambda runs it, gets the events
// that CloudFormation makes of the synthesized templates, works on a real MySQL server as a master user with RDS's
// privileges, and reaches Secrets Manager and the receiver of its answers on loopback. What the role's policies in the
// template do not allow is refused.
package endtoend
