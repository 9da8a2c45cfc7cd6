package constructs

import (
	"fmt"
	"net/netip"
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"drawbridge/host/settings"
)

// TunnelMetricNamespace is CloudWatch's, for the metrics of the tunnel host.
const TunnelMetricNamespace = "Drawbridge"

// heartbeatMinutes is how long a tunnel may be down before its alarm goes off: a reboot for patches stays below it.
const heartbeatMinutes = 5

// TunnelHostProps describes the host of the reverse SSH tunnels.
type TunnelHostProps struct {
	HostProps

	// Key is what the tunnels log in with.
	Key *SSHKeyPair

	// Alarms is the topic that is told when a tunnel is down.
	Alarms awssns.ITopic

	// MaxConnections is how many connections to the database each tunnel lets through.
	MaxConnections int

	// Tunnels have a name each. Their values stand in a configuration file as they are.
	Tunnels []settings.Tunnel
}

// TunnelHost is a Debian host from which reverse SSH tunnels to BI vendors start. Nobody can connect to it.
type TunnelHost struct {
	*Host

	// Heartbeats are the alarms of tunnels that are not up, by the tunnel's name.
	Heartbeats map[string]awscloudwatch.Alarm
}

// NewTunnelHost adds a TunnelHost to scope.
func NewTunnelHost(scope constructs.Construct, id string, props *TunnelHostProps) *TunnelHost {
	t := &TunnelHost{Host: newHost(scope, id, "Tunnel host", &props.HostProps), Heartbeats: map[string]awscloudwatch.Alarm{}}
	t.SecurityGroup.AddEgressRule(awsec2.Peer_AnyIpv4(), awsec2.Port_HTTP(), jsii.String("Package mirrors of Debian, which sign their packages"), nil)
	// CDK keeps one of several equal rules.
	for _, tunnel := range props.Tunnels {
		t.SecurityGroup.AddEgressRule(awsec2.Peer_Ipv4(jsii.String(vendorPeer(tunnel.Host))), awsec2.Port_Tcp(jsii.Number(tunnel.Port)),
			jsii.String("SSH to a BI vendor, port "+strconv.Itoa(tunnel.Port)), nil)
	}
	t.allow("ReadTheKey", "secretsmanager:GetSecretValue", props.Key.Secret.Ref())
	t.Role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:     jsii.String("Heartbeat"),
		Actions: jsii.Strings("cloudwatch:PutMetricData"),
		// It takes no resource, but a condition (Service Authorization Reference, "Amazon CloudWatch").
		Resources:  jsii.Strings("*"),
		Conditions: &map[string]any{"StringEquals": map[string]any{"cloudwatch:namespace": TunnelMetricNamespace}},
	}))
	t.launch(&props.HostProps, props.Architecture.debian13(), &settings.Settings{Tunnel: &settings.TunnelHost{
		KeySecretARN:    *props.Key.Secret.Ref(),
		KeyGeneration:   props.Key.Generation,
		MetricNamespace: TunnelMetricNamespace,
		MaxConnections:  props.MaxConnections,
		Tunnels:         props.Tunnels,
	}}, props.Key.Resource)

	for _, tunnel := range props.Tunnels {
		t.addHeartbeat(props.Alarms, props.EnvironmentName, tunnel.Name)
	}
	return t
}

// addHeartbeat adds the alarm of one tunnel. A host that says nothing has no tunnel either.
func (t *TunnelHost) addHeartbeat(topic awssns.ITopic, environment, tunnel string) {
	t.Heartbeats[tunnel] = addAlarm(t.Construct, topic, alarm{
		id: "Heartbeat-" + tunnel, is: lessThan, threshold: 1, periods: heartbeatMinutes, missing: isBad,
		metric: metric(TunnelMetricNamespace, "TunnelUp", awscloudwatch.Stats_MAXIMUM(), 1, map[string]*string{"Environment": &environment, "Tunnel": &tunnel}),
		says: says(environment, fmt.Sprintf("the SSH tunnel %s has been down for %d minutes, so that its vendor does not reach the database",
			tunnel, heartbeatMinutes), "docs/connect-a-bi-vendor.md, When it does not come up"),
	})
}

// vendorPeer is the block that a rule for this host must name: the address itself, or everywhere for a DNS name, whose
// addresses a security group cannot follow.
func vendorPeer(host string) string {
	if address, err := netip.ParseAddr(host); err == nil && address.Is4() {
		return host + "/32"
	}
	return anyIPv4
}
