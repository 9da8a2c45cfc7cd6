package template

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
)

// A dynamic reference ("Get values stored in other services using dynamic references", AWS CloudFormation User Guide).
var dynamicReference = regexp.MustCompile(`\{\{resolve:([^:}]*):([^}]*)\}\}`)

// ResolveDynamic puts values in the place of dynamic references, {{resolve:SERVICE:REFERENCE}}, in an already resolved
// value. CloudFormation does so only when it hands properties to a resource's own service: what it compares and shows
// keeps the reference.
func ResolveDynamic(path string, value any, lookup func(service, reference string) (string, error)) (any, error) {
	switch v := value.(type) {
	case map[string]any:
		resolved := make(map[string]any, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			var err error
			if resolved[key], err = ResolveDynamic(path+"."+key, v[key], lookup); err != nil {
				return nil, err
			}
		}
		return resolved, nil
	case []any:
		resolved := make([]any, len(v))
		for i, item := range v {
			var err error
			if resolved[i], err = ResolveDynamic(path+"["+strconv.Itoa(i)+"]", item, lookup); err != nil {
				return nil, err
			}
		}
		return resolved, nil
	case string:
		var failed error
		resolved := dynamicReference.ReplaceAllStringFunc(v, func(found string) string {
			match := dynamicReference.FindStringSubmatch(found)
			text, err := lookup(match[1], match[2])
			if err != nil && failed == nil {
				failed = fmt.Errorf("%s: the dynamic reference %s: %w", path, found, err)
			}
			return text
		})
		return resolved, failed
	}
	return value, nil
}
