package resources

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/iam"
	"drawbridge/rehearsal/secretsmanager"
)

// secret plays AWS::SecretsManager::Secret.
type secret struct{ *Account }

func (p secret) Create(_ context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	value, err := secretValue(r.Properties)
	if err != nil {
		return cloudformation.Resource{}, err
	}
	in := properties{values: r.Properties}
	name, description := in.text("Name", false), in.text("Description", false)
	if in.err != nil {
		return cloudformation.Resource{}, in.err
	}
	if name == "" {
		parts := strings.Split(generatedName(r), "-")
		name = r.LogicalID + "-" + parts[len(parts)-1]
	}
	arn, err := p.options.Secrets.Create(name, description, value)
	return cloudformation.Resource{PhysicalID: arn, Attributes: map[string]any{"Id": arn}}, err
}

func (p secret) Update(ctx context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	if !reflect.DeepEqual(r.Properties["Name"], r.OldProperties["Name"]) {
		return p.Create(ctx, r)
	}
	for _, name := range []string{"GenerateSecretString", "SecretString"} {
		// A new way to make the value makes a new value, and what was attached to it is lost.
		if reflect.DeepEqual(r.Properties[name], r.OldProperties[name]) || r.Properties[name] == nil {
			continue
		}
		value, err := secretValue(r.Properties)
		if err != nil {
			return cloudformation.Resource{}, err
		}
		if err := p.options.Secrets.Put(r.PhysicalID, *value); err != nil {
			return cloudformation.Resource{}, err
		}
	}
	return cloudformation.Resource{PhysicalID: r.PhysicalID, Attributes: map[string]any{"Id": r.PhysicalID}}, nil
}

func (p secret) Delete(_ context.Context, r cloudformation.Request) error {
	return p.options.Secrets.Delete(r.PhysicalID, false)
}

// secretValue is the value that the properties give a secret; nil if they give none.
func secretValue(values map[string]any) (*string, error) {
	if text, ok := values["SecretString"].(string); ok {
		return &text, nil
	}
	how, ok := values["GenerateSecretString"]
	if !ok {
		return nil, nil
	}
	text, err := json.Marshal(how)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var generate secretsmanager.Generate
	if err := decoder.Decode(&generate); err != nil {
		return nil, fmt.Errorf("its GenerateSecretString is not understood: %w", err)
	}
	value, err := generate.Value()
	return &value, err
}

// attachment plays AWS::SecretsManager::SecretTargetAttachment: it writes into a secret where its database is.
type attachment struct{ *Account }

func (p attachment) Create(_ context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	in := properties{values: r.Properties}
	arn, target, kind := in.text("SecretId", true), in.text("TargetId", true), in.text("TargetType", true)
	if in.err != nil {
		return cloudformation.Resource{}, in.err
	}
	if kind != "AWS::RDS::DBInstance" {
		return cloudformation.Resource{}, fmt.Errorf("its TargetType %s is not played here", kind)
	}
	p.mu.Lock()
	database, ok := p.instances[target]
	p.mu.Unlock()
	if !ok {
		return cloudformation.Resource{}, fmt.Errorf("there is no DB instance %s", target)
	}
	err := p.change(arn, map[string]any{
		"engine": database.Engine, "host": database.Address, "port": database.Endpoint.Port,
		"dbname": database.DBName, "dbInstanceIdentifier": database.Identifier,
	})
	return cloudformation.Resource{PhysicalID: arn}, err
}

func (p attachment) Update(ctx context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	return p.Create(ctx, r)
}

func (p attachment) Delete(_ context.Context, r cloudformation.Request) error {
	return p.change(r.PhysicalID, map[string]any{
		"engine": nil, "host": nil, "port": nil, "dbname": nil, "dbInstanceIdentifier": nil,
	})
}

// change writes keys into a secret's JSON, or takes those that are nil away.
func (p attachment) change(arn string, keys map[string]any) error {
	text, err := p.options.Secrets.Value(arn, secretsmanager.Current)
	if err != nil {
		return err
	}
	value := map[string]any{}
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return errors.New("the secret is no JSON object, so no database can be attached to it")
	}
	for key, item := range keys {
		if value[key] = item; item == nil {
			delete(value, key)
		}
	}
	changed, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return p.options.Secrets.Put(arn, string(changed))
}

// resourcePolicy plays AWS::SecretsManager::ResourcePolicy.
type resourcePolicy struct{ *Account }

func (p resourcePolicy) Create(_ context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	in := properties{values: r.Properties}
	arn := in.text("SecretId", true)
	policy, err := iam.ParsePolicy(r.Properties["ResourcePolicy"])
	if err := errors.Join(in.err, err); err != nil {
		return cloudformation.Resource{}, err
	}
	return cloudformation.Resource{PhysicalID: arn}, p.options.Secrets.SetPolicy(arn, policy)
}

func (p resourcePolicy) Update(ctx context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	return p.Create(ctx, r)
}

func (p resourcePolicy) Delete(_ context.Context, r cloudformation.Request) error {
	return p.options.Secrets.SetPolicy(r.PhysicalID, nil)
}
