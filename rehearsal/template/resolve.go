package template

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Values are what a template cannot say by itself.
type Values interface {
	// Ref is what {"Ref": id} of a resource gives: mostly its physical id.
	Ref(id string) (any, error)
	// Attribute is what {"Fn::GetAtt": [id, name]} gives.
	Attribute(id, name string) (any, error)
	// Import is the value that another stack exports.
	Import(export string) (any, error)
	// StackOutput is an output of another stack, exported or not. An empty region is the stack's own.
	StackOutput(stack, region, output string) (any, error)
}

// Resolver turns the functions of one template into values.
type Resolver struct {
	Template   *Template
	Parameters map[string]any // by name; see [Template.ParameterValues]
	Pseudo     Pseudo
	Values     Values
}

// Pseudo are the values of the pseudo parameters, AWS::Region and so on, and the region's Availability Zones.
type Pseudo struct {
	AccountID string // 12 digits
	Region    string
	Partition string // "aws"
	URLSuffix string // "amazonaws.com"
	StackName string
	StackID   string // an ARN

	AvailabilityZones []string
}

func (p Pseudo) value(name string) (string, bool) {
	switch name {
	case "AWS::AccountId":
		return p.AccountID, true
	case "AWS::Region":
		return p.Region, true
	case "AWS::Partition":
		return p.Partition, true
	case "AWS::URLSuffix":
		return p.URLSuffix, true
	case "AWS::StackName":
		return p.StackName, true
	case "AWS::StackId":
		return p.StackID, true
	}
	return "", false
}

// noValue is what AWS::NoValue gives: the property or list item is as if it were not there.
type noValue struct{}

// Resolve turns every function in value into what it stands for. The path, such as "Resources.Vpc.Properties", is for
// errors. What is left holds maps, lists, strings, bools, nil and [json.Number] only.
func (r *Resolver) Resolve(path string, value any) (any, error) {
	resolved, err := r.resolve(path, value)
	if _, none := resolved.(noValue); none {
		return nil, err
	}
	return resolved, err
}

// Properties are the resolved properties of a resource.
func (r *Resolver) Properties(id string) (map[string]any, error) {
	resolved := map[string]any{}
	properties := r.Template.Resources[id].Properties
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		value, err := r.resolve("Resources."+id+".Properties."+name, properties[name])
		if err != nil {
			return nil, err
		}
		if _, none := value.(noValue); !none {
			resolved[name] = value
		}
	}
	return resolved, nil
}

func (r *Resolver) resolve(path string, value any) (any, error) {
	switch v := value.(type) {
	case map[string]any:
		if name, argument, is := function(v); is {
			return r.call(path, name, argument)
		}
		for key := range v {
			if strings.HasPrefix(key, "Fn::") {
				return nil, fmt.Errorf("%s: %s stands beside other keys, so it is not clear what is meant", path, key)
			}
		}
		resolved := make(map[string]any, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			item, err := r.resolve(path+"."+key, v[key])
			if err != nil {
				return nil, err
			}
			if _, none := item.(noValue); !none {
				resolved[key] = item
			}
		}
		return resolved, nil
	case []any:
		resolved := make([]any, 0, len(v))
		for i, item := range v {
			item, err := r.resolve(path+"["+strconv.Itoa(i)+"]", item)
			if err != nil {
				return nil, err
			}
			if _, none := item.(noValue); !none {
				resolved = append(resolved, item)
			}
		}
		return resolved, nil
	case nil, string, bool, json.Number:
		return v, nil
	}
	return nil, fmt.Errorf("%s: a value of the type %T is not JSON", path, value)
}

// function takes a map with the one key Ref, Condition or Fn::… apart.
func function(v map[string]any) (name string, argument any, is bool) {
	if len(v) != 1 {
		return "", nil, false
	}
	for name, argument = range v {
	}
	return name, argument, name == "Ref" || strings.HasPrefix(name, "Fn::")
}

func (r *Resolver) call(path, name string, argument any) (any, error) {
	f, known := map[string]func(*Resolver, string, any) (any, error){
		"Ref":                (*Resolver).ref,
		"Fn::GetAtt":         (*Resolver).getAtt,
		"Fn::Join":           (*Resolver).join,
		"Fn::Sub":            (*Resolver).sub,
		"Fn::Select":         (*Resolver).selectItem,
		"Fn::Split":          (*Resolver).split,
		"Fn::Base64":         (*Resolver).base64,
		"Fn::Cidr":           (*Resolver).cidr,
		"Fn::GetAZs":         (*Resolver).getAZs,
		"Fn::FindInMap":      (*Resolver).findInMap,
		"Fn::ImportValue":    (*Resolver).importValue,
		"Fn::GetStackOutput": (*Resolver).getStackOutput,
		"Fn::If":             (*Resolver).ifElse,
	}[name]
	if !known {
		return nil, fmt.Errorf("%s: the function %s is not known here", path, name)
	}
	value, err := f(r, path+"."+name, argument)
	if err != nil {
		return nil, err
	}
	return value, nil
}

// text resolves value to a string. Numbers and booleans become their text, as CloudFormation does it.
func (r *Resolver) text(path string, value any) (string, error) {
	resolved, err := r.resolve(path, value)
	if err != nil {
		return "", err
	}
	text, ok := Text(resolved)
	if !ok {
		return "", fmt.Errorf("%s: must be a text, and is %s", path, kind(resolved))
	}
	return text, nil
}

// list resolves value to a list.
func (r *Resolver) list(path string, value any) ([]any, error) {
	resolved, err := r.resolve(path, value)
	if err != nil {
		return nil, err
	}
	items, ok := resolved.([]any)
	if !ok {
		return nil, fmt.Errorf("%s: must be a list, and is %s", path, kind(resolved))
	}
	return items, nil
}

// Text is a string, number or boolean as text.
func Text(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// Texts are the items of a list as texts; of what is no list, there are none.
func Texts(value any) (texts []string) {
	items, _ := value.([]any)
	for _, item := range items {
		text, _ := Text(item)
		texts = append(texts, text)
	}
	return texts
}

// kind names the type of a value for an error; the value itself may be a secret.
func kind(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case noValue:
		return "AWS::NoValue"
	case map[string]any:
		return "a map"
	case []any:
		return "a list"
	case string:
		return "a text"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	}
	return fmt.Sprintf("a %T", value)
}
