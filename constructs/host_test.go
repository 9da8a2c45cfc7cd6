package constructs_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"drawbridge/constructs"
	"drawbridge/host/settings"
	"drawbridge/internal/cdktest"
)

// sessionManager is what Session Manager needs of an instance's role.
var sessionManager = []string{
	"Allow ssmmessages:CreateControlChannel,ssmmessages:CreateDataChannel,ssmmessages:OpenControlChannel,ssmmessages:OpenDataChannel on *",
	"Allow ssm:UpdateInstanceInformation on arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:instance/*",
}

// hostRole is the id of the role of the host id.
func hostRole(t *testing.T, made cdktest.Template, id string) string {
	t.Helper()
	return called(t, made, "AWS::IAM::Role", id+"Role").ID
}

// itsProgram is the statement that lets a host fetch its program, and no other file of the bucket.
func itsProgram(t *testing.T, made cdktest.Template) string {
	t.Helper()
	bucket, key := programOf(t, made)
	return "Allow s3:GetObject on arn:${AWS::Partition}:s3:::" + bucket + "/" + key
}

// programOf is where a host's user data fetches its program.
func programOf(t *testing.T, made cdktest.Template) (bucket, key string) {
	t.Helper()
	address := regexp.MustCompile(`'s3://([^/']+)/([^/']+)'`).FindStringSubmatch(script(t, made))
	if address == nil {
		t.Fatal("the user data fetches no program")
	}
	return address[1], address[2]
}

// script is the user data of the only instance.
func script(t *testing.T, made cdktest.Template) string {
	t.Helper()
	return text(made.One(t, "AWS::EC2::Instance").Properties["UserData"])
}

// checkImage wants the only instance to start from the AMI that a public parameter names.
func checkImage(t *testing.T, made cdktest.Template, parameter string) {
	t.Helper()
	lookup := made.One(t, "Custom::MachineImage")
	check(t, made.One(t, "AWS::EC2::Instance").Properties, map[string]any{"ImageId": "${" + lookup.ID + ".Parameter.Value}"})
	if call := fmt.Sprint(lookup.Properties["Create"]); !strings.Contains(call, `"Name":"`+parameter+`"`) {
		t.Errorf("it looks for %s, want %s", call, parameter)
	}
}

// Jump server and tunnel host are both such a host.
func TestHost(t *testing.T) {
	var publicIP any
	ids := map[string]string{"jump server": "Bastion", "tunnel host": "TunnelHost"}
	hosts := map[string]cdktest.Template{
		"jump server": template(t, func(stack awscdk.Stack) {
			publicIP = readable(stack.Resolve(newBastion(t, stack, nil).PublicIP))
		}),
		"tunnel host": tunnelHost(t, nil),
	}
	t.Run("gives its Elastic IP as its address", func(t *testing.T) {
		if want := "${" + hosts["jump server"].One(t, "AWS::EC2::EIP").ID + ".PublicIp}"; publicIP != want {
			t.Errorf("it gives %v, want %s", publicIP, want)
		}
	})
	for name, made := range hosts {
		t.Run(name, func(t *testing.T) {
			instance := made.One(t, "AWS::EC2::Instance")
			role := called(t, made, "AWS::IAM::Role", ids[name]+"Role")
			t.Run("keeps its address when the instance is replaced", func(t *testing.T) {
				address := made.One(t, "AWS::EC2::EIP")
				same(t, address.Properties, map[string]any{"Domain": "vpc", "InstanceId": "${" + instance.ID + "}"})
			})
			t.Run("reaches the internet before it has that address", func(t *testing.T) {
				card := instance.Properties["NetworkInterfaces"].([]any)[0].(map[string]any)
				check(t, card, map[string]any{
					"AssociatePublicIpAddress": true, "SubnetId": "subnet-00000011",
					"GroupSet": []any{"${" + made.One(t, "AWS::EC2::SecurityGroup").ID + ".GroupId}"},
				})
			})
			t.Run("takes IMDSv2 alone, and not from containers", func(t *testing.T) {
				check(t, instance.Properties, map[string]any{
					"MetadataOptions": map[string]any{"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
				})
			})
			t.Run("has one encrypted volume", func(t *testing.T) {
				check(t, instance.Properties, map[string]any{"BlockDeviceMappings": []any{map[string]any{
					"DeviceName": "/dev/xvda", "Ebs": map[string]any{"Encrypted": true, "VolumeSize": 8, "VolumeType": "gp3"},
				}}})
			})
			t.Run("has no SSH key of EC2's", func(t *testing.T) {
				check(t, instance.Properties, map[string]any{"KeyName": nil})
			})
			t.Run("has its role", func(t *testing.T) {
				profile := made.One(t, "AWS::IAM::InstanceProfile")
				check(t, instance.Properties, map[string]any{"IamInstanceProfile": "${" + profile.ID + "}"})
				check(t, profile.Properties, map[string]any{"Roles": []any{"${" + role.ID + "}"}})
				checkStatements(t, role.Properties["AssumeRolePolicyDocument"], `Allow sts:AssumeRole Principal {"Service":"ec2.amazonaws.com"}`)
			})
			t.Run("waits for what its role may do, and for its key", func(t *testing.T) {
				same(t, listed(instance.All["DependsOn"]), listed([]any{
					called(t, made, "AWS::IAM::Policy", ids[name]+"Role").ID, role.ID, made.One(t, "Custom::SSHKeyPair").ID,
				}))
			})
			t.Run("gets the address when it has set itself up", func(t *testing.T) {
				setup := made.One(t, "AWS::CloudFormation::WaitCondition")
				same(t, setup.All["DependsOn"], []any{instance.ID})
				same(t, made.One(t, "AWS::EC2::EIP").All["DependsOn"], []any{setup.ID})
				check(t, setup.Properties, map[string]any{"Count": 1, "Timeout": "1800"})
				if handle := made.One(t, "AWS::CloudFormation::WaitConditionHandle").ID; !strings.Contains(script(t, made), `"${`+handle+`}"`) {
					t.Errorf("the user data does not answer %s", handle)
				}
			})
			t.Run("checks the program that it fetches", func(t *testing.T) {
				sum := sha256.Sum256([]byte("an asset"))
				if want := hex.EncodeToString(sum[:]) + "  $program.new"; !strings.Contains(script(t, made), want) {
					t.Errorf("the user data does not hold %s", want)
				}
			})
			t.Run("is told what it needs, and leaves no place open", func(t *testing.T) {
				_, rest, _ := strings.Cut(script(t, made), "<<'SETTINGS'\n")
				text, _, _ := strings.Cut(rest, "\nSETTINGS\n")
				file := filepath.Join(t.TempDir(), "host.json")
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				s, err := settings.Read(file)
				if err != nil {
					t.Fatal(err)
				}
				if s.Environment != "castle" || s.Region != "${AWS::Region}" || s.Database != (settings.Database{Host: "db.example.com", Port: "3306"}) {
					t.Errorf("it is told %+v", s)
				}
				if left := regexp.MustCompile(`@[A-Z0-9_]+@`).FindString(script(t, made)); left != "" {
					t.Errorf("%s stands in the user data", left)
				}
			})
		})
	}
	t.Run("is another instance, which is waited for, when its first start would be another", func(t *testing.T) {
		kinds := []string{"AWS::EC2::Instance", "AWS::CloudFormation::WaitCondition", "AWS::CloudFormation::WaitConditionHandle"}
		for name, test := range map[string]struct {
			change func(*constructs.BastionProps)
			same   bool
		}{
			"nothing":      {func(p *constructs.BastionProps) {}, true},
			"another type": {func(p *constructs.BastionProps) { p.InstanceType = "t4g.small" }, true},
			"an administrator": {func(p *constructs.BastionProps) {
				p.Administrators = []constructs.Administrator{{Name: "malia", Parameter: "{}"}}
			}, true},
			"an SSH address":       {func(p *constructs.BastionProps) { p.SSHCIDRs = nil }, true},
			"a newer image":        {func(p *constructs.BastionProps) { p.ImageRefresh = "2026-12" }, false},
			"another architecture": {func(p *constructs.BastionProps) { p.Architecture = constructs.X86_64 }, false},
			"another host key":     {func(p *constructs.BastionProps) { p.HostKeyGeneration = 2 }, false},
			"another patch window": {func(p *constructs.BastionProps) { p.PatchWindow = "Mon *-*-* 03:00:00" }, false},
			"another subnet":       {func(p *constructs.BastionProps) { p.Subnet = (*p.Vpc.PublicSubnets())[1] }, false},
			"another database":     {func(p *constructs.BastionProps) { p.DatabaseHost = jsii.String("other.example.com") }, false},
			"another program": {func(p *constructs.BastionProps) {
				p.ProgramPath = filepath.Join(t.TempDir(), "program")
				if err := os.WriteFile(p.ProgramPath, []byte("another"), 0o644); err != nil {
					t.Fatal(err)
				}
			}, false},
		} {
			changed := bastion(t, test.change)
			for _, kind := range kinds {
				before, after := hosts["jump server"].One(t, kind), changed.One(t, kind)
				if (before.ID == after.ID) != test.same {
					t.Errorf("%s: %s becomes %s", name, before.ID, after.ID)
				}
			}
			check(t, changed.One(t, "AWS::EC2::EIP").Properties, map[string]any{"InstanceId": "${" + changed.One(t, kinds[0]).ID + "}"})
		}
	})
	// CloudFormation would give the address to an instance that is not set up: it waits for new ids only.
	t.Run("is not replaced by anything else without our noticing: raise hostRevision when this changes", func(t *testing.T) {
		made := hosts["jump server"]
		var pinned []any
		for _, kind := range []string{"Custom::MachineImage", "AWS::EC2::Instance"} {
			properties := made.One(t, kind).Properties
			for _, free := range []string{"ServiceToken", "UserData", "Tags", "InstanceType"} {
				delete(properties, free)
			}
			pinned = append(pinned, properties)
		}
		sum := sha256.Sum256([]byte(cdktest.JSON(pinned)))
		if got, want := hex.EncodeToString(sum[:4]), "25dbb439"; got != want {
			t.Errorf("the pin is %s, not %s: %s", got, want, cdktest.JSON(pinned))
		}
	})
	t.Run("has the name and type that it is given", func(t *testing.T) {
		made := bastion(t, func(p *constructs.BastionProps) { p.InstanceName, p.InstanceType = "keep", "t4g.small" })
		instance := made.One(t, "AWS::EC2::Instance")
		check(t, instance.Properties, map[string]any{"InstanceType": "t4g.small"})
		check(t, tags(instance), map[string]any{"Name": "keep"})
	})
}
