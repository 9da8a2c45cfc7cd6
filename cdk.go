// Command drawbridge is the CDK app: it reads the config of one environment from the context, creates its stacks and
// synthesizes them. The CDK CLI runs it as cdk.json says.
package main

import (
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
	if context(app, "pipeline") != "" {
		return errors.New("the context value pipeline is set, but this version of Drawbridge has no pipeline stack: deploy with npx cdk deploy --all")
	}
	source, err := configSource(app)
	if err != nil {
		return err
	}
	env, warnings, err := config.Load(source)
	if err != nil {
		return err
	}
	if err := checkPipeline(app, source); err != nil {
		return err
	}
	if env.Account != "" {
		// Without this, CDK would ask the account for its zones even though the VPC names them.
		app.Node().SetContext(jsii.String("availability-zones:account="+env.Account+":region="+env.Region), env.AvailabilityZones)
	}
	assets, err := findAssets(env.Architecture)
	if err != nil {
		return err
	}
	environment := stacks.NewEnvironment(app, env, assets)
	for _, warning := range warnings {
		id := "drawbridge:" + strings.NewReplacer("[", ".", "]", "").Replace(warning.Path)
		awscdk.Annotations_Of(environment.Network.Stack).AddWarningV2(&id, jsii.String(warning.String()))
	}
	if context(app, "nag") == "true" {
		awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{
			ReportFormats: &[]cdknag.NagReportFormat{cdknag.NagReportFormat_JSON},
		}), nil)
	}
	app.Synth(nil)
	return nil
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

// checkPipeline reads the pipeline's config, where there is one, though no stack is made of it yet: its mistakes are to
// be found now, and not on the day that it is needed.
func checkPipeline(app awscdk.App, source config.Source) error {
	pipeline := app.Node().TryGetContext(jsii.String("codePipeline"))
	if pipeline == nil {
		return nil
	}
	text, err := json.Marshal(pipeline)
	if err != nil {
		return fmt.Errorf("the context value codePipeline cannot be read: %w", err)
	}
	_, err = config.LoadPipeline(text, source)
	return err
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
