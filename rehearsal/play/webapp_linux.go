package play

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"drawbridge/rehearsal/beanstalk"
	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/instancemetadata"
	"drawbridge/rehearsal/template"
	"drawbridge/rehearsal/vpc"
)

// webApps plays AWS::ElasticBeanstalk::Environment: one instance, or as many as its Auto Scaling group has at least behind
// a load balancer. Each runs the bundle as it stands.
type webApps struct {
	world *world
	log   io.Writer

	mu           sync.Mutex
	environments map[string]*webApp // by physical id
}

// webApp is an environment that runs.
type webApp struct {
	instances []*beanstalk.Instance
	balancer  *beanstalk.LoadBalancer
	owners    []string // of network interfaces: instances, then the load balancer
	balanced  bool
	variables map[string]string // the program's
}

// owner of the interface that visitors reach.
func (w *webApp) door() string { return w.owners[len(w.owners)-1] }

// option settings by namespace and name.
type optionSettings map[[2]string]string

func readSettings(r cloudformation.Request) optionSettings {
	s := optionSettings{}
	list, _ := r.Properties["OptionSettings"].([]any)
	for _, item := range list {
		fields, _ := item.(map[string]any)
		namespace, _ := fields["Namespace"].(string)
		name, _ := fields["OptionName"].(string)
		s[[2]string{namespace, name}], _ = template.Text(fields["Value"])
	}
	return s
}

func (s optionSettings) get(namespace, name string) string { return s[[2]string{namespace, name}] }

// list is a setting that holds a comma between its items.
func (s optionSettings) list(namespace, name string) []string {
	if s.get(namespace, name) == "" {
		return nil
	}
	return strings.Split(s.get(namespace, name), ",")
}

const (
	ofVPC      = "aws:ec2:vpc"
	ofLaunch   = "aws:autoscaling:launchconfiguration"
	ofBalancer = "aws:elbv2:loadbalancer"
)

// Create implements [cloudformation.Provider].
func (p *webApps) Create(ctx context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	id := "drawbridge-" + strings.ToLower(rand.Text()[:8])
	app, err := p.start(ctx, id, r)
	if err != nil {
		return cloudformation.Resource{}, err
	}
	return p.resource(id, app), nil
}

// Update implements [cloudformation.Provider]: every instance starts anew.
func (p *webApps) Update(ctx context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	p.mu.Lock()
	old := p.environments[r.PhysicalID]
	p.mu.Unlock()
	if old != nil {
		if err := old.stop(); err != nil {
			return cloudformation.Resource{}, err
		}
	}
	app, err := p.start(ctx, r.PhysicalID, r)
	if err != nil {
		return cloudformation.Resource{}, err
	}
	return p.resource(r.PhysicalID, app), nil
}

// Delete implements [cloudformation.Provider].
func (p *webApps) Delete(_ context.Context, r cloudformation.Request) error {
	p.mu.Lock()
	app := p.environments[r.PhysicalID]
	delete(p.environments, r.PhysicalID)
	p.mu.Unlock()
	if app == nil {
		return nil
	}
	errs := []error{app.stop()}
	for _, owner := range app.owners {
		errs = append(errs, p.world.vpc.Remove(owner))
	}
	return errors.Join(errs...)
}

func (p *webApps) resource(id string, app *webApp) cloudformation.Resource {
	return cloudformation.Resource{PhysicalID: id, Attributes: map[string]any{
		"EndpointURL": p.world.vpc.PublicOf(p.world.vpc.Interface(app.door())).String(),
	}}
}

// start starts an environment's instances and its load balancer.
func (p *webApps) start(ctx context.Context, id string, r cloudformation.Request) (_ *webApp, err error) {
	s := readSettings(r)
	bundle, err := p.bundle(r)
	if err != nil {
		return nil, err
	}
	if arn, _ := r.Properties["PlatformArn"].(string); !strings.Contains(arn, ":platform/Go ") {
		return nil, fmt.Errorf("its platform %q is not that of Go", arn)
	}
	if s.get(ofLaunch, "DisableDefaultEC2SecurityGroup") != "true" {
		return nil, errors.New("its instances would get a security group of Elastic Beanstalk's that lets everybody in on port 80: set DisableDefaultEC2SecurityGroup")
	}
	role, err := p.world.fleet.RoleOf(r.Stack, s.get(ofLaunch, "IamInstanceProfile"))
	if err != nil {
		return nil, err
	}
	app := &webApp{variables: s.environment(), balanced: s.get("aws:elasticbeanstalk:environment", "EnvironmentType") == "LoadBalanced"}
	defer func() {
		if err == nil {
			return
		}
		// CloudFormation does not know what it made, so nobody else takes it away.
		err = errors.Join(err, app.stop())
		for _, owner := range app.owners {
			err = errors.Join(err, p.world.vpc.Remove(owner))
		}
	}()
	count := 1
	if app.balanced {
		if count, err = strconv.Atoi(s.get("aws:autoscaling:asg", "MinSize")); err != nil {
			return nil, fmt.Errorf("its Auto Scaling group's MinSize is no number: %w", err)
		}
	}
	subnets := s.list(ofVPC, "Subnets")
	var addresses []netip.Addr
	for n := range count {
		owner := fmt.Sprintf("%s/%d", id, n+1)
		// The subnets of an environment are those of several zones.
		in := slices.Concat(subnets[n%max(len(subnets), 1):], subnets[:n%max(len(subnets), 1)])
		// A single instance has an Elastic IP, but not before it has come up (AWS Elastic Beanstalk Developer Guide,
		// "Using Elastic Beanstalk with Amazon VPC").
		public := s.get(ofVPC, "AssociatePublicIpAddress") == "true"
		at, err := p.world.vpc.AddInterface(owner, in, s.list(ofLaunch, "SecurityGroups"), public)
		if err != nil {
			return nil, err
		}
		app.owners = append(app.owners, owner)
		addresses = append(addresses, at.IP())
		p.world.metadata.Set(at.IP().String(), instancemetadata.New(instancemetadata.Options{
			AccountID: r.Stack.AccountID, Region: r.Stack.Region, AvailabilityZone: r.Stack.Region + "a",
			InstanceID: "i-" + strings.ToLower(rand.Text()[:17]), InstanceType: s.get("aws:ec2:instances", "InstanceTypes"),
			ImageID: amazonLinux, PrivateIP: at.IP().String(), RoleARN: role, Issuer: p.world.Issuer,
		}))
		instance, err := beanstalk.StartInstance(ctx, beanstalk.InstanceOptions{
			Bundle: bundle, Environment: app.variables, Namespace: at.Namespace, Log: p.log,
			Extra: map[string]string{
				"AWS_ENDPOINT_URL": p.world.endpoint, "AWS_REGION": r.Stack.Region, "DRAWBRIDGE_DB_CA_FILE": p.world.database.CAFile,
			},
		})
		if err != nil {
			return nil, err
		}
		app.instances = append(app.instances, instance)
	}
	if app.balanced {
		if err := p.balance(ctx, id, app, s, addresses); err != nil {
			return nil, err
		}
	}
	p.mu.Lock()
	p.environments[id] = app
	p.mu.Unlock()
	return app, nil
}

// balance starts the load balancer in front of an environment's instances.
func (p *webApps) balance(ctx context.Context, id string, app *webApp, s optionSettings, addresses []netip.Addr) error {
	if s.get(ofBalancer, "ManagedSecurityGroup") == "" {
		return errors.New("its load balancer would get a security group of Elastic Beanstalk's that lets everybody in: set ManagedSecurityGroup")
	}
	owner := id + "/load-balancer"
	at, err := p.world.vpc.AddInterface(owner, s.list(ofVPC, "ELBSubnets"), s.list(ofBalancer, "SecurityGroups"), s.get(ofVPC, "ELBScheme") == "public")
	if err != nil {
		return err
	}
	app.owners = append(app.owners, owner)
	app.balancer, err = beanstalk.StartLoadBalancer(ctx, beanstalk.LoadBalancerOptions{
		Namespace: at.Namespace, Backends: addresses, Log: p.log,
		HTTP:       s.get("aws:elbv2:listener:default", "ListenerEnabled") != "false",
		HTTPS:      s.get("aws:elbv2:listener:443", "Protocol") == "HTTPS",
		HealthPath: s.get("aws:elasticbeanstalk:environment:process:default", "HealthCheckPath"),
		Names:      []string{p.world.vpc.PublicOf(at).String()},
	})
	return err
}

// environment are the variables that the program gets.
func (s optionSettings) environment() map[string]string {
	variables := map[string]string{}
	for key, value := range s {
		if key[0] == "aws:elasticbeanstalk:application:environment" {
			variables[key[1]] = value
		}
	}
	return variables
}

// bundle is the source bundle of the environment's application version.
func (p *webApps) bundle(r cloudformation.Request) (string, error) {
	version, _ := r.Properties["VersionLabel"].(string)
	source, _ := p.world.vpc.Properties("AWS::ElasticBeanstalk::ApplicationVersion", version)["SourceBundle"].(map[string]any)
	key, _ := source["S3Key"].(string)
	asset, ok := r.Stack.Assets[key]
	if !ok || asset.Zip {
		return "", fmt.Errorf("the bundle of its version %q is no file of the assembly", version)
	}
	return asset.Path, nil
}

// stop ends an environment's programs.
func (w *webApp) stop() error {
	var errs []error
	if w.balancer != nil {
		errs = append(errs, w.balancer.Close())
	}
	for _, i := range w.instances {
		errs = append(errs, i.Close())
	}
	w.instances, w.balancer = nil, nil
	return errors.Join(errs...)
}

func (p *webApps) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(p.environments)) {
		errs = append(errs, p.environments[id].stop())
	}
	return errors.Join(errs...)
}

// interfaces are those of a deployed environment, of which the last is the one that visitors reach; nil if there is none.
func (p *webApps) interfaces(id string) (found []*vpc.Interface, balanced bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	app := p.environments[id]
	if app == nil {
		return nil, false
	}
	for _, owner := range app.owners {
		found = append(found, p.world.vpc.Interface(owner))
	}
	return found, app.balanced
}

// variables are the environments of all environments' programs, as text.
func (p *webApps) variables() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := map[string]string{}
	for id, app := range p.environments {
		found[id] = fmt.Sprint(app.variables)
	}
	return found
}
