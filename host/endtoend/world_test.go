//go:build linux && root

package endtoend

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"drawbridge/internal/lockedbuffer"
	"drawbridge/internal/mysqltest"
	"drawbridge/rehearsal"
	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/instance"
	"drawbridge/rehearsal/machine"
	"drawbridge/rehearsal/rehearsaltest"
	"drawbridge/rehearsal/resources"
)

func TestMain(m *testing.M) { rehearsaltest.Main(m) }

type config = rehearsaltest.Config

const (
	bastionStack = "drawbridge-dev-Bastion"
	tunnelStack  = "drawbridge-dev-Tunnel"

	// The ids of the images that Systems Manager names.
	amazonLinux = "ami-0a0a0a0a0a0a0a0a0"
	debian      = "ami-0d0d0d0d0d0d0d0d0"
)

// patience is how long is waited for what should happen within seconds: the machine may be busy.
const patience = time.Minute

// world is an account in which the environment dev is deployed, with its instances.
type world struct {
	*rehearsal.Player
	fleet *instance.Fleet

	t      testing.TB
	server *mysqltest.Server
	log    *lockedbuffer.Buffer // what the function wrote
}

// newWorld starts a MySQL server, an account and a network. Nothing is deployed yet.
func newWorld(t testing.TB, name string) *world {
	t.Helper()
	roots := map[string]string{amazonLinux: rehearsaltest.Root(t, "bastion"), debian: rehearsaltest.Root(t, "tunnel")}
	mirror, err := machine.Mirror(roots[debian])
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, server: mysqltest.Start(t), log: &lockedbuffer.Buffer{}}
	trust := instance.Trust(readFile(t, w.server.CAFile))
	w.fleet, err = instance.NewFleet(name, instance.Options{
		Roots:    roots,
		Files:    map[string]map[string]machine.File{amazonLinux: instance.AmazonLinux(trust), debian: trust},
		Loopback: []string{net.JoinHostPort(w.server.Host, strconv.Itoa(w.server.Port))},
		Mirror:   mirror, Cache: machine.AptCache(roots[debian]),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.fleet.Close(); err != nil {
			t.Error(err)
		}
	})
	w.Player, err = rehearsal.New(rehearsal.Options{
		Database: &resources.MySQL{
			Endpoint: resources.Endpoint{Address: w.server.Host, Port: w.server.Port}, Admin: w.server.Root(t),
		},
		FunctionEnvironment: map[string]string{"DRAWBRIDGE_DB_CA_FILE": w.server.CAFile},
		FunctionLog:         w.log,
		SSM: map[string]string{
			"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-" + rehearsaltest.Machine():                                amazonLinux,
			"/aws/service/debian/release/13/latest/" + map[string]string{"x86_64": "amd64", "arm64": "arm64"}[rehearsaltest.Machine()]: debian,
		},
		Providers:      map[string]cloudformation.Provider{"AWS::EC2::Instance": w.fleet},
		Signals:        w.fleet.Signals,
		WaitForSignals: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Player.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := w.fleet.Attach(w.Player); err != nil {
		t.Fatal(err)
	}
	return w
}

// deploy deploys stacks of the environment, in order, with a changed config. The change may be nil.
func (w *world) deploy(change func(dev config), stacks ...string) error {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 15*time.Minute)
	defer cancel()
	return w.DeployAll(ctx, rehearsaltest.Synthesize(w.t, change), stacks...)
}

// only wants one running instance of the logical id that begins with prefix.
func (w *world) only(prefix string) *instance.Instance {
	w.t.Helper()
	found := w.fleet.Instances(prefix)
	if len(found) != 1 {
		w.t.Fatalf("%d instances are called %s…, want 1", len(found), prefix)
	}
	return found[0]
}

// on runs a command as root on a machine, and fails the test if it fails.
func on(t testing.TB, m *instance.Instance, command string) string {
	t.Helper()
	out, err := m.Run(t.Context(), nil, "bash", "-c", command)
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return out
}

// eventually waits until f gives no error.
func eventually(t testing.TB, what string, f func() error) (took time.Duration) {
	t.Helper()
	start := time.Now()
	for {
		err := f()
		if err == nil {
			return time.Since(start)
		}
		if time.Since(start) > patience {
			t.Fatalf("%s: not within %s: %v", what, patience, err)
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}

// mustContain fails the test unless text holds all of parts.
func mustContain(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}

// setupLog is what the user data wrote on a machine.
func setupLog(t testing.TB, m *instance.Instance) string {
	t.Helper()
	return on(t, m, "cat /var/log/drawbridge-setup.log")
}
