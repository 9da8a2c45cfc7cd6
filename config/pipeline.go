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
	Account       string   `json:"account"`       // 12 digits, or "" for wherever the CLI deploys the pipeline to
	Region        string   `json:"region"`        // "" exactly when Account is ""
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

// sampleRepository stands in cdk.json as it is shipped.
const sampleRepository = "owner/name"

// LoadPipeline reads the pipeline from the JSON text of its object, as strictly
// as Load does. src is the source of the environments that it deploys: Where
// heads the error lines, and Environments says which names there are. The error
// is of type Problems.
func LoadPipeline(raw json.RawMessage, src Source) (*Pipeline, []Warning, error) {
	names, err := Names(src)
	if err != nil {
		return nil, nil, err
	}
	r := newReport(src.Where, pipelineFields)
	root := place{path: "codePipeline"}
	value, err := parse(raw)
	if err != nil {
		r.problem(root, "is %s", err)
		return nil, nil, r.err()
	}
	p := &Pipeline{}
	newDecoder(r, nil).decode(root, value, reflect.ValueOf(p).Elem())

	r.accountAndRegion(root, p.Account, p.Region)
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
		return nil, nil, err
	}
	if p.ConnectionARN == "" {
		r.warn(root.key("connectionArn"), "is empty, which is enough to synthesize the pipeline and not to deploy it; put the ARN of a connection to your repository (docs/pipeline.md says how to make one)")
	}
	if p.Repository == sampleRepository {
		r.warn(root.key("repository"), "%s is a sample name; put your repository", show(p.Repository))
	}
	return p, r.warnings, nil
}

// LoadStages reads every environment that a pipeline deploys, in its order. src
// is the source that the pipeline was loaded with; it names no environment. The
// error is of type Problems and lists what is wrong with any of them.
func LoadStages(p *Pipeline, src Source) ([]*Environment, []Warning, error) {
	var environments []*Environment
	var warnings []Warning
	r := newReport(src.Where, pipelineFields)
	for _, name := range p.Environments {
		src.Environment = name
		e, more, err := Load(src)
		if problems, ok := err.(Problems); ok {
			for _, problem := range problems {
				r.add(problem)
			}
			continue
		}
		environments, warnings = append(environments, e), append(warnings, more...)
		if e.Account != "" && p.Account == "" {
			r.problem(place{path: "codePipeline"}.key("account"),
				"is not given, but the environment %s names an account, and CodePipeline must know whether that is its own", show(name))
		}
	}
	if err := r.err(); err != nil {
		return nil, nil, err
	}
	return environments, warnings, nil
}

// NeedsApproval tells whether a person approves each deployment by the pipeline:
// production's, and that of every database which is protected against deletion.
func (e *Environment) NeedsApproval() bool {
	return e.Name == ProductionName || e.Database.DeletionProtection
}
