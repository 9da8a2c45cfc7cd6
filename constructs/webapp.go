package constructs

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awselasticbeanstalk"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3assets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"drawbridge/internal/pinned"
)

// WebAppProps describes the web app.
type WebAppProps struct {
	Vpc     awsec2.IVpc
	Subnets *[]awsec2.ISubnet

	// DatabaseSecurityGroup is the database's; the web app is let in.
	DatabaseSecurityGroup awsec2.ISecurityGroup

	// DatabaseHost, DatabasePort and DatabaseName say what to connect to.
	DatabaseHost, DatabasePort *string
	DatabaseName               string

	// ReplicaHosts are read replicas, which the app reads from as long as one of them answers.
	ReplicaHosts []*string

	// Secret holds the credentials of the web app's MySQL user. The app reads it at run time.
	Secret awssecretsmanager.ISecret

	// BundlePath is the source bundle, a zip file with a Procfile and a binary for Architecture.
	BundlePath string

	// VisitorCIDRs are the IPv4 blocks that may reach the site.
	VisitorCIDRs []string

	// LoadBalanced runs MinInstances to MaxInstances behind an Application Load Balancer, by their load. Otherwise there is
	// one instance with an Elastic IP.
	LoadBalanced               bool
	MinInstances, MaxInstances int

	// CertificateARN is an ACM certificate, for LoadBalanced alone. With it the load balancer speaks HTTPS, and the app
	// sends whoever comes by plain HTTP there.
	CertificateARN string

	// PlatformRefresh says when the platform version was last looked up, such as 2026-11: see BeanstalkPlatform.
	PlatformRefresh string

	// DashboardURL, if not empty, is a BI dashboard that the app shows in a frame, with a link.
	DashboardURL string

	// Charts, if any, are those of the app's own dashboard.
	Charts []pinned.Chart

	// EmbedOrigins, if any, are the sites that may show charts in a frame, such as https://wiki.example.com.
	EmbedOrigins []string

	Architecture Architecture

	// InstanceType is an EC2 type of that architecture, such as t4g.micro.
	InstanceType string
}

// webAppMetricsPort is where the app answers Prometheus, for agents on the instance; OpenTelemetry uses the same one.
const webAppMetricsPort = "9464"

// WebApp is an Elastic Beanstalk environment that runs a prebuilt Go binary.
type WebApp struct {
	constructs.Construct

	Environment awselasticbeanstalk.CfnEnvironment

	// InstanceSecurityGroup is worn by the instances.
	InstanceSecurityGroup awsec2.SecurityGroup

	// AccessLogs is the bucket of the load balancer's access logs, below AccessLogsPrefix; nil without a load balancer.
	AccessLogs awss3.Bucket

	// URL is where the site is.
	URL *string

	props *WebAppProps
}

// NewWebApp adds a WebApp to scope.
func NewWebApp(scope constructs.Construct, id string, props *WebAppProps) *WebApp {
	if props.CertificateARN != "" && !props.LoadBalanced {
		panic("the web app has a certificate, but no load balancer to present it: set LoadBalanced, or leave CertificateARN empty")
	}
	w := &WebApp{Construct: constructs.NewConstruct(scope, &id), props: props}

	settings := w.settings()
	w.addSecurityGroups(settings)
	if props.LoadBalanced {
		w.addAccessLogs(settings)
	}
	role := w.addRoles(settings)

	application := awselasticbeanstalk.NewCfnApplication(w.Construct, jsii.String("Application"), &awselasticbeanstalk.CfnApplicationProps{
		Description: jsii.String("Shows the data of the MySQL database"),
	})
	bundle := awss3assets.NewAsset(w.Construct, jsii.String("Bundle"), &awss3assets.AssetProps{Path: &props.BundlePath})
	version := awselasticbeanstalk.NewCfnApplicationVersion(w.Construct, jsii.String("Version"), &awselasticbeanstalk.CfnApplicationVersionProps{
		ApplicationName: application.Ref(),
		SourceBundle: &awselasticbeanstalk.CfnApplicationVersion_SourceBundleProperty{
			S3Bucket: bundle.S3BucketName(), S3Key: bundle.S3ObjectKey(),
		},
	})
	platform := NewBeanstalkPlatform(w.Construct, "Platform", &BeanstalkPlatformProps{
		Branch: "Go 1 running on 64bit Amazon Linux 2023", Refresh: props.PlatformRefresh,
	})
	w.Environment = awselasticbeanstalk.NewCfnEnvironment(w.Construct, jsii.String("Environment"), &awselasticbeanstalk.CfnEnvironmentProps{
		ApplicationName: application.Ref(),
		VersionLabel:    version.Ref(),
		PlatformArn:     platform.ARN,
		Tier:            &awselasticbeanstalk.CfnEnvironment_TierProperty{Name: jsii.String("WebServer"), Type: jsii.String("Standard")},
		OptionSettings:  settings.list(),
	})
	accept(w.Environment, "A newer platform is a change of platformRefresh in the config, which is reviewed; Beanstalk's own update would be undone by the next deployment", "AwsSolutions-EB3")
	accept(w.Environment, "The logs go to CloudWatch Logs instead", "AwsSolutions-EB4")
	// The instance profile names the role, not its policy: without this the first instance might start without it.
	w.Environment.Node().AddDependency(role)
	if w.AccessLogs != nil {
		// The load balancer may only be told to write there when it may.
		w.Environment.Node().AddDependency(w.AccessLogs)
	}
	w.URL = jsii.String(w.scheme() + "://" + *w.Environment.AttrEndpointUrl())
	return w
}

func (w *WebApp) scheme() string {
	if w.props.CertificateARN != "" {
		return "https"
	}
	return "http"
}

// settings are the environment's option settings that depend on the props alone (AWS Elastic Beanstalk Developer Guide,
// "General options for all environments").
func (w *WebApp) settings() optionSettings {
	p := w.props
	s := optionSettings{}
	s.set("aws:elasticbeanstalk:environment", "EnvironmentType", "SingleInstance")
	// Updates that Beanstalk makes by itself would be undone by the next deployment of the template.
	s.set("aws:elasticbeanstalk:managedactions", "ManagedActionsEnabled", "false")
	s.set("aws:elasticbeanstalk:healthreporting:system", "SystemType", "enhanced")
	s.set("aws:elasticbeanstalk:healthreporting:system", "ConfigDocument", *jsonText(webAppMetrics))
	s.set("aws:elasticbeanstalk:cloudwatch:logs", "StreamLogs", "true")
	s.set("aws:elasticbeanstalk:cloudwatch:logs", "DeleteOnTerminate", "false")
	s.set("aws:elasticbeanstalk:cloudwatch:logs", "RetentionInDays", "30")

	s.set("aws:autoscaling:launchconfiguration", "DisableIMDSv1", "true")
	s.set("aws:autoscaling:launchconfiguration", "RootVolumeType", "gp3")
	// Beanstalk's own group would open port 80 to everybody.
	s.set("aws:autoscaling:launchconfiguration", "DisableDefaultEC2SecurityGroup", "true")
	s.set("aws:ec2:instances", "InstanceTypes", p.InstanceType)
	s.set("aws:ec2:instances", "SupportedArchitectures", string(p.Architecture))

	subnets := subnetIDs(p.Subnets)
	s.set("aws:ec2:vpc", "VPCId", *p.Vpc.VpcId())
	s.set("aws:ec2:vpc", "Subnets", subnets)
	s.set("aws:ec2:vpc", "AssociatePublicIpAddress", "true")

	const variables = "aws:elasticbeanstalk:application:environment"
	s.set(variables, "RDS_HOSTNAME", *p.DatabaseHost)
	for i, host := range p.ReplicaHosts {
		s.set(variables, fmt.Sprintf("RDS_REPLICA_HOSTNAME_%d", i+1), *host)
	}
	s.set(variables, "RDS_PORT", *p.DatabasePort)
	s.set(variables, "RDS_DB_NAME", p.DatabaseName)
	s.set(variables, "RDS_SECRET_ARN", *p.Secret.SecretArn())
	// nginx hands nothing on to it, and it listens on the instance's loopback address.
	s.set(variables, "METRICS_PORT", webAppMetricsPort)
	for name, text := range map[string]string{"DASHBOARD_URL": p.DashboardURL, "DASHBOARD_CHARTS": pinned.Encode(p.Charts), "EMBED_ORIGINS": strings.Join(p.EmbedOrigins, " ")} {
		for variable, value := range pinned.Variables(name, text) {
			s.set(variables, variable, value)
		}
	}
	if p.LoadBalanced {
		s.setLoadBalancer(subnets, p)
	}
	return s
}

func (s optionSettings) setLoadBalancer(subnets string, p *WebAppProps) {
	s.set("aws:elasticbeanstalk:environment", "EnvironmentType", "LoadBalanced")
	s.set("aws:elasticbeanstalk:environment", "LoadBalancerType", "application")
	// A site whose database is away is still alive: replacing its instances would not help.
	s.set("aws:elasticbeanstalk:environment:process:default", "HealthCheckPath", "/healthz")
	s.set("aws:ec2:vpc", "ELBSubnets", subnets)
	s.set("aws:ec2:vpc", "ELBScheme", "public")
	s.set("aws:autoscaling:asg", "MinSize", strconv.Itoa(p.MinInstances))
	s.set("aws:autoscaling:asg", "MaxSize", strconv.Itoa(p.MaxInstances))
	s.set("aws:autoscaling:trigger", "MeasureName", "CPUUtilization")
	s.set("aws:autoscaling:trigger", "Statistic", "Average")
	s.set("aws:autoscaling:trigger", "Unit", "Percent")
	s.set("aws:autoscaling:trigger", "UpperThreshold", "70")
	s.set("aws:autoscaling:trigger", "LowerThreshold", "20")
	s.set("aws:autoscaling:updatepolicy:rollingupdate", "RollingUpdateEnabled", "true")
	s.set("aws:autoscaling:updatepolicy:rollingupdate", "RollingUpdateType", "Health")
	s.set("aws:elasticbeanstalk:command", "DeploymentPolicy", "Rolling")
	s.set("aws:elasticbeanstalk:command", "BatchSizeType", "Percentage")
	s.set("aws:elasticbeanstalk:command", "BatchSize", "50")
	// Port 80. What is the default is said too: an option that is left out later may keep its last value.
	s.set("aws:elbv2:listener:default", "ListenerEnabled", "true")
	if p.CertificateARN != "" {
		s.set("aws:elbv2:listener:443", "Protocol", "HTTPS")
		s.set("aws:elbv2:listener:443", "SSLCertificateArns", p.CertificateARN)
		s.set("aws:elbv2:listener:443", "SSLPolicy", "ELBSecurityPolicy-TLS13-1-2-2021-06")
	}
	// Elastic Beanstalk has no option for a redirection by the load balancer.
	s.set("aws:elasticbeanstalk:application:environment", "REDIRECT_TO_HTTPS", strconv.FormatBool(p.CertificateARN != ""))
}

// addSecurityGroups lets visitors in to the site, and the site in to the database.
func (w *WebApp) addSecurityGroups(s optionSettings) {
	p := w.props
	w.InstanceSecurityGroup = awsec2.NewSecurityGroup(w.Construct, jsii.String("InstanceSecurityGroup"), &awsec2.SecurityGroupProps{
		Vpc: p.Vpc, Description: jsii.String("Web app instances"), AllowAllOutbound: jsii.Bool(false),
	})
	w.InstanceSecurityGroup.AddEgressRule(awsec2.Peer_AnyIpv4(), awsec2.Port_HTTPS(), jsii.String("HTTPS to AWS and the package repositories"), nil)
	s.set("aws:autoscaling:launchconfiguration", "SecurityGroups", *w.InstanceSecurityGroup.SecurityGroupId())
	NewDatabaseAccess(w.Construct, "DatabaseAccess", &DatabaseAccessProps{
		From: w.InstanceSecurityGroup, Database: p.DatabaseSecurityGroup, Description: "web app",
	})

	door, ports := w.InstanceSecurityGroup, []awsec2.Port{awsec2.Port_HTTP()}
	if p.LoadBalanced {
		door = awsec2.NewSecurityGroup(w.Construct, jsii.String("LoadBalancerSecurityGroup"), &awsec2.SecurityGroupProps{
			Vpc: p.Vpc, Description: jsii.String("Web app load balancer"), AllowAllOutbound: jsii.Bool(false),
		})
		door.AddEgressRule(w.InstanceSecurityGroup, awsec2.Port_HTTP(), jsii.String("HTTP to the instances"), nil)
		nameRule(door, "WebAppLoadBalancerSecurityGrouptoWebAppInstanceSecurityGroupD79F54838074CC68F9")
		w.InstanceSecurityGroup.AddIngressRule(door, awsec2.Port_HTTP(), jsii.String("HTTP from the load balancer"), nil)
		nameRule(w.InstanceSecurityGroup, "WebAppInstanceSecurityGroupfromWebAppLoadBalancerSecurityGroupB4A4B79F80349C614D")
		// Both, or Beanstalk makes a group of its own that is open to everybody.
		s.set("aws:elbv2:loadbalancer", "SecurityGroups", *door.SecurityGroupId())
		s.set("aws:elbv2:loadbalancer", "ManagedSecurityGroup", *door.SecurityGroupId())
		if p.CertificateARN != "" {
			ports = append(ports, awsec2.Port_HTTPS())
		}
	}
	for _, cidr := range p.VisitorCIDRs {
		for _, port := range ports {
			door.AddIngressRule(awsec2.Peer_Ipv4(jsii.String(cidr)), port, jsii.String("Visitors of the web app"), nil)
		}
		if cidr == anyIPv4 {
			accept(door, "The config says that everybody may visit the site: visitorCidrs", "AwsSolutions-EC23")
		}
	}
}

// addRoles makes the instances' role, with what AWSElasticBeanstalkWebTier allows narrowed to this account and region,
// and Beanstalk's own.
func (w *WebApp) addRoles(s optionSettings) awsiam.Role {
	stack := awscdk.Stack_Of(w.Construct)
	role := awsiam.NewRole(w.Construct, jsii.String("InstanceRole"), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("ec2.amazonaws.com"), nil),
		Description: jsii.String("Web app instances"),
	})
	allowSessionManager(w.Construct, role)
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:       jsii.String("DatabaseCredentials"),
		Actions:   jsii.Strings("secretsmanager:GetSecretValue"),
		Resources: &[]*string{w.props.Secret.SecretArn()},
	}))
	bucket := "arn:" + *stack.Partition() + ":s3:::elasticbeanstalk-" + *stack.Region() + "-" + *stack.Account()
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:       jsii.String("ReadBeanstalkBucket"),
		Actions:   jsii.Strings("s3:Get*", "s3:List*"),
		Resources: jsii.Strings(bucket, bucket+"/*"),
	}))
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:       jsii.String("WriteLogBundles"),
		Actions:   jsii.Strings("s3:PutObject"),
		Resources: jsii.Strings(bucket + "/resources/environments/logs/*"),
	}))
	logs := func(resource string) *string {
		return stack.FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("logs"), Resource: jsii.String("log-group"), ResourceName: &resource,
			ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
		})
	}
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid: jsii.String("StreamLogs"),
		Actions: jsii.Strings("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogGroups",
			"logs:DescribeLogStreams", "logs:PutLogEvents", "logs:PutRetentionPolicy"),
		Resources: &[]*string{logs("/aws/elasticbeanstalk/*")},
	}))
	beanstalk := func(resource string) *string {
		return stack.FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("elasticbeanstalk"), Resource: &resource, ResourceName: jsii.String("*"),
		})
	}
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:       jsii.String("ReportHealth"),
		Actions:   jsii.Strings("elasticbeanstalk:PutInstanceStatistics"),
		Resources: &[]*string{beanstalk("application"), beanstalk("environment")},
	}))
	acceptWildcards(policyOf(role), "What AWS's AWSElasticBeanstalkWebTier allows, narrowed to this account's bucket of this region",
		"Action::s3:Get*", "Action::s3:List*", "Resource::arn:<AWS::Partition>:s3:::elasticbeanstalk-<AWS::Region>-<AWS::AccountId>/*",
		"Resource::arn:<AWS::Partition>:s3:::elasticbeanstalk-<AWS::Region>-<AWS::AccountId>/resources/environments/logs/*")
	acceptWildcards(policyOf(role), "Beanstalk names its log groups, and the environment, after the role is there",
		"Resource::arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:/aws/elasticbeanstalk/*",
		"Resource::arn:<AWS::Partition>:elasticbeanstalk:<AWS::Region>:<AWS::AccountId>:application/*",
		"Resource::arn:<AWS::Partition>:elasticbeanstalk:<AWS::Region>:<AWS::AccountId>:environment/*")
	profile := awsiam.NewInstanceProfile(w.Construct, jsii.String("InstanceProfile"), &awsiam.InstanceProfileProps{Role: role})
	s.set("aws:autoscaling:launchconfiguration", "IamInstanceProfile", *profile.InstanceProfileName())

	service := awsiam.NewRole(w.Construct, jsii.String("ServiceRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("elasticbeanstalk.amazonaws.com"), &awsiam.ServicePrincipalOpts{
			// What Beanstalk says when it assumes the role (Developer Guide, "Managing Elastic Beanstalk service roles").
			Conditions: &map[string]any{"StringEquals": map[string]any{"sts:ExternalId": "elasticbeanstalk"}},
		}),
		Description: jsii.String("Elastic Beanstalk's health monitoring"),
		ManagedPolicies: &[]awsiam.IManagedPolicy{
			awsiam.ManagedPolicy_FromAwsManagedPolicyName(jsii.String("service-role/AWSElasticBeanstalkEnhancedHealth")),
		},
	})
	accept(service, "Beanstalk's health reporting asks for what AWS keeps up to date in this policy", "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSElasticBeanstalkEnhancedHealth]")
	s.set("aws:elasticbeanstalk:environment", "ServiceRole", *service.RoleArn())
	return role
}

func subnetIDs(subnets *[]awsec2.ISubnet) string {
	var ids []string
	for _, subnet := range *subnets {
		ids = append(ids, *subnet.SubnetId())
	}
	return strings.Join(ids, ",")
}

// optionSettings are a Beanstalk environment's settings: namespace, then option, then value.
type optionSettings map[[2]string]string

func (s optionSettings) set(namespace, option, value string) {
	s[[2]string{namespace, option}] = value
}

// list is the settings in an order that depends on their names alone.
func (s optionSettings) list() *[]*awselasticbeanstalk.CfnEnvironment_OptionSettingProperty {
	var list []*awselasticbeanstalk.CfnEnvironment_OptionSettingProperty
	for key, value := range s {
		list = append(list, &awselasticbeanstalk.CfnEnvironment_OptionSettingProperty{
			Namespace: jsii.String(key[0]), OptionName: jsii.String(key[1]), Value: jsii.String(value),
		})
	}
	slices.SortFunc(list, func(a, b *awselasticbeanstalk.CfnEnvironment_OptionSettingProperty) int {
		return cmp.Or(cmp.Compare(*a.Namespace, *b.Namespace), cmp.Compare(*a.OptionName, *b.OptionName))
	})
	return &list
}
