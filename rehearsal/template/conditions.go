package template

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Condition evaluates a condition of the template by its name.
func (r *Resolver) Condition(name string) (bool, error) { return r.condition(name, nil) }

func (r *Resolver) condition(name string, under []string) (bool, error) {
	value, ok := r.Template.Conditions[name]
	if !ok {
		return false, fmt.Errorf("the template has no condition %s", name)
	}
	if slices.Contains(under, name) {
		return false, fmt.Errorf("the condition %s depends on itself", name)
	}
	return r.test("Conditions."+name, value, append(under, name))
}

// Active are the resources whose condition holds, each after those that it depends on.
func (r *Resolver) Active() ([]string, error) {
	order, err := r.Template.Order()
	if err != nil {
		return nil, err
	}
	var active []string
	for _, id := range order {
		holds, err := r.holds(r.Template.Resources[id].Condition)
		if err != nil {
			return nil, err
		}
		if holds {
			active = append(active, id)
		}
	}
	return active, nil
}

// OutputValue is a value that a stack shows.
type OutputValue struct {
	Value  string
	Export string // "" if it is not exported
}

// Outputs are the values of the outputs whose condition holds.
func (r *Resolver) Outputs() (map[string]OutputValue, error) {
	outputs := map[string]OutputValue{}
	for _, id := range slices.Sorted(maps.Keys(r.Template.Outputs)) {
		output := r.Template.Outputs[id]
		holds, err := r.holds(output.Condition)
		if err != nil {
			return nil, err
		}
		if !holds {
			continue
		}
		var value OutputValue
		if value.Value, err = r.text("Outputs."+id+".Value", output.Value); err != nil {
			return nil, err
		}
		if output.Export != nil {
			if value.Export, err = r.text("Outputs."+id+".Export.Name", output.Export.Name); err != nil {
				return nil, err
			}
		}
		outputs[id] = value
	}
	return outputs, nil
}

// CheckRules evaluates the template's rules, as CloudFormation does before it changes anything.
func (r *Resolver) CheckRules() error {
	for _, name := range slices.Sorted(maps.Keys(r.Template.Rules)) {
		rule := r.Template.Rules[name]
		if rule.RuleCondition != nil {
			applies, err := r.test("Rules."+name+".RuleCondition", rule.RuleCondition, nil)
			if err != nil {
				return err
			}
			if !applies {
				continue
			}
		}
		for i, assertion := range rule.Assertions {
			path := "Rules." + name + ".Assertions[" + strconv.Itoa(i) + "]"
			holds, err := r.test(path, assertion.Assert, nil)
			if err != nil {
				return err
			}
			if !holds {
				return fmt.Errorf("%s does not hold: %s", path, assertion.AssertDescription)
			}
		}
	}
	return nil
}

func (r *Resolver) holds(condition string) (bool, error) {
	if condition == "" {
		return true, nil
	}
	return r.Condition(condition)
}

// ifElse is [condition, value if it holds, value otherwise].
func (r *Resolver) ifElse(path string, argument any) (any, error) {
	arguments, ok := argument.([]any)
	if !ok || len(arguments) != 3 {
		return nil, fmt.Errorf("%s: must be [condition, value, other value]", path)
	}
	name, ok := arguments[0].(string)
	if !ok {
		return nil, fmt.Errorf("%s[0]: must be the name of a condition, and is %s", path, kind(arguments[0]))
	}
	holds, err := r.Condition(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if holds {
		return r.resolve(path+"[1]", arguments[1])
	}
	return r.resolve(path+"[2]", arguments[2])
}

// test evaluates the functions that give true or false. under are the conditions that are being evaluated.
func (r *Resolver) test(path string, value any, under []string) (bool, error) {
	v, ok := value.(map[string]any)
	if !ok || len(v) != 1 {
		return false, fmt.Errorf("%s: must be one function that gives true or false", path)
	}
	if name, ok := v["Condition"].(string); ok {
		return r.condition(name, under)
	}
	name, argument, _ := function(v)
	path += "." + name
	arguments, ok := argument.([]any)
	if !ok {
		return false, fmt.Errorf("%s: must have a list of arguments, and has %s", path, kind(argument))
	}
	switch name {
	case "Fn::Equals":
		if len(arguments) != 2 {
			return false, fmt.Errorf("%s: must have two arguments", path)
		}
		a, err1 := r.text(path+"[0]", arguments[0])
		b, err2 := r.text(path+"[1]", arguments[1])
		return a == b, errors.Join(err1, err2)
	case "Fn::Not":
		if len(arguments) != 1 {
			return false, fmt.Errorf("%s: must have one argument", path)
		}
		holds, err := r.test(path+"[0]", arguments[0], under)
		return !holds, err
	case "Fn::And", "Fn::Or":
		if len(arguments) < 2 || len(arguments) > 10 {
			return false, fmt.Errorf("%s: must have from 2 to 10 arguments", path)
		}
		for i, argument := range arguments {
			holds, err := r.test(path+"["+strconv.Itoa(i)+"]", argument, under)
			if err != nil {
				return false, err
			}
			if holds == (name == "Fn::Or") {
				return holds, nil
			}
		}
		return name == "Fn::And", nil
	case "Fn::Contains":
		if len(arguments) != 2 {
			return false, fmt.Errorf("%s: must be [list, text]", path)
		}
		items, err := r.list(path+"[0]", arguments[0])
		if err != nil {
			return false, err
		}
		text, err := r.text(path+"[1]", arguments[1])
		return slices.Contains(items, any(text)), err
	}
	return false, fmt.Errorf("%s: this function is not known here as one that gives true or false", path)
}
