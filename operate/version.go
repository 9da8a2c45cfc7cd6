package operate

import (
	"regexp"
	"strconv"
	"strings"
)

// version is the numbers of a version, such as 2.9.19.
type version []int

var versionForm = regexp.MustCompile(`[0-9]{1,9}(\.[0-9]{1,9}){0,3}`)

// versionIn finds the first version in what a program says of itself, such as "aws-cli/2.9.19 Python/3.11.2".
func versionIn(text string) (version, bool) {
	found := versionForm.FindString(text)
	if found == "" {
		return nil, false
	}
	var v version
	for _, part := range strings.Split(found, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, false
		}
		v = append(v, n)
	}
	return v, true
}

// before says that v is older than w. What is not given counts as 0.
func (v version) before(w version) bool {
	for i := range max(len(v), len(w)) {
		var a, b int
		if i < len(v) {
			a = v[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			return a < b
		}
	}
	return false
}

func (v version) String() string {
	parts := make([]string, len(v))
	for i, n := range v {
		parts[i] = strconv.Itoa(n)
	}
	return strings.Join(parts, ".")
}
