package template

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ParameterValues are the values of a template's parameters: what given says, or else their defaults. A parameter of a
// type AWS::SSM::Parameter::Value<…> holds the name of a parameter in the Systems Manager, which ssm looks up.
func (t *Template) ParameterValues(given map[string]string, ssm func(name string) (string, error)) (map[string]any, error) {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := t.Parameters[name]; !ok {
			return nil, fmt.Errorf("the template has no parameter %s", name)
		}
	}
	values := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(t.Parameters)) {
		parameter := t.Parameters[name]
		text, ok := given[name]
		if !ok {
			if parameter.Default == nil {
				return nil, fmt.Errorf("the parameter %s has no default, and no value was given", name)
			}
			if text, ok = Text(parameter.Default); !ok {
				return nil, fmt.Errorf("the parameter %s's default must be a text, and is %s", name, kind(parameter.Default))
			}
		}
		if len(parameter.AllowedValues) > 0 && !slices.ContainsFunc(parameter.AllowedValues, func(allowed any) bool {
			allowedText, _ := Text(allowed)
			return allowedText == text
		}) {
			return nil, fmt.Errorf("the parameter %s: its value is none of its AllowedValues", name)
		}
		inner, isSSM := strings.CutPrefix(parameter.Type, "AWS::SSM::Parameter::Value<")
		if isSSM {
			var err error
			if text, err = ssm(text); err != nil {
				return nil, fmt.Errorf("the parameter %s: %w", name, err)
			}
			parameter.Type = strings.TrimSuffix(inner, ">")
		}
		switch {
		case parameter.Type == "CommaDelimitedList" || strings.HasPrefix(parameter.Type, "List<"):
			items := strings.Split(text, ",")
			for i := range items {
				items[i] = strings.TrimSpace(items[i])
			}
			values[name] = list(items)
		case parameter.Type == "String" || parameter.Type == "Number" || strings.HasPrefix(parameter.Type, "AWS::"):
			values[name] = text
		default:
			return nil, fmt.Errorf("the parameter %s is of the type %s, which is not known here", name, parameter.Type)
		}
	}
	return values, nil
}
