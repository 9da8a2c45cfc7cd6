package play

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"drawbridge/rehearsal/resources"
	"drawbridge/rehearsal/template"
)

// noSecrets looks for the values of all secrets where none may stand.
// Secrets' own resources have none either: their values are generated.
func (p *play) noSecrets(context.Context) (string, error) {
	texts := map[string]string{"the function's log": p.functionLog.String(), "the web app's log": p.webLog.String()}
	for _, stack := range p.o.Private.Stacks {
		for name, value := range p.Outputs(stack.Name) {
			texts["the output "+name] = value
		}
		for _, r := range p.Resources(stack.Name) {
			properties := maps.Clone(r.Properties)
			if r.Type == "AWS::RDS::DBInstance" {
				delete(properties, "MasterUserPassword") // which must have the secret's
			}
			// As their services got them: with the values of dynamic references.
			resolved, err := template.ResolveDynamic(r.LogicalID, properties, p.Account.Dynamic)
			if err != nil {
				return "", err
			}
			texts["the properties of "+r.LogicalID] = fmt.Sprint(resolved)
		}
	}
	for arn, function := range p.Account.Functions.All() {
		texts["the environment of "+arn] = fmt.Sprint(function.Config().Environment)
	}
	for _, i := range p.fleet.Instances("") {
		texts["the user data of "+i.LogicalID] = i.UserData
	}
	for id, variables := range p.webApps.variables() {
		texts["the environment of "+id] = variables
	}
	for _, o := range p.Operations() {
		texts["CloudFormation's events"] += o.String() + "\n"
	}
	values := 0
	for _, stack := range p.o.Private.Stacks {
		for _, r := range p.Resources(stack.Name) {
			if r.Type != "AWS::SecretsManager::Secret" {
				continue
			}
			for _, stage := range []string{"AWSCURRENT", "AWSPREVIOUS"} {
				text, err := p.Secrets.Value(r.PhysicalID, stage)
				if err != nil {
					continue // it has none of this stage
				}
				for _, needle := range resources.SecretParts(text) {
					values++
					for _, where := range slices.Sorted(maps.Keys(texts)) {
						if strings.Contains(texts[where], needle) {
							return "", fmt.Errorf("%s holds a value of the secret %s", where, r.LogicalID)
						}
					}
				}
			}
		}
	}
	if values == 0 {
		return "", errors.New("there is no secret to look for")
	}
	return fmt.Sprintf("%d values were looked for in %d places", values, len(texts)), nil
}
