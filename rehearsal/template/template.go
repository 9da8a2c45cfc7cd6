package template

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Template is one CloudFormation template. Numbers in its values are [json.Number], so that they keep their digits.
type Template struct {
	Description string
	Parameters  map[string]Parameter
	Mappings    map[string]map[string]map[string]any
	Conditions  map[string]any
	Rules       map[string]Rule
	Resources   map[string]Resource
	Outputs     map[string]Output

	AWSTemplateFormatVersion string
	Metadata                 map[string]any
}

// Parameter is a value that whoever deploys the template may give.
type Parameter struct {
	Type          string
	Default       any // nil: none
	AllowedValues []any
	NoEcho        bool

	Description, ConstraintDescription string
}

// Rule is what parameters must fulfil together.
type Rule struct {
	RuleCondition any
	Assertions    []struct {
		Assert            any
		AssertDescription string
	}
}

// Resource is one resource, its functions unresolved.
type Resource struct {
	Type           string
	Properties     map[string]any
	DependsOn      Names
	Condition      string
	DeletionPolicy string // "" means Delete, but Snapshot for what RDS keeps

	UpdateReplacePolicy string
	CreationPolicy      any
	UpdatePolicy        any
	Metadata            any
}

// Output is a value that the stack shows, and exports if Export has a name.
type Output struct {
	Description string
	Value       any
	Condition   string
	Export      *struct{ Name any }
}

// Names is a list of logical ids, or a single one.
type Names []string

// UnmarshalJSON reads "A" as well as ["A", "B"].
func (n *Names) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*n = Names{one}
		return nil
	}
	var many []string
	if err := json.Unmarshal(text, &many); err != nil {
		return errors.New("DependsOn must be a logical id or a list of them")
	}
	*n = many
	return nil
}

// Parse reads a template and checks that everything it refers to is in it. A key that this package does not know is an
// error, as it may change what the template means: Transform, for one.
func Parse(text []byte) (*Template, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	var t Template
	if err := decoder.Decode(&t); err != nil {
		return nil, fmt.Errorf("this is not a CloudFormation template in JSON that can be played: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("this is not a CloudFormation template in JSON: something follows its end")
	}
	if len(t.Resources) == 0 {
		return nil, errors.New("the template has no resources, which CloudFormation refuses")
	}
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		if t.Resources[id].Type == "" {
			return nil, fmt.Errorf("the resource %s has no Type", id)
		}
	}
	if err := t.checkReferences(); err != nil {
		return nil, err
	}
	if _, err := t.Order(); err != nil {
		return nil, err
	}
	return &t, nil
}
