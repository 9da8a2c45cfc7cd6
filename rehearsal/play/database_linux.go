package play

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"

	"drawbridge/internal/mysqlserver"
	"drawbridge/rehearsal/resources"
	"drawbridge/rehearsal/template"
	"drawbridge/rehearsal/vpc"
)

// database plays RDS: each instance is a MySQL server on a network interface in its subnet group.
type database struct {
	vpc    *vpc.VPC
	caFile string // gets the certificate authority, for every user of this machine

	mu      sync.Mutex
	servers map[string]*server // by the instance's identifier
}

type server struct {
	*mysqlserver.Server
	play *resources.MySQL
}

// Create implements [resources.Database].
func (d *database) Create(ctx context.Context, i resources.DBInstance) (_ resources.Endpoint, err error) {
	group := d.vpc.Properties("AWS::RDS::DBSubnetGroup", i.SubnetGroup)
	if group == nil {
		return resources.Endpoint{}, fmt.Errorf("there is no DB subnet group %q", i.SubnetGroup)
	}
	at, err := d.vpc.AddInterface(i.Identifier, listed(group["SubnetIds"]), i.SecurityGroups, i.PubliclyAccessible)
	if err != nil {
		return resources.Endpoint{}, err
	}
	s := &server{}
	s.Server, err = mysqlserver.Start(ctx, mysqlserver.Options{
		Address: at.IP().String(), Port: i.Port, MasterUsername: i.MasterUsername, Settings: d.settings(i),
		Command: func(name string, args ...string) *exec.Cmd { return at.Command(context.Background(), name, args...) },
		Dial:    at.Dial,
	})
	if err != nil {
		return resources.Endpoint{}, errors.Join(err, d.vpc.Remove(i.Identifier))
	}
	d.mu.Lock()
	d.servers[i.Identifier] = s
	d.mu.Unlock()
	user, password := s.RootLogin()
	admin, err := s.Open(user, password, "")
	if err != nil {
		return resources.Endpoint{}, errors.Join(err, d.Delete(ctx, i))
	}
	s.play = &resources.MySQL{Endpoint: resources.Endpoint{Address: s.Host, Port: s.Port}, Admin: admin}
	endpoint, err := s.play.Create(ctx, i)
	var ca []byte
	if err == nil {
		ca, err = os.ReadFile(s.CAFile)
	}
	if err == nil {
		err = os.WriteFile(d.caFile, ca, 0o644)
	}
	if err != nil {
		return endpoint, errors.Join(err, d.Delete(ctx, i))
	}
	return endpoint, nil
}

// settings are those of the instance's parameter group.
func (d *database) settings(i resources.DBInstance) map[string]string {
	settings := map[string]string{}
	parameters, _ := d.vpc.Properties("AWS::RDS::DBParameterGroup", i.ParameterGroup)["Parameters"].(map[string]any)
	for name, value := range parameters {
		settings[name], _ = template.Text(value)
	}
	return settings
}

// Modify implements [resources.Database].
func (d *database) Modify(ctx context.Context, before, after resources.DBInstance) error {
	s := d.server(after.Identifier)
	if s == nil {
		return fmt.Errorf("there is no DB instance %s", after.Identifier)
	}
	group := d.vpc.Properties("AWS::RDS::DBSubnetGroup", after.SubnetGroup)
	if _, err := d.vpc.AddInterface(after.Identifier, listed(group["SubnetIds"]), after.SecurityGroups, after.PubliclyAccessible); err != nil {
		return err
	}
	return s.play.Modify(ctx, before, after)
}

// Delete implements [resources.Database].
func (d *database) Delete(_ context.Context, i resources.DBInstance) error {
	d.mu.Lock()
	s := d.servers[i.Identifier]
	delete(d.servers, i.Identifier)
	d.mu.Unlock()
	if s == nil {
		return nil
	}
	return errors.Join(s.close(), d.vpc.Remove(i.Identifier))
}

func (s *server) close() error {
	if s.play != nil {
		_ = s.play.Admin.Close() // its server goes
	}
	return s.Close()
}

// server is that of an instance; nil if there is none. "" is the only one.
func (d *database) server(identifier string) *server {
	d.mu.Lock()
	defer d.mu.Unlock()
	if identifier == "" && len(d.servers) == 1 {
		for _, s := range d.servers {
			return s
		}
	}
	return d.servers[identifier]
}

func (d *database) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, s := range d.servers {
		errs = append(errs, s.close())
	}
	return errors.Join(errs...)
}

// listed are the texts of a list.
func listed(value any) (texts []string) {
	items, _ := value.([]any)
	for _, item := range items {
		text, _ := template.Text(item)
		texts = append(texts, text)
	}
	return texts
}
