package main

import (
	"slices"

	"drawbridge/rehearsal/template"
)

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
			if plain && slices.Contains([]string{"DASHBOARD_URL", "DASHBOARD_CHARTS", "EMBED_ORIGINS"}, name) {
				variables = append(variables, name+"="+value)
			}
		}
	}
	return variables, nil
}
