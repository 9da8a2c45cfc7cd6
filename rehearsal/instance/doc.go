// Package instance plays EC2 instances with whole machines: what a template's AWS::EC2::Instance says is booted from a
// Debian root file system, with its user data, its role's credentials from an instance metadata service, and the account's
// services behind AWS_ENDPOINT_URL. It takes Linux and root; elsewhere it is empty.
package instance
