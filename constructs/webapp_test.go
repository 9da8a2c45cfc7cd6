package constructs_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/jsii-runtime-go"

	"drawbridge/constructs"
	"drawbridge/internal/cdktest"
	"drawbridge/internal/pinned"
)

const (
	webAppSecret      = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:webapp-AbCdEf"
	webAppCertificate = "arn:aws:acm:eu-central-1:123456789012:certificate/0f0e0d0c-0b0a-0908-0706-050403020100"
)

// webApp is a single instance, after change, which may be nil, has edited its properties. url is where it says it is.
func webApp(t *testing.T, change func(props *constructs.WebAppProps)) (made cdktest.Template, url any) {
	t.Helper()
	return webAppWith(t, change, func(awscdk.Stack, *constructs.WebApp) {})
}

// webAppWith also builds what belongs to the web app.
func webAppWith(t *testing.T, change func(props *constructs.WebAppProps), with func(awscdk.Stack, *constructs.WebApp)) (made cdktest.Template, url any) {
	t.Helper()
	made = template(t, func(stack awscdk.Stack) {
		v := vpc(stack)
		props := &constructs.WebAppProps{
			Vpc: v, Subnets: v.PublicSubnets(), DatabaseSecurityGroup: securityGroup(stack, databaseGroup),
			DatabaseHost: jsii.String("db.example.com"), DatabasePort: jsii.String("3307"), DatabaseName: "monster_teams",
			Secret:     awssecretsmanager.Secret_FromSecretCompleteArn(stack, jsii.String("Secret"), jsii.String(webAppSecret)),
			BundlePath: cdktest.Asset(t), VisitorCIDRs: []string{"203.0.113.0/24", "198.51.100.7/32"},
			PlatformRefresh: "2026-11", Architecture: constructs.ARM64, InstanceType: "t4g.micro",
		}
		if change != nil {
			change(props)
		}
		app := constructs.NewWebApp(stack, "WebApp", props)
		url = readable(stack.Resolve(app.URL))
		with(stack, app)
	})
	return made, url
}

func loadBalanced(p *constructs.WebAppProps) {
	p.LoadBalanced, p.MinInstances, p.MaxInstances = true, 3, 7
}

func withCertificate(p *constructs.WebAppProps) {
	loadBalanced(p)
	p.CertificateARN = webAppCertificate
}

// optionSettings are the environment's, by "namespace option".
func optionSettings(t *testing.T, made cdktest.Template) map[string]any {
	t.Helper()
	values := map[string]any{}
	for _, s := range made.One(t, "AWS::ElasticBeanstalk::Environment").Properties["OptionSettings"].([]any) {
		s := s.(map[string]any)
		values[s["Namespace"].(string)+" "+s["OptionName"].(string)] = s["Value"]
	}
	return values
}

func TestWebAppSettings(t *testing.T) {
	made, _ := webApp(t, nil)
	t.Run("are these by themselves", func(t *testing.T) {
		same(t, optionSettings(t, made), map[string]any{
			"aws:autoscaling:launchconfiguration DisableDefaultEC2SecurityGroup": "true",
			"aws:autoscaling:launchconfiguration DisableIMDSv1":                  "true",
			"aws:autoscaling:launchconfiguration IamInstanceProfile":             "${" + made.One(t, "AWS::IAM::InstanceProfile").ID + "}",
			"aws:autoscaling:launchconfiguration RootVolumeType":                 "gp3",
			"aws:autoscaling:launchconfiguration SecurityGroups":                 "${" + made.One(t, "AWS::EC2::SecurityGroup").ID + ".GroupId}",
			"aws:ec2:instances InstanceTypes":                                    "t4g.micro",
			"aws:ec2:instances SupportedArchitectures":                           "arm64",
			"aws:ec2:vpc AssociatePublicIpAddress":                               "true",
			"aws:ec2:vpc Subnets":                                                "subnet-00000011,subnet-00000012",
			"aws:ec2:vpc VPCId":                                                  "vpc-00000001",
			"aws:elasticbeanstalk:application:environment METRICS_PORT":          "9464",
			"aws:elasticbeanstalk:application:environment RDS_DB_NAME":           "monster_teams",
			"aws:elasticbeanstalk:application:environment RDS_HOSTNAME":          "db.example.com",
			"aws:elasticbeanstalk:application:environment RDS_PORT":              "3307",
			"aws:elasticbeanstalk:application:environment RDS_SECRET_ARN":        webAppSecret,
			"aws:elasticbeanstalk:cloudwatch:logs DeleteOnTerminate":             "false",
			"aws:elasticbeanstalk:cloudwatch:logs RetentionInDays":               "30",
			"aws:elasticbeanstalk:cloudwatch:logs StreamLogs":                    "true",
			"aws:elasticbeanstalk:environment EnvironmentType":                   "SingleInstance",
			"aws:elasticbeanstalk:environment ServiceRole":                       "${" + called(t, made, "AWS::IAM::Role", "WebAppServiceRole").ID + ".Arn}",
			"aws:elasticbeanstalk:healthreporting:system SystemType":             "enhanced",
			"aws:elasticbeanstalk:healthreporting:system ConfigDocument":         `{"CloudWatchMetrics":{"Environment":{"ApplicationLatencyP99":60,"ApplicationRequests5xx":60},"Instance":{}},"Version":1}`,
			"aws:elasticbeanstalk:managedactions ManagedActionsEnabled":          "false",
		})
		check(t, made.One(t, "AWS::IAM::InstanceProfile").Properties, map[string]any{
			"Roles": []any{"${" + called(t, made, "AWS::IAM::Role", "InstanceRole").ID + "}"},
		})
	})
	for name, change := range map[string]func(*constructs.WebAppProps){
		"of a single instance are sorted, none twice":                  nil,
		"of a load balanced environment are sorted, none twice":        loadBalanced,
		"of a load balancer with a certificate are sorted, none twice": withCertificate,
	} {
		t.Run(name, func(t *testing.T) {
			made, _ := webApp(t, change)
			var names []string
			for _, s := range made.One(t, "AWS::ElasticBeanstalk::Environment").Properties["OptionSettings"].([]any) {
				s := s.(map[string]any)
				names = append(names, s["Namespace"].(string)+" "+s["OptionName"].(string))
			}
			if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
				t.Errorf("they are %s", strings.Join(names, "\n"))
			}
		})
	}
	t.Run("name the processor that the bundle is for", func(t *testing.T) {
		made, _ := webApp(t, func(p *constructs.WebAppProps) { p.Architecture, p.InstanceType = constructs.X86_64, "t3.micro" })
		check(t, optionSettings(t, made), map[string]any{
			"aws:ec2:instances SupportedArchitectures": "x86_64", "aws:ec2:instances InstanceTypes": "t3.micro",
		})
	})
	t.Run("hold charts and sites when there are some", func(t *testing.T) {
		charts := []pinned.Chart{{Title: "Größe", Address: "/tables/t/chart?x=a&y=b"}}
		made, _ := webApp(t, func(p *constructs.WebAppProps) {
			p.Charts, p.EmbedOrigins = charts, []string{"https://a.example", "https://b.example"}
		})
		check(t, optionSettings(t, made), map[string]any{
			"aws:elasticbeanstalk:application:environment DASHBOARD_CHARTS_1": pinned.Variables("DASHBOARD_CHARTS", pinned.Encode(charts))["DASHBOARD_CHARTS_1"],
			"aws:elasticbeanstalk:application:environment EMBED_ORIGINS":      "https://a.example https://b.example",
		})
		none, _ := webApp(t, nil)
		for name := range optionSettings(t, none) {
			if strings.Contains(name, "DASHBOARD_CHARTS") || strings.Contains(name, "EMBED_ORIGINS") {
				t.Errorf("without any there is %s", name)
			}
		}
	})
	t.Run("link to a dashboard when there is one", func(t *testing.T) {
		made, _ := webApp(t, func(p *constructs.WebAppProps) { p.DashboardURL = "https://bi.example.com/d/7" })
		check(t, optionSettings(t, made), map[string]any{
			"aws:elasticbeanstalk:application:environment DASHBOARD_URL": "https://bi.example.com/d/7",
		})
	})
}

func TestWebAppLoadBalancer(t *testing.T) {
	single, _ := webApp(t, nil)
	plain, _ := webApp(t, loadBalanced)
	secure, _ := webApp(t, withCertificate)
	group := "${" + called(t, plain, "AWS::EC2::SecurityGroup", "LoadBalancer").ID + ".GroupId}"

	// What a load balancer adds to the settings of a single instance, or changes in them.
	added := map[string]any{
		"aws:autoscaling:asg MaxSize":                                      "7",
		"aws:autoscaling:asg MinSize":                                      "3",
		"aws:autoscaling:trigger LowerThreshold":                           "20",
		"aws:autoscaling:trigger MeasureName":                              "CPUUtilization",
		"aws:autoscaling:trigger Statistic":                                "Average",
		"aws:autoscaling:trigger Unit":                                     "Percent",
		"aws:autoscaling:trigger UpperThreshold":                           "70",
		"aws:autoscaling:updatepolicy:rollingupdate RollingUpdateEnabled":  "true",
		"aws:autoscaling:updatepolicy:rollingupdate RollingUpdateType":     "Health",
		"aws:ec2:vpc ELBScheme":                                            "public",
		"aws:ec2:vpc ELBSubnets":                                           "subnet-00000011,subnet-00000012",
		"aws:elasticbeanstalk:command BatchSize":                           "50",
		"aws:elasticbeanstalk:command BatchSizeType":                       "Percentage",
		"aws:elasticbeanstalk:command DeploymentPolicy":                    "Rolling",
		"aws:elasticbeanstalk:environment EnvironmentType":                 "LoadBalanced",
		"aws:elasticbeanstalk:environment LoadBalancerType":                "application",
		"aws:elasticbeanstalk:environment:process:default HealthCheckPath": "/healthz",
		"aws:elasticbeanstalk:application:environment REDIRECT_TO_HTTPS":   "false",
		"aws:elbv2:listener:default ListenerEnabled":                       "true",
		"aws:elbv2:loadbalancer AccessLogsS3Bucket":                        "${" + plain.One(t, "AWS::S3::Bucket").ID + "}",
		"aws:elbv2:loadbalancer AccessLogsS3Enabled":                       "true",
		"aws:elbv2:loadbalancer AccessLogsS3Prefix":                        "load-balancer",
		"aws:elbv2:loadbalancer ManagedSecurityGroup":                      group,
		"aws:elbv2:loadbalancer SecurityGroups":                            group,
	}
	// What a certificate adds to that.
	secured := map[string]any{
		"aws:elbv2:listener:443 Protocol":                                "HTTPS",
		"aws:elbv2:listener:443 SSLCertificateArns":                      webAppCertificate,
		"aws:elbv2:listener:443 SSLPolicy":                               "ELBSecurityPolicy-TLS13-1-2-2021-06",
		"aws:elasticbeanstalk:application:environment REDIRECT_TO_HTTPS": "true",
	}
	difference := func(before, after map[string]any) map[string]any {
		changed := map[string]any{}
		for name, value := range after {
			if cdktest.JSON(before[name]) != cdktest.JSON(value) {
				changed[name] = value
			}
		}
		for name := range before {
			if after[name] == nil {
				changed[name] = nil
			}
		}
		return changed
	}
	t.Run("reads from replicas, where there are some", func(t *testing.T) {
		replicated, _ := webApp(t, func(p *constructs.WebAppProps) { p.ReplicaHosts = *jsii.Strings("r1.example.com", "r2.example.com") })
		same(t, difference(optionSettings(t, single), optionSettings(t, replicated)), map[string]any{
			"aws:elasticbeanstalk:application:environment RDS_REPLICA_HOSTNAME_1": "r1.example.com",
			"aws:elasticbeanstalk:application:environment RDS_REPLICA_HOSTNAME_2": "r2.example.com",
		})
	})
	t.Run("balances instances by their load and health", func(t *testing.T) {
		same(t, difference(optionSettings(t, single), optionSettings(t, plain)), added)
	})
	t.Run("speaks HTTPS with a certificate, and has the app send visitors there", func(t *testing.T) {
		same(t, difference(optionSettings(t, plain), optionSettings(t, secure)), secured)
	})
}

func TestWebAppSecurityGroups(t *testing.T) {
	always := []string{
		"Web app instances -> 0.0.0.0/0 tcp 443",
		"Web app instances -> database tcp 3306",
		"database <- Web app instances tcp 3306",
	}
	inside := []string{
		"Web app load balancer -> Web app instances tcp 80",
		"Web app instances <- Web app load balancer tcp 80",
	}
	for name, test := range map[string]struct {
		change func(*constructs.WebAppProps)
		rules  []string
	}{
		"let visitors in to a single instance": {nil, []string{
			"Web app instances <- 203.0.113.0/24 tcp 80", "Web app instances <- 198.51.100.7/32 tcp 80",
		}},
		"let visitors in to the load balancer, and that to the instances": {loadBalanced, append([]string{
			"Web app load balancer <- 203.0.113.0/24 tcp 80", "Web app load balancer <- 198.51.100.7/32 tcp 80",
		}, inside...)},
		"let visitors in by HTTPS too when there is a certificate": {withCertificate, append([]string{
			"Web app load balancer <- 203.0.113.0/24 tcp 443", "Web app load balancer <- 198.51.100.7/32 tcp 443",
			"Web app load balancer <- 203.0.113.0/24 tcp 80", "Web app load balancer <- 198.51.100.7/32 tcp 80",
		}, inside...)},
		"let nobody in when nobody is named": {func(p *constructs.WebAppProps) { p.VisitorCIDRs = nil }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			made, _ := webApp(t, test.change)
			checkTraffic(t, made, append(test.rules, always...)...)
		})
	}
}

func TestWebAppURL(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*constructs.WebAppProps)
		scheme string
	}{
		"of a single instance":                  {nil, "http"},
		"of a load balancer":                    {loadBalanced, "http"},
		"of a load balancer with a certificate": {withCertificate, "https"},
	} {
		t.Run(name, func(t *testing.T) {
			made, url := webApp(t, test.change)
			if want := test.scheme + "://${" + made.One(t, "AWS::ElasticBeanstalk::Environment").ID + ".EndpointURL}"; url != want {
				t.Errorf("it is %v, want %s", url, want)
			}
		})
	}
}

func TestWebAppEnvironment(t *testing.T) {
	made, _ := webApp(t, nil)
	environment := made.One(t, "AWS::ElasticBeanstalk::Environment")
	t.Run("runs the version on the platform that was looked up", func(t *testing.T) {
		check(t, environment.Properties, map[string]any{
			"ApplicationName":   "${" + made.One(t, "AWS::ElasticBeanstalk::Application").ID + "}",
			"VersionLabel":      "${" + made.One(t, "AWS::ElasticBeanstalk::ApplicationVersion").ID + "}",
			"PlatformArn":       "${" + made.One(t, "Custom::BeanstalkPlatform").ID + ".PlatformSummaryList.0.PlatformArn}",
			"SolutionStackName": nil,
			"Tier":              map[string]any{"Name": "WebServer", "Type": "Standard"},
		})
	})
	t.Run("is of the Go platform, as it was at the last refresh", func(t *testing.T) {
		lookup := made.One(t, "Custom::BeanstalkPlatform").Properties["Create"].(string)
		for _, want := range []string{`"Go 1 running on 64bit Amazon Linux 2023"`, `"platform-2026-11"`} {
			if !strings.Contains(lookup, want) {
				t.Errorf("%s does not name %s", lookup, want)
			}
		}
	})
	t.Run("waits for what its role may do", func(t *testing.T) {
		role := called(t, made, "AWS::IAM::Role", "InstanceRole").ID
		policy := called(t, made, "AWS::IAM::Policy", "InstanceRole").ID
		same(t, listed(environment.All["DependsOn"]), listed([]any{role, policy}))
	})
}

func TestWebAppVersionIsTheBundle(t *testing.T) {
	with := func(content string) map[string]any {
		bundle := filepath.Join(t.TempDir(), "webapp.zip")
		if err := os.WriteFile(bundle, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		made, _ := webApp(t, func(p *constructs.WebAppProps) { p.BundlePath = bundle })
		return made.One(t, "AWS::ElasticBeanstalk::ApplicationVersion").Properties["SourceBundle"].(map[string]any)
	}
	first, again, other := with("one"), with("one"), with("two")
	same(t, again, first)
	if other["S3Key"] == first["S3Key"] {
		t.Errorf("two bundles have the same key: %v", other["S3Key"])
	}
	check(t, first, map[string]any{"S3Bucket": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"})
}

func TestWebAppRoles(t *testing.T) {
	made, _ := webApp(t, nil)
	t.Run("let instances do this", func(t *testing.T) {
		const here = ":${AWS::Region}:${AWS::AccountId}:"
		const bucket = "arn:${AWS::Partition}:s3:::elasticbeanstalk-${AWS::Region}-${AWS::AccountId}"
		role := called(t, made, "AWS::IAM::Role", "InstanceRole")
		check(t, role.Properties, map[string]any{"ManagedPolicyArns": nil})
		checkStatements(t, role.Properties["AssumeRolePolicyDocument"], `Allow sts:AssumeRole Principal {"Service":"ec2.amazonaws.com"}`)
		checkStatements(t, rolePolicy(t, made, role.ID), append(slices.Clone(sessionManager),
			"Allow secretsmanager:GetSecretValue on "+webAppSecret,
			"Allow s3:Get*,s3:List* on "+bucket+" "+bucket+"/*",
			"Allow s3:PutObject on "+bucket+"/resources/environments/logs/*",
			"Allow logs:CreateLogGroup,logs:CreateLogStream,logs:DescribeLogGroups,logs:DescribeLogStreams,logs:PutLogEvents,logs:PutRetentionPolicy"+
				" on arn:${AWS::Partition}:logs"+here+"log-group:/aws/elasticbeanstalk/*",
			"Allow elasticbeanstalk:PutInstanceStatistics on arn:${AWS::Partition}:elasticbeanstalk"+here+"application/* arn:${AWS::Partition}:elasticbeanstalk"+here+"environment/*",
		)...)
	})
	t.Run("let Beanstalk watch their health", func(t *testing.T) {
		role := called(t, made, "AWS::IAM::Role", "WebAppServiceRole")
		check(t, role.Properties, map[string]any{
			"ManagedPolicyArns": []any{"arn:${AWS::Partition}:iam::aws:policy/service-role/AWSElasticBeanstalkEnhancedHealth"},
		})
		checkStatements(t, role.Properties["AssumeRolePolicyDocument"],
			`Allow sts:AssumeRole Principal {"Service":"elasticbeanstalk.amazonaws.com"} Condition {"StringEquals":{"sts:ExternalId":"elasticbeanstalk"}}`)
	})
}

func TestWebAppRefusesACertificateWithoutALoadBalancer(t *testing.T) {
	defer func() {
		if cause, _ := recover().(string); !strings.HasPrefix(cause, "the web app has a certificate, but no load balancer") {
			t.Errorf("it says %q", cause)
		}
	}()
	// An empty stack will do: it is refused before anything is made.
	constructs.NewWebApp(awscdk.NewStack(cdktest.NewApp(t), jsii.String("Stack"), nil), "WebApp", &constructs.WebAppProps{CertificateARN: webAppCertificate})
}
