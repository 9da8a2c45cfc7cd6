// Command drawbridge is the CDK app: it reads the config of one environment, or of the delivery pipeline, from the context,
// creates its stacks and synthesizes them. The CDK CLI runs it as cdk.json says.
package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"drawbridge/config"
	"drawbridge/internal/jsiiruntime"
	"drawbridge/stacks"
)

func main() {
	code := 0
	if err := synthesize(); err != nil {
		for line := range strings.Lines(err.Error()) {
			fmt.Fprintln(os.Stderr, "drawbridge: "+strings.TrimRight(line, "\n"))
		}
		code = 1
	}
	jsiiruntime.Close()
	os.Exit(code)
}

// synthesize writes the cloud assembly. jsii panics where Go would return an error: every panic becomes one here.
func synthesize() (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = errors.New(firstLine(fmt.Sprint(cause)))
		}
	}()
	app := awscdk.NewApp(&awscdk.AppProps{AnalyticsReporting: jsii.Bool(false)})
	source, err := configSource(app)
	if err != nil {
		return err
	}
	pipeline, warnings, err := pipelineConfig(app, source)
	if err != nil {
		return err
	}
	switch asked := context(app, "pipeline"); asked {
	case "", "false":
		err = addEnvironment(app, source)
	case "true":
		err = addPipeline(app, pipeline, warnings, source)
	default:
		err = fmt.Errorf("the context value pipeline is %q: give -c pipeline=true for the delivery pipeline, or leave it out", asked)
	}
	if err != nil {
		return err
	}
	if context(app, "nag") == "true" {
		awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{
			ReportFormats: &[]cdknag.NagReportFormat{cdknag.NagReportFormat_JSON},
		}), nil)
	}
	app.Synth(nil)
	return nil
}

// addEnvironment adds the stacks of one environment.
func addEnvironment(app awscdk.App, source config.Source) error {
	env, warnings, err := config.Load(source)
	if err != nil {
		return err
	}
	assets, err := findAssets(env.Architecture)
	if err != nil {
		return err
	}
	setZones(app, env)
	warn(stacks.NewEnvironment(app, env, assets).Network.Stack, warnings)
	return nil
}

// addPipeline adds the delivery pipeline and a stage for each of its environments.
func addPipeline(app awscdk.App, pipeline *config.Pipeline, warnings []config.Warning, source config.Source) error {
	// Of these, the pipeline's own synthesis would know nothing.
	for _, other := range []struct{ name, instead string }{
		{"env", "it deploys the environments that codePipeline.environments lists"},
		{"exposure", "each environment's phase stands in its config"},
		{"config", "it takes the environments from cdk.json"},
	} {
		if context(app, other.name) != "" {
			return fmt.Errorf("-c %s does not go with -c pipeline=true: %s", other.name, other.instead)
		}
	}
	if pipeline == nil {
		return errors.New("the context holds no codePipeline, which says what to deliver and where to: see docs/pipeline.md")
	}
	environments, more, err := config.LoadStages(pipeline, source)
	if err != nil {
		return err
	}
	assets, err := findAssets(environments[0].Architecture)
	if err != nil {
		return err
	}
	version, err := cliVersion()
	if err != nil {
		return err
	}
	setZones(app, environments...)
	stack := stacks.NewPipelineStack(app, "Pipeline", &stacks.PipelineStackProps{
		Pipeline: pipeline, Environments: environments, Assets: assets, CLIVersion: version,
	})
	warn(stack.Stack, append(warnings, more...))
	return nil
}

// setZones tells CDK the zones of each environment that names its account. It would ask the account for them even though the
// VPC names them.
func setZones(app awscdk.App, environments ...*config.Environment) {
	for _, env := range environments {
		if env.Account != "" {
			app.Node().SetContext(jsii.String("availability-zones:account="+env.Account+":region="+env.Region), env.AvailabilityZones)
		}
	}
}

func warn(stack awscdk.Stack, warnings []config.Warning) {
	for _, warning := range warnings {
		id := "drawbridge:" + strings.NewReplacer("[", ".", "]", "").Replace(warning.Path)
		awscdk.Annotations_Of(stack).AddWarningV2(&id, jsii.String(warning.String()))
	}
}

//go:embed package.json
var packageJSON []byte

// cliVersion is the version of the CDK CLI that npm ci installs.
func cliVersion() (string, error) {
	var pins struct{ DevDependencies map[string]string }
	if err := json.Unmarshal(packageJSON, &pins); err != nil {
		return "", fmt.Errorf("package.json cannot be read: %w", err)
	}
	return pins.DevDependencies["aws-cdk"], nil
}

// configSource takes the environments from the file that -c config=FILE names, or else from the context itself.
func configSource(app awscdk.App) (config.Source, error) {
	source := config.Source{
		Environment:  context(app, "env"),
		Exposure:     context(app, "exposure"),
		Architecture: context(app, "architecture"),
	}
	if file := context(app, "config"); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return source, fmt.Errorf("the config file %s cannot be read (%w): check the path in -c config=FILE", file, errors.Unwrap(err))
		}
		source.Where, source.Environments = file, text
		return source, nil
	}
	environments := app.Node().TryGetContext(jsii.String("environments"))
	if environments == nil {
		return source, errors.New("the context holds no environments: run this app through the CDK CLI (npx cdk synth), in the folder of cdk.json")
	}
	text, err := json.Marshal(environments)
	if err != nil {
		return source, fmt.Errorf("the context value environments cannot be read: %w", err)
	}
	source.Where, source.Environments = "cdk.json", text
	return source, nil
}

// pipelineConfig reads the pipeline's config, where there is one, though the pipeline may not be asked for: its mistakes are
// to be found now, and not on the day that it is needed.
func pipelineConfig(app awscdk.App, source config.Source) (*config.Pipeline, []config.Warning, error) {
	pipeline := app.Node().TryGetContext(jsii.String("codePipeline"))
	// With other environments than cdk.json's, its list of them means nothing.
	if pipeline == nil || context(app, "config") != "" {
		return nil, nil, nil
	}
	text, err := json.Marshal(pipeline)
	if err != nil {
		return nil, nil, fmt.Errorf("the context value codePipeline cannot be read: %w", err)
	}
	return config.LoadPipeline(text, source)
}

// context is a context value as text: what -c NAME=VALUE gave, or what cdk.json says. Empty if there is none.
func context(app awscdk.App, name string) string {
	switch value := app.Node().TryGetContext(&name).(type) {
	case nil:
		return ""
	case string:
		return value
	default:
		return fmt.Sprint(value)
	}
}

// findAssets names the files that `make build` made for this architecture. Paths are absolute: CDK resolves relative
// ones against the folder of its own Node process.
func findAssets(architecture config.Architecture) (stacks.Assets, error) {
	var assets stacks.Assets
	for _, asset := range []struct {
		what, file string
		path       *string
	}{
		{"the web app's bundle", "webapp-" + string(architecture) + ".zip", &assets.WebAppBundle},
		{"the Lambda function's code", "lambda-" + string(architecture) + ".zip", &assets.DatabaseFunction},
		{"the host program", "host-" + string(architecture), &assets.HostProgram},
	} {
		file := filepath.Join("build", asset.file)
		path, err := filepath.Abs(file)
		if err != nil {
			return assets, err
		}
		if _, err := os.Stat(path); err != nil {
			return assets, fmt.Errorf("%s %s is missing: run make build", asset.what, file)
		}
		*asset.path = path
	}
	return assets, nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
