package main

import (
	"regexp"

	"drawbridge/rehearsal/template"
)

// ofDashboard are the names that pinned.Variables gives them.
var ofDashboard = regexp.MustCompile(`^(DASHBOARD_URL|DASHBOARD_CHARTS|EMBED_ORIGINS)(_\d+)?$`)

// dashboardVariables are what the web app is told of its dashboard and of who may frame its charts, as the WebApp stack of
// the assembly tells it: NAME=value each.
func dashboardVariables(assembly string) ([]string, error) {
	synthesized, err := template.ReadAssembly(assembly)
	if err != nil {
		return nil, err
	}
	stack, err := synthesized.Stack("WebApp")
	if err != nil {
		return nil, err
	}
	var variables []string
	for _, resource := range stack.Template.Resources {
		if resource.Type != "AWS::ElasticBeanstalk::Environment" {
			continue
		}
		settings, _ := resource.Properties["OptionSettings"].([]any)
		for _, setting := range settings {
			s, _ := setting.(map[string]any)
			name, _ := s["OptionName"].(string)
			value, plain := s["Value"].(string)
			if plain && ofDashboard.MatchString(name) {
				variables = append(variables, name+"="+value)
			}
		}
	}
	return variables, nil
}
