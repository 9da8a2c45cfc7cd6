// Package rehearsal plays a synthesized environment on this machine, from its cloud assembly alone: the deployer of the
// package cloudformation works on templates as AWS CloudFormation does, and Lambda functions, Secrets Manager, IAM
// policies and the database behind them are real programs and servers on loopback.
//
//	player, err := rehearsal.New(rehearsal.Options{Database: database})
//	...
//	defer player.Close()
//	assembly, err := template.ReadAssembly("cdk.out/dev")
//	...
//	err = player.DeployAll(ctx, assembly)
package rehearsal
