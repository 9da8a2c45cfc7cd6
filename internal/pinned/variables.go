package pinned

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// maxValue is how many characters the value of an environment property of Elastic
// Beanstalk may have ("Environment property limits", AWS Elastic Beanstalk
// Developer Guide).
const maxValue = 256

// Variables are the environment variables that carry a text: the one of that name
// where Elastic Beanstalk takes the text as it is, and else NAME_1, NAME_2 and so
// on, which together are the text in base64. An empty text needs none.
func Variables(name, text string) map[string]string {
	switch {
	case text == "":
		return nil
	case len(text) <= maxValue && strings.Trim(text, allowed) == "":
		return map[string]string{name: text}
	}
	all := map[string]string{}
	for rest := base64.StdEncoding.EncodeToString([]byte(text)); rest != ""; {
		part := rest[:min(maxValue, len(rest))]
		rest = rest[len(part):]
		all[numbered(name, len(all)+1)] = part
	}
	return all
}

// allowed are the characters that Elastic Beanstalk takes in a value.
const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _.:/=+\\-@'\""

func numbered(name string, n int) string { return fmt.Sprintf("%s_%d", name, n) }

// Text is the reverse of Variables. It is empty where there are none. The error is
// a sentence without its end.
func Text(lookup func(string) (string, bool), name string) (string, error) {
	if text, _ := lookup(name); text != "" {
		return text, nil
	}
	var all strings.Builder
	for n := 1; ; n++ {
		part, _ := lookup(numbered(name, n))
		if part == "" {
			break
		}
		all.WriteString(part)
	}
	text, err := base64.StdEncoding.DecodeString(all.String())
	if err != nil {
		return "", fmt.Errorf("%s and those after it are not base64: they are made from the config", numbered(name, 1))
	}
	return string(text), nil
}
