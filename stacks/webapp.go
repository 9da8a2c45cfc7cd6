package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	construct "github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"drawbridge/config"
	"drawbridge/constructs"
)

// WebAppStackProps are the properties of the WebApp stack.
type WebAppStackProps struct {
	awscdk.StackProps
	Environment *config.Environment
	Network     *NetworkStack
	Database    *DatabaseStack

	// BundlePath is Elastic Beanstalk's source bundle.
	BundlePath string
}

// WebAppStack holds the Elastic Beanstalk environment.
type WebAppStack struct {
	awscdk.Stack
	WebApp *constructs.WebApp

	// URLOutput says where the site is.
	URLOutput awscdk.CfnOutput
}

// NewWebAppStack adds the WebApp stack to scope.
func NewWebAppStack(scope construct.Construct, id string, props *WebAppStackProps) *WebAppStack {
	s := &WebAppStack{Stack: awscdk.NewStack(scope, &id, &props.StackProps)}
	env, network, database := props.Environment, props.Network.Network, props.Database
	s.WebApp = constructs.NewWebApp(s.Stack, "WebApp", &constructs.WebAppProps{
		Vpc:                   network.Vpc,
		Subnets:               network.PublicSubnets(),
		DatabaseSecurityGroup: database.Database.SecurityGroup,
		DatabaseHost:          database.Database.Instance.DbInstanceEndpointAddress(),
		DatabasePort:          database.Database.Instance.DbInstanceEndpointPort(),
		DatabaseName:          env.Database.Name,
		ReplicaHosts:          database.ReplicaHosts(),
		Secret:                database.ReadOnlyUsers[config.WebAppUser].Secret,
		BundlePath:            props.BundlePath,
		VisitorCIDRs:          env.WebApp.VisitorCIDRs,
		LoadBalanced:          env.WebApp.LoadBalanced,
		MinInstances:          env.WebApp.MinInstances,
		MaxInstances:          env.WebApp.MaxInstances,
		CertificateARN:        env.WebApp.CertificateARN,
		PlatformRefresh:       env.WebApp.PlatformRefresh,
		DashboardURL:          env.WebApp.DashboardURL,
		Charts:                env.WebApp.Charts,
		EmbedOrigins:          env.WebApp.EmbedOrigins,
		Architecture:          constructs.Architecture(env.Architecture),
		InstanceType:          env.WebApp.InstanceType,
	})
	constructs.NewWebAppAlarms(s.Stack, "WebAppAlarms", &constructs.WebAppAlarmsProps{
		WebApp: s.WebApp, Topic: props.Network.Alarms.Topic, EnvironmentName: env.Name,
	})
	s.URLOutput = output(s.Stack, "WebAppURL", s.WebApp.URL, "The site. With a certificate, point the certificate's own name at this host")
	if s.WebApp.AccessLogs != nil {
		output(s.Stack, "WebAppAccessLogs", jsii.String("s3://"+*s.WebApp.AccessLogs.BucketName()+"/"+constructs.AccessLogsPrefix+"/"), "Where the load balancer's access logs are")
	}
	output(s.Stack, "WebAppEnvironment", s.WebApp.Environment.Ref(), "The Elastic Beanstalk environment's name")
	return s
}
