package operate_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// model is what AWS's own service model says of a call: see testdata/models.py.
type model struct {
	Input  map[string]any
	Output any
}

var models = sync.OnceValue(func() map[string]model {
	text, err := os.ReadFile(filepath.Join("testdata", "models.json"))
	if err != nil {
		panic(err)
	}
	var all map[string]model
	if err := json.Unmarshal(text, &all); err != nil {
		panic(err)
	}
	return all
})

// ownCommands are those of the AWS CLI that are no service's call, with their options (AWS CLI Command Reference, version 2).
var ownCommands = map[string][]string{
	"configure get": nil,
	"logs tail":     {"since", "format", "follow"},
}

// globals are options of every call.
var globals = []string{"region", "output"}

// checkCall compares a call of the AWS CLI with the service's model.
func checkCall(t *testing.T, c call) {
	t.Helper()
	if len(c.Args) < 2 {
		if c.String() != "aws --version" {
			t.Errorf("%s is no call", c)
		}
		return
	}
	operation := c.Args[0] + " " + c.Args[1]
	input := map[string]any{}
	if options, ok := ownCommands[operation]; ok {
		for _, option := range options {
			input[option] = "any"
		}
	} else if m, ok := models()[operation]; ok {
		maps.Copy(input, m.Input)
	} else {
		t.Errorf("testdata/models.json does not know %s: add it to models.py", operation)
		return
	}
	for i, arg := range c.Args[2:] {
		option, ok := strings.CutPrefix(arg, "--")
		if !ok || slices.Contains(globals, option) {
			continue
		}
		shape, known := input[option]
		if !known {
			t.Errorf("%s has no option --%s", operation, option)
			continue
		}
		for _, value := range c.Args[2+i+1:] {
			if strings.HasPrefix(value, "--") {
				break
			}
			checkValue(t, operation+" --"+option, value, shape)
		}
	}
}

// checkValue compares what follows an option: JSON, or a text, of which a list takes several.
func checkValue(t *testing.T, where, value string, shape any) {
	t.Helper()
	if strings.HasPrefix(value, "[") || strings.HasPrefix(value, "{") {
		var decoded any
		if err := json.Unmarshal([]byte(value), &decoded); err != nil {
			t.Errorf("%s: %v", where, err)
		}
		checkShape(t, where, decoded, shape)
		return
	}
	if list, ok := shape.([]any); ok {
		shape = list[0]
	}
	if text, ok := shape.(string); ok && (text == "string" || strings.HasPrefix(text, oneOf)) {
		checkShape(t, where, value, text)
	}
}

// oneOf stands before the texts that a value may be.
const oneOf = "one of "

// checkShape compares a JSON value with the shape that the model has for it.
func checkShape(t *testing.T, where string, value, shape any) {
	t.Helper()
	switch shape := shape.(type) {
	case map[string]any:
		object, ok := value.(map[string]any)
		if !ok {
			t.Errorf("%s is %v, and the model has an object", where, value)
			return
		}
		for key, inner := range object {
			member, known := shape[key]
			if !known {
				member, known = shape["*"]
			}
			if !known {
				t.Errorf("%s.%s is not in the model", where, key)
				continue
			}
			checkShape(t, where+"."+key, inner, member)
		}
	case []any:
		list, ok := value.([]any)
		if !ok {
			t.Errorf("%s is %v, and the model has a list", where, value)
			return
		}
		for _, inner := range list {
			checkShape(t, where+"[]", inner, shape[0])
		}
	case string:
		ok := true
		if texts, isOne := strings.CutPrefix(shape, oneOf); isOne {
			text, isText := value.(string)
			ok = isText && slices.Contains(strings.Fields(texts), text)
		}
		switch shape {
		case "string", "timestamp":
			_, ok = value.(string)
		case "boolean":
			_, ok = value.(bool)
		case "integer", "long", "float", "double":
			_, ok = value.(float64)
		}
		if !ok {
			t.Errorf("%s is %v, and the model has a %s", where, value, shape)
		}
	}
}

// beside are fields of which the models do not say what the AWS CLI prints.
var beside = map[string]string{
	// The CLI decodes the text of a template (botocore's handler json_decode_template_body).
	"cloudformation get-template": "TemplateBody",
	// The model has colours for it, and its own documentation Ready, Launching and so on.
	"elasticbeanstalk describe-environment-health": "Status",
}

func TestTheStubAnswersAsAWSDoes(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "answers", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %d files", err, len(files))
	}
	for _, file := range files {
		words := strings.Split(strings.TrimSuffix(filepath.Base(file), ".json"), "_")
		operation := words[0] + " " + words[1]
		m, ok := models()[operation]
		if !ok {
			t.Errorf("testdata/models.json does not know %s", operation)
			continue
		}
		var value map[string]any
		if err := json.Unmarshal([]byte(read(t, file)), &value); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		delete(value, beside[operation])
		checkShape(t, operation, value, m.Output)
	}
}
