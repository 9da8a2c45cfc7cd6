// Package cfnschema answers questions about CloudFormation's resource types from the copy of their schemas that the CDK
// CLI carries.
package cfnschema

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Replacement is what an update of a property does to its resource, as the CloudFormation Template Reference has it
// under "Update requires".
type Replacement string

const (
	Never  Replacement = "no"    // updated in place, with or without an interruption
	Maybe  Replacement = "maybe" // some updates replace the resource
	Always Replacement = "yes"
)

// Types are resource types by name, such as AWS::RDS::DBInstance.
type Types map[string]Type

// Type is what each property of a resource type does when it changes.
type Type map[string]Replacement

// Read is the Types of [ReadAll].
func Read(nodeModules string) (Types, error) {
	schemas, err := ReadAll(nodeModules)
	return schemas.Types, err
}

// Schemas are what this package knows of resource types.
type Schemas struct {
	Types Types

	// Stateful are the types whose resources hold data that is lost with them.
	Stateful map[string]bool
}

// ReadAll reads the schemas from the folder of npm's packages, node_modules.
func ReadAll(nodeModules string) (Schemas, error) {
	path := filepath.Join(nodeModules, "aws-cdk", "db.json.gz")
	file, err := os.Open(path)
	if err != nil {
		return Schemas{}, fmt.Errorf("CloudFormation's schemas cannot be read (%w): run npm ci", err)
	}
	defer file.Close() //nolint:errcheck // only read
	text, err := gzip.NewReader(file)
	if err != nil {
		return Schemas{}, fmt.Errorf("CloudFormation's schemas in %s cannot be read: %w", path, err)
	}
	var database struct {
		Schema struct {
			Resource struct {
				Entities []struct {
					CloudFormationType string
					IsStateful         bool
					Properties         map[string]struct{ CausesReplacement Replacement }
				}
			}
		}
	}
	if err := json.NewDecoder(text).Decode(&database); err != nil {
		return Schemas{}, fmt.Errorf("CloudFormation's schemas in %s cannot be read: %w", path, err)
	}
	schemas := Schemas{Types: Types{}, Stateful: map[string]bool{}}
	for _, resource := range database.Schema.Resource.Entities {
		properties := Type{}
		for name, property := range resource.Properties {
			properties[name] = property.CausesReplacement
			if property.CausesReplacement == "" {
				properties[name] = Never
			}
		}
		schemas.Types[resource.CloudFormationType] = properties
		schemas.Stateful[resource.CloudFormationType] = resource.IsStateful
	}
	if len(schemas.Types) == 0 {
		return Schemas{}, fmt.Errorf("CloudFormation's schemas in %s hold no resource type: the CDK CLI keeps them in another way now", path)
	}
	return schemas, nil
}
