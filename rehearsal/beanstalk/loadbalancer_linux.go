package beanstalk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"drawbridge/internal/loopbacktls"
	"drawbridge/rehearsal/machine"
)

// LoadBalancerOptions are what a load balancer is made of.
type LoadBalancerOptions struct {
	// Namespace is the load balancer's network.
	Namespace *machine.Namespace

	// Backends are the addresses of the targets, on whose port 80 it finds them.
	Backends []netip.Addr

	// HTTP and HTTPS say whether it listens on port 80 and on port 443.
	HTTP, HTTPS bool

	// Names are DNS names and IP addresses in its certificate, beside the address of its namespace.
	Names []string

	// HealthPath is the page with which it checks its targets; "" is "/".
	HealthPath string

	// HealthInterval is the time from one check to the next; 0 is Elastic Beanstalk's, a quarter of a minute. A target
	// that fails five checks in a row gets no requests until it passes three.
	HealthInterval time.Duration

	// Log gets what nginx writes, line by line. Several goroutines write to it at the same time. It may be nil.
	Log io.Writer
}

// LoadBalancer is one that runs.
type LoadBalancer struct {
	// CA is the certificate authority that signed the certificate of the HTTPS listener, PEM; nil without one.
	CA []byte

	options LoadBalancerOptions
	folder  string
	nginx   *nginx
	targets map[netip.Addr]*health

	cancel  context.CancelFunc
	checked chan struct{} // closed when no target is checked any more
	close   func() error
}

// StartLoadBalancer starts nginx as an Application Load Balancer. It returns when every target was checked once and nginx
// answers; ctx bounds that wait alone.
func StartLoadBalancer(ctx context.Context, o LoadBalancerOptions) (*LoadBalancer, error) {
	if !o.HTTP && !o.HTTPS {
		return nil, errors.New("a load balancer needs a listener, HTTP or HTTPS")
	}
	if o.HealthPath == "" {
		o.HealthPath = "/"
	}
	if o.HealthInterval == 0 {
		o.HealthInterval = healthInterval
	}
	if err := ready("nsenter"); err != nil {
		return nil, err
	}
	if err := Sweep(); err != nil {
		return nil, err
	}
	folder, err := newFolder()
	if err != nil {
		return nil, err
	}
	l := &LoadBalancer{options: o, folder: folder, targets: map[netip.Addr]*health{}}
	l.close = sync.OnceValue(l.end)
	if err := l.start(ctx); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (l *LoadBalancer) start(ctx context.Context) (err error) {
	if l.options.HTTPS {
		identity, err := loopbacktls.New(append([]string{l.options.Namespace.Address.String()}, l.options.Names...)...)
		if err != nil {
			return err
		}
		if err := identity.Write(l.folder); err != nil {
			return err
		}
		l.CA = identity.CA
	}
	for _, target := range l.options.Backends {
		l.targets[target] = &health{}
	}
	l.check(ctx)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("the load balancer's targets were not checked: %w", context.Cause(ctx))
	}
	if l.nginx, err = startNginx(l.options.Namespace, l.folder, l.config(), l.options.Log); err != nil {
		return err
	}
	if err := l.waitReady(ctx); err != nil {
		return err
	}
	ctx, l.cancel = context.WithCancel(context.Background())
	l.checked = make(chan struct{})
	go l.keepChecking(ctx)
	return nil
}

func (l *LoadBalancer) config() string {
	return balancerConfig(listeners{l.options.HTTP, l.options.HTTPS}, l.options.Backends,
		func(target netip.Addr) bool { return !l.targets[target].healthy })
}

// waitReady waits until nginx listens.
func (l *LoadBalancer) waitReady(ctx context.Context) error {
	port := uint16(80)
	if !l.options.HTTP {
		port = 443
	}
	for {
		conn, err := l.options.Namespace.Dial(ctx, "tcp", netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port).String())
		if err == nil {
			return conn.Close()
		}
		select {
		case <-l.nginx.process.Exited:
			return l.nginx.ended()
		case <-ctx.Done():
			return fmt.Errorf("the load balancer was not ready: %w: %w", context.Cause(ctx), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// check checks all targets at the same time and says whether something changed.
func (l *LoadBalancer) check(ctx context.Context) (changed bool) {
	c := client(l.options.Namespace, healthTimeout)
	results := map[netip.Addr]bool{}
	var mu sync.Mutex
	var group sync.WaitGroup
	for target := range l.targets {
		group.Go(func() {
			status, err := get(ctx, c, "http://"+netip.AddrPortFrom(target, 80).String()+l.options.HealthPath, "ELB-HealthChecker/2.0")
			mu.Lock()
			defer mu.Unlock()
			results[target] = err == nil && status == http.StatusOK
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return false
	}
	for target, ok := range maps.All(results) {
		changed = l.targets[target].observe(ok) || changed
	}
	return changed
}

// keepChecking checks the targets for as long as ctx lives.
func (l *LoadBalancer) keepChecking(ctx context.Context) {
	defer close(l.checked)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(l.options.HealthInterval):
		}
		if !l.check(ctx) {
			continue
		}
		for _, target := range l.options.Backends {
			l.nginx.log.printf("target %s is healthy: %t", target, l.targets[target].healthy)
		}
		if err := l.nginx.reload(l.config()); err != nil {
			l.nginx.log.printf("nginx could not be told of it: %v", err)
		}
	}
}

// Close ends the load balancer and removes its files.
func (l *LoadBalancer) Close() error { return l.close() }

func (l *LoadBalancer) end() error {
	if l.cancel != nil {
		l.cancel()
		<-l.checked
	}
	if l.nginx != nil {
		l.nginx.close()
	}
	return os.RemoveAll(l.folder)
}
