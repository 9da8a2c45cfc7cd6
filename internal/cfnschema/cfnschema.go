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

// Read reads the schemas from the folder of npm's packages, node_modules.
func Read(nodeModules string) (Types, error) {
	path := filepath.Join(nodeModules, "aws-cdk", "db.json.gz")
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("CloudFormation's schemas cannot be read (%w): run npm ci", err)
	}
	defer file.Close() //nolint:errcheck // only read
	text, err := gzip.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("CloudFormation's schemas in %s cannot be read: %w", path, err)
	}
	var database struct {
		Schema struct {
			Resource struct {
				Entities []struct {
					CloudFormationType string
					Properties         map[string]struct{ CausesReplacement Replacement }
				}
			}
		}
	}
	if err := json.NewDecoder(text).Decode(&database); err != nil {
		return nil, fmt.Errorf("CloudFormation's schemas in %s cannot be read: %w", path, err)
	}
	types := Types{}
	for _, resource := range database.Schema.Resource.Entities {
		properties := Type{}
		for name, property := range resource.Properties {
			properties[name] = property.CausesReplacement
			if property.CausesReplacement == "" {
				properties[name] = Never
			}
		}
		types[resource.CloudFormationType] = properties
	}
	if len(types) == 0 {
		return nil, fmt.Errorf("CloudFormation's schemas in %s hold no resource type: the CDK CLI keeps them in another way now", path)
	}
	return types, nil
}
