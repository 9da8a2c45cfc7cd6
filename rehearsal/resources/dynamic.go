package resources

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"drawbridge/rehearsal/secretsmanager"
	"drawbridge/rehearsal/template"
)

// Dynamic looks up what stands in a dynamic reference to a secret, SECRET-ID:SecretString:KEY:STAGE:VERSION ("Get a
// secret or secret value from Secrets Manager", AWS CloudFormation User Guide). A version id is not played.
func (a *Account) Dynamic(service, reference string) (string, error) {
	if service != "secretsmanager" {
		return "", fmt.Errorf("references to %s are not played here", service)
	}
	parts := strings.Split(reference, ":")
	id := 1
	if parts[0] == "arn" {
		id = 7
	}
	if len(parts) < id {
		return "", fmt.Errorf("it does not name a secret")
	}
	rest := append(parts[id:], "", "", "", "")
	if rest[0] != "" && rest[0] != "SecretString" || rest[3] != "" || len(parts) > id+4 {
		return "", fmt.Errorf("this form of reference is not played here")
	}
	name := strings.Join(parts[:id], ":")
	text, err := a.options.Secrets.Value(name, cmp.Or(rest[2], secretsmanager.Current))
	if err != nil || rest[1] == "" {
		return text, err
	}
	var value map[string]any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return "", fmt.Errorf("the secret is no JSON object, so it has no key %s", rest[1])
	}
	found, ok := template.Text(value[rest[1]])
	if !ok {
		return "", fmt.Errorf("the secret has no text under the key %s", rest[1])
	}
	return found, nil
}
