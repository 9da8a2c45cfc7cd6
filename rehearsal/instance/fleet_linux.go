package instance

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"

	"drawbridge/internal/relay"
	"drawbridge/rehearsal"
	"drawbridge/rehearsal/awsapi"
	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/instancemetadata"
	"drawbridge/rehearsal/machine"
	"drawbridge/rehearsal/waitcondition"
)

// Options are what instances are made of.
type Options struct {
	// Roots are root file systems by the id of the AMI that they stand for.
	Roots map[string]string

	// Files are what a machine of a root has besides, by the AMI's id.
	Files map[string]map[string]machine.File

	// Hosts are names that every instance knows beside its own, to addresses.
	Hosts map[string]string

	// Loopback are addresses on this machine's loopback, such as "127.0.0.1:3306", that instances reach under the same
	// address.
	Loopback []string

	// Mirror is the archive of Debian's packages, and Cache the folder where they are kept.
	Mirror, Cache string
}

// Site is a network that instances are plugged into, and what they find there.
type Site struct {
	// Plug gives an instance, by its id, a network interface as its properties ask for, and Unplug takes it away.
	Plug   func(id string, r cloudformation.Request) (*machine.Namespace, error)
	Unplug func(id string) error

	Endpoint string                      // the account's services, for AWS_ENDPOINT_URL
	AptProxy string                      // see [machine.Options]
	Metadata *instancemetadata.Directory // what 169.254.169.254 serves
}

// Fleet is the instances of one account.
type Fleet struct {
	// Network, Signals (for the player's options) and Apt are there if the fleet has a network of its own.
	Network *machine.Network
	Signals *waitcondition.Server
	Apt     *machine.AptProxy

	site    Site
	options Options
	player  *rehearsal.Player
	closers []func() error

	mu        sync.Mutex
	instances map[string]*Instance // by id
	next      int
}

// Instance is one that runs.
type Instance struct {
	*machine.Machine

	ID        string
	LogicalID string
	UserData  string
	Namespace *machine.Namespace

	request cloudformation.Request
	role    string
}

// NewFleetAt makes a fleet without instances at a site, of a player's account.
func NewFleetAt(site Site, player *rehearsal.Player, options Options) *Fleet {
	return &Fleet{site: site, player: player, options: options, instances: map[string]*Instance{}}
}

// NewFleet makes a fleet with a network of its own, on which everybody reaches everybody. Attach follows, before anything
// is deployed.
func NewFleet(name string, options Options) (*Fleet, error) {
	f := NewFleetAt(Site{Endpoint: "http://" + machine.RouterAddress, Metadata: &instancemetadata.Directory{}}, nil, options)
	f.site.Plug, f.site.Unplug = f.plug, func(string) error { return nil }
	var err error
	if f.Network, err = machine.NewNetwork(name); err != nil {
		return nil, err
	}
	f.closers = append(f.closers, f.Network.Close)
	listen := func(address string) (listener net.Listener) {
		if err == nil {
			listener, err = f.Network.Router().Listen("tcp", address)
		}
		if err == nil {
			f.closers = append(f.closers, func() error { _ = listener.Close(); return nil }) // what it served may have
		}
		return listener
	}
	signals, apt, metadata := listen(machine.RouterAddress+":8081"), listen(machine.RouterAddress+":3128"), listen(machine.MetadataAddress+":80")
	if err == nil {
		f.Apt, err = machine.NewAptProxy(apt, options.Mirror, options.Cache)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	f.Signals, f.site.AptProxy = waitcondition.Serve(signals), f.Apt.URL()
	service := awsapi.Serve(metadata, f.site.Metadata)
	f.closers = append(f.closers, f.Signals.Close, f.Apt.Close, service.Close)
	return f, nil
}

// Attach gives the fleet the account that its instances belong to.
func (f *Fleet) Attach(player *rehearsal.Player) error {
	f.player = player
	listener, err := f.Network.Router().Listen("tcp", machine.RouterAddress+":80")
	if err != nil {
		return err
	}
	services := awsapi.Serve(listener, player.Services())
	f.mu.Lock()
	f.closers = append(f.closers, services.Close)
	f.mu.Unlock()
	return nil
}

// SetFiles replaces [Options.Files] of an image for instances that come.
func (f *Fleet) SetFiles(image string, files map[string]machine.File) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.options.Files[image] = files
}

// Instances are those that run, of a stack's logical id that begins with prefix.
func (f *Fleet) Instances(prefix string) (found []*Instance) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, i := range f.instances {
		if strings.HasPrefix(i.LogicalID, prefix) {
			found = append(found, i)
		}
	}
	return found
}

// Close ends all instances and the network.
func (f *Fleet) Close() error {
	f.mu.Lock()
	instances := f.instances
	closers := f.closers
	f.instances, f.closers = map[string]*Instance{}, nil
	f.mu.Unlock()
	var errs []error
	for _, i := range instances {
		errs = append(errs, i.Close())
	}
	for _, end := range slices.Backward(closers) {
		errs = append(errs, end())
	}
	return errors.Join(errs...)
}

// plug puts an instance into the fleet's own network.
func (f *Fleet) plug(id string, _ cloudformation.Request) (*machine.Namespace, error) {
	f.mu.Lock()
	f.next++
	number := f.next
	f.mu.Unlock()
	if number > 250 {
		return nil, errors.New("a fleet has addresses for 250 instances")
	}
	return f.Network.Host(fmt.Sprintf("host%d", number), fmt.Sprintf("10.0.%d.10/24", number))
}

// Create implements [cloudformation.Provider] for AWS::EC2::Instance.
func (f *Fleet) Create(ctx context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	text, _ := r.Properties["UserData"].(string)
	userData, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return cloudformation.Resource{}, fmt.Errorf("its user data is not base64: %w", err)
	}
	image := fmt.Sprint(r.Properties["ImageId"])
	root, ok := f.options.Roots[image]
	if !ok {
		return cloudformation.Resource{}, fmt.Errorf("no root file system stands for its image %s", image)
	}
	profile, _ := r.Properties["IamInstanceProfile"].(string)
	role, err := f.RoleOf(r.Stack, profile)
	if err != nil {
		return cloudformation.Resource{}, err
	}
	i := &Instance{LogicalID: r.LogicalID, UserData: string(userData), request: r, role: role}
	address, err := f.launch(ctx, i, root)
	if err != nil {
		return cloudformation.Resource{}, err
	}
	return cloudformation.Resource{PhysicalID: i.ID, Attributes: map[string]any{"InstanceId": i.ID, "PrivateIp": address}}, nil
}

// Again boots another machine of the image, user data and role of an instance, as if its first start were now. No stack
// knows it.
func (f *Fleet) Again(ctx context.Context, first *Instance) (*Instance, error) {
	i := &Instance{LogicalID: first.LogicalID, UserData: first.UserData, request: first.request, role: first.role}
	_, err := f.launch(ctx, i, f.options.Roots[fmt.Sprint(i.request.Properties["ImageId"])])
	return i, err
}

// launch boots a machine for an instance, gives it an id, and returns its address.
func (f *Fleet) launch(ctx context.Context, i *Instance, root string) (address string, err error) {
	i.ID = "i-" + awsapi.RandomText(17, "0123456789abcdef")
	image := fmt.Sprint(i.request.Properties["ImageId"])
	if i.Namespace, err = f.site.Plug(i.ID, i.request); err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.site.Unplug(i.ID))
		}
	}()
	address = i.Namespace.Address.String()
	for _, address := range f.options.Loopback {
		if err := f.forward(i.Namespace, address); err != nil {
			return "", err
		}
	}
	f.site.Metadata.Set(address, instancemetadata.New(instancemetadata.Options{
		AccountID: i.request.Stack.AccountID, Region: i.request.Stack.Region, AvailabilityZone: i.request.Stack.Region + "a", InstanceID: i.ID,
		InstanceType: fmt.Sprint(i.request.Properties["InstanceType"]), ImageID: image, PrivateIP: address, RoleARN: i.role, Issuer: f.player.Issuer,
	}))

	hostname := "ip-" + strings.ReplaceAll(address, ".", "-")
	files := map[string]machine.File{
		"/var/lib/cloud/seed/nocloud/meta-data": {Content: "instance-id: " + i.ID + "\nlocal-hostname: " + hostname + "\n"},
	}
	f.mu.Lock()
	maps.Copy(files, f.options.Files[image])
	f.mu.Unlock()
	i.Machine, err = machine.Boot(ctx, machine.Options{
		Name: hostname, Hostname: hostname, Root: root, Namespace: i.Namespace, Hosts: f.options.Hosts,
		Files: files, Environment: map[string]string{"AWS_ENDPOINT_URL": f.site.Endpoint}, AptProxy: f.site.AptProxy, UserData: i.UserData,
	})
	if err != nil {
		return "", err
	}
	f.mu.Lock()
	f.instances[i.ID] = i
	f.mu.Unlock()
	return address, nil
}

// Update changes nothing that a running machine would notice: user data run once.
func (f *Fleet) Update(_ context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	return cloudformation.Resource{PhysicalID: r.PhysicalID, Attributes: map[string]any{"InstanceId": r.PhysicalID}}, nil
}

// Delete ends the machine.
func (f *Fleet) Delete(_ context.Context, r cloudformation.Request) error {
	f.mu.Lock()
	i := f.instances[r.PhysicalID]
	delete(f.instances, r.PhysicalID)
	f.mu.Unlock()
	if i == nil {
		return nil
	}
	return errors.Join(i.Close(), f.site.Unplug(i.ID))
}

// RoleOf is the ARN of the role in an instance profile of a stack.
func (f *Fleet) RoleOf(stack cloudformation.StackInfo, profile string) (string, error) {
	for _, resource := range f.player.Resources(stack.Name) {
		if resource.Type != "AWS::IAM::InstanceProfile" || resource.PhysicalID != profile {
			continue
		}
		if roles, _ := resource.Properties["Roles"].([]any); len(roles) == 1 {
			return fmt.Sprintf("arn:aws:iam::%s:role/%v", stack.AccountID, roles[0]), nil
		}
	}
	return "", fmt.Errorf("the instance profile %q has no role", profile)
}

// forward makes a namespace's loopback address lead to this machine's.
func (f *Fleet) forward(n *machine.Namespace, address string) error {
	listener, err := n.Listen("tcp", address)
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.closers = append(f.closers, func() error { _ = listener.Close(); return nil }) // its namespace may be gone
	f.mu.Unlock()
	go relay.Serve(context.Background(), listener, func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", address)
	})
	return nil
}
