// Package reach reads one synthesized environment and answers from where to where a TCP connection can be made: from the
// internet, from each network that a rule names and from each host inside the VPC, to each door. An answer is yes, no, or
// cannot tell, and comes with the chain of route tables, public addresses, security groups and network ACLs that makes it.
//
// The templates are the only source. What they hold and this package does not understand makes the answer "cannot tell"
// wherever it may matter, never "no": a value that only AWS knows, a prefix list, IPv6, or a resource of a type that is
// not modelled and that names a subnet, a security group or a VPC.
//
// # Sources
//
// The internet is everybody whom no rule names. Each block of /8 or narrower that is named has a row of its own. Where
// such blocks together get to a door from more addresses than a /8 has, they are the internet in pieces: its answer is
// yes too.
//
// Each host that makes connections has a row. A security group that a door's rules let in and that no host of the
// templates wears has one as well, such as "security group Stack/LogicalId": yes where it is let in by that name, for
// whoever will wear it, and cannot tell elsewhere.
//
// Of a Lambda function in the VPC that the internet may call, by a URL without IAM or by a permission for everybody or for
// API Gateway, the internet and the named blocks have no firm "no" to what it reaches. There is no connection from them,
// but it may act for them.
//
// # What an answer does not say
//
//   - It is about a fresh deployment of the templates. What somebody adds by hand, and what a template no longer says but
//     AWS keeps, is not seen. Parameters have their defaults.
//   - It is about TCP. Rules for other protocols are not shown, such as one that opens UDP; of a rule for all protocols,
//     the TCP in it is.
//   - It is about connections, not about what happens on them: passwords, SSH keys, TLS and IAM come after. That a port
//     can be reached does not mean that a program listens there.
//   - It is about one connection. Whoever has a shell on a host has that host's row; a load balancer forwards to its
//     instances; an SSH tunnel is a connection of the host that makes it. Session Manager, EC2 Instance Connect and the
//     like come through a connection that the host itself has made, and so have no row either.
//   - Hosts are EC2 instances, RDS instances, Elastic Beanstalk environments and Lambda functions in a VPC. Others, such as
//     containers, auto-scaling groups and a database that Beanstalk makes for an environment (aws:rds:dbinstance), have
//     neither row nor column, but leave no firm "no" to anything. An interface endpoint has neither and changes nothing.
//   - Custom resources are taken to change nothing in the network, but for those that are given a subnet, a security group
//     or a VPC, for those that call EC2, RDS or Elastic Load Balancing as CDK's AwsCustomResource does, and for CDK's own
//     that closes the default security group. Files in a Beanstalk bundle's .ebextensions are not read.
//   - A public address is AWS's to choose at deployment. No rule that names a network of /8 or narrower is taken to mean
//     it: that network is somebody else's, unless all that are named together are more than a /8.
//   - A gateway endpoint's routes take traffic to S3 or DynamoDB only, and are left out.
package reach
