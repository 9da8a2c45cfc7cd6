package iam

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Directory holds the policies of an account's roles.
type Directory struct {
	mu    sync.Mutex
	roles map[string]map[string]Policy // by the role's ARN, then by whatever attached the policy
}

// Attach gives a role a policy, or changes it. The name tells policies of one role apart.
func (d *Directory) Attach(roleARN, name string, policy Policy) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.roles == nil {
		d.roles = map[string]map[string]Policy{}
	}
	if d.roles[roleARN] == nil {
		d.roles[roleARN] = map[string]Policy{}
	}
	d.roles[roleARN][name] = policy
}

// Detach takes a policy away from a role.
func (d *Directory) Detach(roleARN, name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.roles[roleARN], name)
}

// Policies are a role's own policies.
func (d *Directory) Policies(roleARN string) []Policy {
	d.mu.Lock()
	defer d.mu.Unlock()
	var policies []Policy
	for _, policy := range d.roles[roleARN] {
		policies = append(policies, policy)
	}
	return policies
}

// managed are AWS's managed policies that are known, by their names: what they allow in the services that are played here
// ("AWS Managed Policy Reference Guide").
var managed = map[string]Policy{
	"service-role/AWSLambdaBasicExecutionRole":       {},
	"service-role/AWSLambdaVPCAccessExecutionRole":   {},
	"service-role/AWSElasticBeanstalkEnhancedHealth": {},
	"AmazonSSMManagedInstanceCore": {{
		sid: "AmazonSSMManagedInstanceCore", allow: true,
		actions: patterns{values: []string{"ssm:GetParameter", "ssm:GetParameters"}}, resources: patterns{values: []string{"*"}},
	}},
}

// Managed is what AWS's own policy of this ARN allows in the services that are played here.
func Managed(arn string) (Policy, error) {
	for name, policy := range managed {
		if wildcard("arn:*:iam::aws:policy/"+name, arn) {
			return policy, nil
		}
	}
	return nil, fmt.Errorf("the managed policy %s is not known here: add it to the package iam with what it allows in the services that are played (known are %s)",
		arn, strings.Join(slices.Sorted(maps.Keys(managed)), ", "))
}
