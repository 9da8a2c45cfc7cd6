package reach_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"drawbridge/reach"
	"drawbridge/rehearsal/template"
)

// m is a structure of a template.
type m = map[string]any

// editor changes the templates of an assembly in memory.
type editor struct {
	t *testing.T
	a *template.Assembly
}

func (e editor) stack(id string) *template.Template {
	e.t.Helper()
	s, err := e.a.Stack(id)
	if err != nil {
		e.t.Fatal(err)
	}
	return s.Template
}

// id is the one logical id of a type that starts with prefix.
func (e editor) id(stack, typ, prefix string) string {
	e.t.Helper()
	var found []string
	for id, r := range e.stack(stack).Resources {
		if r.Type == typ && strings.HasPrefix(id, prefix) {
			found = append(found, id)
		}
	}
	if len(found) != 1 {
		e.t.Fatalf("of the type %s with the prefix %s there are %v in %s", typ, prefix, found, stack)
	}
	return found[0]
}

// set gives a property of one resource a value; nil takes it away.
func (e editor) set(stack, typ, prefix, property string, value any) {
	e.t.Helper()
	properties := e.stack(stack).Resources[e.id(stack, typ, prefix)].Properties
	if value == nil {
		delete(properties, property)
	} else {
		properties[property] = plain(value)
	}
}

func (e editor) remove(stack, typ, prefix string) {
	e.t.Helper()
	delete(e.stack(stack).Resources, e.id(stack, typ, prefix))
}

func (e editor) add(stack, id, typ string, properties m) {
	e.t.Helper()
	e.stack(stack).Resources[id] = template.Resource{Type: typ, Properties: plain(properties).(m)}
}

// link is a reference to a resource of any stack, from another one too.
func (e editor) link(stack, typ, prefix string) any {
	e.t.Helper()
	id := e.id(stack, typ, prefix)
	if s := e.stack(stack); s.Outputs == nil {
		s.Outputs = map[string]template.Output{}
	}
	name := "Test" + id
	e.stack(stack).Outputs[name] = template.Output{Value: m{"Ref": id}, Export: &struct{ Name any }{stack + ":" + name}}
	return m{"Fn::ImportValue": stack + ":" + name}
}

// setting gives the web app's environment an option setting; nil takes it away.
func (e editor) setting(namespace, name string, value any) {
	e.t.Helper()
	properties := e.stack("WebApp").Resources[e.id("WebApp", "AWS::ElasticBeanstalk::Environment", "")].Properties
	settings := slices.DeleteFunc(properties["OptionSettings"].([]any), func(s any) bool {
		return s.(m)["Namespace"] == namespace && s.(m)["OptionName"] == name
	})
	if value != nil {
		settings = append(settings, plain(m{"Namespace": namespace, "OptionName": name, "Value": value}))
	}
	properties["OptionSettings"] = settings
}

// undecided is a value of which no template tells.
var undecided = m{"Fn::If": []any{"NobodyKnows", "true", "false"}}

// undecide gives a stack the condition of undecided.
func (e editor) undecide(stack string) {
	e.t.Helper()
	t := e.stack(stack)
	if t.Conditions == nil {
		t.Conditions = map[string]any{}
	}
	t.Conditions["NobodyKnows"] = plain(m{"Fn::Equals": []any{m{"Ref": "AWS::Region"}, "eu-central-1"}})
}

// plain is a value as a template holds it after it was parsed.
func plain(value any) any {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var parsed any
	if err := decoder.Decode(&parsed); err != nil {
		panic(err)
	}
	return parsed
}

// lines are changes as the tests write them: "internet -> web app:80: yes -> no".
func lines(changes []reach.Change) (found []string) {
	for _, c := range changes {
		show := func(a reach.Answer) string {
			if a == "" {
				return "none"
			}
			return string(a)
		}
		found = append(found, fmt.Sprintf("%s -> %s: %s -> %s", c.From, c.To, show(c.Before), show(c.After)))
	}
	return found
}

// areChanges fails the test unless the changes are those, in any order.
func areChanges(t *testing.T, got []reach.Change, want []string) {
	t.Helper()
	has := lines(got)
	slices.Sort(has)
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(has, want) {
		t.Errorf("the changes are\n\t%s\nand should be\n\t%s", strings.Join(has, "\n\t"), strings.Join(want, "\n\t"))
	}
}
