package play

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"drawbridge/host/settings"
	"drawbridge/rehearsal/template"
)

// Person is an administrator of the environment's templates.
type Person struct {
	Name       string   `json:"name"`
	PublicKeys []string `json:"publicKeys"`
	Access     string   `json:"access"` // "shell" or "tunnel"
}

// administrators are the people in the templates' parameters of the Systems Manager, by the logical ids of these. They are
// told by what the parameters hold: a wrong path is for the jump server to notice.
func administrators(t *template.Template) map[string]Person {
	people := map[string]Person{}
	for id, r := range t.Resources {
		text, _ := r.Properties["Value"].(string)
		var p Person
		if r.Type == "AWS::SSM::Parameter" && json.Unmarshal([]byte(text), &p) == nil && len(p.PublicKeys) > 0 {
			people[id] = p
		}
	}
	return people
}

// withKeys gives people other public keys, one each: the private halves of theirs are with them.
func withKeys(t *template.Template, keys map[string]string) error {
	people := administrators(t)
	for _, id := range slices.Sorted(maps.Keys(people)) {
		p := people[id]
		if key, ok := keys[p.Name]; ok {
			p.PublicKeys = []string{key}
			text, err := json.Marshal(p)
			if err != nil {
				return err
			}
			t.Resources[id].Properties["Value"] = string(text)
		}
	}
	return nil
}

// tunnels are those that the hosts of a template are told to keep up.
func tunnels(t *template.Template) (found []settings.Tunnel, err error) {
	const key = `"tunnels":`
	for id, r := range t.Resources {
		if r.Type != "AWS::EC2::Instance" {
			continue
		}
		for _, text := range textsIn(r.Properties["UserData"]) {
			at := strings.Index(text, key)
			if at < 0 {
				continue
			}
			var list []settings.Tunnel
			if err := json.NewDecoder(strings.NewReader(text[at+len(key):])).Decode(&list); err != nil {
				return nil, fmt.Errorf("the user data of %s name no tunnels: %w", id, err)
			}
			found = append(found, list...)
		}
	}
	return found, nil
}

// hostKey is a pinned key in a host's settings.
var hostKey = regexp.MustCompile(`"hostKey":"[^"]*"`)

// withHostKey pins another host key for every tunnel: the private half of the vendor's is with the vendor.
func withHostKey(t *template.Template, public string) {
	for id, r := range t.Resources {
		if r.Type == "AWS::EC2::Instance" {
			r.Properties["UserData"] = replaced(r.Properties["UserData"], func(text string) string {
				return hostKey.ReplaceAllString(text, `"hostKey":"`+public+`"`)
			})
			t.Resources[id] = r
		}
	}
}

// textsIn are all texts in a value.
func textsIn(value any) (texts []string) {
	replaced(value, func(text string) string {
		texts = append(texts, text)
		return text
	})
	return texts
}

// replaced is a value with each of its texts replaced.
func replaced(value any, replace func(string) string) any {
	switch v := value.(type) {
	case string:
		return replace(v)
	case []any:
		items := make([]any, len(v))
		for i, item := range v {
			items[i] = replaced(item, replace)
		}
		return items
	case map[string]any:
		items := make(map[string]any, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			items[key] = replaced(v[key], replace)
		}
		return items
	}
	return value
}
