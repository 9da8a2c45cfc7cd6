package config

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Pipeline is the delivery pipeline, as it stands in cdk.json's context under
// codePipeline. (The value pipeline is the switch that asks for its stack.)
type Pipeline struct {
	ConnectionARN string   `json:"connectionArn"` // "" while there is no connection: enough to synthesize, not to deploy
	Repository    string   `json:"repository"`
	Branch        string   `json:"branch"`
	Environments  []string `json:"environments"` // in the order of deployment
}

var (
	// CodeConnections was called CodeStar Connections; its old ARNs still work.
	connectionARN = regexp.MustCompile(`^arn:aws[a-z-]*:(codeconnections|codestar-connections):[a-z0-9-]+:[0-9]{12}:connection/[A-Za-z0-9-]+$`)
	// More than one slash: GitLab has groups within groups.
	repositoryName = regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$`)
	// A part of what git check-ref-format allows, without its exceptions.
	branchName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]*([./][A-Za-z0-9_][A-Za-z0-9_-]*)*$`)
)

// LoadPipeline reads the pipeline from the JSON text of its object, as strictly
// as Load does. src is the source of the environments that it deploys: Where
// heads the error lines, and Environments says which names there are. The error
// is of type Problems.
func LoadPipeline(raw json.RawMessage, src Source) (*Pipeline, error) {
	names, err := Names(src)
	if err != nil {
		return nil, err
	}
	r := newReport(src.Where, pipelineFields)
	root := place{path: "codePipeline"}
	value, err := parse(raw)
	if err != nil {
		r.problem(root, "is %s", err)
		return nil, r.err()
	}
	p := &Pipeline{}
	newDecoder(r, nil).decode(root, value, reflect.ValueOf(p).Elem())

	if p.ConnectionARN != "" && !connectionARN.MatchString(p.ConnectionARN) {
		r.problem(root.key("connectionArn"), "%s is not the ARN of a connection", show(p.ConnectionARN))
	}
	if !repositoryName.MatchString(p.Repository) {
		r.problem(root.key("repository"), "%s is not a repository", show(p.Repository))
	}
	if !branchName.MatchString(p.Branch) || strings.HasSuffix(p.Branch, ".lock") {
		r.problem(root.key("branch"), "%s is not a branch", show(p.Branch))
	}
	list := root.key("environments")
	listed := unique{}
	for i, name := range p.Environments {
		at := list.index(i)
		if !slices.Contains(names, name) {
			r.problem(at, "%s is not an environment of the config", show(name))
		} else if listed.seen(name, at) != "" {
			r.problem(at, "%s is listed twice", show(name))
		}
	}
	if len(p.Environments) == 0 {
		r.problem(list, "is empty")
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return p, nil
}
