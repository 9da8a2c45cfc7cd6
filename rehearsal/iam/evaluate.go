package iam

import (
	"fmt"
	"slices"
	"strings"
)

// Request is one call that somebody wants to make.
type Request struct {
	Principal string // the ARN of the role whose credentials signed it, or the name of a service
	Account   string // 12 digits: the account of the principal and the resource
	Action    string // such as "secretsmanager:GetSecretValue"
	Resource  string // an ARN

	// Context are the condition keys that have a value, such as aws:PrincipalAccount, which is set by itself.
	Context map[string]string
}

// Policies are those that have a say in a request.
type Policies struct {
	Identity []Policy // of the role
	Resource Policy   // of the resource; may be nil
	Endpoint Policy   // of the VPC endpoint that the request came through; nil: it came through none
}

// Denied is a request that the policies do not allow.
type Denied struct {
	Request Request
	Reason  string
}

func (d *Denied) Error() string {
	return fmt.Sprintf("%s is not authorized to perform %s on the resource %s because %s",
		d.Request.Principal, d.Request.Action, d.Request.Resource, d.Reason)
}

// Evaluate is nil when the policies allow the request, and otherwise a [Denied].
func Evaluate(r Request, p Policies) error {
	denied := func(reason string) error { return &Denied{r, reason} }
	for _, policy := range slices.Concat(p.Identity, []Policy{p.Resource, p.Endpoint}) {
		for _, s := range policy {
			if !s.allow && s.matches(r, true) {
				return denied(fmt.Sprintf("the statement %q denies it", s.sid))
			}
		}
	}
	if p.Endpoint != nil && !p.Endpoint.allows(r, true) {
		return denied("no VPC endpoint policy allows it")
	}
	for _, policy := range p.Identity {
		if policy.allows(r, true) {
			return nil
		}
	}
	if p.Resource.allows(r, false) {
		return nil
	}
	return denied("neither an identity-based policy nor a resource-based policy allows it")
}

func (p Policy) allows(r Request, account bool) bool {
	return slices.ContainsFunc(p, func(s statement) bool { return s.allow && s.matches(r, account) })
}

// matches says whether the statement is about the request. Naming the account as principal means everybody in it only
// if account says so: in the Allow of a resource's policy it leaves the choice to the account's own policies.
func (s statement) matches(r Request, account bool) bool {
	if s.principals != nil && !s.principals.match(r, account) {
		return false
	}
	// Service prefix and action are matched without regard to case.
	if !s.actions.match(strings.ToLower(r.Action), strings.ToLower) {
		return false
	}
	if len(s.resources.values) > 0 && !s.resources.match(r.Resource, func(text string) string { return text }) {
		return false
	}
	for _, c := range s.conditions {
		if !c.holds(r) {
			return false
		}
	}
	return true
}

func (p patterns) match(text string, fold func(string) string) bool {
	found := slices.ContainsFunc(p.values, func(pattern string) bool { return wildcard(fold(pattern), text) })
	return found != p.not
}

func (p principals) match(r Request, account bool) bool {
	if slices.Contains(p["Service"], r.Principal) {
		return true
	}
	if !strings.HasPrefix(r.Principal, "arn:") {
		return false
	}
	return slices.ContainsFunc(p["AWS"], func(name string) bool {
		if name == "*" || name == r.Principal {
			return true
		}
		isAccount := name == r.Account || strings.HasPrefix(name, "arn:") && strings.HasSuffix(name, ":iam::"+r.Account+":root")
		return account && isAccount
	})
}

// comparisons are the condition operators that are known here.
var comparisons = map[string]func(value, pattern string) bool{
	"StringEquals":           func(a, b string) bool { return a == b },
	"StringEqualsIgnoreCase": strings.EqualFold,
	"StringLike":             func(value, pattern string) bool { return wildcard(pattern, value) },
	"ArnEquals":              func(value, pattern string) bool { return wildcard(pattern, value) },
	"ArnLike":                func(value, pattern string) bool { return wildcard(pattern, value) },
	"Bool":                   strings.EqualFold,
	"StringNotEquals":        func(a, b string) bool { return a == b },
	"StringNotLike":          func(value, pattern string) bool { return wildcard(pattern, value) },
	"ArnNotEquals":           func(value, pattern string) bool { return wildcard(pattern, value) },
	"ArnNotLike":             func(value, pattern string) bool { return wildcard(pattern, value) },
}

func (c condition) holds(r Request) bool {
	operator, ifExists := strings.CutSuffix(c.operator, "IfExists")
	negated := strings.Contains(operator, "Not")
	value, exists := c.value(r)
	if !exists {
		// A key without a value fails what must equal, and passes what must differ.
		return ifExists || negated
	}
	found := slices.ContainsFunc(c.values, func(pattern string) bool { return comparisons[operator](value, pattern) })
	return found != negated
}

func (c condition) value(r Request) (string, bool) {
	for key, value := range r.Context {
		if strings.EqualFold(key, c.key) {
			return value, true
		}
	}
	if !strings.HasPrefix(r.Principal, "arn:") {
		return "", false
	}
	switch strings.ToLower(c.key) {
	case "aws:principalaccount", "aws:resourceaccount":
		return r.Account, true
	case "aws:principalarn":
		return r.Principal, true
	}
	return "", false
}

// wildcard matches * with any text and ? with any one character.
func wildcard(pattern, text string) bool {
	// Where the last * stood, and how much of the text it covers so far.
	star, covered := -1, 0
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, covered = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			covered++
			p, t = star+1, covered
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
