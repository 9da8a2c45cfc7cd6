// Package vpc plays the network of one account on this machine: the VPC's router and its internet gateway are network
// namespaces of their own, each network interface is another, and so is each party of the internet. What the deployed
// resources say becomes what Linux does:
//
//	route tables                 a routing table for each interface, of the routes that its subnet has
//	internet gateway             network address translation between private and public addresses, one to one
//	security groups              stateful rules of nftables, on the way out of an interface and on the way into one
//	network ACLs                 stateless rules, on the way out of a subnet and on the way into one
//	gateway endpoint of S3       a route to where CloudFormation awaits its answers
//
// It takes Linux and root; elsewhere it is what turns records into rules. A kind of route or rule that it does not know is
// an error, never left out.
package vpc
