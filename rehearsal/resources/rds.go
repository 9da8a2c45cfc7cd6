package resources

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"drawbridge/rehearsal/cloudformation"
)

// Database is what RDS instances are made of; the caller brings it.
type Database interface {
	// Create makes the instance and says where it listens.
	Create(ctx context.Context, instance DBInstance) (Endpoint, error)
	// Modify changes an instance in place.
	Modify(ctx context.Context, before, after DBInstance) error
	// Delete takes the instance away.
	Delete(ctx context.Context, instance DBInstance) error
}

// DBInstance is an RDS instance as its template says it. Printing it does not print the password.
type DBInstance struct {
	Identifier         string
	Engine             string // such as "mysql"
	DBName             string
	MasterUsername     string
	MasterPassword     string // "" in Delete, and in Modify's before: it may be gone
	PubliclyAccessible bool
	Port               int

	SubnetGroup, ParameterGroup string // names; "" for the default ones
	SecurityGroups              []string
}

// String leaves the password out.
func (i DBInstance) String() string { return "DB instance " + i.Identifier }

// GoString leaves the password out.
func (i DBInstance) GoString() string { return i.String() }

// Endpoint is where a database listens.
type Endpoint struct {
	Address string // a host name or an address
	Port    int
}

type instance struct {
	DBInstance
	Endpoint
}

// replaceInstance are the properties whose change makes a new instance (AWS::RDS::DBInstance, AWS CloudFormation
// Template Reference Guide).
var replaceInstance = []string{
	"AvailabilityZone", "CharacterSetName", "DBInstanceIdentifier", "DBName", "DBSubnetGroupName", "Engine", "KmsKeyId",
	"MasterUsername", "Port", "StorageEncrypted", "Timezone",
}

// dbInstance plays AWS::RDS::DBInstance with the caller's database.
type dbInstance struct{ *Account }

func (p dbInstance) Create(ctx context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	if r.Properties["SourceDBInstanceIdentifier"] != nil {
		return cloudformation.Resource{}, errors.New("read replicas are not played here: set the config's database.readReplicas to 0")
	}
	if p.options.Database == nil {
		return cloudformation.Resource{}, errors.New("this rehearsal was given no database to play it with")
	}
	in := properties{values: r.Properties}
	identifier := in.text("DBInstanceIdentifier", false)
	if identifier == "" {
		identifier = generatedID("db")
	}
	wanted := wantedInstance(&in, identifier)
	if in.err != nil {
		return cloudformation.Resource{}, in.err
	}
	p.mu.Lock()
	_, taken := p.instances[identifier]
	p.mu.Unlock()
	if taken {
		return cloudformation.Resource{}, fmt.Errorf("there is a DB instance %s already", identifier)
	}
	endpoint, err := p.options.Database.Create(ctx, wanted)
	if err != nil {
		return cloudformation.Resource{}, err
	}
	made := instance{wanted, endpoint}
	p.mu.Lock()
	p.instances[identifier] = made
	p.mu.Unlock()
	return p.resource(made), nil
}

func (p dbInstance) Update(ctx context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	for _, name := range replaceInstance {
		if r.Properties[name] != r.OldProperties[name] {
			return p.Create(ctx, r)
		}
	}
	in := properties{values: r.Properties}
	after := wantedInstance(&in, r.PhysicalID)
	if in.err != nil {
		return cloudformation.Resource{}, in.err
	}
	p.mu.Lock()
	current, ok := p.instances[r.PhysicalID]
	p.mu.Unlock()
	if !ok {
		return cloudformation.Resource{}, fmt.Errorf("there is no DB instance %s", r.PhysicalID)
	}
	before := current.DBInstance
	before.MasterPassword = ""
	if err := p.options.Database.Modify(ctx, before, after); err != nil {
		return cloudformation.Resource{}, err
	}
	current.DBInstance = after
	p.mu.Lock()
	p.instances[r.PhysicalID] = current
	p.mu.Unlock()
	return p.resource(current), nil
}

func (p dbInstance) Delete(ctx context.Context, r cloudformation.Request) error {
	p.mu.Lock()
	current, ok := p.instances[r.PhysicalID]
	p.mu.Unlock()
	if !ok {
		return nil
	}
	if in := (properties{values: r.Properties}); in.bool("DeletionProtection", false) {
		return fmt.Errorf("the DB instance %s has deletion protection: turn that off first", r.PhysicalID)
	}
	current.MasterPassword = ""
	if err := p.options.Database.Delete(ctx, current.DBInstance); err != nil {
		return err
	}
	p.mu.Lock()
	delete(p.instances, r.PhysicalID)
	p.mu.Unlock()
	return nil
}

func wantedInstance(in *properties, identifier string) DBInstance {
	port := 3306
	if text := in.text("Port", false); text != "" {
		var err error
		if port, err = strconv.Atoi(text); err != nil && in.err == nil {
			in.err = fmt.Errorf("its property Port must be a number, and is %q", text)
		}
	}
	return DBInstance{
		Port: port, SubnetGroup: in.text("DBSubnetGroupName", false), ParameterGroup: in.text("DBParameterGroupName", false),
		SecurityGroups: in.texts("VPCSecurityGroups"),
		Identifier:     identifier, Engine: in.text("Engine", true), DBName: in.text("DBName", false),
		MasterUsername: in.text("MasterUsername", true), MasterPassword: in.text("MasterUserPassword", true),
		PubliclyAccessible: in.bool("PubliclyAccessible", false),
	}
}

func (p dbInstance) resource(i instance) cloudformation.Resource {
	return cloudformation.Resource{PhysicalID: i.Identifier, Attributes: map[string]any{
		"Endpoint.Address": i.Address, "Endpoint.Port": strconv.Itoa(i.Endpoint.Port),
		"DBInstanceArn": p.arn("rds", "db:"+i.Identifier), "DbiResourceId": "db-" + i.Identifier,
	}}
}
