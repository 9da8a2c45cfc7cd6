package play

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"drawbridge/host/settings"
	"drawbridge/internal/mysqldb"
	"drawbridge/rehearsal/vendor"
)

// vendor shows each tunnel: to a machine that is not the vendor's it does not go, and the vendor's dashboard then reads
// through it and cannot write.
func (p *play) vendor(ctx context.Context) (string, error) {
	var said []string
	for _, t := range p.tunnels {
		v, err := p.vendorOf(ctx, t, p.tunnels)
		if err != nil {
			return "", err
		}
		if err := p.admitTunnels(ctx, v, t); err != nil {
			return "", err
		}
	}
	false1, err := vendor.NewKey()
	if err != nil {
		return "", err
	}
	for _, v := range p.vendors {
		if err := v.SetHostKey(ctx, false1.Private); err != nil {
			return "", err
		}
	}
	for _, t := range p.tunnels {
		if err := p.refusesFalseVendor(ctx, t); err != nil {
			return "", err
		}
	}
	for _, v := range p.vendors {
		if err := v.SetHostKey(ctx, p.hostKey.Private); err != nil {
			return "", err
		}
	}
	for _, t := range p.tunnels {
		took, err := p.recovery(ctx, t)
		if err != nil {
			return "", fmt.Errorf("the tunnel %s: %w", t.Name, err)
		}
		if err := p.dashboardReads(ctx, t); err != nil {
			return "", fmt.Errorf("the tunnel %s: %w", t.Name, err)
		}
		said = append(said, fmt.Sprintf("%s up after %.1f s", t.Name, took.Seconds()))
	}
	return strings.Join(said, "; "), nil
}

// admitTunnels pastes the stack's public key and address into the vendor's form, for every tunnel of one account.
func (p *play) admitTunnels(ctx context.Context, v *vendor.Vendor, t settings.Tunnel) error {
	key, address := p.outputs("Tunnel")["TunnelPublicKey"], p.outputs("Tunnel")["TunnelAddress"]
	if key == "" || address == "" {
		return errors.New("the Tunnel stack has no output TunnelPublicKey, or no TunnelAddress")
	}
	var listen []string
	for _, other := range p.tunnels {
		if other.Host == t.Host && other.User == t.User {
			listen = append(listen, "127.0.0.1:"+strconv.Itoa(other.RemotePort), "localhost:"+strconv.Itoa(other.RemotePort), strconv.Itoa(other.RemotePort))
		}
	}
	return v.Admit(ctx, t.User, key, address, listen...)
}

// refusesFalseVendor waits until a tunnel's ssh has said that the machine it found is not the vendor's.
func (p *play) refusesFalseVendor(ctx context.Context, t settings.Tunnel) error {
	db, _, err := p.dashboard(t)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // its connections are closed
	hosts := p.fleet.Instances("Tunnel")
	if len(hosts) != 1 {
		return fmt.Errorf("%d tunnel hosts run", len(hosts))
	}
	trusted := errors.New("it trusts a machine that does not have the vendor's host key")
	err = eventually(ctx, 90*time.Second, func(ctx context.Context) error {
		try, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if db.PingContext(try) == nil {
			return nil
		}
		if said := hosts[0].Journal(ctx, "drawbridge-tunnel@"+t.Name+".service"); !strings.Contains(said, "Host key verification failed") {
			return errors.New("its ssh has not said that it refuses the false vendor's key")
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("the tunnel %s: %w; %s", t.Name, err, p.tunnelSays(ctx, t))
	}
	try, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if db.PingContext(try) == nil {
		return fmt.Errorf("the tunnel %s: %w", t.Name, trusted)
	}
	return nil
}

// tunnelSays is what a tunnel's units have written last.
func (p *play) tunnelSays(ctx context.Context, t settings.Tunnel) string {
	said := "its host says"
	for _, host := range p.fleet.Instances("Tunnel") {
		said += ": " + lastWords(host.Journal(ctx, "drawbridge-tunnel@"+t.Name+".service")+"\n"+host.Journal(ctx, "drawbridge-tunnel-key.service"))
	}
	return said
}

// lastWords are the last lines of journals on one line, without what systemd itself says in them.
func lastWords(journal string) string {
	lines := slices.DeleteFunc(strings.Split(journal, "\n"), func(line string) bool { return line == "" || strings.Contains(line, " systemd[") })
	return strings.Join(lines[max(0, len(lines)-4):], " | ")
}

// vendorFor is the machine that a tunnel leads to; nil if none was booted.
func (p *play) vendorFor(t settings.Tunnel) *vendor.Vendor {
	return p.vendors[netip.MustParseAddr(p.names[t.Host])]
}

// dashboard is the vendor's pool of connections through a tunnel, and the schema that it opens.
func (p *play) dashboard(t settings.Tunnel) (db *sql.DB, schema string, err error) {
	l, err := p.login("ReadOnlySecretArnBi")
	if err != nil {
		return nil, "", err
	}
	v, server := p.vendorFor(t), p.database.Only()
	if v == nil || server == nil {
		return nil, "", fmt.Errorf("there is no vendor for the tunnel %s, or no database", t.Name)
	}
	ca, err := os.ReadFile(server.CAFile)
	if err != nil {
		return nil, "", err
	}
	db, err = v.Open(vendor.Login{Username: l.Username, Password: l.Password, DBName: l.DBName}, strconv.Itoa(t.RemotePort), ca)
	return db, l.DBName, err
}

// dashboardReads reads at the vendor's end, and tries to write.
func (p *play) dashboardReads(ctx context.Context, t settings.Tunnel) error {
	db, schema, err := p.dashboard(t)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // its connections are closed
	tables, err := p.tables(ctx, schema)
	if err != nil {
		return err
	}
	for _, table := range tables {
		var rows int
		if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+mysqldb.QuoteIdentifier(table)).Scan(&rows); err != nil {
			return err
		}
	}
	_, err = db.ExecContext(ctx, "CREATE TABLE rehearsal_mine (id INT)")
	return refused(err, "the dashboard's CREATE TABLE", deniedInSchema...)
}
