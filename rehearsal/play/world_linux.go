package play

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"drawbridge/host/settings"
	"drawbridge/internal/lockedbuffer"
	"drawbridge/rehearsal"
	"drawbridge/rehearsal/awsapi"
	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/instance"
	"drawbridge/rehearsal/instancemetadata"
	"drawbridge/rehearsal/machine"
	"drawbridge/rehearsal/resources"
	"drawbridge/rehearsal/template"
	"drawbridge/rehearsal/vendor"
	"drawbridge/rehearsal/vpc"
	"drawbridge/rehearsal/waitcondition"
)

// The ids of the images that Systems Manager names.
const (
	amazonLinux = "ami-0a0a0a0a0a0a0a0a0"
	debian      = "ami-0d0d0d0d0d0d0d0d0"
)

// Where the internet has AWS and the archives of packages. Hosts ask for them on port 443, as that is what their security
// groups let out; it is not TLS, as nobody here can have certificates for those names.
var (
	awsAddress     = netip.MustParseAddr("198.19.1.2")
	signalsAddress = netip.MustParseAddr("198.19.1.3")
	archiveAddress = netip.MustParseAddr("198.19.1.4")
)

const https = 443

// world is an account in which nothing is deployed yet, and the internet around it.
type world struct {
	*rehearsal.Player

	vpc      *vpc.VPC
	fleet    *instance.Fleet
	database *resources.MySQLServers
	webApps  *webApps
	metadata *instancemetadata.Directory
	endpoint string // AWS's, for instances

	roots   map[string]string // by image
	names   map[string]string // hosts' names to addresses
	vendors map[netip.Addr]*vendor.Vendor
	hostKey vendor.Key // of all vendors
	trust   map[string]machine.File

	functionLog *lockedbuffer.Buffer
	webLog      *lockedbuffer.Buffer
	closers     []func() error // run last to first
}

// newWorld makes an account, a network and the vendors' names of an environment.
func newWorld(o Options, temporary string, tunnels []settings.Tunnel) (_ *world, err error) {
	w := &world{
		metadata: &instancemetadata.Directory{}, roots: map[string]string{}, names: map[string]string{},
		vendors: map[netip.Addr]*vendor.Vendor{}, trust: map[string]machine.File{},
		functionLog: &lockedbuffer.Buffer{}, webLog: &lockedbuffer.Buffer{},
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	for image, root := range map[string]string{amazonLinux: "bastion", debian: "tunnel"} {
		if w.roots[image], err = machine.Root(root); err != nil {
			return nil, err
		}
	}
	if w.hostKey, err = vendor.NewKey(); err != nil {
		return nil, err
	}
	if w.vpc, err = vpc.New("rehearsal"); err != nil {
		return nil, err
	}
	w.closers = append(w.closers, w.vpc.Close)
	for _, t := range tunnels {
		if _, known := w.names[t.Host]; known {
			continue
		}
		if address, err := netip.ParseAddr(t.Host); err == nil {
			w.names[t.Host] = address.String()
		} else if address, err := w.vpc.PartyAddress(); err == nil {
			w.names[t.Host] = address.String()
		} else {
			return nil, err
		}
	}
	return w, w.open(o, temporary)
}

// open starts the account's services.
func (w *world) open(o Options, temporary string) error {
	signalsListener, err := w.vpc.Listen(netip.AddrPortFrom(signalsAddress, https))
	if err != nil {
		return err
	}
	signals := waitcondition.Serve(signalsListener)
	w.closers = append(w.closers, signals.Close)

	archiveListener, err := w.vpc.Listen(netip.AddrPortFrom(archiveAddress, https))
	if err != nil {
		return err
	}
	mirror, err := machine.Mirror(w.roots[debian])
	if err != nil {
		return err
	}
	archive, err := machine.NewAptProxy(archiveListener, mirror, machine.AptCache(w.roots[debian]))
	if err != nil {
		return err
	}
	w.closers = append(w.closers, archive.Close)

	metadataListener, err := w.vpc.Router().Listen("tcp", netip.AddrPortFrom(netip.MustParseAddr(machine.MetadataAddress), 80).String())
	if err != nil {
		return err
	}
	w.closers = append(w.closers, awsapi.Serve(metadataListener, w.metadata).Close)

	answers, err := w.vpc.Listen(netip.AddrPortFrom(vpc.S3, https))
	if err != nil {
		return err
	}
	w.database = &resources.MySQLServers{Deployed: w.vpc.Properties, Interfaces: w.vpc, CAFile: filepath.Join(temporary, "database-ca.pem")}
	w.closers = append(w.closers, w.database.Close)
	w.webApps = &webApps{world: w, log: w.webLog, environments: map[string]*webApp{}}
	architecture := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	instances := &instances{w}
	w.Player, err = rehearsal.New(rehearsal.Options{
		AccountID: o.Private.Stacks[0].AccountID, Region: o.Private.Stacks[0].Region,
		Database: w.database, Interfaces: w.vpc, Observe: w.vpc.Observe, Answers: answers,
		FunctionLog: w.functionLog, FunctionEnvironment: map[string]string{"DRAWBRIDGE_DB_CA_FILE": w.database.CAFile}, FunctionTimeout: o.FunctionTimeout, ServiceTimeout: o.ServiceTimeout,
		SSM: map[string]string{
			"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-" + architecture: amazonLinux,
			"/aws/service/debian/release/13/latest/" + runtime.GOARCH:                        debian,
		},
		Providers: map[string]cloudformation.Provider{
			"AWS::EC2::EIP": vpc.ElasticIP{VPC: w.vpc}, "AWS::EC2::Instance": instances, "AWS::ElasticBeanstalk::Environment": w.webApps,
		},
		Signals: signals, WaitForSignals: true,
	})
	if err != nil {
		return err
	}
	w.closers = append(w.closers, w.Player.Close)

	services, err := w.vpc.Listen(netip.AddrPortFrom(awsAddress, https))
	if err != nil {
		return err
	}
	address := awsapi.Serve(services, w.Services())
	w.endpoint = address.URL
	w.closers = append(w.closers, address.Close)
	w.fleet = instance.NewFleetAt(instance.Site{
		Plug: w.plug, Unplug: w.vpc.Remove, Endpoint: w.endpoint, AptProxy: archive.URL(), Metadata: w.metadata,
	}, w.Player, instance.Options{
		Roots: w.roots, Hosts: w.names, Files: map[string]map[string]machine.File{},
	})
	w.closers = append(w.closers, w.fleet.Close, w.webApps.close)
	return nil
}

// instances plays AWS::EC2::Instance with the fleet, which is made after the player.
type instances struct{ w *world }

func (p *instances) Create(ctx context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	if err := p.w.trustDatabase(); err != nil {
		return cloudformation.Resource{}, err
	}
	return p.w.fleet.Create(ctx, r)
}

func (p *instances) Update(ctx context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	for _, name := range []string{"ImageId", "SubnetId", "NetworkInterfaces", "UserData"} {
		if fmt.Sprint(r.Properties[name]) != fmt.Sprint(r.OldProperties[name]) {
			return cloudformation.Resource{}, fmt.Errorf("its property %s changed under the same logical id: on AWS the running instance would not notice, or would be replaced behind its stack's back", name)
		}
	}
	return p.w.fleet.Update(ctx, r)
}

func (p *instances) Delete(ctx context.Context, r cloudformation.Request) error {
	return p.w.fleet.Delete(ctx, r)
}

// plug gives an instance the first of its network interfaces.
func (w *world) plug(id string, r cloudformation.Request) (*machine.Namespace, error) {
	list, _ := r.Properties["NetworkInterfaces"].([]any)
	if len(list) != 1 {
		return nil, fmt.Errorf("it has %d network interfaces in its properties, and one can be played", len(list))
	}
	properties, _ := list[0].(map[string]any)
	subnet, _ := template.Text(properties["SubnetId"])
	public, said := template.Text(properties["AssociatePublicIpAddress"])
	at, err := w.vpc.AddInterface(id, []string{subnet}, template.Texts(properties["GroupSet"]), public == "true" || !said && w.vpc.MapsPublicAddresses(subnet))
	if err != nil {
		return nil, err
	}
	return at.Namespace, nil
}

// trustDatabase makes hosts that come trust the database's certificate.
func (w *world) trustDatabase() error {
	ca, err := os.ReadFile(w.database.CAFile)
	if err != nil {
		return fmt.Errorf("there is no database whose certificate hosts could verify: %w", err)
	}
	w.fleet.SetFiles(debian, instance.Trust(string(ca)))
	w.fleet.SetFiles(amazonLinux, instance.AmazonLinux(instance.Trust(string(ca))))
	return nil
}

// vendorOf boots the machine that a tunnel leads to, or is the one that runs.
func (w *world) vendorOf(ctx context.Context, t settings.Tunnel, all []settings.Tunnel) (*vendor.Vendor, error) {
	address := netip.MustParseAddr(w.names[t.Host])
	if v := w.vendors[address]; v != nil {
		return v, nil
	}
	var accounts []string
	var ports []int
	for _, other := range all {
		if w.names[other.Host] == address.String() {
			accounts, ports = append(accounts, other.User), append(ports, other.Port)
		}
	}
	at, err := w.vpc.Party("vendor", address)
	if err != nil {
		return nil, err
	}
	v, err := vendor.Boot(ctx, vendor.Options{
		Name: "vendor", Root: w.roots[debian], Namespace: at, Accounts: unique(accounts), Ports: unique(ports), HostKey: w.hostKey,
	})
	if err != nil {
		return nil, err
	}
	w.vendors[address] = v
	w.closers = append(w.closers, v.Close)
	return v, nil
}

// close ends everything.
func (w *world) close() error {
	var errs []error
	for i := len(w.closers) - 1; i >= 0; i-- {
		errs = append(errs, w.closers[i]())
	}
	w.closers = nil
	return errors.Join(errs...)
}

// writeLogs keeps what the programs wrote.
func (w *world) writeLogs(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(folder, "function.log"), []byte(w.functionLog.String()), 0o644),
		os.WriteFile(filepath.Join(folder, "webapp.log"), []byte(w.webLog.String()), 0o644))
}

func unique[T comparable](items []T) (once []T) {
	seen := map[T]bool{}
	for _, item := range items {
		if !seen[item] {
			once = append(once, item)
		}
		seen[item] = true
	}
	return once
}

// eventually waits until f gives no error.
func eventually(ctx context.Context, patience time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := f(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %s: %w", patience, err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
