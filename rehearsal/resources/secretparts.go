package resources

import (
	"encoding/json"
	"strings"
)

// SecretParts are the parts of a secret's text that must not be seen anywhere: the password of one with RDS's JSON keys,
// the lines of a private key, or else the whole text.
func SecretParts(text string) (parts []string) {
	var login struct{ Password string }
	if json.Unmarshal([]byte(text), &login) == nil && login.Password != "" {
		return []string{login.Password}
	}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); len(line) >= 16 && !strings.HasPrefix(line, "-----") {
			parts = append(parts, line)
		}
	}
	return parts
}
