package resources

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"slices"
	"sync"

	"drawbridge/internal/mysqlserver"
	"drawbridge/rehearsal/template"
)

// MySQLServers plays RDS: each DB instance is a MySQL server of its own, with the settings of its parameter group.
type MySQLServers struct {
	// Deployed are the properties of a deployed resource, by its type and physical id; nil if there is none.
	Deployed func(kind, id string) map[string]any

	// Interfaces puts servers into the subnet group of their instance; nil leaves them on loopback.
	Interfaces Interfaces

	// Tools: see [mysqlserver.Options].
	Tools string

	// CAFile gets the certificate authority of the newest server, for every user of this machine.
	CAFile string

	mu      sync.Mutex
	servers map[string]*server // by the instance's identifier
}

type server struct {
	*mysqlserver.Server
	mysql *MySQL
}

// Create implements [Database].
func (d *MySQLServers) Create(ctx context.Context, i DBInstance) (Endpoint, error) {
	options := mysqlserver.Options{MasterUsername: i.MasterUsername, Settings: d.settings(i), Tools: d.Tools}
	if d.Interfaces != nil {
		at, err := d.place(i)
		if err != nil {
			return Endpoint{}, err
		}
		options.Address, options.Port = at.IP().String(), i.Port
		options.Command = func(name string, args ...string) *exec.Cmd { return at.Command(context.Background(), name, args...) }
		options.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			return at.Dial(ctx, network, address)
		}
	}
	endpoint, err := d.start(ctx, i, options)
	if err != nil {
		return Endpoint{}, errors.Join(err, d.Delete(ctx, i))
	}
	return endpoint, nil
}

// start starts an instance's server, with what RDS makes in a new one.
func (d *MySQLServers) start(ctx context.Context, i DBInstance, options mysqlserver.Options) (endpoint Endpoint, err error) {
	s := &server{}
	if s.Server, err = mysqlserver.Start(ctx, options); err != nil {
		return endpoint, err
	}
	d.mu.Lock()
	if d.servers == nil {
		d.servers = map[string]*server{}
	}
	d.servers[i.Identifier] = s
	d.mu.Unlock()
	user, password := s.RootLogin()
	admin, err := s.Open(user, password, "")
	if err != nil {
		return endpoint, err
	}
	s.mysql = &MySQL{Endpoint: Endpoint{Address: s.Host, Port: s.Port}, Admin: admin}
	ca, err := os.ReadFile(s.Server.CAFile)
	if err != nil {
		return endpoint, err
	}
	if err := os.WriteFile(d.CAFile, ca, 0o644); err != nil {
		return endpoint, err
	}
	return s.mysql.Create(ctx, i)
}

// place gives an instance a network interface in its subnet group, or changes the one that it has.
func (d *MySQLServers) place(i DBInstance) (Interface, error) {
	group := properties{values: d.Deployed("AWS::RDS::DBSubnetGroup", i.SubnetGroup)}
	subnets := group.texts("SubnetIds")
	if group.err != nil || len(subnets) == 0 {
		return nil, fmt.Errorf("its DB subnet group %q has no subnets", i.SubnetGroup)
	}
	return d.Interfaces.Add(i.Identifier, subnets, i.SecurityGroups, i.PubliclyAccessible)
}

// settings are those of the instance's parameter group.
func (d *MySQLServers) settings(i DBInstance) map[string]string {
	settings := map[string]string{}
	parameters, _ := d.Deployed("AWS::RDS::DBParameterGroup", i.ParameterGroup)["Parameters"].(map[string]any)
	for name, value := range parameters {
		settings[name], _ = template.Text(value)
	}
	return settings
}

// Modify implements [Database].
func (d *MySQLServers) Modify(ctx context.Context, before, after DBInstance) error {
	d.mu.Lock()
	s := d.servers[after.Identifier]
	d.mu.Unlock()
	if s == nil {
		return fmt.Errorf("there is no DB instance %s", after.Identifier)
	}
	if d.Interfaces != nil {
		if _, err := d.place(after); err != nil {
			return err
		}
	}
	return s.mysql.Modify(ctx, before, after)
}

// Delete implements [Database].
func (d *MySQLServers) Delete(_ context.Context, i DBInstance) error {
	d.mu.Lock()
	s := d.servers[i.Identifier]
	delete(d.servers, i.Identifier)
	d.mu.Unlock()
	var err error
	if s != nil {
		err = s.close()
	}
	if d.Interfaces != nil {
		err = errors.Join(err, d.Interfaces.Remove(i.Identifier))
	}
	return err
}

func (s *server) close() error {
	if s.mysql != nil {
		_ = s.mysql.Admin.Close() // its server goes
	}
	return s.Close()
}

// Only is the server of the only instance; nil if there is none, or more than one.
func (d *MySQLServers) Only() *mysqlserver.Server {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.servers) != 1 {
		return nil
	}
	for _, s := range d.servers {
		return s.Server
	}
	return nil
}

// Close ends all servers.
func (d *MySQLServers) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, identifier := range slices.Sorted(maps.Keys(d.servers)) {
		errs = append(errs, d.servers[identifier].close())
	}
	d.servers = nil
	return errors.Join(errs...)
}
