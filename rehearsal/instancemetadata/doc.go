// Package instancemetadata is the instance metadata service of one EC2 instance, in its version 2 alone ("Use the Instance
// Metadata Service to access instance metadata", Amazon EC2 User Guide): a token first, then what is asked for with it.
//
// An instance asks for it at 169.254.169.254, which a listener in its network namespace can be.
package instancemetadata
