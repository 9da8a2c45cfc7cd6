// Package beanstalk runs what the instances of an Elastic Beanstalk environment run, each in a network namespace: the
// program of a source bundle as the bundle's Procfile says it, nginx in front of it as the Go platform on Amazon Linux 2023
// configures it, and nginx as the Application Load Balancer in front of several. It takes Linux, root and Debian's nginx;
// elsewhere only its pure parts exist.
//
//	instance, err := beanstalk.StartInstance(ctx, beanstalk.InstanceOptions{
//		Bundle: "cdk.out/dev/asset.….zip", Environment: properties, Namespace: namespace, Log: os.Stderr,
//	})
//	defer instance.Close()
//
// Everything dies with this process, however it ends. What a killed process leaves on the disk the next one removes
// ([Sweep]).
package beanstalk
