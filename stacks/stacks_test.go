package stacks_test

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"drawbridge/internal/cdktest"
	"drawbridge/stacks"
)

func TestMain(m *testing.M) { cdktest.Main(m) }

// synthesize gives the templates of an environment of cdk.json, after change has edited its config.
func synthesize(t *testing.T, name string, change func(environment map[string]any)) map[string]cdktest.Template {
	t.Helper()
	env := cdktest.Environment(t, name, change)
	templates := map[string]cdktest.Template{}
	cdktest.Try(t, func() {
		e := stacks.NewEnvironment(cdktest.NewApp(t), env, stacks.Assets{WebAppBundle: cdktest.Asset(t), DatabaseFunction: cdktest.Asset(t), HostProgram: cdktest.Asset(t)})
		all := map[string]awscdk.Stack{
			"Network": e.Network.Stack, "Database": e.Database.Stack, "Bastion": e.Bastion.Stack, "WebApp": e.WebApp.Stack, "Tunnel": e.Tunnel.Stack,
		}
		for name, stack := range all {
			templates[name] = cdktest.Synthesize(t, stack)
		}
	})
	return templates
}

// eachEnvironment runs a test for dev and prod as they stand in cdk.json.
func eachEnvironment(t *testing.T, test func(t *testing.T, templates map[string]cdktest.Template)) {
	for _, name := range []string{"dev", "prod"} {
		t.Run(name, func(t *testing.T) { test(t, synthesize(t, name, nil)) })
	}
}

// resources are those of all stacks, each with its stack's name before its id.
func resources(templates map[string]cdktest.Template, kinds ...string) []cdktest.Resource {
	var all []cdktest.Resource
	for _, stack := range slices.Sorted(maps.Keys(templates)) {
		for _, r := range templates[stack].Resources("") {
			if len(kinds) == 0 || slices.Contains(kinds, r.Type) {
				r.ID = stack + "/" + r.ID
				all = append(all, r)
			}
		}
	}
	return all
}

func TestEnvironment(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, templates map[string]cdktest.Template) {
		t.Run("has five stacks", func(t *testing.T) {
			got := slices.Sorted(maps.Keys(templates))
			if want := []string{"Bastion", "Database", "Network", "Tunnel", "WebApp"}; !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
		t.Run("runs MySQL 8.4, encrypted, private, with TLS required", func(t *testing.T) {
			database := templates["Database"]
			instance := database.One(t, "AWS::RDS::DBInstance").Properties
			for property, want := range map[string]any{
				"Engine": "mysql", "EngineVersion": "8.4", "StorageEncrypted": true, "PubliclyAccessible": false, "StorageType": "gp3",
			} {
				if instance[property] != want {
					t.Errorf("%s is %v, want %v", property, instance[property], want)
				}
			}
			group := database.One(t, "AWS::RDS::DBParameterGroup")
			if got := cdktest.JSON(instance["DBParameterGroupName"]); got != `{"Ref":"`+group.ID+`"}` {
				t.Errorf("the instance's parameter group is %s, not %s", got, group.ID)
			}
			if group.Properties["Family"] != "mysql8.4" {
				t.Errorf("the parameter group is of the family %v", group.Properties["Family"])
			}
			if parameters := group.Properties["Parameters"].(map[string]any); parameters["require_secure_transport"] != "1" {
				t.Errorf("require_secure_transport is %v, want 1", parameters["require_secure_transport"])
			}
		})
		t.Run("leaves a snapshot when the database goes", func(t *testing.T) {
			instance := templates["Database"].One(t, "AWS::RDS::DBInstance").All
			for _, policy := range []string{"DeletionPolicy", "UpdateReplacePolicy"} {
				if instance[policy] != "Snapshot" {
					t.Errorf("%s is %v, want Snapshot", policy, instance[policy])
				}
			}
		})
		t.Run("has no NAT gateway", func(t *testing.T) {
			for _, r := range resources(templates, "AWS::EC2::NatGateway") {
				t.Errorf("%s is one", r.ID)
			}
		})
		t.Run("has no route to the internet but in the public tier", func(t *testing.T) {
			for _, r := range resources(templates, "AWS::EC2::Route") {
				if !strings.Contains(r.ID, "PublicSubnet") {
					t.Errorf("%s is one: %s", r.ID, cdktest.JSON(r.Properties))
				}
			}
		})
		t.Run("lets the internet in to the web app alone", func(t *testing.T) {
			var open []string
			for _, rule := range ingress(templates) {
				if rule.cidr == "" {
					continue
				}
				if prefix, err := netip.ParsePrefix(rule.cidr); err != nil || prefix.Bits() < 8 {
					open = append(open, fmt.Sprintf("%s port %v", rule.group, rule.port))
				}
			}
			for _, door := range open {
				if door != "WebApp/WebAppInstanceSecurityGroup66331755 port 80" && door != "WebApp/WebAppLoadBalancerSecurityGroupD2BB7E59 port 80" {
					t.Errorf("open to the world: %s", door)
				}
			}
			if len(open) != 1 {
				t.Errorf("the world reaches %v, want the web app alone", open)
			}
		})
		t.Run("lets the web app, the jump server, the tunnel host and the Lambda function in to the database", func(t *testing.T) {
			var sources []string
			for _, rule := range ingress(templates) {
				if strings.Contains(rule.group, "DatabaseSecurityGroup") {
					if rule.port != 3306.0 || rule.cidr != "" {
						t.Errorf("the database is open to %q on port %v", rule.cidr, rule.port)
					}
					sources = append(sources, rule.source)
				}
			}
			slices.Sort(sources)
			want := []string{"Bastion/BastionSecurityGroup6D392D75", "Network/NetworkFunctionsSecurityGroup33CAC945", "Tunnel/TunnelHostSecurityGroupD0355F3D", "WebApp/WebAppInstanceSecurityGroup66331755"}
			if !slices.Equal(sources, want) {
				t.Errorf("the database lets in %q, want %q", sources, want)
			}
		})
		t.Run("lets nobody in to the tunnel host", func(t *testing.T) {
			for _, rule := range ingress(templates) {
				if strings.HasPrefix(rule.group, "Tunnel/") {
					t.Errorf("%+v", rule)
				}
			}
		})
		t.Run("closes the default security group", func(t *testing.T) {
			templates["Network"].One(t, "Custom::VpcRestrictDefaultSG")
		})
		t.Run("wants IMDSv2 everywhere", func(t *testing.T) {
			for _, r := range resources(templates, "AWS::EC2::Instance") {
				if options, _ := r.Properties["MetadataOptions"].(map[string]any); options["HttpTokens"] != "required" {
					t.Errorf("%s takes IMDSv1", r.ID)
				}
			}
			if hosts := resources(templates, "AWS::EC2::Instance"); len(hosts) != 2 {
				t.Errorf("%d instances, want jump server and tunnel host", len(hosts))
			}
			for _, r := range resources(templates, "AWS::EC2::LaunchTemplate", "AWS::AutoScaling::LaunchConfiguration", "AWS::AutoScaling::AutoScalingGroup") {
				t.Errorf("%s launches instances in a way that this test does not know", r.ID)
			}
			if got := setting(t, templates, "aws:autoscaling:launchconfiguration", "DisableIMDSv1"); got != "true" {
				t.Errorf("the web app's DisableIMDSv1 is %v", got)
			}
		})
		t.Run("has no security group of Beanstalk's own making", func(t *testing.T) {
			if got := setting(t, templates, "aws:autoscaling:launchconfiguration", "DisableDefaultEC2SecurityGroup"); got != "true" {
				t.Errorf("DisableDefaultEC2SecurityGroup is %v", got)
			}
			if setting(t, templates, "aws:elasticbeanstalk:environment", "EnvironmentType") == "LoadBalanced" {
				managed := cdktest.JSON(setting(t, templates, "aws:elbv2:loadbalancer", "ManagedSecurityGroup"))
				if ours := cdktest.JSON(setting(t, templates, "aws:elbv2:loadbalancer", "SecurityGroups")); managed != ours || ours == "null" {
					t.Errorf("the load balancer's managed group is %s, its groups %s", managed, ours)
				}
			}
		})
		t.Run("encrypts the volumes of the hosts", func(t *testing.T) {
			for _, r := range resources(templates, "AWS::EC2::Instance") {
				volumes, _ := r.Properties["BlockDeviceMappings"].([]any)
				if len(volumes) != 1 || volumes[0].(map[string]any)["Ebs"].(map[string]any)["Encrypted"] != true {
					t.Errorf("%s: %s", r.ID, cdktest.JSON(volumes))
				}
			}
		})
		t.Run("tags what it makes with the environment", func(t *testing.T) {
			name := strings.TrimPrefix(t.Name()[len("TestEnvironment/"):], "/")
			name, _, _ = strings.Cut(name, "/")
			for _, r := range resources(templates, "AWS::EC2::VPC", "AWS::RDS::DBInstance", "AWS::EC2::Instance", "AWS::EC2::EIP", "AWS::SecretsManager::Secret", "AWS::ElasticBeanstalk::Environment") {
				if want := `{"Key":"drawbridge:environment","Value":"` + name + `"}`; !strings.Contains(cdktest.JSON(r.Properties["Tags"]), want) {
					t.Errorf("%s has the tags %s", r.ID, cdktest.JSON(r.Properties["Tags"]))
				}
			}
		})
		t.Run("gives the fields of MySQL Workbench's form", func(t *testing.T) {
			outputs := templates["Bastion"]["Outputs"].(map[string]any)
			for _, name := range []string{
				"WorkbenchConnectionMethod", "WorkbenchSSHHostname", "WorkbenchSSHUsername", "WorkbenchSSHKeyFile", "WorkbenchMySQLHostname",
				"WorkbenchMySQLServerPort", "WorkbenchUsername", "WorkbenchPasswordSecretArn", "WorkbenchDefaultSchema", "WorkbenchUseSSL",
				"WorkbenchSSLCAFile", "BastionKnownHosts", "SSHCommand", "SSHForwardCommand", "MySQLCommand", "SessionManagerCommand",
				"SessionManagerForwardCommand",
			} {
				if outputs[name] == nil {
					t.Errorf("no output %s", name)
				}
			}
		})
		t.Run("gives the fields of a BI vendor's form", func(t *testing.T) {
			outputs := templates["Tunnel"]["Outputs"].(map[string]any)
			for _, name := range []string{
				"TunnelAddress", "TunnelPublicKey", "TunnelPublicKeyPem", "TunnelPublicKeyFingerprint", "TunnelDatabaseName", "TunnelUsername",
				"TunnelPasswordSecretArnCommand", "TunnelTLS", "TunnelBiDatabaseHost", "TunnelBiDatabasePort", "TunnelBiSSHLogin", "TunnelBiTestCommand",
			} {
				if outputs[name] == nil {
					t.Errorf("no output %s", name)
				}
			}
		})
		t.Run("gives the site's address", func(t *testing.T) {
			if templates["WebApp"]["Outputs"].(map[string]any)["WebAppURL"] == nil {
				t.Error("no output WebAppURL")
			}
		})
	})
}

func TestProduction(t *testing.T) {
	templates := synthesize(t, "prod", func(env map[string]any) { env["webapp"].(map[string]any)["certificateArn"] = certificate })
	t.Run("keeps a standby, two weeks of backups, and refuses to delete its database", func(t *testing.T) {
		instance := templates["Database"].One(t, "AWS::RDS::DBInstance").Properties
		check(t, instance, map[string]any{"MultiAZ": true, "DeletionProtection": true, "BackupRetentionPeriod": 14})
	})
	t.Run("refuses to delete its stacks, all of them", func(t *testing.T) {
		for name, want := range map[string]bool{"prod": true, "dev": false} {
			env := cdktest.Environment(t, name, nil)
			cdktest.Try(t, func() {
				e := stacks.NewEnvironment(cdktest.NewApp(t), env, stacks.Assets{WebAppBundle: cdktest.Asset(t), DatabaseFunction: cdktest.Asset(t), HostProgram: cdktest.Asset(t)})
				for _, stack := range []awscdk.Stack{e.Network.Stack, e.Database.Stack, e.Bastion.Stack, e.WebApp.Stack, e.Tunnel.Stack} {
					if got := stack.TerminationProtection(); got == nil && want || got != nil && *got != want {
						t.Errorf("%s of %s: %v", *stack.StackName(), name, got)
					}
				}
			})
		}
	})
	t.Run("serves the site from both zones, by HTTPS, on as many instances as the load wants", func(t *testing.T) {
		for option, want := range map[[2]string]any{
			{"aws:elasticbeanstalk:environment", "EnvironmentType"}:               "LoadBalanced",
			{"aws:elasticbeanstalk:environment", "LoadBalancerType"}:              "application",
			{"aws:autoscaling:asg", "MinSize"}:                                    "2",
			{"aws:autoscaling:asg", "MaxSize"}:                                    "4",
			{"aws:autoscaling:trigger", "MeasureName"}:                            "CPUUtilization",
			{"aws:elbv2:listener:443", "Protocol"}:                                "HTTPS",
			{"aws:elbv2:listener:443", "SSLCertificateArns"}:                      certificate,
			{"aws:elasticbeanstalk:application:environment", "REDIRECT_TO_HTTPS"}: "true",
		} {
			if got := setting(t, templates, option[0], option[1]); got != want {
				t.Errorf("%s %s is %v, want %v", option[0], option[1], got, want)
			}
		}
		if policy, _ := setting(t, templates, "aws:elbv2:listener:443", "SSLPolicy").(string); !strings.HasPrefix(policy, "ELBSecurityPolicy-TLS13-1-2") {
			t.Errorf("the TLS policy is %s", policy)
		}
		for _, option := range []string{"Subnets", "ELBSubnets"} {
			if subnets := cdktest.JSON(setting(t, templates, "aws:ec2:vpc", option)); strings.Count(subnets, "PublicSubnet") != 2 {
				t.Errorf("%s are %s", option, subnets)
			}
		}
	})
	t.Run("deploys in batches, and goes on when they are well", func(t *testing.T) {
		for option, want := range map[[2]string]any{
			{"aws:elasticbeanstalk:command", "DeploymentPolicy"}:                   "Rolling",
			{"aws:autoscaling:updatepolicy:rollingupdate", "RollingUpdateEnabled"}: "true",
			{"aws:autoscaling:updatepolicy:rollingupdate", "RollingUpdateType"}:    "Health",
		} {
			if got := setting(t, templates, option[0], option[1]); got != want {
				t.Errorf("%s %s is %v, want %v", option[0], option[1], got, want)
			}
		}
	})
	t.Run("logs who visits, in a bucket and in CloudWatch Logs", func(t *testing.T) {
		bucket := templates["WebApp"].One(t, "AWS::S3::Bucket")
		if got := cdktest.JSON(setting(t, templates, "aws:elbv2:loadbalancer", "AccessLogsS3Bucket")); got != `{"Ref":"`+bucket.ID+`"}` {
			t.Errorf("the load balancer logs to %s", got)
		}
		if got := setting(t, templates, "aws:elasticbeanstalk:cloudwatch:logs", "StreamLogs"); got != "true" {
			t.Errorf("StreamLogs is %v", got)
		}
	})
}

func TestAlarms(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, templates map[string]cdktest.Template) {
		alarms := resources(templates, "AWS::CloudWatch::Alarm")
		t.Run("watch the database, its function, the web app and each tunnel", func(t *testing.T) {
			var got []string
			for _, a := range alarms {
				got = append(got, fmt.Sprint(a.Properties["Namespace"], " ", a.Properties["MetricName"]))
			}
			slices.Sort(got)
			want := []string{
				"AWS/ElasticBeanstalk ApplicationLatencyP99", "AWS/ElasticBeanstalk ApplicationRequests5xx", "AWS/ElasticBeanstalk EnvironmentHealth",
				"AWS/Lambda Errors", "AWS/RDS CPUUtilization", "AWS/RDS DatabaseConnections", "AWS/RDS DatabaseConnections", "AWS/RDS FreeStorageSpace", "Drawbridge TunnelUp",
			}
			if !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
		t.Run("tell the topic when they go off and when it is over", func(t *testing.T) {
			topic := templates["Network"].One(t, "AWS::SNS::Topic").ID
			for _, a := range alarms {
				for _, actions := range []string{"AlarmActions", "OKActions"} {
					if to := cdktest.JSON(a.Properties[actions]); strings.Count(to, "Fn::ImportValue") != 1 || !strings.Contains(to, topic) {
						t.Errorf("the %s of %s are %s", actions, a.ID, to)
					}
				}
			}
		})
		t.Run("say what is wrong, and name a page that says what to do", func(t *testing.T) {
			page := regexp.MustCompile(`^Drawbridge [a-z0-9-]+: .+\. What to do: (docs/[a-z-]+\.md), ([^.]+)\.$`)
			for _, a := range alarms {
				says, _ := a.Properties["AlarmDescription"].(string)
				found := page.FindStringSubmatch(says)
				if found == nil {
					t.Errorf("%s says %q", a.ID, says)
					continue
				}
				text, err := os.ReadFile(filepath.Join(cdktest.Root(t), found[1]))
				if err != nil || !strings.Contains(string(text), "\n## "+found[2]+"\n") {
					t.Errorf("%s sends people to the section %s of %s, which is not there (%v)", a.ID, found[2], found[1], err)
				}
			}
		})
		t.Run("say what silence means, each for itself", func(t *testing.T) {
			for _, a := range alarms {
				if a.Properties["TreatMissingData"] == nil {
					t.Errorf("%s does not", a.ID)
				}
			}
		})
		t.Run("keep their names to CloudFormation, which can then replace them", func(t *testing.T) {
			for _, a := range alarms {
				if a.Properties["AlarmName"] != nil {
					t.Errorf("%s is named %v", a.ID, a.Properties["AlarmName"])
				}
			}
		})
	})
}

func TestAnAddressIsOneSubscription(t *testing.T) {
	with := func(emails ...any) map[string]cdktest.Template {
		return synthesize(t, "dev", func(env map[string]any) { env["alarms"].(map[string]any)["emails"] = append([]any{}, emails...) })
	}
	got := differences(with("first@example.com"), with("second@example.com", "first@example.com"))
	if len(got) != 1 || !strings.HasPrefix(got[0], "Network/Resources/AlarmsEmailsecond") {
		t.Errorf("another address changes %q", got)
	}
}

// replicated is a change of the config to so many read replicas.
func replicated(n int) func(map[string]any) {
	return func(env map[string]any) { env["database"].(map[string]any)["readReplicas"] = n }
}

func TestReadReplicas(t *testing.T) {
	none, one, three := synthesize(t, "dev", nil), synthesize(t, "dev", replicated(1)), synthesize(t, "dev", replicated(3))
	t.Run("keep their names when others come and go", func(t *testing.T) {
		var ids []string
		for _, r := range three["Database"].Resources("AWS::RDS::DBInstance") {
			ids = append(ids, r.ID)
		}
		if want := []string{instanceID, "Replica1Instance0F4075BC", "Replica2InstanceE345292C", "Replica3InstanceB6D6ABAB"}; !slices.Equal(ids, want) {
			t.Errorf("got %q, want %q", ids, want)
		}
		for _, path := range differences(one, three) {
			if !strings.Contains(path, "Replica2") && !strings.Contains(path, "Replica3") && !strings.Contains(path, "ReplicaHostname") && !strings.HasSuffix(path, "/OptionSettings") {
				t.Errorf("%s differs", path)
			}
		}
	})
	t.Run("change nothing about the database, and nothing in the Network and Bastion stacks", func(t *testing.T) {
		for _, path := range differences(none, three) {
			stack, _, _ := strings.Cut(path, "/")
			if strings.Contains(path, instanceID+"/") || stack == "Network" || stack == "Bastion" {
				t.Errorf("%s differs", path)
			}
		}
	})
	t.Run("may go while the web app still knows them: nothing holds on to an export of theirs", func(t *testing.T) {
		for name, output := range three["Database"]["Outputs"].(map[string]any) {
			if output.(map[string]any)["Export"] != nil && strings.Contains(name, "Replica") {
				t.Errorf("%s is exported", name)
			}
		}
	})
	t.Run("are what the web app reads from", func(t *testing.T) {
		for n, id := range []string{"Replica1Instance", "Replica2Instance", "Replica3Instance"} {
			host := cdktest.JSON(setting(t, three, "aws:elasticbeanstalk:application:environment", fmt.Sprintf("RDS_REPLICA_HOSTNAME_%d", n+1)))
			if !strings.Contains(host, "Fn::GetStackOutput") || !strings.Contains(host, id) {
				t.Errorf("it reads from %s", host)
			}
		}
		if host := setting(t, three, "aws:elasticbeanstalk:application:environment", "RDS_REPLICA_HOSTNAME_4"); host != nil {
			t.Errorf("it reads from %v too", host)
		}
	})
	t.Run("are where the tunnels lead to, always the first", func(t *testing.T) {
		for name, test := range map[string]struct {
			templates map[string]cdktest.Template
			want      bool
		}{"none": {none, false}, "one": {one, true}, "three": {three, true}} {
			host := cdktest.JSON(test.templates["Tunnel"].One(t, "AWS::EC2::Instance").Properties["UserData"])
			if strings.Contains(host, "Replica1Instance") != test.want || strings.Contains(host, "Replica2Instance") {
				t.Errorf("%s: the tunnel host is told %s", name, host)
			}
		}
	})
	t.Run("are private in the public phase too", func(t *testing.T) {
		public := synthesize(t, "dev", func(env map[string]any) { publicExposure(env); replicated(1)(env) })
		replica := one["Database"].Resources("AWS::RDS::DBInstance")[1]
		check(t, replica.Properties, map[string]any{"PubliclyAccessible": false})
		for _, path := range differences(one, public) {
			if strings.Contains(path, "Replica") {
				t.Errorf("%s differs", path)
			}
		}
	})
	t.Run("have alarms of their own", func(t *testing.T) {
		if got := len(resources(three, "AWS::CloudWatch::Alarm")) - len(resources(none, "AWS::CloudWatch::Alarm")); got != 3*5 {
			t.Errorf("%d more alarms", got)
		}
	})
}

const certificate = "arn:aws:acm:eu-central-1:123456789012:certificate/0f0e0d0c-0b0a-0908-0706-050403020100"

// check compares some properties with what they should be.
func check(t *testing.T, got, want map[string]any) {
	t.Helper()
	for property, value := range want {
		if got, want := cdktest.JSON(got[property]), cdktest.JSON(value); got != want {
			t.Errorf("%s is %s, want %s", property, got, want)
		}
	}
}

// CodePipeline cannot deploy a template without resources. This one makes nothing and costs nothing.
func TestAnEnvironmentWithoutTunnelsHasNothingInItsTunnelStack(t *testing.T) {
	templates := synthesize(t, "dev", func(env map[string]any) { env["tunnels"] = []any{} })
	if handle := templates["Tunnel"].One(t, "AWS::CloudFormation::WaitConditionHandle"); len(templates["Tunnel"].Resources("")) != 1 {
		t.Errorf("it has more than %s", handle.ID)
	}
}

// What EC2 takes, and neither cfn-lint nor CloudFormation Validate check (Amazon EC2 API Reference, IpRange).
func TestSecurityGroupsDescriptionsAreOfTheCharactersThatEC2Takes(t *testing.T) {
	allowed := regexp.MustCompile(`^[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{1,255}$`)
	seen := 0
	for _, change := range []func(map[string]any){nil, func(env map[string]any) { env["exposure"] = "public" }, func(env map[string]any) { env["webapp"].(map[string]any)["loadBalanced"] = true }} {
		for _, r := range resources(synthesize(t, "dev", change), "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress") {
			cdktest.Walk(r.Properties, func(path string, value any) {
				if !strings.HasSuffix(path, "Description") {
					return
				}
				seen++
				if text, _ := value.(string); !allowed.MatchString(text) {
					t.Errorf("%s%s is %q", r.ID, path, text)
				}
			})
		}
	}
	if seen < 30 {
		t.Errorf("only %d descriptions were read", seen)
	}
}

// What a stack exports must not depend on who imports it: CloudFormation refuses to remove an export in use, and
// updates the exporting stack first.
func TestExportsDoNotDependOnTheirUsers(t *testing.T) {
	exports := func(templates map[string]cdktest.Template) (names []string) {
		for _, stack := range []string{"Network", "Database"} {
			for name, output := range templates[stack]["Outputs"].(map[string]any) {
				if output.(map[string]any)["Export"] != nil {
					names = append(names, stack+"/"+name)
				}
			}
		}
		slices.Sort(names)
		return names
	}
	with := exports(synthesize(t, "dev", nil))
	without := exports(synthesize(t, "dev", func(env map[string]any) { env["tunnels"] = []any{} }))
	if !slices.Equal(with, without) {
		t.Errorf("with a tunnel: %q\nwithout: %q", with, without)
	}
	if len(with) < 10 {
		t.Errorf("only %d exports: %q", len(with), with)
	}
}

func TestAnAdministratorIsOneParameter(t *testing.T) {
	const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1OAiZeiZGLxRw7hKGUnTOvJfwsHBlDXTBWtXaCLmEz"
	person := func(name string) map[string]any {
		return map[string]any{"name": name, "access": "shell", "publicKeys": []any{key}}
	}
	with := func(people ...any) map[string]cdktest.Template {
		return synthesize(t, "dev", func(env map[string]any) {
			env["bastion"].(map[string]any)["administrators"] = append([]any{}, people...)
		})
	}
	before, after := with(), with(person("malia"))
	got := differences(before, after)
	if len(got) != 1 || !strings.HasPrefix(got[0], "Bastion/Resources/BastionAdministratormalia") {
		t.Fatalf("adding malia changes %q", got)
	}
	parameter := after["Bastion"].One(t, "AWS::SSM::Parameter").Properties
	if parameter["Name"] != "/drawbridge/dev/administrators/malia" {
		t.Errorf("the parameter is named %v", parameter["Name"])
	}
	if want := `{"name":"malia","publicKeys":["` + key + `"],"access":"shell"}`; parameter["Value"] != want {
		t.Errorf("the parameter holds %v, want %v", parameter["Value"], want)
	}
}

func TestPhases(t *testing.T) {
	public := func(cidrs ...any) func(map[string]any) {
		return func(env map[string]any) { env["exposure"], env["developerCidrs"] = "public", cidrs }
	}
	t.Run("open the database to the developers' addresses and no others", func(t *testing.T) {
		templates := synthesize(t, "dev", public("203.0.113.0/24", "198.51.100.7/32"))
		var cidrs []string
		for _, r := range resources(templates, "AWS::EC2::SecurityGroupIngress") {
			if cidr, ok := r.Properties["CidrIp"].(string); ok {
				cidrs = append(cidrs, fmt.Sprint(cidr, " ", r.Properties["FromPort"], "-", r.Properties["ToPort"]))
			}
		}
		slices.Sort(cidrs)
		if want := []string{"198.51.100.7/32 3306-3306", "203.0.113.0/24 3306-3306"}; !slices.Equal(cidrs, want) {
			t.Errorf("got %q, want %q", cidrs, want)
		}
	})
	t.Run("keep one developer's rule and routes when another comes or goes", func(t *testing.T) {
		one := synthesize(t, "dev", public("203.0.113.0/24"))
		two := synthesize(t, "dev", public("198.51.100.7/32", "203.0.113.0/24"))
		for _, path := range differences(one, two) {
			if !strings.Contains(path, "From198x51x100x7m32") {
				t.Errorf("%s differs", path)
			}
		}
	})
}

// differences are the paths at which two sets of templates differ, as deep as both have something there.
func differences(a, b map[string]cdktest.Template) []string {
	var paths []string
	var compare func(path string, a, b any)
	compare = func(path string, a, b any) {
		left, isMap := a.(map[string]any)
		right, isMapToo := b.(map[string]any)
		if !isMap || !isMapToo {
			if cdktest.JSON(a) != cdktest.JSON(b) {
				paths = append(paths, path)
			}
			return
		}
		keys := maps.Clone(left)
		maps.Copy(keys, right)
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			compare(path+"/"+key, left[key], right[key])
		}
	}
	for _, stack := range []string{"Bastion", "Database", "Network", "Tunnel", "WebApp"} {
		compare(stack, map[string]any(a[stack]), map[string]any(b[stack]))
	}
	return paths
}

// rule is one ingress rule: of a security group, from addresses or from another group.
type rule struct {
	group, cidr, source string
	port                any
}

// ingress are the ingress rules of all stacks, those of groups and those that stand alone.
func ingress(templates map[string]cdktest.Template) []rule {
	var rules []rule
	for _, stack := range slices.Sorted(maps.Keys(templates)) {
		add := func(group string, r map[string]any) {
			cidr, _ := r["CidrIp"].(string)
			if r["CidrIpv6"] != nil || r["SourcePrefixListId"] != nil || r["IpProtocol"] != "tcp" || r["FromPort"] != r["ToPort"] {
				cidr = "of a kind that this test does not know: " + cdktest.JSON(r)
			}
			rules = append(rules, rule{group, cidr, groupName(stack, r["SourceSecurityGroupId"]), r["FromPort"]})
		}
		for _, g := range templates[stack].Resources("AWS::EC2::SecurityGroup") {
			inline, _ := g.Properties["SecurityGroupIngress"].([]any)
			for _, r := range inline {
				add(stack+"/"+g.ID, r.(map[string]any))
			}
		}
		for _, r := range templates[stack].Resources("AWS::EC2::SecurityGroupIngress") {
			add(groupName(stack, r.Properties["GroupId"]), r.Properties)
		}
	}
	return rules
}

// groupName is the stack and id of the security group that a reference leads to, in this stack or another.
func groupName(stack string, reference any) string {
	switch r := reference.(type) {
	case nil:
		return ""
	case map[string]any:
		if attribute, ok := r["Fn::GetAtt"].([]any); ok {
			return stack + "/" + attribute[0].(string)
		}
		if export, ok := r["Fn::ImportValue"].(string); ok {
			name, export, _ := strings.Cut(export, ":ExportsOutputFnGetAtt")
			id, _, _ := strings.Cut(export, "GroupId")
			return name[strings.LastIndex(name, "-")+1:] + "/" + id
		}
	}
	return cdktest.JSON(reference)
}

// setting is the value of a Beanstalk option setting, or nil.
func setting(t *testing.T, templates map[string]cdktest.Template, namespace, option string) any {
	t.Helper()
	settings := templates["WebApp"].One(t, "AWS::ElasticBeanstalk::Environment").Properties["OptionSettings"].([]any)
	for _, s := range settings {
		if s := s.(map[string]any); s["Namespace"] == namespace && s["OptionName"] == option {
			return s["Value"]
		}
	}
	return nil
}
