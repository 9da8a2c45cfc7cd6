package play

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"drawbridge/internal/relay"
	"drawbridge/rehearsal/machine"
)

// keep leaves everything running, and says where it can be tried, until ctx ends.
func (p *play) keep(ctx context.Context) error {
	fmt.Fprint(p.o.Out, "\nEverything runs until Ctrl-C.\n\n")
	if from, address, err := p.site(); err == nil {
		here, err := p.openToBrowsers(ctx, from, address)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.o.Out, "  the web app, in a browser of this machine\n    %s\n", here)
	}
	show := func(what string, from *machine.Namespace, command string) {
		fmt.Fprintf(p.o.Out, "  %s, as root in another terminal\n    ip netns exec %s %s\n", what, from.Name(), command)
	}
	if from, err := p.partyThatReaches("jump server:22"); err == nil && from != nil && len(p.people) > 0 {
		host, _, _ := strings.Cut(p.outputs("Bastion")["BastionKnownHosts"], " ")
		for file, text := range map[string]string{"key": p.people[0].key.Private, "known_hosts": p.outputs("Bastion")["BastionKnownHosts"] + "\n"} {
			if err := os.WriteFile(filepath.Join(p.temporary, file), []byte(text), 0o600); err != nil {
				return err
			}
		}
		show("the jump server", from, fmt.Sprintf("ssh -i %[1]s/key -o UserKnownHostsFile=%[1]s/known_hosts %[2]s@%[3]s", p.temporary, p.people[0].Name, host))
	}
	if i := p.vpc.Interface(p.databaseID()); i != nil {
		show("the database's network", i.Namespace, "ss --tcp --numeric")
	}
	for _, v := range p.vendors {
		show("a vendor, with the database on its loopback", v.Namespace, "ss --tcp --listening --numeric")
	}
	show("the VPC's rules", p.vpc.Router(), "nft list ruleset")
	fmt.Fprintln(p.o.Out)
	<-ctx.Done()
	return nil
}

// openToBrowsers makes a port of this machine's loopback lead to the web app, as a visitor, and returns its address.
func (p *play) openToBrowsers(ctx context.Context, from *machine.Namespace, address string) (string, error) {
	site, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	to := net.JoinHostPort(site.Hostname(), map[string]string{"http": "80", "https": "443"}[site.Scheme])
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	context.AfterFunc(ctx, func() { _ = listener.Close() })
	go relay.Serve(ctx, listener, func(ctx context.Context) (net.Conn, error) { return from.Dial(ctx, "tcp", to) })
	site.Host = listener.Addr().String()
	return site.String(), nil
}
