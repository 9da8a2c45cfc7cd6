//go:build linux && root

package beanstalk

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"testing"
	"time"

	"drawbridge/internal/relay"
	"drawbridge/internal/sampledata"
	"drawbridge/webapp/browsertest"
)

func TestABrowserVisitsTheWebAppThroughTheLoadBalancerAndNginx(t *testing.T) {
	bundle := realBundle(t)
	network := newNetwork(t)
	db, web := host(t, network, "db", "10.0.1.10/24"), host(t, network, "web", "10.0.0.10/24")
	front, laptop := host(t, network, "balancer", "10.0.0.5/24"), host(t, network, "laptop", "203.0.113.20/24")
	server, pool := startMySQL(t, db, map[string]string{"require_secure_transport": "1"})
	const user, password = "webapp", "Webapp-pass-Zq1"
	for _, statement := range []string{
		"CREATE DATABASE " + sampledata.Schema,
		fmt.Sprintf("CREATE USER %s IDENTIFIED BY '%s' REQUIRE SSL", user, password),
		fmt.Sprintf("GRANT SELECT, SHOW VIEW ON `monster\\_teams`.* TO %s", user),
	} {
		if _, err := pool.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	browsertest.Load(t, pool, sampledata.Schema)

	vendor, properties := browsertest.Setup(t)
	maps.Copy(properties, map[string]string{
		"RDS_HOSTNAME": db.Address.String(), "RDS_PORT": "3306", "RDS_DB_NAME": sampledata.Schema, "RDS_USERNAME": user, "RDS_PASSWORD": password,
	})
	_, log := startInstance(t, InstanceOptions{
		Bundle: bundle, Namespace: web, Environment: properties,
		Extra: map[string]string{"DRAWBRIDGE_DB_CA_FILE": server.CAFile},
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	balancer, err := StartLoadBalancer(ctx, LoadBalancerOptions{Namespace: front, Backends: []netip.Addr{web.Address}, HTTP: true, Log: log})
	give(t, err)
	t.Cleanup(func() { give(t, balancer.Close()) })

	// Chromium stays outside of the network and visits by the laptop's connections.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	give(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go relay.Serve(t.Context(), listener, func(ctx context.Context) (net.Conn, error) {
		return laptop.Dial(ctx, "tcp", netip.AddrPortFrom(front.Address, 80).String())
	})
	browsertest.Run(t, browsertest.Site{
		Name: "beanstalk", URL: "http://" + listener.Addr().String(), Vendor: vendor,
		Away: func() { give(t, server.Stop(t.Context())) },
		Back: func() { give(t, server.Restart(t.Context())) },
	})
}
