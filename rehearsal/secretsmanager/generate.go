package secretsmanager

import (
	"encoding/json"
	"fmt"
	"strings"

	"drawbridge/rehearsal/awsapi"
)

// Generate is how a template has Secrets Manager make a value: the property GenerateSecretString
// (AWS::SecretsManager::Secret, AWS CloudFormation Template Reference Guide).
type Generate struct {
	ExcludeCharacters       string
	ExcludeLowercase        bool
	ExcludeNumbers          bool
	ExcludePunctuation      bool
	ExcludeUppercase        bool
	GenerateStringKey       string
	IncludeSpace            bool
	PasswordLength          int // 0 means 32
	RequireEachIncludedType *bool
	SecretStringTemplate    string
}

// Value makes a value: the password, or the template with the password under its key.
func (g Generate) Value() (string, error) {
	password, err := g.password()
	if err != nil {
		return "", err
	}
	if (g.SecretStringTemplate == "") != (g.GenerateStringKey == "") {
		return "", fmt.Errorf("GenerateSecretString needs both SecretStringTemplate and GenerateStringKey, or neither")
	}
	if g.SecretStringTemplate == "" {
		return password, nil
	}
	var value map[string]any
	if err := json.Unmarshal([]byte(g.SecretStringTemplate), &value); err != nil {
		return "", fmt.Errorf("GenerateSecretString's SecretStringTemplate is no JSON object: %w", err)
	}
	value[g.GenerateStringKey] = password
	text, err := json.Marshal(value)
	return string(text), err
}

func (g Generate) password() (string, error) {
	length := g.PasswordLength
	if length == 0 {
		length = 32
	}
	if length < 1 || length > 4096 {
		return "", fmt.Errorf("GenerateSecretString's PasswordLength must be from 1 to 4096, and is %d", length)
	}
	var classes []string
	for class, excluded := range map[string]bool{
		awsapi.Lower: g.ExcludeLowercase, awsapi.Upper: g.ExcludeUppercase, awsapi.Digits: g.ExcludeNumbers,
		"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~": g.ExcludePunctuation, " ": !g.IncludeSpace,
	} {
		if excluded {
			continue
		}
		class = strings.Map(func(r rune) rune {
			if strings.ContainsRune(g.ExcludeCharacters, r) {
				return -1
			}
			return r
		}, class)
		if class != "" {
			classes = append(classes, class)
		}
	}
	if len(classes) == 0 {
		return "", fmt.Errorf("GenerateSecretString excludes every character")
	}
	each := g.RequireEachIncludedType == nil || *g.RequireEachIncludedType
	if each && length < len(classes) {
		return "", fmt.Errorf("GenerateSecretString's PasswordLength of %d cannot hold a character of each kind", length)
	}
	for {
		password := awsapi.RandomText(length, strings.Join(classes, ""))
		complete := true
		for _, class := range classes {
			complete = complete && strings.ContainsAny(password, class)
		}
		if complete || !each {
			return password, nil
		}
	}
}
