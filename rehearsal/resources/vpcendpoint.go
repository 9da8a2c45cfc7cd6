package resources

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/iam"
)

// vpcEndpoint plays AWS::EC2::VPCEndpoint. One of Secrets Manager is a door of the rehearsal's own, with its policy.
type vpcEndpoint struct{ *Account }

// everything is the policy of a VPC endpoint whose template gives none.
var everything = map[string]any{"Statement": map[string]any{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}

func (p vpcEndpoint) Create(_ context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	in := properties{values: r.Properties}
	service, privateDNS := in.text("ServiceName", true), in.bool("PrivateDnsEnabled", false)
	if in.err != nil {
		return cloudformation.Resource{}, in.err
	}
	id := generatedID("vpce")
	made := cloudformation.Resource{PhysicalID: id, Attributes: map[string]any{
		"Id": id, "DnsEntries": []any{}, "NetworkInterfaceIds": []any{}, "CreationTimestamp": "2026-01-01T00:00:00Z",
	}}
	policy, err := endpointPolicy(r.Properties)
	if err != nil {
		return cloudformation.Resource{}, err
	}
	kind := in.text("VpcEndpointType", false)
	switch service {
	case "com.amazonaws." + p.options.Region + ".s3":
		return made, errors.Join(in.err, p.takesAnswers(kind, policy))
	case "com.amazonaws." + p.options.Region + ".secretsmanager":
	default:
		return cloudformation.Resource{}, fmt.Errorf("an endpoint of %s is not played here", service)
	}
	if kind != "Interface" {
		return cloudformation.Resource{}, fmt.Errorf("it is of the type %q, and endpoints of Secrets Manager are of the type Interface alone", kind)
	}
	if privateDNS && p.options.Interfaces != nil {
		return cloudformation.Resource{}, errors.New("its private DNS name is not played: everybody in the VPC would find Secrets Manager there, whom its policy and security group may keep out")
	}
	listener, err := p.listen(id, r)
	if err != nil {
		return cloudformation.Resource{}, err
	}
	endpoint, err := p.options.Secrets.OpenEndpoint(policy, listener)
	if err != nil {
		return cloudformation.Resource{}, err
	}
	host := fmt.Sprintf("%s-%s.secretsmanager.%s.vpce.amazonaws.com", id, id[len(id)-8:], p.options.Region)
	zone := "Z2RZB8IVTDHKYV"
	made.Attributes["DnsEntries"] = []any{zone + ":" + host}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endpoints[id], p.hosts[host] = endpoint, endpoint.URL
	if privateDNS {
		p.privateDNS[id] = endpoint.URL
	}
	return made, nil
}

func (p vpcEndpoint) Update(ctx context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	for _, name := range []string{"ServiceName", "VpcId", "VpcEndpointType", "PrivateDnsEnabled"} {
		if r.Properties[name] != r.OldProperties[name] {
			return p.Create(ctx, r)
		}
	}
	p.mu.Lock()
	endpoint := p.endpoints[r.PhysicalID]
	made := cloudformation.Resource{PhysicalID: r.PhysicalID, Attributes: map[string]any{
		"Id": r.PhysicalID, "DnsEntries": []any{}, "NetworkInterfaceIds": []any{}, "CreationTimestamp": "2026-01-01T00:00:00Z",
	}}
	for host, url := range p.hosts {
		if endpoint != nil && url == endpoint.URL {
			made.Attributes["DnsEntries"] = []any{"Z2RZB8IVTDHKYV:" + host}
		}
	}
	p.mu.Unlock()
	if endpoint == nil {
		return made, nil
	}
	if p.options.Interfaces != nil {
		in := properties{values: r.Properties}
		if _, err := p.options.Interfaces.Add(r.PhysicalID, in.texts("SubnetIds"), in.texts("SecurityGroupIds"), false); err != nil {
			return made, err
		}
	}
	policy, err := endpointPolicy(r.Properties)
	if err == nil {
		endpoint.SetPolicy(policy)
	}
	return made, err
}

func (p vpcEndpoint) Delete(_ context.Context, r cloudformation.Request) error {
	p.mu.Lock()
	endpoint := p.endpoints[r.PhysicalID]
	delete(p.endpoints, r.PhysicalID)
	delete(p.privateDNS, r.PhysicalID)
	for host, url := range p.hosts {
		if endpoint != nil && url == endpoint.URL {
			delete(p.hosts, host)
		}
	}
	p.mu.Unlock()
	if endpoint == nil {
		return nil
	}
	err := endpoint.Close()
	if p.options.Interfaces != nil {
		err = errors.Join(err, p.options.Interfaces.Remove(r.PhysicalID))
	}
	return err
}

// takesAnswers says why functions could not put their answers to CloudFormation through S3's endpoint.
func (p vpcEndpoint) takesAnswers(kind string, policy iam.Policy) error {
	if kind != "" && kind != "Gateway" {
		return fmt.Errorf("S3's endpoint is played as one of the type Gateway, not %q", kind)
	}
	if policy == nil {
		policy = iam.Policy{} // of no statement
	}
	return iam.Evaluate(iam.Request{
		Principal: p.arn("iam", "role/function"), Account: p.options.AccountID, Action: "s3:PutObject",
		Resource: "arn:aws:s3:::cloudformation-custom-resource-response-" + strings.ReplaceAll(p.options.Region, "-", "") + "/answer",
	}, iam.Policies{Identity: []iam.Policy{anything}, Endpoint: policy})
}

// anything is a policy that allows all, for those of whom another is asked.
var anything = func() iam.Policy {
	policy, err := iam.ParsePolicy(map[string]any{"Statement": map[string]any{"Effect": "Allow", "Action": "*", "Resource": "*"}})
	if err != nil {
		panic(err) // it is a constant
	}
	return policy
}()

// listen makes the door of an endpoint: port 443 of its network interface, or nil where no VPC is played. HTTPS it is not,
// as no certificate for Amazon's names can be had.
func (p vpcEndpoint) listen(id string, r cloudformation.Request) (net.Listener, error) {
	if p.options.Interfaces == nil {
		return nil, nil
	}
	in := properties{values: r.Properties}
	subnets, groups := in.texts("SubnetIds"), in.texts("SecurityGroupIds")
	if in.err != nil {
		return nil, in.err
	}
	at, err := p.options.Interfaces.Add(id, subnets, groups, false)
	if err != nil {
		return nil, err
	}
	return at.Listen("tcp", netip.AddrPortFrom(at.IP(), 443).String())
}

func endpointPolicy(values map[string]any) (iam.Policy, error) {
	if document := values["PolicyDocument"]; document != nil {
		return iam.ParsePolicy(document)
	}
	return iam.ParsePolicy(everything)
}

// localURL is where the rehearsal serves a URL with the host name of a VPC endpoint; other texts stay as they are.
func (a *Account) localURL(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
		return text
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if local, ok := a.hosts[u.Hostname()]; ok && (u.Port() == "" || u.Port() == "443") {
		return local
	}
	return text
}
