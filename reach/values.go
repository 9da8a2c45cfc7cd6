package reach

import (
	"fmt"
	"maps"
	"slices"

	"drawbridge/rehearsal/template"
)

// world is the assembly with its stacks' values resolved as far as the templates alone say them. A resource's id is the
// symbol "stack/logical id": enough to tell which resource a property means.
type world struct {
	stacks  []*stack
	byName  map[string]*stack
	exports map[string]export
}

type stack struct {
	id       string
	template *template.Template
	resolver *template.Resolver
	world    *world

	// resolving are the outputs whose value is being resolved: one that leads back to itself has none.
	resolving map[string]bool
}

type export struct {
	stack  *stack
	output string
}

func newWorld(a *template.Assembly) (*world, error) {
	w := &world{byName: map[string]*stack{}, exports: map[string]export{}}
	for _, from := range a.Stacks {
		t := withoutOwnRegion(from.Template)
		s := &stack{id: from.ID, template: t, world: w, resolving: map[string]bool{}}
		// Account, region and the rest have no value: what depends on them cannot be told, instead of being wrong.
		s.resolver = &template.Resolver{
			Template: t, Parameters: defaults(t), Pseudo: template.Pseudo{StackName: from.Name}, Values: s,
		}
		w.stacks = append(w.stacks, s)
		w.byName[from.Name] = s
	}
	for _, s := range w.stacks {
		for _, id := range slices.Sorted(maps.Keys(s.template.Outputs)) {
			output := s.template.Outputs[id]
			if output.Export == nil {
				continue
			}
			// A name that cannot be told is no error: only what imports it is not known then.
			name, err := s.resolver.Resolve("Outputs."+id+".Export.Name", output.Export.Name)
			text, ok := template.Text(name)
			if err != nil || !ok {
				continue
			}
			if other, taken := w.exports[text]; taken {
				return nil, fmt.Errorf("the stacks %s and %s both export %s: an environment's exports have names of their own",
					other.stack.id, s.id, text)
			}
			w.exports[text] = export{s, id}
		}
	}
	return w, nil
}

// defaults are the parameters that have a value without anybody's help: the CDK CLI deploys with them.
func defaults(t *template.Template) map[string]any {
	plain := map[string]template.Parameter{}
	for name, p := range t.Parameters {
		if p.Default != nil && slices.Contains([]string{"String", "Number", "CommaDelimitedList"}, p.Type) {
			plain[name] = p
		}
	}
	values, err := (&template.Template{Parameters: plain}).ParameterValues(nil, nil)
	if err != nil {
		return nil // a default that CloudFormation would refuse: none of them counts
	}
	return values
}

// withoutOwnRegion is the template with {"Region": {"Ref": "AWS::Region"}} taken out of each Fn::GetStackOutput: an
// output of the stack's own region is one whose region is not named.
func withoutOwnRegion(t *template.Template) *template.Template {
	changed := *t
	changed.Resources = map[string]template.Resource{}
	for id, r := range t.Resources {
		r.Properties, _ = dropOwnRegion(r.Properties).(map[string]any)
		changed.Resources[id] = r
	}
	changed.Outputs = map[string]template.Output{}
	for id, o := range t.Outputs {
		o.Value = dropOwnRegion(o.Value)
		changed.Outputs[id] = o
	}
	return &changed
}

func dropOwnRegion(value any) any {
	switch v := value.(type) {
	case map[string]any:
		kept := map[string]any{}
		for key, item := range v {
			if output, is := item.(map[string]any); is && key == "Fn::GetStackOutput" {
				output = maps.Clone(output)
				if region, is := output["Region"].(map[string]any); is && region["Ref"] == "AWS::Region" {
					delete(output, "Region")
				}
				item = output
			}
			kept[key] = dropOwnRegion(item)
		}
		return kept
	case []any:
		kept := make([]any, len(v))
		for i, item := range v {
			kept[i] = dropOwnRegion(item)
		}
		return kept
	}
	return value
}

func (s *stack) symbol(id string) string { return s.id + "/" + id }

// Ref is the symbol of a resource.
func (s *stack) Ref(id string) (any, error) { return s.symbol(id), nil }

// idAttributes give the same as Ref, for the types that this package looks at.
var idAttributes = []string{"GroupId", "VpcId", "SubnetId", "RouteTableId", "InternetGatewayId", "InstanceId", "AllocationId", "Id", "DBInstanceIdentifier"}

// toldAttributes are attributes that a property says.
var toldAttributes = map[string]string{"CidrBlock": "CidrBlock", "Endpoint.Port": "Port"}

// Attribute is a symbol too, but for what a rule or a subnet needs to know.
func (s *stack) Attribute(id, name string) (any, error) {
	if slices.Contains(idAttributes, name) {
		return s.symbol(id), nil
	}
	if property, told := toldAttributes[name]; told {
		if value, ok := s.template.Resources[id].Properties[property]; ok {
			return s.resolver.Resolve("Resources."+id+".Properties."+property, value)
		}
	}
	return s.symbol(id) + "." + name, nil
}

// Import is the value of another stack's export.
func (s *stack) Import(name string) (any, error) {
	e, ok := s.world.exports[name]
	if !ok {
		return nil, fmt.Errorf("no stack of this environment exports %s", name)
	}
	return e.stack.output(e.output)
}

// StackOutput is the value of another stack's output.
func (s *stack) StackOutput(name, region, output string) (any, error) {
	from, ok := s.world.byName[name]
	if !ok || region != "" {
		return nil, fmt.Errorf("the stack %s is not one of this environment's", name)
	}
	return from.output(output)
}

func (s *stack) output(id string) (any, error) {
	output, ok := s.template.Outputs[id]
	if !ok {
		return nil, fmt.Errorf("the stack %s has no output %s", s.id, id)
	}
	if s.resolving[id] {
		return nil, fmt.Errorf("the output %s of the stack %s depends on itself", id, s.id)
	}
	s.resolving[id] = true
	defer delete(s.resolving, id)
	if output.Condition != "" {
		holds, err := s.resolver.Condition(output.Condition)
		if err != nil {
			return nil, err
		}
		if !holds {
			return nil, fmt.Errorf("the stack %s has no output %s: its condition %s does not hold", s.id, id, output.Condition)
		}
	}
	return s.resolver.Resolve("Outputs."+id+".Value", output.Value)
}
