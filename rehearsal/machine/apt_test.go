//go:build linux && root

package machine

import (
	"strings"
	"testing"
)

func TestAMachineInstallsThroughTheProxyAndNotWhenThatFails(t *testing.T) {
	root := rootOf(t, "tunnel")
	network := newNetwork(t)
	listener, err := network.Router().Listen("tcp", RouterAddress+":3142")
	if err != nil {
		t.Fatal(err)
	}
	mirror, err := Mirror(root)
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := NewAptProxy(listener, mirror, AptCache(root))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Close() })
	m := boot(t, Options{Name: "apt", Root: root, Namespace: host(t, network, "apt", "10.0.0.10/24"), AptProxy: proxy.URL()})

	proxy.FailAfter(0)
	if out, err := m.Run(t.Context(), nil, "apt-get", "-q", "-o", "APT::Update::Error-Mode=any", "-o", "Acquire::Retries=1", "update"); err == nil {
		t.Errorf("the lists came from nowhere:\n%s", out)
	}
	proxy.Up()
	must(t, m, "apt-get", "-q", "-o", "APT::Update::Error-Mode=any", "update")

	install := []string{"-q", "--yes", "-o", "Acquire::Retries=1", "install", "autossh"}
	proxy.FailAfter(0)
	if _, err := m.Run(t.Context(), nil, "apt-get", install...); err == nil || !strings.Contains(err.Error(), "exit status 100") {
		t.Errorf("while the proxy fails: %v", err)
	}
	if _, err := m.Run(t.Context(), nil, "autossh", "-V"); err == nil {
		t.Error("the package was installed although it could not be fetched")
	}
	proxy.Up()
	must(t, m, "apt-get", install...)
	if got := must(t, m, "autossh", "-V"); !strings.HasPrefix(got, "autossh ") {
		t.Error(got)
	}
	if proxy.Requests() < 5 {
		t.Errorf("apt asked the proxy %d times: it has another way out", proxy.Requests())
	}
}
