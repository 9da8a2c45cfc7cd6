package constructs_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"drawbridge/constructs"
	"drawbridge/host/settings"
	"drawbridge/internal/cdktest"
)

// tunnelHost is a host with one vendor, after change, which may be nil, has edited its properties.
func tunnelHost(t *testing.T, change func(props *constructs.TunnelHostProps)) cdktest.Template {
	t.Helper()
	return template(t, func(stack awscdk.Stack) {
		_, function := otherStack(t, stack)
		props := &constructs.TunnelHostProps{
			HostProps: hostProps(t, stack, "tunnel"),
			Key: constructs.NewSSHKeyPair(stack, "KeyPair", &constructs.SSHKeyPairProps{
				Function: function, Generation: 1, Comment: "castle", Description: "key",
			}),
			Tunnels: vendors("bi.example.com", 22), MaxConnections: 20, Alarms: topic(stack),
		}
		if change != nil {
			change(props)
		}
		constructs.NewTunnelHost(stack, "TunnelHost", props)
	})
}

// vendors are tunnels to hosts and ports, in turn.
func vendors(hostsAndPorts ...any) (tunnels []settings.Tunnel) {
	for i := 0; i < len(hostsAndPorts); i += 2 {
		tunnels = append(tunnels, settings.Tunnel{
			Name: "t" + strconv.Itoa(i/2), Host: hostsAndPorts[i].(string), Port: hostsAndPorts[i+1].(int),
			User: "tunnel", RemotePort: 15240 + i, HostKey: "ssh-ed25519 AAAA",
		})
	}
	return tunnels
}

func TestTunnelHostSecurityGroup(t *testing.T) {
	always := []string{ // and nobody in
		"Tunnel host -> 0.0.0.0/0 tcp 443",
		"Tunnel host -> 0.0.0.0/0 tcp 80",
		"Tunnel host -> database tcp 3306",
		"database <- Tunnel host tcp 3306",
	}
	for name, test := range map[string]struct {
		tunnels []settings.Tunnel
		rules   []string
	}{
		"lets it out to a vendor's address": {
			vendors("198.51.100.7", 22), []string{"Tunnel host -> 198.51.100.7/32 tcp 22"},
		},
		"lets it out to everywhere for a name, on the vendor's port": {
			vendors("bi.example.com", 2222), []string{"Tunnel host -> 0.0.0.0/0 tcp 2222"},
		},
		"has one rule for the same vendor twice": {
			vendors("198.51.100.7", 22, "198.51.100.7", 22), []string{"Tunnel host -> 198.51.100.7/32 tcp 22"},
		},
		"has one rule for two names with one port": {
			vendors("bi.example.com", 22, "bi.example.org", 22), []string{"Tunnel host -> 0.0.0.0/0 tcp 22"},
		},
		"has a rule for each port": {
			vendors("bi.example.com", 22, "bi.example.com", 2222, "198.51.100.7", 2222),
			[]string{"Tunnel host -> 0.0.0.0/0 tcp 22", "Tunnel host -> 0.0.0.0/0 tcp 2222", "Tunnel host -> 198.51.100.7/32 tcp 2222"},
		},
		"has no second rule for a name on a port that is open anyway": {
			vendors("bi.example.com", 443, "bi.example.com", 80), nil,
		},
		"takes a name of digits for a name": {
			vendors("198.51.100.example.com", 22), []string{"Tunnel host -> 0.0.0.0/0 tcp 22"},
		},
		"has no rule without vendors": {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			made := tunnelHost(t, func(p *constructs.TunnelHostProps) { p.Tunnels = test.tunnels })
			checkTraffic(t, made, append(test.rules, always...)...)
		})
	}
}

func TestTunnelHostRole(t *testing.T) {
	made := tunnelHost(t, nil)
	checkStatements(t, rolePolicy(t, made, hostRole(t, made, "TunnelHost")), append(slices.Clone(sessionManager),
		"Allow secretsmanager:GetSecretValue on ${"+made.One(t, "AWS::SecretsManager::Secret").ID+"}",
		`Allow cloudwatch:PutMetricData on * Condition {"StringEquals":{"cloudwatch:namespace":"Drawbridge"}}`,
		itsProgram(t, made))...)
}

func TestTunnelHostRaisesTheAlarm(t *testing.T) {
	made := tunnelHost(t, func(p *constructs.TunnelHostProps) { p.Tunnels = vendors("bi.example.com", 22, "bi.example.org", 22) })
	if alarms := made.Resources("AWS::CloudWatch::Alarm"); len(alarms) != 2 {
		t.Errorf("%d alarms for two tunnels", len(alarms))
	}
	check(t, called(t, made, "AWS::CloudWatch::Alarm", "t1").Properties, map[string]any{
		"Namespace": "Drawbridge", "MetricName": "TunnelUp", "Statistic": "Maximum", "Period": 60,
		"Dimensions":         []any{map[string]any{"Name": "Environment", "Value": "castle"}, map[string]any{"Name": "Tunnel", "Value": "t1"}},
		"ComparisonOperator": "LessThanThreshold", "Threshold": 1, "EvaluationPeriods": 5,
		// A host that is gone sends nothing.
		"TreatMissingData": "breaching",
		"AlarmActions":     []any{alarmsTopic}, "OKActions": []any{alarmsTopic},
		"AlarmDescription": "Drawbridge castle: the SSH tunnel t1 has been down for 5 minutes, so that its vendor does not reach the database. " +
			"What to do: docs/connect-a-bi-vendor.md, When it does not come up.",
	})
}

func TestTunnelHostStartsAnewWithAnotherKey(t *testing.T) {
	first := tunnelHost(t, nil)
	second := tunnelHost(t, func(p *constructs.TunnelHostProps) { p.Key.Generation = 2 })
	if first.One(t, "AWS::EC2::Instance").ID == second.One(t, "AWS::EC2::Instance").ID {
		t.Error("the running instance would keep the key before")
	}
}

func TestTunnelHostRunsDebian13(t *testing.T) {
	for architecture, parameter := range map[constructs.Architecture]string{
		constructs.ARM64:  "/aws/service/debian/release/13/latest/arm64",
		constructs.X86_64: "/aws/service/debian/release/13/latest/amd64",
	} {
		t.Run(string(architecture), func(t *testing.T) {
			checkImage(t, tunnelHost(t, func(p *constructs.TunnelHostProps) { p.Architecture = architecture }), parameter)
		})
	}
}

// Amazon EC2 takes 16 KiB of user data; the config takes tunnels of at most 10,000 bytes.
func TestTheUserDataOfManyTunnelsFits(t *testing.T) {
	made := tunnelHost(t, func(p *constructs.TunnelHostProps) {
		p.Tunnels = nil
		for size := 0; size < 10_000; size += len(cdktest.JSON(p.Tunnels[len(p.Tunnels)-1])) + 1 {
			p.Tunnels = append(p.Tunnels, settings.Tunnel{
				Name: "t" + strconv.Itoa(size), Host: "bi.example.com", Port: 22, User: "tunnel", RemotePort: 1 + size, HostKey: "ssh-rsa " + strings.Repeat("A", 700),
			})
		}
	})
	// What CloudFormation fills in: the pre-signed address alone is long.
	const filledIn = 2000
	if n := len(script(t, made)) + filledIn; n > 16*1024 {
		t.Errorf("the user data takes %d bytes", n)
	}
}
