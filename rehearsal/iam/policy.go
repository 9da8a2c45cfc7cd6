package iam

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Policy is a policy document.
type Policy []statement

type statement struct {
	sid        string
	allow      bool
	principals principals // nil: the statement has none, as in a role's own policies
	actions    patterns
	resources  patterns
	conditions []condition
}

// patterns match what stands in Action or Resource, or with not, all but that.
type patterns struct {
	not    bool
	values []string
}

// principals are ARNs, account ids, service names or "*", by their kind.
type principals map[string][]string

type condition struct {
	operator string
	key      string
	values   []string
}

// ParsePolicy reads a policy document whose functions are resolved: what the properties PolicyDocument and
// ResourcePolicy hold.
func ParsePolicy(document any) (Policy, error) {
	top, ok := document.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("a policy must be a map with Version and Statement")
	}
	for key := range top {
		if !slices.Contains([]string{"Version", "Id", "Statement"}, key) {
			return nil, fmt.Errorf("a policy has the key %s, which is not known here", key)
		}
	}
	list, ok := top["Statement"].([]any)
	if !ok {
		if list = []any{top["Statement"]}; top["Statement"] == nil {
			return nil, fmt.Errorf("a policy must have a Statement")
		}
	}
	var policy Policy
	for i, item := range list {
		s, err := parseStatement(item)
		if err != nil {
			return nil, fmt.Errorf("the policy's statement %d: %w", i, err)
		}
		policy = append(policy, s)
	}
	return policy, nil
}

func parseStatement(item any) (statement, error) {
	fields, ok := item.(map[string]any)
	if !ok {
		return statement{}, fmt.Errorf("must be a map")
	}
	var s statement
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		value := fields[key]
		var err error
		switch key {
		case "Sid":
			s.sid, ok = value.(string)
			if !ok {
				err = fmt.Errorf("the Sid must be a text")
			}
		case "Effect":
			s.allow = value == "Allow"
			if value != "Allow" && value != "Deny" {
				err = fmt.Errorf("the Effect must be Allow or Deny")
			}
		case "Action", "NotAction":
			s.actions.not = key == "NotAction"
			s.actions.values, err = texts(key, value)
		case "Resource", "NotResource":
			s.resources.not = key == "NotResource"
			s.resources.values, err = texts(key, value)
		case "Principal":
			s.principals, err = parsePrincipals(value)
		case "Condition":
			s.conditions, err = parseConditions(value)
		default:
			err = fmt.Errorf("%s is not known here", key)
		}
		if err != nil {
			return statement{}, err
		}
	}
	if fields["Effect"] == nil || len(s.actions.values) == 0 {
		return statement{}, fmt.Errorf("must have Effect and Action")
	}
	return s, nil
}

func parsePrincipals(value any) (principals, error) {
	if value == "*" {
		return principals{"AWS": {"*"}}, nil
	}
	kinds, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf(`the Principal must be "*" or a map`)
	}
	p := principals{}
	for kind, value := range kinds {
		if kind != "AWS" && kind != "Service" {
			return nil, fmt.Errorf("the Principal %s is not known here", kind)
		}
		var err error
		if p[kind], err = texts("Principal", value); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func parseConditions(value any) ([]condition, error) {
	operators, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the Condition must be a map")
	}
	var conditions []condition
	for _, operator := range slices.Sorted(maps.Keys(operators)) {
		if _, known := comparisons[strings.TrimSuffix(operator, "IfExists")]; !known {
			return nil, fmt.Errorf("the condition operator %s is not known here", operator)
		}
		keys, ok := operators[operator].(map[string]any)
		if !ok {
			return nil, fmt.Errorf("the condition %s must be a map", operator)
		}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			values, err := texts("Condition", keys[key])
			if err != nil {
				return nil, err
			}
			conditions = append(conditions, condition{operator, key, values})
		}
	}
	return conditions, nil
}

// texts reads "a" and ["a", "b"].
func texts(key string, value any) ([]string, error) {
	items, ok := value.([]any)
	if !ok {
		items = []any{value}
	}
	var result []string
	for _, item := range items {
		switch v := item.(type) {
		case string:
			result = append(result, v)
		case bool:
			result = append(result, strconv.FormatBool(v))
		default:
			return nil, fmt.Errorf("the %s must be a text or a list of texts", key)
		}
	}
	return result, nil
}
