package constructs_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"drawbridge/constructs"
	"drawbridge/internal/cdktest"
)

// tunnelHost is a host with one vendor, after change, which may be nil, has edited its properties.
func tunnelHost(t *testing.T, change func(props *constructs.TunnelHostProps)) cdktest.Template {
	t.Helper()
	return template(t, func(stack awscdk.Stack) {
		v := vpc(stack)
		props := &constructs.TunnelHostProps{
			Vpc: v, Subnet: (*v.PublicSubnets())[0], DatabaseSecurityGroup: securityGroup(stack, databaseGroup),
			Vendors:      []constructs.SSHServer{{Host: "bi.example.com", Port: 22}},
			Architecture: constructs.ARM64, InstanceType: "t4g.micro", InstanceName: "castle-tunnel",
		}
		if change != nil {
			change(props)
		}
		constructs.NewTunnelHost(stack, "TunnelHost", props)
	})
}

func TestTunnelHostSecurityGroup(t *testing.T) {
	always := []string{ // and nobody in
		"Tunnel host -> 0.0.0.0/0 tcp 443",
		"Tunnel host -> 0.0.0.0/0 tcp 80",
		"Tunnel host -> database tcp 3306",
		"database <- Tunnel host tcp 3306",
	}
	for name, test := range map[string]struct {
		vendors []constructs.SSHServer
		rules   []string
	}{
		"lets it out to a vendor's address": {
			[]constructs.SSHServer{{"198.51.100.7", 22}}, []string{"Tunnel host -> 198.51.100.7/32 tcp 22"},
		},
		"lets it out to everywhere for a name, on the vendor's port": {
			[]constructs.SSHServer{{"bi.example.com", 2222}}, []string{"Tunnel host -> 0.0.0.0/0 tcp 2222"},
		},
		"has one rule for the same vendor twice": {
			[]constructs.SSHServer{{"198.51.100.7", 22}, {"198.51.100.7", 22}}, []string{"Tunnel host -> 198.51.100.7/32 tcp 22"},
		},
		"has one rule for two names with one port": {
			[]constructs.SSHServer{{"bi.example.com", 22}, {"bi.example.org", 22}}, []string{"Tunnel host -> 0.0.0.0/0 tcp 22"},
		},
		"has a rule for each port": {
			[]constructs.SSHServer{{"bi.example.com", 22}, {"bi.example.com", 2222}, {"198.51.100.7", 2222}},
			[]string{"Tunnel host -> 0.0.0.0/0 tcp 22", "Tunnel host -> 0.0.0.0/0 tcp 2222", "Tunnel host -> 198.51.100.7/32 tcp 2222"},
		},
		"has no second rule for a name on a port that is open anyway": {
			[]constructs.SSHServer{{"bi.example.com", 443}, {"bi.example.com", 80}}, nil,
		},
		"takes a name of digits for a name": {
			[]constructs.SSHServer{{"198.51.100.example.com", 22}}, []string{"Tunnel host -> 0.0.0.0/0 tcp 22"},
		},
		"has no rule without vendors": {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			made := tunnelHost(t, func(p *constructs.TunnelHostProps) { p.Vendors = test.vendors })
			checkTraffic(t, made, append(test.rules, always...)...)
		})
	}
}

func TestTunnelHostRole(t *testing.T) {
	made := tunnelHost(t, nil)
	checkStatements(t, rolePolicy(t, made, made.One(t, "AWS::IAM::Role").ID), slices.Clone(sessionManager)...)
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
