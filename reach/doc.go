// Package reach reads one synthesized environment and answers from where to where a TCP connection can be made: from the
// internet, from each network that a rule names and from each host inside the VPC, to each door. An answer is yes, no, or
// cannot tell, and comes with the chain of route tables, public addresses, security groups and network ACLs that makes it.
//
// The templates are the only source. What they hold and this package does not understand makes the answer "cannot tell"
// wherever it may matter, never "no": a value that only AWS knows, a prefix list, IPv6, or a resource of a type that is
// not modelled.
//
// # What an answer does not say
//
//   - It is about a fresh deployment of the templates. What somebody adds by hand, and what a template no longer says but
//     AWS keeps, is not seen. Parameters have their defaults.
//   - It is about connections, not about what happens on them: passwords, SSH keys, TLS and IAM come after. That a port
//     can be reached does not mean that a program listens there.
//   - It is about one connection. Whoever has a shell on a host has that host's row; a load balancer forwards to its
//     instances; an SSH tunnel is a connection of the host that makes it. Session Manager, EC2 Instance Connect and the
//     like come through a connection that the host itself has made, and so have no row either.
//   - Hosts are EC2 instances, RDS instances, Elastic Beanstalk environments and Lambda functions in a VPC. Others, such as
//     containers, auto-scaling groups and interface endpoints, have neither row nor column.
//   - Custom resources are taken to change nothing in the network, but for those that call EC2, RDS or Elastic Load Balancing
//     as CDK's AwsCustomResource does, and for CDK's own that closes the default security group. Files in a Beanstalk bundle's .ebextensions are not read.
//   - A public address is AWS's to choose at deployment. No rule that names a network of /8 or narrower is taken to mean
//     it: that network is somebody else's.
//   - A gateway endpoint's routes take traffic to S3 or DynamoDB only, and are left out.
package reach
