package config

import (
	"regexp"
	"strconv"
	"strings"
)

// shownCharacters is how much of a value an error line repeats.
const shownCharacters = 60

// show quotes a value from the config for an error line: control characters
// escaped, long values cut, and nothing that may be a secret.
func show(value string) string {
	if strings.Contains(value, "PRIVATE KEY") {
		return "a private key (not shown)"
	}
	if at := strings.LastIndexByte(value, '@'); at > 0 && strings.Contains(value[:at], ":") {
		value = "…" + value[at:] // user:password@host
	}
	if runes := []rune(value); len(runes) > shownCharacters {
		value = string(runes[:shownCharacters]) + "…"
	}
	return strconv.Quote(value)
}

var plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,59}$`)

// pathKey returns a key as a part of a path: .key, or ["odd key"].
func pathKey(key string) string {
	if plainKey.MatchString(key) {
		return "." + key
	}
	return "[" + show(key) + "]"
}

// nearest returns the candidate that key is most likely a slip of, or "".
func nearest(key string, candidates []string) string {
	best, bestDistance := "", 3
	for _, candidate := range candidates {
		if d := distance(strings.ToLower(key), strings.ToLower(candidate)); d < bestDistance && d < len(candidate) {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// distance is the Levenshtein distance between two strings, in bytes.
func distance(a, b string) int {
	if len(a) > 2*shownCharacters {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substituted := diagonal
			if a[i] != b[j] {
				substituted++
			}
			diagonal = row[j+1]
			row[j+1] = min(substituted, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
