//go:build linux && root

package beanstalk

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"drawbridge/internal/lockedbuffer"
	"drawbridge/rehearsal/machine"
)

func machineNetwork() (*machine.Network, error) { return machine.NewNetwork("victim") }

func addresses(hosts ...*machine.Namespace) (list []netip.Addr) {
	for _, h := range hosts {
		list = append(list, h.Address)
	}
	return list
}

func startLoadBalancer(t *testing.T, o LoadBalancerOptions) *LoadBalancer {
	t.Helper()
	log := &lockedbuffer.Buffer{}
	o.Log = log
	l, err := StartLoadBalancer(t.Context(), o)
	give(t, err)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("%s", log)
		}
	})
	return l
}

func TestALoadBalancer(t *testing.T) {
	network := newNetwork(t)
	one, two := host(t, network, "one", "10.0.0.10/24"), host(t, network, "two", "10.0.1.10/24")
	door, laptop := host(t, network, "door", "10.0.2.10/24"), host(t, network, "laptop", "203.0.113.20/24")
	bundle := testBundle(t)
	instances := map[string]*Instance{}
	boot := func(name string, ns *machine.Namespace) {
		instances[name], _ = startInstance(t, InstanceOptions{Bundle: bundle, Namespace: ns, Environment: map[string]string{asApp: name}})
	}
	boot("one", one)
	boot("two", two)
	l := startLoadBalancer(t, LoadBalancerOptions{
		Namespace: door, Backends: addresses(one, two), HTTP: true, HTTPS: true, Names: []string{"site.example.com"},
		HealthPath: "/healthz", HealthInterval: 100 * time.Millisecond,
	})
	// answers counts who answers twenty requests, by name or status.
	answers := func() map[string]int {
		t.Helper()
		counts := map[string]int{}
		for range 20 {
			status, text := visit(t, visitor(laptop), on(door.Address, "/"), nil)
			who := fmt.Sprint(status)
			for name := range instances {
				if strings.Contains(text, `"`+asApp+"="+name+`"`) {
					who = name
				}
			}
			counts[who]++
		}
		return counts
	}

	t.Run("gives its targets requests in turn", func(t *testing.T) {
		if counts := answers(); counts["one"] != 10 || counts["two"] != 10 {
			t.Errorf("%v", counts)
		}
	})

	t.Run("tells them who asks, and how", func(t *testing.T) {
		s := ask(t, visitor(laptop), on(door.Address, "/"), http.Header{"X-Forwarded-For": {"192.0.2.7"}, "X-Forwarded-Proto": {"gopher"}, "X_odd": {"kept"}})
		for name, want := range map[string]string{
			"X-Forwarded-For":   "192.0.2.7, 203.0.113.20, 10.0.2.10", // the last one is of the instance's nginx
			"X-Forwarded-Proto": "http", "X-Forwarded-Port": "80", "X-Real-Ip": "10.0.2.10",
		} {
			if got := s.Header.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if s.Host != "10.0.2.10" {
			t.Errorf("the host is %s", s.Host)
		}
	})

	t.Run("speaks HTTPS with a certificate of its authority", func(t *testing.T) {
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(l.CA) {
			t.Fatalf("no certificate in %s", l.CA)
		}
		for name, trusted := range map[string]bool{"site.example.com": true, "10.0.2.10": true, "other.example.com": false} {
			c := visitor(laptop)
			c.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots, ServerName: name}
			if !trusted {
				if _, err := c.Get("https://10.0.2.10/"); err == nil {
					t.Errorf("it passes for %s", name)
				}
				continue
			}
			s := ask(t, c, "https://10.0.2.10/", nil)
			if s.Header.Get("X-Forwarded-Proto") != "https" || s.Header.Get("X-Forwarded-Port") != "443" {
				t.Errorf("%v", s.Header)
			}
			c = visitor(laptop)
			c.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots, ServerName: name}
			c.Transport.(*http.Transport).ForceAttemptHTTP2 = true
			response, err := c.Get("https://10.0.2.10/")
			give(t, err)
			defer response.Body.Close() //nolint:errcheck // only read
			var over2 seen
			if err := json.NewDecoder(response.Body).Decode(&over2); err != nil || response.Proto != "HTTP/2.0" || over2.Host != "10.0.2.10" {
				t.Errorf("over %s the host is %q (%v)", response.Proto, over2.Host, err)
			}
		}
	})

	t.Run("leaves out a target that is away, once its checks say so", func(t *testing.T) {
		give(t, instances["one"].Close())
		eventually(t, "two answers alone", func() bool { c := answers(); return len(c) == 1 && c["two"] == 20 })
	})

	t.Run("answers with an error when all are away", func(t *testing.T) {
		give(t, instances["two"].Close())
		eventually(t, "nobody answers", func() bool { c := answers(); return len(c) == 1 && c["502"] == 20 })
	})

	t.Run("gives a target requests again when it is back", func(t *testing.T) {
		boot("one", one)
		eventually(t, "one answers alone", func() bool { c := answers(); return len(c) == 1 && c["one"] == 20 })
		boot("two", two)
		eventually(t, "both answer", func() bool { c := answers(); return len(c) == 2 && c["one"] == 10 && c["two"] == 10 })
	})

	t.Run("leaves out a target whose program fails, but whose nginx answers", func(t *testing.T) {
		eventually(t, "its program stays away", func() bool {
			_, _ = visit(t, visitor(laptop), on(two.Address, "/break"), nil)
			status, _ := visit(t, visitor(laptop), on(two.Address, "/"), nil)
			select {
			case <-instances["two"].program.done:
				return status == http.StatusBadGateway
			default:
				return false
			}
		})
		eventually(t, "one answers alone", func() bool { c := answers(); return len(c) == 1 && c["one"] == 20 })
	})

	t.Run("and Close leaves nothing", func(t *testing.T) {
		give(t, l.Close())
		if left := processes(t, door.Name()); len(left) > 0 {
			t.Errorf("there are processes %d", left)
		}
	})
}

func TestALoadBalancerWithoutTargetsAndWithoutListeners(t *testing.T) {
	network := newNetwork(t)
	door := host(t, network, "door", "10.0.2.10/24")
	startLoadBalancer(t, LoadBalancerOptions{Namespace: door, HTTP: true})
	if status, _ := visit(t, visitor(door), on(door.Address, "/"), nil); status != http.StatusServiceUnavailable {
		t.Errorf("status %d", status)
	}
	if _, err := StartLoadBalancer(t.Context(), LoadBalancerOptions{Namespace: door}); err == nil || !strings.Contains(err.Error(), "needs a listener") {
		t.Error(err)
	}
	other := host(t, network, "other", "10.0.3.10/24")
	l := startLoadBalancer(t, LoadBalancerOptions{Namespace: other, HTTPS: true})
	if _, err := other.Dial(t.Context(), "tcp", other.Address.String()+":80"); err == nil || l.CA == nil {
		t.Errorf("it listens on port 80 as well: %v", err)
	}
}
