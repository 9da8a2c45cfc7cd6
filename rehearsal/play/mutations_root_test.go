//go:build linux && root

package play

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"drawbridge/rehearsal/rehearsaltest"
	"drawbridge/rehearsal/template"
)

func TestMain(m *testing.M) { rehearsaltest.Main(m) }

// mutant is an environment whose templates somebody has broken.
type mutant struct {
	t               *testing.T
	private, public *template.Assembly
}

// edit changes the resources of a stack, in both phases, whose logical ids match.
func (m *mutant) edit(stack, ids string, change func(*template.Resource)) {
	m.t.Helper()
	m.editIn(m.private, stack, ids, change)
	m.editIn(m.public, stack, ids, change)
}

func (m *mutant) editIn(a *template.Assembly, stack, ids string, change func(*template.Resource)) {
	m.t.Helper()
	t, found := m.template(a, stack), false
	for id, r := range t.Resources {
		if regexp.MustCompile("^" + ids + "([0-9A-F]{8}([0-9a-f]{8})?)?$").MatchString(id) {
			change(&r)
			t.Resources[id], found = r, true
		}
	}
	if !found {
		m.t.Fatalf("the stack %s has no resource %s", stack, ids)
	}
}

func (m *mutant) template(a *template.Assembly, stack string) *template.Template {
	m.t.Helper()
	s, err := a.Stack(stack)
	if err != nil {
		m.t.Fatal(err)
	}
	return s.Template
}

// remove takes resources away, with what depends on them by name alone.
func (m *mutant) remove(stack, ids string) {
	m.t.Helper()
	for _, a := range []*template.Assembly{m.private, m.public} {
		m.editIn(a, stack, ids, func(*template.Resource) {})
		t := m.template(a, stack)
		for id := range t.Resources {
			if !regexp.MustCompile("^" + ids + "([0-9A-F]{8}([0-9a-f]{8})?)?$").MatchString(id) {
				continue
			}
			delete(t.Resources, id)
			for other, r := range t.Resources {
				r.DependsOn = slices.DeleteFunc(slices.Clone(r.DependsOn), func(name string) bool { return name == id })
				t.Resources[other] = r
			}
		}
	}
}

// add adds a resource, as JSON, to a stack in both phases.
func (m *mutant) add(stack, id, text string) {
	m.t.Helper()
	for _, a := range []*template.Assembly{m.private, m.public} {
		m.addIn(a, stack, id, text)
	}
}

func (m *mutant) addIn(a *template.Assembly, stack, id, text string) {
	m.t.Helper()
	var r template.Resource
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	if err := decoder.Decode(&r); err != nil {
		m.t.Fatal(err)
	}
	m.template(a, stack).Resources[id] = r
}

// id is the whole logical id of a resource.
func (m *mutant) id(stack, prefix string) string {
	m.t.Helper()
	for id := range m.template(m.private, stack).Resources {
		if regexp.MustCompile("^" + prefix + "([0-9A-F]{8}([0-9a-f]{8})?)?$").MatchString(id) {
			return id
		}
	}
	m.t.Fatalf("the stack %s has no resource %s", stack, prefix)
	return ""
}

// setting changes an option setting of the web app.
func (m *mutant) setting(name string, value any) {
	m.t.Helper()
	m.edit("WebApp", "WebAppEnvironment", func(r *template.Resource) {
		list := r.Properties["OptionSettings"].([]any)
		for _, item := range list {
			if fields := item.(map[string]any); fields["OptionName"] == name {
				fields["Value"] = value
				return
			}
		}
		r.Properties["OptionSettings"] = append(list, map[string]any{
			"Namespace": "aws:elasticbeanstalk:application:environment", "OptionName": name, "Value": value,
		})
	})
}

// userData replaces a part of a host's user data.
func (m *mutant) userData(stack, ids, old, with string) {
	m.t.Helper()
	found := false
	m.edit(stack, ids, func(r *template.Resource) {
		r.Properties["UserData"] = replaced(r.Properties["UserData"], func(text string) string {
			found = found || strings.Contains(text, old)
			return strings.Replace(text, old, with, 1)
		})
	})
	if !found {
		m.t.Fatalf("the user data of %s do not hold %q", ids, old)
	}
}

func ref(id string) any { return map[string]any{"Ref": id} }
func drop(names ...string) func(*template.Resource) {
	return func(r *template.Resource) {
		for _, name := range names {
			delete(r.Properties, name)
		}
	}
}
func set(name string, value any) func(*template.Resource) {
	return func(r *template.Resource) { r.Properties[name] = value }
}

// withoutAction takes an action out of a policy's statements.
func withoutAction(action string) func(*template.Resource) {
	return func(r *template.Resource) {
		document := r.Properties["PolicyDocument"].(map[string]any)
		statements := document["Statement"].([]any)
		document["Statement"] = slices.DeleteFunc(slices.Clone(statements), func(s any) bool {
			switch actions := s.(map[string]any)["Action"].(type) {
			case string:
				return actions == action
			case []any:
				s.(map[string]any)["Action"] = slices.DeleteFunc(slices.Clone(actions), func(a any) bool { return a == action })
			}
			return false
		})
	}
}

// password is a dynamic reference to a secret's password, as templates must not have it outside of the database.
func password(secret string) any {
	return map[string]any{"Fn::Join": []any{"", []any{"{{resolve:secretsmanager:", ref(secret), ":SecretString:password::}}"}}}
}

var anyone = `"CidrIp": "0.0.0.0/0"`

// ingress is a rule of a security group as JSON.
func ingress(group, source, ports string) string {
	return `{"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {"GroupId": {"Fn::GetAtt": ["` + group + `", "GroupId"]}, ` + source + `, ` + ports + `}}`
}

func tcp(from, to string) string {
	return `"IpProtocol": "tcp", "FromPort": ` + from + `, "ToPort": ` + to
}

// mutation is one deliberate break, and the step that must notice it.
type mutation struct {
	name   string
	change func(*mutant)
	step   string // that goes red
	says   string // in its error
	hosts  string // the one stack with a host that this takes; "" for none
	alone  bool   // as an environment that is never public
}

// mutations are listed in docs/rehearsal.md; a test compares.
var mutations = []mutation{
	// The network.
	{name: "the public subnets lose their route to the internet gateway", step: "page", says: "nobody of the internet reaches the web app",
		change: func(m *mutant) { m.remove("Network", "NetworkVpcPublicSubnet.DefaultRoute") }},
	{name: "the internet gateway is not attached", step: "page", says: "nobody of the internet reaches the web app",
		change: func(m *mutant) { m.remove("Network", "NetworkVpcVPCGW") }},
	{name: "the functions tier loses S3's endpoint", step: "database", says: "did not answer the Create",
		change: func(m *mutant) { m.edit("Network", "NetworkVpcS3Endpoint", set("RouteTableIds", []any{})) }},
	{name: "the endpoint of Secrets Manager lets nobody in", step: "database", says: "read the secret|Secrets Manager",
		change: func(m *mutant) {
			m.remove("Network", "NetworkSecretsManagerEndpointSecurityGroupfromNetworkFunctionsSecurityGroup[0-9A-F]+")
		}},
	{name: "the endpoint's policy allows reading no more", step: "database", says: "not allowed|denied|AccessDenied",
		change: func(m *mutant) {
			m.edit("Network", "NetworkVpcSecretsManagerEndpoint", withoutAction("secretsmanager:GetSecretValue"))
		}},
	{name: "functions may send nothing out", step: "database", says: "did not answer the Create|Secrets Manager",
		change: func(m *mutant) {
			m.edit("Network", "NetworkFunctionsSecurityGroup", set("SecurityGroupEgress", []any{map[string]any{
				"IpProtocol": "icmp", "FromPort": json.Number("252"), "ToPort": json.Number("86"), "CidrIp": "255.255.255.255/32"}}))
		}},
	{name: "a network ACL denies what comes out of the database tier", step: "database", says: "cannot be reached",
		change: func(m *mutant) {
			m.add("Network", "Acl", `{"Type": "AWS::EC2::NetworkAcl", "Properties": {"VpcId": {"Ref": "`+m.id("Network", "NetworkVpc")+`"}}}`)
			m.add("Network", "AclIn", `{"Type": "AWS::EC2::NetworkAclEntry", "Properties": {"NetworkAclId": {"Ref": "Acl"}, "RuleNumber": 100, "Protocol": -1, "RuleAction": "allow", "CidrBlock": "0.0.0.0/0"}}`)
			for _, n := range []string{"1", "2"} {
				m.add("Network", "AclAssociation"+n, `{"Type": "AWS::EC2::SubnetNetworkAclAssociation", "Properties": {"NetworkAclId": {"Ref": "Acl"}, "SubnetId": {"Ref": "`+m.id("Network", "NetworkVpcDatabaseSubnet"+n+"Subnet")+`"}}}`)
			}
		}},

	{name: "one subnet of the functions tier has no endpoint of S3", step: "database", says: "did not answer the Create",
		change: func(m *mutant) {
			m.edit("Network", "NetworkVpcS3Endpoint", func(r *template.Resource) {
				r.Properties["RouteTableIds"] = r.Properties["RouteTableIds"].([]any)[:1]
			})
		}},
	{name: "S3's endpoint takes no answers", step: "network", says: "cloudformation-custom-resource-response",
		change: func(m *mutant) { m.edit("Network", "NetworkVpcS3Endpoint", withoutAction("s3:PutObject")) }},
	{name: "everybody in the VPC finds Secrets Manager at the functions' endpoint", step: "network", says: "private DNS name",
		change: func(m *mutant) { m.edit("Network", "NetworkVpcSecretsManagerEndpoint", set("PrivateDnsEnabled", true)) }},
	{name: "a service that nobody knows runs in the public subnets", step: "network", says: "AWS::ECS::Service is not played here",
		change: func(m *mutant) { m.add("Network", "Service", `{"Type": "AWS::ECS::Service", "Properties": {}}`) }},

	// The database and its phases.
	{name: "the database has a public address, in an environment that is never public", step: "private", says: "has a public address", alone: true,
		change: func(m *mutant) { m.edit("Database", "DatabaseInstance", set("PubliclyAccessible", true)) }},
	{name: "the database has a rule for everybody, in an environment that is never public", step: "private", says: "lets addresses in", alone: true,
		change: func(m *mutant) {
			m.add("Database", "Everybody", ingress(m.id("Database", "DatabaseSecurityGroup"), anyone, tcp("3306", "3306")))
		}},
	{name: "the database takes connections in the clear, in an environment that is never public", step: "users", says: "in the clear was not refused", alone: true,
		change: func(m *mutant) { m.edit("Database", "DatabaseInstance", drop("DBParameterGroupName")) }},
	{name: "the database has a rule for everybody, but no route to them", step: "developer", says: "which names nobody",
		change: func(m *mutant) {
			m.add("Database", "Everybody", ingress(m.id("Database", "DatabaseSecurityGroup"), anyone, tcp("3306", "3306")))
		}},
	{name: "one of the database's two subnets is public", step: "after-flip", says: "has a route out of the VPC",
		change: func(m *mutant) {
			m.edit("Database", "DatabaseSubnetGroup", func(r *template.Resource) {
				r.Properties["SubnetIds"] = []any{r.Properties["SubnetIds"].([]any)[0], m.publicSubnets()[1]}
			})
		}},
	{name: "the public database lets everybody in", step: "reach-public", says: "internet -> database:3306",
		change: func(m *mutant) {
			m.add("Database", "Everybody", ingress(m.id("Database", "DatabaseSecurityGroup"), anyone, tcp("3306", "3306")))
			for _, n := range []string{"1", "2"} {
				m.addIn(m.public, "Database", "RouteToAll"+n, `{"Type": "AWS::EC2::Route", "Properties": {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": `+m.gateway()+`, "RouteTableId": `+m.routeTable(n)+`}}`)
			}
		}},
	{name: "half the internet at a time is let in to the public database", step: "reach-public", says: "internet -> database:3306",
		change: func(m *mutant) {
			for n, half := range []string{"0.0.0.0/1", "128.0.0.0/1"} {
				m.add("Database", "Half"+string(rune('A'+n)), ingress(m.id("Database", "DatabaseSecurityGroup"), `"CidrIp": "`+half+`"`, tcp("3306", "3306")))
			}
			for _, n := range []string{"1", "2"} {
				m.addIn(m.public, "Database", "RouteToAll"+n, `{"Type": "AWS::EC2::Route", "Properties": {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": `+m.gateway()+`, "RouteTableId": `+m.routeTable(n)+`}}`)
			}
		}},
	{name: "the flip leaves the public address", step: "after-flip", says: "has a public address",
		change: func(m *mutant) { m.editIn(m.private, "Database", "DatabaseInstance", set("PubliclyAccessible", true)) }},
	{name: "the flip leaves the public address, a rule and a route", step: "reach-private", says: "203.0.113.0/24 -> database:3306",
		change: func(m *mutant) {
			m.editIn(m.private, "Database", "DatabaseInstance", set("PubliclyAccessible", true))
			for id, r := range m.template(m.public, "Database").Resources {
				if strings.HasPrefix(id, "PublicAccess") {
					m.template(m.private, "Database").Resources[id] = r
				}
			}
		}},
	{name: "the flip leaves a route", step: "after-flip", says: "has a route out of the VPC",
		change: func(m *mutant) {
			for id, r := range m.template(m.public, "Database").Resources {
				if strings.HasPrefix(id, "PublicAccessRoute1") {
					m.template(m.private, "Database").Resources[id] = r
				}
			}
		}},
	{name: "the public phase has no route back to developers", step: "developer", says: "nobody of the internet reaches",
		change: func(m *mutant) {
			t := m.template(m.public, "Database")
			for id, r := range t.Resources {
				if r.Type == "AWS::EC2::Route" {
					delete(t.Resources, id)
				}
			}
		}},
	{name: "the instance does not wait for the gate", step: "flip-refused", says: "the database was touched",
		change: func(m *mutant) {
			m.edit("Database", "DatabaseInstance", func(r *template.Resource) { r.DependsOn = nil })
		}},
	{name: "the gate does not know that the database goes private", step: "flip-refused", says: "went through without the user",
		change: func(m *mutant) { m.edit("Database", "FlipGate", set("Exposure", "public")) }},
	{name: "the gate looks at no user", step: "flip-refused", says: "went through without the user",
		change: func(m *mutant) { m.edit("Database", "FlipGate", set("Users", []any{})) }},
	{name: "there is no gate", step: "flip-refused", says: "went through without the user",
		change: func(m *mutant) { m.remove("Database", "FlipGate") }},
	{name: "the database takes connections in the clear", step: "users", says: "in the clear was not refused",
		change: func(m *mutant) {
			m.edit("Database", "DatabaseParameters", func(r *template.Resource) {
				delete(r.Properties["Parameters"].(map[string]any), "require_secure_transport")
			})
		}},
	{name: "the master's secret is not attached to the database", step: "database", says: "secret .*(host|attach)|has no host",
		change: func(m *mutant) { m.remove("Database", "DatabaseMasterSecretadminAttachment") }},
	{name: "the database lies in the public tier", step: "after-flip", says: "has a route out of the VPC",
		change: func(m *mutant) {
			m.edit("Database", "DatabaseSubnetGroup", set("SubnetIds", m.publicSubnets()))
		}},

	{name: "the gate looks at one user of two", step: "flip-refused", says: "went through without the user",
		change: func(m *mutant) {
			m.edit("Database", "FlipGate", func(r *template.Resource) { r.Properties["Users"] = r.Properties["Users"].([]any)[:1] })
		}},
	{name: "a password stands in a description", step: "secrets", says: "the properties of DatabaseParameters",
		change: func(m *mutant) {
			m.edit("Database", "DatabaseParameters", set("Description", password(m.id("Database", "DatabaseMasterSecretadmin"))))
		}},

	// The Lambda function and the read-only users.
	{name: "the function lies in the public tier", step: "database", says: "did not answer the Create",
		change: func(m *mutant) {
			m.edit("Database", "DatabaseFunction", func(r *template.Resource) {
				r.Properties["VpcConfig"].(map[string]any)["SubnetIds"] = m.publicSubnets()
			})
		}},
	{name: "the function is not let in to the database", step: "database", says: "cannot be reached",
		change: func(m *mutant) { m.remove("Database", "DatabaseFunctionDatabaseAccessIngress") }},
	{name: "the function's way out to the database is shut", step: "database", says: "cannot be reached",
		change: func(m *mutant) { m.remove("Database", "DatabaseFunctionDatabaseAccessEgress") }},
	{name: "the function may not read the master's secret", step: "database", says: "not allowed|denied|AccessDenied",
		change: func(m *mutant) { m.remove("Database", "DatabaseFunctionRoleDefaultPolicy") }},
	{name: "a read-only user may log in from anywhere", step: "users", says: "may log in from \"%\"",
		change: func(m *mutant) {
			m.edit("Database", "ReadOnlyUserbiUser", set("Host", "%"))
			m.edit("Database", "FlipGate", func(r *template.Resource) {
				for _, user := range r.Properties["Users"].([]any) {
					if fields := user.(map[string]any); fields["Username"] == "tester" {
						fields["Host"] = "%"
					}
				}
			})
		}},
	{name: "a read-only user is granted MySQL's own schema too", step: "database", says: "Schemas",
		change: func(m *mutant) {
			m.edit("Database", "ReadOnlyUserbiUser", set("Schemas", []any{"monster_teams", "mysql"}))
		}},
	{name: "a read-only user's grant is for a schema that is not the one", step: "database", says: "monster_teamX|schema",
		change: func(m *mutant) {
			m.edit("Database", "ReadOnlyUserbiUser", set("Schemas", []any{"monster_teamX"}))
		}},
	{name: "rotation may not call the function", step: "database", says: "may not be invoked by Secrets Manager",
		change: func(m *mutant) { m.remove("Database", "ReadOnlyUserwebappRotationPermission") }},
	{name: "a password stands in the function's environment", step: "secrets", says: "(environment of arn:aws:lambda|properties of DatabaseFunction).* holds a value",
		change: func(m *mutant) {
			secret := m.id("Database", "DatabaseMasterSecretadmin")
			m.edit("Database", "DatabaseFunction", func(r *template.Resource) {
				r.Properties["Environment"].(map[string]any)["Variables"].(map[string]any)["MASTER_PASSWORD"] = password(secret)
			})
		}},

	// The web app.
	{name: "the database does not let the web app in", step: "page", says: "/readyz says 503",
		change: func(m *mutant) { m.remove("WebApp", "WebAppDatabaseAccessIngress") }},
	{name: "the web app's way out to the database is shut", step: "page", says: "/readyz says 503",
		change: func(m *mutant) { m.remove("WebApp", "WebAppDatabaseAccessEgress") }},
	{name: "the web app may reach the database on every port", step: "reach-public", says: "web app -> database:",
		change: func(m *mutant) {
			m.edit("WebApp", "WebAppDatabaseAccess(In|E)gress", func(r *template.Resource) {
				r.Properties["IpProtocol"] = "-1"
				drop("FromPort", "ToPort")(r)
			})
		}},
	{name: "visitors are not let in", step: "page", says: "nobody of the internet reaches the web app",
		change: func(m *mutant) { m.edit("WebApp", "WebAppInstanceSecurityGroup", drop("SecurityGroupIngress")) }},
	{name: "the web app's instance takes SSH from everybody", step: "reach-public", says: "internet -> web app:22",
		change: func(m *mutant) {
			m.add("WebApp", "SSH", ingress(m.id("WebApp", "WebAppInstanceSecurityGroup"), anyone, tcp("22", "22")))
		}},
	{name: "Elastic Beanstalk makes a security group of its own", step: "webapp", says: "DisableDefaultEC2SecurityGroup",
		change: func(m *mutant) { m.setting("DisableDefaultEC2SecurityGroup", "false") }},
	{name: "the web app is given the master's secret", step: "page", says: "/readyz says 503",
		change: func(m *mutant) {
			m.setting("RDS_SECRET_ARN", map[string]any{"Fn::ImportValue": m.export("Database", m.id("Database", "DatabaseMasterSecretadmin")+"$")})
		}},
	{name: "the web app's role may read no secret", step: "page", says: "/readyz says 503",
		change: func(m *mutant) {
			m.edit("WebApp", "WebAppInstanceRoleDefaultPolicy", withoutAction("secretsmanager:GetSecretValue"))
		}},
	{name: "a password stands in the web app's environment", step: "secrets", says: "(environment of drawbridge-|properties of WebAppEnvironment).* holds a value",
		change: func(m *mutant) {
			var arn any
			for _, item := range m.template(m.private, "WebApp").Resources[m.id("WebApp", "WebAppEnvironment")].Properties["OptionSettings"].([]any) {
				if fields := item.(map[string]any); fields["OptionName"] == "RDS_SECRET_ARN" {
					arn = fields["Value"]
				}
			}
			m.setting("MASTER_PASSWORD", map[string]any{"Fn::Join": []any{"", []any{"{{resolve:secretsmanager:", arn, ":SecretString:password::}}"}}})
		}},
	{name: "the bundle is another file", step: "webapp", says: "Procfile|bundle",
		change: func(m *mutant) {
			code := m.template(m.private, "Database").Resources[m.id("Database", "DatabaseFunction")].Properties["Code"].(map[string]any)
			m.edit("WebApp", "WebAppVersion", func(r *template.Resource) {
				r.Properties["SourceBundle"].(map[string]any)["S3Key"] = code["S3Key"]
			})
		}},

	// The jump server.
	{name: "the jump server takes SSH from everybody", step: "reach-public", says: "internet -> jump server:22", hosts: "Bastion",
		change: func(m *mutant) {
			m.add("Bastion", "Everybody", ingress(m.id("Bastion", "BastionSecurityGroup"), anyone, tcp("22", "22")))
		}},
	{name: "the jump server may not read its people", step: "bastion", says: "administrators below .* cannot be read", hosts: "Bastion",
		change: func(m *mutant) {
			m.edit("Bastion", "BastionRoleDefaultPolicy", withoutAction("ssm:GetParametersByPath"))
		}},
	{name: "the jump server's program is not the one that was meant", step: "bastion", says: "Fetching the host program failed", hosts: "Bastion",
		change: func(m *mutant) { m.userData("Bastion", "BastionInstance", "sha256sum --check", "sha512sum --check") }},

	{name: "the jump server has no public address while it sets itself up", step: "bastion", says: "failed|timed out", hosts: "Bastion",
		change: func(m *mutant) {
			m.edit("Bastion", "BastionInstance", func(r *template.Resource) {
				r.Properties["NetworkInterfaces"].([]any)[0].(map[string]any)["AssociatePublicIpAddress"] = false
			})
			m.edit("Bastion", "BastionSetup", set("Timeout", "20"))
		}},

	// The tunnel.
	{name: "the tunnel host's Elastic IP is not its own", step: "vendor", says: "Permission denied", hosts: "Tunnel",
		change: func(m *mutant) { m.edit("Tunnel", "TunnelHostAddress", drop("InstanceId")) }},
	{name: "the tunnel host takes SSH from everybody", step: "reach-public", says: "internet -> tunnel host:22", hosts: "Tunnel",
		change: func(m *mutant) {
			m.add("Tunnel", "Everybody", ingress(m.id("Tunnel", "TunnelHostSecurityGroup"), anyone, tcp("22", "22")))
		}},
	{name: "the tunnel trusts whoever answers", step: "vendor", says: "trusts a machine that does not have the vendor's host key", hosts: "Tunnel",
		change: func(m *mutant) {
			m.userData("Tunnel", "TunnelHostInstance", "	trap - EXIT\n	tell SUCCESS", "	sed -i 's/StrictHostKeyChecking yes/StrictHostKeyChecking no/; s|UserKnownHostsFile .*|UserKnownHostsFile /dev/null|' /etc/drawbridge/tunnels/ssh_config\n	systemctl restart 'drawbridge-tunnel@*'\n	trap - EXIT\n	tell SUCCESS")
		}},
	{name: "the tunnel host may not connect to the vendor", step: "vendor", says: "timed out", hosts: "Tunnel",
		change: func(m *mutant) {
			m.edit("Tunnel", "TunnelHostSecurityGroup", func(r *template.Resource) {
				rules := r.Properties["SecurityGroupEgress"].([]any)
				r.Properties["SecurityGroupEgress"] = slices.DeleteFunc(rules, func(rule any) bool {
					return rule.(map[string]any)["FromPort"] == json.Number("22")
				})
			})
		}},
	{name: "the tunnel host may not read its key", step: "vendor", says: "secretsmanager:GetSecretValue", hosts: "Tunnel",
		change: func(m *mutant) {
			m.edit("Tunnel", "TunnelHostRoleDefaultPolicy", withoutAction("secretsmanager:GetSecretValue"))
		}},
	{name: "the vendor is given the master's password", step: "users", says: "admin may log in from",
		change: func(m *mutant) {
			for _, a := range []*template.Assembly{m.private, m.public} {
				t := m.template(a, "Database")
				output := t.Outputs["ReadOnlySecretArnBi"]
				output.Value = ref(m.id("Database", "DatabaseMasterSecretadmin"))
				t.Outputs["ReadOnlySecretArnBi"] = output
			}
		}},
}

// export is the name of an export of a stack whose name matches.
func (m *mutant) export(stack, pattern string) string {
	m.t.Helper()
	for _, output := range m.template(m.private, stack).Outputs {
		if output.Export == nil {
			continue
		}
		name, _ := output.Export.Name.(string)
		if value, _ := output.Value.(map[string]any); value["Ref"] != nil && regexp.MustCompile("^"+pattern).MatchString(value["Ref"].(string)) {
			return name
		}
	}
	m.t.Fatalf("the stack %s exports no %s", stack, pattern)
	return ""
}

// publicSubnets are the web app's.
func (m *mutant) publicSubnets() (subnets []any) {
	m.t.Helper()
	for _, item := range m.template(m.private, "WebApp").Resources[m.id("WebApp", "WebAppEnvironment")].Properties["OptionSettings"].([]any) {
		fields := item.(map[string]any)
		if fields["OptionName"] != "Subnets" {
			continue
		}
		for _, part := range fields["Value"].(map[string]any)["Fn::Join"].([]any)[1].([]any) {
			if _, is := part.(map[string]any); is {
				subnets = append(subnets, part)
			}
		}
	}
	return subnets
}

// gateway and routeTable are what the public phase's own routes name, as JSON.
func (m *mutant) gateway() string { return m.ofRoute("GatewayId", "1") }

func (m *mutant) routeTable(n string) string { return m.ofRoute("RouteTableId", n) }

func (m *mutant) ofRoute(property, n string) string {
	m.t.Helper()
	for id, r := range m.template(m.public, "Database").Resources {
		if strings.HasPrefix(id, "PublicAccessRoute"+n) {
			text, err := json.Marshal(r.Properties[property])
			if err != nil {
				m.t.Fatal(err)
			}
			return string(text)
		}
	}
	m.t.Fatalf("the public phase has no route %s", n)
	return ""
}

// Every break must be noticed, by the step that is there for it, with its cause.
func TestMutations(t *testing.T) {
	for _, mutation := range mutations {
		t.Run(mutation.name, func(t *testing.T) {
			t.Parallel()
			m := &mutant{t: t, private: synthesized(t, "private"), public: synthesized(t, "public")}
			mutation.change(m)
			o := Options{
				Private: m.private, Public: m.public, Out: &bytes.Buffer{}, Logs: t.TempDir(), Until: mutation.step,
				FunctionTimeout: 20 * time.Second, ServiceTimeout: 30 * time.Second,
			}
			o.Without = slices.DeleteFunc([]string{"Bastion", "Tunnel"}, func(id string) bool { return id == mutation.hosts })
			if mutation.alone {
				o.Public = nil
			}
			err := Run(t.Context(), o)
			if err == nil {
				t.Fatalf("nothing noticed it:\n%s", o.Out)
			}
			t.Log(err)
			red := false
			for line := range strings.SplitSeq(err.Error(), "\n") {
				name, said, _ := strings.Cut(line, ": ")
				red = red || name == mutation.step && regexp.MustCompile(mutation.says).MatchString(said)
			}
			if !red {
				t.Errorf("the step %s does not say %q:\n%s", mutation.step, mutation.says, o.Out)
			}
		})
	}
}

// Without a break nothing is red, so that it is the breaks that the test above notices. What takes hosts is in make rehearse.
func TestAnUnbrokenEnvironment(t *testing.T) {
	for _, public := range []*template.Assembly{synthesized(t, "public"), nil} {
		out := &bytes.Buffer{}
		err := Run(t.Context(), Options{
			Private: synthesized(t, "private"), Public: public, Out: out, Logs: t.TempDir(), Without: []string{"Bastion", "Tunnel"},
			FunctionTimeout: 20 * time.Second, ServiceTimeout: 30 * time.Second,
		})
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

func synthesized(t *testing.T, exposure string) *template.Assembly {
	t.Helper()
	return rehearsaltest.Synthesize(t, func(dev rehearsaltest.Config) { dev["exposure"] = exposure })
}

func TestTheDocsListTheMutations(t *testing.T) {
	text, err := os.ReadFile("../../docs/rehearsal.md")
	if err != nil {
		t.Fatal(err)
	}
	if listed := strings.Count(string(text), "` |\n"); listed != len(mutations) {
		t.Errorf("docs/rehearsal.md lists %d, and there are %d", listed, len(mutations))
	}
	for _, m := range mutations {
		if !strings.Contains(string(text), "\n| "+m.name+" | `"+m.step+"` |") {
			t.Errorf("docs/rehearsal.md does not list | %s | `%s` |", m.name, m.step)
		}
	}
}
