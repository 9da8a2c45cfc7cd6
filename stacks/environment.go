// Package stacks turns the config of one environment into its CloudFormation stacks.
package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	construct "github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"drawbridge/config"
)

// Environment is the set of stacks of one environment.
type Environment struct {
	Network  *NetworkStack
	Database *DatabaseStack
	Bastion  *BastionStack
	WebApp   *WebAppStack

	Tunnel *TunnelStack
}

// Assets are the files that stacks upload, for the environment's architecture.
type Assets struct {
	// WebAppBundle is Elastic Beanstalk's source bundle, a zip file.
	WebAppBundle string

	// DatabaseFunction is the Lambda function's code, a zip file.
	DatabaseFunction string

	// HostProgram is the program that sets up the jump server and the tunnel host.
	HostProgram string
}

// NewEnvironment adds the stacks of one environment to scope, an app or a stage.
func NewEnvironment(scope construct.Construct, env *config.Environment, assets Assets) *Environment {
	e := &Environment{}
	e.Network = NewNetworkStack(scope, "Network", &NetworkStackProps{stackProps(env, "Network", "network"), env})
	e.Database = NewDatabaseStack(scope, "Database", &DatabaseStackProps{stackProps(env, "Database", "MySQL database"), env, e.Network, assets.DatabaseFunction})
	e.Bastion = NewBastionStack(scope, "Bastion", &BastionStackProps{stackProps(env, "Bastion", "jump server"), env, e.Network, e.Database, assets.HostProgram})
	e.WebApp = NewWebAppStack(scope, "WebApp", &WebAppStackProps{stackProps(env, "WebApp", "web app"), env, e.Network, e.Database, assets.WebAppBundle})
	e.Tunnel = NewTunnelStack(scope, "Tunnel", &TunnelStackProps{stackProps(env, "Tunnel", "reverse SSH tunnels"), env, e.Network, e.Database, assets.HostProgram})
	awscdk.Tags_Of(scope).Add(jsii.String("drawbridge:environment"), &env.Name, nil)
	return e
}

func stackProps(env *config.Environment, id, what string) awscdk.StackProps {
	props := awscdk.StackProps{
		StackName:   jsii.String("drawbridge-" + env.Name + "-" + id),
		Description: jsii.String("Drawbridge " + env.Name + ": " + what),
	}
	if env.Account != "" {
		props.Env = &awscdk.Environment{Account: &env.Account, Region: &env.Region}
	}
	if env.Database.DeletionProtection {
		props.TerminationProtection = jsii.Bool(true)
	}
	return props
}

// export offers values of a stack to the others, whether or not one of them imports them today. A stack's exports then
// never depend on who uses them: CloudFormation refuses to remove an export that is still imported, and deploys the
// stack that offers it before the one that stops using it.
func export(stack awscdk.Stack, values ...*string) {
	for _, value := range values {
		stack.ExportValue(value, nil)
	}
}

// output adds a stack output whose name is id.
func output(stack awscdk.Stack, id string, value *string, description string) awscdk.CfnOutput {
	return awscdk.NewCfnOutput(stack, &id, &awscdk.CfnOutputProps{Value: value, Description: &description})
}
