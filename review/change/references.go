package change

import (
	"regexp"
	"strings"
)

// reference is a value of another resource that a property holds.
type reference struct {
	stack, id string
	attribute string // "" for a Ref
}

// identifies says that the value is certainly another one when the resource is: its name, or an attribute that names it.
func (r reference) identifies() bool {
	return r.attribute == "" || r.attribute == "Arn" || r.attribute == "Endpoint.Address" || strings.HasSuffix(r.attribute, "Id")
}

// subVariable is ${Name} or ${Name.Attribute} in an Fn::Sub, and not ${!Literal}.
var subVariable = regexp.MustCompile(`\$\{([^!}][^}]*)\}`)

// references calls found with every resource that a value of a stack refers to, also through what other stacks export.
func (a *assembly) references(s *stack, value any, found func(reference)) {
	resource := func(name, attribute string) {
		if _, is := s.Resources[name]; is {
			found(reference{s.id, name, attribute})
		}
	}
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			a.references(s, item, found)
		}
	case map[string]any:
		for key, argument := range v {
			switch key {
			case "Ref":
				if name, ok := argument.(string); ok {
					resource(name, "")
				}
			case "Fn::GetAtt":
				switch at := argument.(type) {
				case string:
					name, attribute, _ := strings.Cut(at, ".")
					resource(name, attribute)
				case []any:
					if len(at) == 2 {
						name, _ := at[0].(string)
						attribute, _ := at[1].(string)
						resource(name, attribute)
					}
				}
			case "Fn::Sub":
				text, _ := argument.(string)
				if list, ok := argument.([]any); ok && len(list) > 0 {
					text, _ = list[0].(string)
					a.references(s, list[1:], found)
				}
				for _, match := range subVariable.FindAllStringSubmatch(text, -1) {
					name, attribute, _ := strings.Cut(match[1], ".")
					resource(name, attribute)
				}
			case "Fn::ImportValue":
				if name, ok := argument.(string); ok {
					if from, value, ok := a.export(name); ok {
						a.references(from, value, found)
					}
				}
			case "Fn::GetStackOutput":
				at, _ := argument.(map[string]any)
				for _, from := range a.stacks {
					if output, is := from.Outputs[text(at["OutputName"])]; is && from.name == at["StackName"] {
						a.references(from, output.Value, found)
					}
				}
			default:
				a.references(s, argument, found)
			}
		}
	}
}

// export is the value that a stack exports by a name, with that stack.
func (a *assembly) export(name string) (*stack, any, bool) {
	for _, id := range ids(a) {
		for _, output := range a.stacks[id].Outputs {
			if output.Export != nil && output.Export.Name == name {
				return a.stacks[id], output.Value, true
			}
		}
	}
	return nil, nil, false
}

// imports calls found with the name of every export that a value imports.
func imports(value any, found func(export string)) {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			imports(item, found)
		}
	case map[string]any:
		if name, ok := v["Fn::ImportValue"].(string); ok {
			found(name)
			return
		}
		for _, item := range v {
			imports(item, found)
		}
	}
}

func text(value any) string {
	t, _ := value.(string)
	return t
}
